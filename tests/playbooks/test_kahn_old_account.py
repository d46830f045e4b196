"""The old machine's account: disabled once, with a word about it, and enabled again exactly as it was."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.playbooks.domain_twin import DirectoryTwin, ldap
from tests.playbooks.modules import cause, shared

old = shared("kahn_old_account")
MARK, NOTED = "[Disabled by Kahn: replaced by neu-0001; 1]", 'Raum 3 (Frau "Öz")'


class Office:
    def __init__(self, store: Path) -> None:
        self.store, self.directory = store, DirectoryTwin()
        self.account = self.directory.put("APC-0001", description=NOTED)

    def of(self, name: str = "apc-0001", successor: str = "NEU-0001") -> Any:
        return old.OldAccount(name, successor, str(self.store), self.directory)

    def stands(self) -> tuple[int, str]:
        return self.account.control, self.account.description


@pytest.fixture
def office(tmp_path: Path) -> Office:
    return Office(tmp_path)


def test_it_is_disabled_once_and_comes_back_as_it_was(office: Office) -> None:
    assert cause(office.of().check) == "old_account_enabled"
    assert office.of().asked()["answer"] == "not_done"
    assert office.of().disable(MARK)[0]
    assert office.stands() == (ldap.NEW | ldap.DISABLED, f"{MARK} {NOTED}")
    assert office.of().check()["account"] == "disabled" and office.of().asked()["answer"] == "done"
    assert not office.of().disable("another word")[0] and office.directory.changes == 1
    assert office.of().enable()[0]
    assert office.stands() == (ldap.NEW, NOTED) and list(office.store.iterdir()) == []
    assert office.of().enable() == (False, {"restored": False})


def test_one_that_others_disabled_is_noted_and_stays_so(office: Office) -> None:
    office.account.control |= ldap.DISABLED
    assert office.of().disable(MARK) == (False, {"computer": "APC-0001", "account": "disabled", "by_others": True})
    assert office.of().asked()["answer"] == "done"
    assert not office.of().enable()[0] and office.account.disabled and not office.directory.changes


def test_others_who_do_it_at_the_same_moment_are_seen_and_not_undone(office: Office) -> None:
    def theirs() -> None:
        office.account.control |= ldap.DISABLED

    office.directory.meanwhile = theirs  # type: ignore[assignment]
    assert cause(office.of().disable, MARK) == "account_changed"
    assert not office.of().enable()[0] and office.account.disabled and office.account.description == NOTED


def test_what_others_changed_since_stays_theirs(office: Office) -> None:
    office.of().disable(MARK)
    office.account.control |= 0x80000  # trusted for delegation
    assert office.of().enable()[0]
    assert office.stands() == (ldap.NEW | 0x80000, NOTED)
    office.of().disable(MARK)
    office.account.control &= ~ldap.DISABLED
    assert not office.of().enable()[0] and not office.account.disabled


def test_a_word_that_others_wrote_beside_ours_stays_and_keeps_nothing_from_coming_back(office: Office) -> None:
    office.of().disable(MARK)
    office.account.description += ", see ticket 7"
    assert not office.of().disable("another word")[0]
    assert office.of().enable()[0] and office.stands() == (ldap.NEW, f"{NOTED}, see ticket 7")


def test_it_is_found_again_after_it_was_moved_and_its_end_is_said(office: Office) -> None:
    office.of().disable(MARK)
    office.directory.accounts = {"APC-0001-ALT": office.account}
    assert office.of().enable()[0] and office.stands() == (ldap.NEW, NOTED)
    office.directory.accounts = {"APC-0001": office.account}
    office.of().disable(MARK)
    office.directory.accounts = {}
    assert cause(office.of().enable) == "old_account_gone"


@pytest.mark.parametrize("control", [0x2000 | 0x80000, 0x1000 | 0x2000, 0x200, 0x800])
def test_a_controller_or_a_person_of_that_name_is_never_touched(office: Office, control: int) -> None:
    office.account.control = control
    assert cause(office.of().disable, MARK) == "old_account_unfit" and not office.directory.changes


@pytest.mark.parametrize("name", ["x)(objectClass=*", "*", "apc-0001-with-a-long-name", "somebody", ""])
def test_a_record_that_no_account_belongs_to_changes_nothing(office: Office, name: str) -> None:
    assert office.of(name).disable(MARK) == (False, {"computer": office.of(name).computer, "account": "none"})
    assert office.of(name).check()["account"] == "none" and office.of(name).asked()["answer"] == "done"


def test_a_successor_that_bears_the_old_name_keeps_its_own_account(office: Office) -> None:
    assert office.of("apc-0001.alt", successor="APC-0001").disable(MARK)[1]["account"] == "none"
    assert office.stands() == (ldap.NEW, NOTED)
