"""Machine-made entries are taken without what cannot be taken, and refused only for want of a name."""

from __future__ import annotations

from pathlib import Path

from inventory.model import AssetKind, DependencyKind
from inventory.parsing import MAX_LIST
from inventory.sources.gathering import Gathering


def gathering() -> Gathering:
    return Gathering(Path("export.json"), "test")


def test_a_value_that_cannot_be_taken_is_left_out_and_noted() -> None:
    found = gathering()
    found.asset(AssetKind.SERVER, "srv", {"uuid": "4BDR", "serial": "S1", "note": "a\x1bb"}, place=found.place(1))
    (one,) = found.reading().observations
    assert dict(one.values) == {"serial": "S1"}
    assert [note.split(":")[1].split()[0] for note in found.reading().notes] == ["uuid", "note"]


def test_an_entry_without_a_usable_name_is_refused() -> None:
    found = gathering()
    for name in ("", "localhost", "{{ x }}"):
        found.asset(AssetKind.SERVER, name, {}, place=found.place(1))
    assert (found.observations, len(found.refusals)) == ([], 3)


def test_long_lists_are_cut_and_hostile_texts_left_out() -> None:
    found = gathering()
    programs = [f"p{number:04d}" for number in range(MAX_LIST + 3)] + ["x\x00y"]
    found.asset(AssetKind.SERVER, "srv", {"software": programs}, place=found.place(1))
    (one,) = found.observations
    assert len(one.values["software"]) == MAX_LIST  # type: ignore[arg-type]
    assert len(found.notes) == 2


def test_places_and_procedures_that_machines_name_exist_thereby() -> None:
    found = gathering()
    found.asset(AssetKind.VM, "srv", {"site": "RZ", "procedures": ["EWO"]}, place=found.place(1))
    assert [(one.kind, one.name) for one in found.reading().observations] == [
        (AssetKind.SITE, "RZ"), (AssetKind.PROCEDURE, "EWO"), (AssetKind.VM, "srv")
    ]  # fmt: skip


def test_a_dependency_needs_both_ends() -> None:
    found = gathering()
    found.dependency("a", "b", DependencyKind.SOFT, place=found.place(1))
    found.dependency("a", "", DependencyKind.SOFT, place=found.place(2))
    assert ([(one.asset, one.needs) for one in found.dependencies], len(found.refusals)) == ([("a", "b")], 1)
