"""What is asked of a directory and what it says: nothing of a name or description becomes a filter or a line."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from tests.playbooks.domain_twin import in_base64
from tests.playbooks.modules import cause, shared

ldap = shared("kahn_ldap")
FOUND = f"""dn: CN=NEU-1,CN=Computers,DC=amt,DC=test
objectGUID:: {"AQ" * 10}AQ==
userAccountControl: 69634
description:: {in_base64("Raum 3, Öz")}

# refldap://amt.test/CN=Configuration,DC=amt,DC=test

"""


class Programs:
    """What ldapsearch and ldapmodify were called with, and what they answer."""

    def __init__(self, code: int = 0, said: str = "") -> None:
        self.answer, self.calls = (code, said), []  # type: ignore[var-annotated]

    def run(self, argv: list[str], said: str = "") -> tuple[int, str]:
        self.calls.append((argv, said))
        return self.answer


def directory(programs: Programs) -> Any:
    return ldap.Directory(SimpleNamespace(run=programs.run, controller="dc-1.amt.test", realm="AMT.TEST"))


def test_an_account_is_read_with_what_counts() -> None:
    programs = Programs(said=FOUND)
    found = directory(programs).named("NEU-1")
    assert (found.control, found.description, found.disabled, found.is_seat) == (69634, "Raum 3, Öz", True, True)
    argv, _ = programs.calls[0]
    assert (
        argv[-5] == "(sAMAccountName=NEU\\2d1\\24)"
        and "GSSAPI" in argv
        and argv[argv.index("-b") + 1] == "DC=amt,DC=test"
    )
    assert directory(Programs()).known_as("00ff") is None


@pytest.mark.parametrize(
    "said", ["dn:: A\n\n", "dn: CN=x\n\n", FOUND.replace("69634", "many"), "dn: x\nobjectGUID:: A\n"]
)
def test_an_answer_that_cannot_be_read_is_refused(said: str) -> None:
    assert cause(directory(Programs(said=said)).named, "NEU-1") == "domain_refused"


def test_signs_of_a_filter_are_escaped() -> None:
    assert ldap.escaped("a*)(b\\ö\0") == "a\\2a\\29\\28b\\5c\\c3\\b6\\00"


def test_values_of_a_record_cannot_begin_a_line() -> None:
    programs = Programs()
    account = ldap.entries(FOUND)[0]
    directory(programs).change(ldap.Computer(account), control=69632, description="x\ndelete: all\n-")
    text = programs.calls[0][1].splitlines()
    assert text[:2] == [f"dn:: {in_base64('CN=NEU-1,CN=Computers,DC=amt,DC=test')}", "changetype: modify"]
    assert text[2:] == [
        "delete: userAccountControl", f"userAccountControl:: {in_base64('69634')}", "-",
        "add: userAccountControl", f"userAccountControl:: {in_base64('69632')}", "-",
        "delete: description", f"description:: {in_base64('Raum 3, Öz')}", "-",
        "add: description", f"description:: {in_base64(chr(120) + chr(10) + 'delete: all' + chr(10) + '-')}", "-", "",
    ]  # fmt: skip


def test_a_new_account_bears_its_mark_from_the_first_moment_on() -> None:
    programs = Programs()
    directory(programs).add("NEU-1", within="", mark="Kahn 7")
    text = programs.calls[0][1]
    assert f"dn:: {in_base64('CN=NEU-1,CN=Computers,DC=amt,DC=test')}" in text and "changetype: add" in text
    assert f"description:: {in_base64('Kahn 7')}" in text and f"sAMAccountName:: {in_base64('NEU-1$')}" in text


@pytest.mark.parametrize(
    ("code", "said", "wanted"),
    [
        (68, "Already exists", "computer_taken"),
        (16, "No such attribute", "account_changed"),
        (50, "Insufficient access", "domain_not_permitted"),
        (53, "Server is unwilling to perform", "domain_not_permitted"),
        (255, "ldap_sasl_interactive_bind: Can't contact LDAP server (-1)", "domain_unreachable"),
        (66, "Operation not allowed on non-leaf (66)", "domain_refused"),
    ],
)
def test_a_refusal_has_its_cause(code: int, said: str, wanted: str) -> None:
    account = ldap.Computer(ldap.entries(FOUND)[0])
    assert cause(directory(Programs(code, said)).remove, account) == wanted


def test_the_clock_is_read_and_a_controller_without_one_is_refused() -> None:
    assert directory(Programs(said="dn:\ncurrentTime: 20261126140947.0Z\n\n")).clock() == 1795702187
    assert cause(directory(Programs(said="dn:\ncurrentTime: soon\n\n")).clock) == "domain_refused"
