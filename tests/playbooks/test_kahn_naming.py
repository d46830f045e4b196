"""Names while a procedure moves: the time to live lowered, waited out, led elsewhere and put back."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.playbooks.modules import Trouble, cause, shared

naming = shared("kahn_naming")
NAME, OLD, NEW = "wohngeld.stadt.example", "10.0.0.1", "10.0.0.2"
FIRST, SECOND = ("192.0.2.1", 53), ("192.0.2.2", 53)


class Zone:
    """The zone as its servers have it: the record, its seconds, its serial. The second server may stand still."""

    def __init__(self) -> None:
        self.at: dict[Any, tuple[str, int, int]] = {FIRST: (OLD, 3600, 100), SECOND: (OLD, 3600, 100)}
        self.follows, self.lost, self.refuses = True, "", False
        self.asked: list[tuple[str, str]] = []

    def addresses(self, server: Any, name: str) -> tuple[list[str], int]:
        address, seconds, _ = self.at[server]
        return [address], seconds

    def zone(self, server: Any, name: str) -> tuple[str, int]:
        return "stadt.example", self.at[server][2]

    def replace(self, server: Any, key: Any, zone: str, now: Any, then: Any) -> None:
        address, _, serial = self.at[FIRST]
        wanted = naming.Record(NAME, address).body
        self.asked.append((address, "" if then is None else str(then.seconds)))
        if now.body != wanted:
            raise Trouble("names_changed", "Somebody changed it.")
        if then is None:
            return
        if self.refuses:
            raise Trouble("names_refused", "That key may not.")
        if self.lost != "question":
            made = ".".join(map(str, then.body)), then.seconds, serial + 1
            self.at[FIRST] = made
            self.at[SECOND] = made if self.follows else self.at[SECOND]
        if self.lost:
            self.lost = ""
            raise Trouble("names_unanswered", "Nobody answered.")


@pytest.fixture
def zone(monkeypatch: pytest.MonkeyPatch) -> Iterator[Zone]:
    made, names = Zone(), shared("kahn_names")
    for place in (naming, names):
        monkeypatch.setattr(place, "addresses", made.addresses)
        monkeypatch.setattr(place, "zone", made.zone)
    monkeypatch.setattr(naming, "replace", made.replace)
    monkeypatch.setattr(naming, "Key", lambda path: path)
    monkeypatch.setattr(names, "PATIENCE_S", 0.1)
    yield made


def one(store: Path, **changed: Any) -> Any:
    settings = {"dns_names": [NAME], "dns_server": FIRST[0], "dns_secondaries": [SECOND[0]],
                "dns_key_file": "/etc/dns.key", **changed}  # fmt: skip
    made = naming.Naming({"root": "/", "settings": settings, "addresses": {"old": OLD, "new": NEW}}, str(store))
    made.names._patience_s = 0.1
    return made


def test_the_old_time_is_noted_waited_out_and_given_back(
    zone: Zone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one(tmp_path).fit()
    assert zone.asked == [(OLD, "")], "only asked whether it could"
    assert one(tmp_path).lower() and zone.at[FIRST] == (OLD, 60, 101)
    with pytest.raises(Trouble) as found:
        one(tmp_path).waited()
    assert found.value.cause == "names_cached" and 3590 < found.value.facts["until"] - time.time() < 3605
    noted = json.loads((tmp_path / "names").read_text())
    noted[NAME]["since"] = {**noted[NAME]["since"], "time": time.time() - 3602, "boot": "another"}
    (tmp_path / "names").write_text(json.dumps(noted))
    one(tmp_path).waited()
    assert one(tmp_path).restore("old") and zone.at[SECOND] == (OLD, 3600, 102)
    assert not list(tmp_path.iterdir()) and not one(tmp_path).restore("old")


def test_a_clock_that_was_set_forward_shortens_no_waiting(zone: Zone, tmp_path: Path) -> None:
    one(tmp_path).lower()
    noted = json.loads((tmp_path / "names").read_text())
    noted[NAME]["since"]["time"] -= 90_000
    (tmp_path / "names").write_text(json.dumps(noted))
    assert cause(one(tmp_path).waited) == "names_cached"


def test_lowering_again_keeps_what_was_noted_first_and_the_time_since(zone: Zone, tmp_path: Path) -> None:
    one(tmp_path).lower()
    before = (tmp_path / "names").read_bytes()
    assert not one(tmp_path).lower() and (tmp_path / "names").read_bytes() == before


def test_a_key_without_the_right_is_found_beforehand_also_where_the_time_is_low_already(
    zone: Zone, tmp_path: Path
) -> None:
    zone.at[FIRST] = zone.at[SECOND] = (OLD, 30, 100)
    zone.refuses = True
    one(tmp_path).fit()  # a server looks at rights only where something is to change
    assert cause(one(tmp_path).lower) == "names_refused"
    zone.refuses = False
    assert one(tmp_path).lower() and zone.at[FIRST] == (OLD, 30, 101) and not one(tmp_path).lower()


def test_a_time_that_somebody_raised_since_is_lowered_and_waited_out_anew(zone: Zone, tmp_path: Path) -> None:
    one(tmp_path).lower()
    noted = json.loads((tmp_path / "names").read_text())
    noted[NAME]["since"] = {**noted[NAME]["since"], "time": time.time() - 90_000, "boot": "another"}
    (tmp_path / "names").write_text(json.dumps(noted))
    one(tmp_path).waited()
    zone.at[FIRST] = zone.at[SECOND] = (OLD, 7200, 105)
    assert one(tmp_path).lower() and zone.at[FIRST] == (OLD, 60, 106)
    assert cause(one(tmp_path).waited) == "names_cached"
    one(tmp_path).restore("old")
    assert zone.at[FIRST] == (OLD, 7200, 107), "as long as it was given last"


def test_the_waiting_begins_only_when_every_server_serves_the_low_time(zone: Zone, tmp_path: Path) -> None:
    zone.follows = False
    assert cause(one(tmp_path).lower) == "names_differ"
    assert "since" not in json.loads((tmp_path / "names").read_text())[NAME]
    assert cause(one(tmp_path).waited) == "names_differ"
    zone.at[SECOND] = zone.at[FIRST]
    one(tmp_path).lower()
    assert json.loads((tmp_path / "names").read_text())[NAME]["seconds"] == 3600


def test_a_name_is_led_away_and_back_with_newer_serials_everywhere(zone: Zone, tmp_path: Path) -> None:
    for to, address, serial in (("new", NEW, 101), ("old", OLD, 102)):
        expected = one(tmp_path).expect(to, written=False)
        one(tmp_path).turn(to, expected)
        assert zone.at[SECOND] == (address, 3600, serial) and expected == {NAME: serial - 1}
        again = one(tmp_path).expect(to, written=False)
        one(tmp_path).turn(to, again)
        assert again == expected and zone.at[FIRST][2] == serial, "a second time changes nothing, and asks the same"


def test_what_somebody_changed_is_left_alone(zone: Zone, tmp_path: Path) -> None:
    zone.at[FIRST] = zone.at[SECOND] = ("10.9.9.9", 60, 100)
    expected = one(tmp_path).expect("new", written=False)
    assert cause(one(tmp_path).turn, "new", expected) == "names_changed" and zone.at[FIRST] == ("10.9.9.9", 60, 100)


@pytest.mark.parametrize("lost", ["question", "answer"])
def test_an_update_that_nobody_answered_is_looked_at_before_it_is_sent_again(
    zone: Zone, tmp_path: Path, lost: str
) -> None:
    zone.lost = lost
    one(tmp_path).turn("new", one(tmp_path).expect("new", written=False))
    assert zone.at[FIRST] == (NEW, 3600, 101)


def test_a_secondary_that_stands_still_fails_the_switch(zone: Zone, tmp_path: Path) -> None:
    zone.follows = False
    expected = one(tmp_path).expect("new", written=False)
    assert cause(one(tmp_path).turn, "new", expected) == "names_differ"


def test_names_that_were_never_led_away_are_not_asked_on_the_way_back(zone: Zone, tmp_path: Path) -> None:
    zone.at.clear()
    one(tmp_path).turn("old", one(tmp_path).expect("old", written=False))
    assert zone.asked == []


def test_a_time_to_live_that_no_wave_waits_for_is_refused_before_anything(zone: Zone, tmp_path: Path) -> None:
    zone.at[FIRST] = zone.at[SECOND] = (OLD, 90_000, 100)
    assert cause(one(tmp_path).fit) == "names_live_long"


def test_without_a_key_names_are_asked_and_nothing_is_written(zone: Zone, tmp_path: Path) -> None:
    quiet = one(tmp_path, dns_key_file="")
    quiet.fit()
    quiet.waited()
    assert not quiet.lower() and not quiet.restore("old") and zone.asked == [] and not list(tmp_path.iterdir())
    assert cause(quiet.turn, "new", {}) == "names_differ"


def test_a_damaged_note_has_a_name(zone: Zone, tmp_path: Path) -> None:
    (tmp_path / "names").write_text("[")
    assert cause(one(tmp_path).waited) == "record_damaged"
