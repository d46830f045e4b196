"""Kahn's own form: its sections."""

from __future__ import annotations

from inventory.model import FIELDS, AssetKind
from inventory.observation import Observation, ObservedDependency, Place
from inventory.sources.native_form import BY_KEY, SECTIONS, taken_entry
from inventory.sources.records import Claim

CLAIM = Claim(kind=AssetKind.SITE, place=Place(file="x.json", row=1), source="test", row=("x",))


def test_every_field_has_its_place_in_a_section_and_every_kind_too() -> None:
    assert {name for section in SECTIONS for name in section.fields} == set(FIELDS)
    assert frozenset(AssetKind) == frozenset().union(*(section.kinds for section in SECTIONS))


def test_no_section_begins_like_another() -> None:
    assert len({section.heading for section in SECTIONS}) == len(SECTIONS)


def test_only_machines_carry_a_kind() -> None:
    assert [section.key for section in SECTIONS if section.kinds and "kind" in section.columns] == ["machines"]


def test_an_entry_becomes_an_observation_of_its_section() -> None:
    machine = taken_entry(BY_KEY["machines"], CLAIM, [("machine", "srv"), ("kind", "vm"), ("site", "Rathaus")])
    assert isinstance(machine, Observation)
    assert (machine.kind, machine.name, dict(machine.values)) == ("vm", "srv", {"site": "Rathaus"})
    edge = taken_entry(BY_KEY["dependencies"], CLAIM, [("from", "a"), ("needs", "b"), ("kind", "hart")])
    assert isinstance(edge, ObservedDependency) and (edge.asset, edge.needs, edge.kind) == ("a", "b", "hard")


def test_a_missing_kind_or_end_refuses_the_entry() -> None:
    entries = (("machines", [("machine", "srv")]), ("dependencies", [("from", "a"), ("kind", "hard")]))
    for key, cells in entries:
        taken = taken_entry(BY_KEY[key], CLAIM, cells)
        assert isinstance(taken, tuple) and taken[0].code == "INV-009"
