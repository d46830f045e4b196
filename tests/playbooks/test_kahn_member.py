"""A machine joins with an account of its own making, and leaves exactly as it was; nobody else's is touched."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.playbooks.domain_twin import DirectoryTwin, KerberosTwin
from tests.playbooks.modules import cause, shared

member = shared("kahn_member")
MARK = "Made by Kahn for seat-0001; 77aa"


class Seat:
    """A successor's root directory, its store, and the domain."""

    def __init__(self, place: Path) -> None:
        self.root, self.store = place / "root", place / "store"
        (self.root / "etc").mkdir(parents=True)
        self.store.mkdir()
        self.directory = DirectoryTwin()
        self.kerberos = KerberosTwin(self.directory, self.root)

    def machine(self, name: str = "neu-0001") -> Any:
        return member.Member(name, str(self.store), self.kerberos, self.directory, str(self.root))

    def files(self) -> dict[str, tuple[int, bytes]]:
        return {one.name: (one.stat().st_mode, one.read_bytes()) for one in (self.root / "etc").iterdir()}


@pytest.fixture
def seat(tmp_path: Path) -> Seat:
    return Seat(tmp_path)


@pytest.mark.parametrize(
    "name", ["neu-0003-buergerbuero", "4711", "neu_1", "-neu", "neu-", "büro", 'a"b', "", "a)(cn=*"]
)
def test_a_name_that_no_computer_can_have_is_refused(name: str) -> None:
    assert cause(member.computer_of, name) == "computer_name_unfit"


def test_the_first_part_of_a_records_name_is_the_computers() -> None:
    assert member.computer_of("Neu-0001.rathaus.stadt.example") == "NEU-0001"
    assert member.host_of("Neu-0001", "AMT.TEST") == "neu-0001.amt.test"
    assert member.host_of("neu-0001.rathaus.example", "AMT.TEST") == "neu-0001.rathaus.example"


def test_it_joins_once_and_leaves_without_a_trace(seat: Seat) -> None:
    (seat.root / "etc/krb5.conf").write_text("[libdefaults]\ndefault_realm = ATHENA.MIT.EDU\n")
    (seat.root / "etc/krb5.keytab").write_text("keys of nfs")
    (seat.root / "etc/krb5.keytab").chmod(0o640)
    before = seat.files()
    assert seat.machine().asked()["answer"] == "not_done"
    assert seat.machine().join("", MARK) == (True, {"computer": "NEU-0001", "realm": "AMT.TEST", "made": True})
    assert seat.machine().check()["made"] and seat.machine().asked()["answer"] == "done"
    assert (seat.root / "etc/krb5.keytab").stat().st_mode & 0o777 == 0o600
    assert member.default_realm((seat.root / "etc/krb5.conf").read_text()) == "AMT.TEST"
    guid = seat.directory.accounts["NEU-0001"].guid
    seat.machine().join("", "another mark")
    assert seat.directory.accounts["NEU-0001"].guid == guid
    assert seat.machine().leave() == (True, {"restored": True})
    assert (seat.directory.accounts, seat.files(), list(seat.store.iterdir())) == ({}, before, [])
    assert seat.machine().leave() == (False, {"restored": False})


def test_an_account_of_that_name_that_is_not_ours_stays_as_it_is(seat: Seat) -> None:
    theirs = seat.directory.put("NEU-0001", description="Kasse 2")
    assert cause(seat.machine().join, "", MARK) == "computer_taken"
    assert seat.machine().leave() == (False, {"restored": False})
    assert seat.directory.accounts == {"NEU-0001": theirs} and not seat.directory.changes
    assert (seat.files(), list(seat.store.iterdir())) == ({}, [])


def test_an_account_that_somebody_makes_at_the_same_moment_is_not_taken_over(seat: Seat) -> None:
    seat.directory.meanwhile = lambda: seat.directory.put("NEU-0001", description="Kasse 2")  # type: ignore[assignment, return-value]
    assert cause(seat.machine().join, "", MARK) == "computer_taken"
    assert seat.machine().leave()[0] and seat.directory.accounts["NEU-0001"].description == "Kasse 2"


def test_a_machine_that_was_a_member_before_stays_one(seat: Seat) -> None:
    account = seat.directory.put("NEU-0001", description="from its image")
    (seat.root / "etc/krb5.keytab").write_text(account.guid)
    (seat.root / "etc/krb5.keytab").chmod(0o600)
    assert seat.machine().join("", MARK) == (False, {"computer": "NEU-0001", "realm": "AMT.TEST", "made": False})
    assert seat.machine().asked()["answer"] == "done"
    assert seat.machine().leave() == (False, {"restored": False})
    assert seat.directory.accounts == {"NEU-0001": account} and not seat.directory.changes


def test_one_that_broke_off_is_partial_and_can_go_on_or_back(seat: Seat) -> None:
    seat.kerberos.refuses = "adcli: couldn't set the password: Cannot contact any KDC for realm"
    assert cause(seat.machine().join, "", MARK) == "domain_unreachable"
    assert seat.machine().asked()["answer"] == "partial"
    note = json.loads((seat.store / "domain.made").read_bytes())
    (seat.store / "domain.made").write_text(json.dumps(note | {"guid": ""}))  # killed before it was noted
    seat.kerberos.refuses = ""
    assert seat.machine().join("", "another mark")[0]
    assert seat.machine().leave()[0] and (seat.directory.accounts, seat.files()) == ({}, {})


def test_settings_of_this_realm_stay_and_those_that_people_changed_are_theirs(seat: Seat) -> None:
    own = "[libdefaults]\n default_realm = AMT.TEST\n forwardable = true\n"
    (seat.root / "etc/krb5.conf").write_text(own)
    seat.machine().join("", MARK)
    assert (seat.root / "etc/krb5.conf").read_text() == own
    seat.machine().leave()
    (seat.root / "etc/krb5.conf").unlink()
    seat.machine().join("", MARK)
    (seat.root / "etc/krb5.conf").write_text(own)
    seat.machine().leave()
    assert (seat.root / "etc/krb5.conf").read_text() == own


def test_a_disabled_account_or_an_open_keytab_is_no_membership(seat: Seat) -> None:
    seat.machine().join("", MARK)
    (seat.root / "etc/krb5.keytab").chmod(0o644)
    assert cause(seat.machine().check) == "keytab_open"
    seat.directory.accounts["NEU-0001"].control |= 2
    assert cause(seat.machine().check) == "not_a_member"
    assert seat.machine().asked()["answer"] == "partial"


def test_a_damaged_note_is_said_and_nothing_is_taken_away(seat: Seat) -> None:
    seat.machine().join("", MARK)
    (seat.store / "domain.made").write_text("{")
    assert cause(seat.machine().leave) == "store_damaged" and "NEU-0001" in seat.directory.accounts
