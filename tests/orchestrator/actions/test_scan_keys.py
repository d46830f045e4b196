"""Scanning host keys: who is asked, what the answers mean, and what is written, on a real store."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from inventory.filtering import InvalidFilter
from inventory.model import Asset, AssetKind
from orchestrator.actions.scan_keys import KeyOvertaken, NothingToScan, scan_keys, select_machines, trust_keys
from orchestrator.cli.context import Context
from orchestrator.core.access import AccessProfile, JumpHost
from orchestrator.core.host_keys import Door, Finding, KeyAnswer, Verdict, fingerprint
from tests.estates import TENANT, an_asset, an_estate
from tests.planning_town import a_home, add_assets, moment

OLD, NEW = (f"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI{letter * 43}" for letter in "AB")
JUMP = JumpHost(address="192.0.2.9", host_key=OLD)
PROFILES = {"lab": AccessProfile(name="lab", user="root", key_file="/nowhere", jump=JUMP)}
ESTATE = an_estate(
    also=(
        an_asset("pc-1", address="192.0.2.11", access="lab"),
        an_asset("pc-2", address="192.0.2.12", access="lab", host_key=OLD),
        an_asset("pc-3", address="192.0.2.13", access="lab", host_key=NEW),
        an_asset("pc-4", address="192.0.2.14", access="gone"),
        an_asset("pc-5", access="lab"),
        an_asset("pc-6", address="127.0.0.1", access="lab"),
        an_asset("vault-1", kind=AssetKind.SERVER, role="vault"),
        an_asset("rathaus", kind=AssetKind.SITE),
    )
)


def names(*words: str) -> list[str]:
    return [one.name for one in select_machines(ESTATE, words)]


def all_show(key: str) -> object:
    """A reader before which every machine shows that key."""
    return lambda doors: [KeyAnswer(asset=door.asset, key=key) for door in doors]


def found(*words: str, key: str = NEW) -> dict[str, Finding]:
    findings = scan_keys(ESTATE, select_machines(ESTATE, words), profiles=PROFILES, read=all_show(key))  # type: ignore[arg-type]
    return {one.asset.name: one for one in findings}


def test_without_words_all_machines_that_can_be_reached_are_asked() -> None:
    assert names() == ["pc-1", "pc-2", "pc-3", "pc-4", "pc-6"]


def test_names_patterns_and_filter_terms_choose_machines() -> None:
    assert names("PC-1", "pc-3") == ["pc-1", "pc-3"]
    assert names("pc-*", "host_key!=") == ["pc-2", "pc-3"]
    assert names("address=192.0.2.12") == ["pc-2"]
    assert names("pc-5") == ["pc-5"]


@pytest.mark.parametrize("words", [["nobody"], ["pc-1", "nobody"], ["rathaus"], ["kind=printer"], ["-oProxyCommand"]])
def test_a_name_that_is_no_machine_stops_the_scan(words: list[str]) -> None:
    with pytest.raises(NothingToScan):
        select_machines(ESTATE, words)
    with pytest.raises(InvalidFilter):
        select_machines(ESTATE, ["colour=red"])


def test_each_machine_gets_its_verdict_and_what_cannot_be_asked_its_reason() -> None:
    findings = found("pc-*")
    verdicts = {name: (one.verdict.value, one.trouble.code if one.trouble else "") for name, one in findings.items()}
    assert verdicts == {
        "pc-1": ("new", ""),
        "pc-2": ("changed", ""),
        "pc-3": ("same", ""),
        "pc-4": ("failed", "profile_unknown"),
        "pc-5": ("failed", "no_address"),
        "pc-6": ("failed", "no_address"),
    }
    assert findings["pc-1"].via == "192.0.2.9" and findings["pc-1"].twins == ("pc-2", "pc-3")


def test_a_door_carries_address_profile_and_the_known_key() -> None:
    asked: list[Door] = []

    def reader(doors: Sequence[Door]) -> list[KeyAnswer]:
        asked.extend(doors)
        return [KeyAnswer(asset=door.asset, key=NEW) for door in doors]

    scan_keys(ESTATE, select_machines(ESTATE, ["pc-2"]), profiles=PROFILES, read=reader)
    (door,) = asked
    assert (door.address, door.profile.jump, door.known) == ("192.0.2.12", JUMP, OLD)


@pytest.fixture
def home(tmp_path: Path) -> Context:
    return a_home(tmp_path, estate=ESTATE)


def trust(home: Context, *findings: Finding) -> int:
    with home.world.transaction() as books:
        return trust_keys(books, TENANT, findings, at=moment())


def asset(home: Context, name: str) -> Asset:
    with home.world.store.reading() as books:
        return next(one for one in books.assets.snapshot(TENANT).assets if one.name == name)


def test_trusted_keys_are_written_with_their_source_and_a_journal_entry(home: Context) -> None:
    findings = found("pc-*")
    assert trust(home, *findings.values()) == 2
    assert [asset(home, f"pc-{n}").text("host_key") for n in (1, 2, 3, 5)] == [NEW, NEW, NEW, ""]
    with home.world.store.reading() as books:
        (last,) = [one for one in books.assets.history(TENANT, ["pc-2"]) if one["source"] == "scan"]
        entries = [one.entry for one in books.journal.read(TENANT) if one.entry.kind == "inventory.host_key"]
    assert (last["field"], last["before"], last["after"]) == ("host_key", OLD, NEW)
    assert [(one.body["asset"], one.body["before"], one.body["after"]) for one in entries] == [
        ("pc-1", "", fingerprint(NEW)), ("pc-2", fingerprint(OLD), fingerprint(NEW))
    ]  # fmt: skip


def test_a_record_that_changed_meanwhile_is_left_alone(home: Context) -> None:
    first = found("pc-1")["pc-1"]
    trust(home, first)
    later = found("pc-1", key=OLD)["pc-1"]
    assert later.verdict is Verdict.NEW
    with pytest.raises(KeyOvertaken):
        trust(home, later)
    assert asset(home, "pc-1").text("host_key") == NEW


def test_nothing_trusted_writes_nothing(home: Context) -> None:
    add_assets(home, an_asset("pc-9"))
    same = found("pc-3")["pc-3"]
    assert trust(home, same) == 0
    with home.world.store.reading() as books:
        assert not [one for one in books.journal.read(TENANT) if one.entry.kind == "inventory.host_key"]
