"""Kerberos of one step: its own configuration, a password only on an input, and what was refused in words."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from tests.playbooks.modules import cause, shared

kerberos = shared("kahn_kerberos")


@pytest.mark.parametrize(
    ("said", "wanted"),
    [
        ("kinit: Password incorrect while getting initial credentials", "domain_login_refused"),
        ("kinit: Preauthentication failed while getting initial credentials", "domain_login_refused"),
        ("kinit: Client 'x@AMT.TEST' not found in Kerberos database", "domain_login_refused"),
        ("kinit: Client's credentials have been revoked while getting", "domain_account_locked"),
        ("kinit: Clock skew too great while getting initial credentials", "domain_clock_wrong"),
        ("kinit: Cannot contact any KDC for realm 'AMT.TEST'", "domain_unreachable"),
        ("ldap_sasl_interactive_bind: Unknown authentication method (-6)", "domain_tools_missing"),
        ("adcli: joining domain failed: Something else", "domain_refused"),
        ("", "domain_refused"),
    ],
)
def test_what_programs_say_has_a_cause(said: str, wanted: str) -> None:
    assert kerberos.trouble_of(said).cause == wanted


def test_a_configuration_names_controllers_or_asks_dns() -> None:
    pinned = kerberos.configuration("AMT.TEST", ["dc-1.amt.test"])
    assert "dns_lookup_kdc = false\n" in pinned and "kdc = dc-1.amt.test\n" in pinned
    free = kerberos.configuration("AMT.TEST", [])
    assert "dns_lookup_kdc = true\n" in free and "[realms]" not in free and ".amt.test = AMT.TEST\n" in free


def test_a_scratch_directory_is_private_and_gone_afterwards_also_what_a_killed_one_left(tmp_path: Path) -> None:
    (tmp_path / "kahn-domain-a1").mkdir()
    (tmp_path / "kahn-domain-a1/ticket").touch()
    with kerberos.scratch_of("a1", str(tmp_path)) as place:
        assert os.stat(place).st_mode & 0o777 == 0o700 and os.listdir(place) == []
    assert list(tmp_path.iterdir()) == []


def session(place: Path, monkeypatch: pytest.MonkeyPatch, answers: dict[str, tuple[int, str]]) -> tuple[Any, list[Any]]:
    """A session whose programs answer so, and their calls."""
    made, calls = kerberos.Kerberos("AMT.TEST", str(place)), []

    def run(argv: list[str], said: str = "") -> tuple[int, str]:
        calls.append((argv, said))
        return answers.get(argv[0], (0, ""))

    monkeypatch.setattr(made, "run", run)
    return made, calls


def test_a_password_stands_on_the_input_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made, calls = session(tmp_path, monkeypatch, {})
    made.log_in("kahn-join", "ge heim")
    (argv, said) = calls[0]
    assert said == "ge heim\n" and not any("heim" in one for one in argv) and argv[-1] == "kahn-join@AMT.TEST"
    refused, _ = session(tmp_path, monkeypatch, {"kinit": (1, "kinit: Something new")})
    assert cause(refused.log_in, "kahn-join", "ge heim") == "domain_login_refused"


def test_the_first_controller_that_answers_is_taken_and_odd_names_of_dns_are_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = "[domain]\ndomain-controllers = -x dc;1 dc-2.amt.test dc-3.amt.test\n"
    made, _ = session(tmp_path, monkeypatch, {"adcli": (0, told)})
    asked: list[str] = []

    def answers(name: str) -> bool:
        asked.append(name)
        return name.startswith("dc-3")

    monkeypatch.setattr(kerberos, "answers", answers)
    made.choose([])
    assert (made.controller, asked) == ("dc-3.amt.test", ["dc-2.amt.test", "dc-3.amt.test"])
    assert cause(made.choose, ["dc-9.amt.test"]) == "domain_unreachable"


def test_a_keytab_that_is_refused_is_no_trouble_but_silence_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    keytab = tmp_path / "krb5.keytab"
    made, calls = session(tmp_path, monkeypatch, {"kinit": (1, "kinit: Preauthentication failed")})
    assert made.works_for("NEU-1", str(keytab)) is False and calls == []
    keytab.touch()
    assert made.works_for("NEU-1", str(keytab)) is False and calls[0][0][-1] == "NEU-1$@AMT.TEST"
    silent, _ = session(tmp_path, monkeypatch, {"kinit": (1, "kinit: Cannot contact any KDC")})
    assert cause(silent.works_for, "NEU-1", str(keytab)) == "domain_unreachable"


def test_a_program_that_is_not_there_is_said(tmp_path: Path) -> None:
    assert cause(kerberos.Kerberos("AMT.TEST", str(tmp_path)).run, ["kahn-no-such-program"]) == "domain_tools_missing"
    assert kerberos.missing_tools(lambda name: None if name == "adcli" else name) == ["adcli"]
