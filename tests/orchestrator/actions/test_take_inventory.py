"""Import: shown first, written only onto what was shown."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from inventory.changes import Holdings
from inventory.model import AssetKind
from inventory.observation import Observation, ObservedDependency, Place
from orchestrator.actions.take_inventory import FileRead, Intake, InventoryMoved, compare, holdings_in, take_inventory
from orchestrator.adapters.store import DatabaseStore
from tests.estates import a_policy
from tests.inventory.builders import TENANT, a_reading, ids, needing, nothing_known, said

NOW = datetime(2026, 11, 23, 8, tzinfo=UTC)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[DatabaseStore]:
    with closing(DatabaseStore.create_or_upgrade(f"sqlite:///{tmp_path}/kahn.db")) as opened:
        with opened.transaction() as books:
            books.tenants.add(TENANT, policy=a_policy())
        yield opened


def a_file_read(name: str, *rows: Observation | ObservedDependency, source: str = "native-csv") -> FileRead:
    """One file that says these rows."""
    there = [replace(one, place=Place(file=name, row=at), source=source) for at, one in enumerate(rows, start=2)]
    return FileRead(file=name, reading=replace(a_reading(*there), source=source))


def compared(holdings: Holdings, *files: FileRead) -> Intake:
    return compare(holdings, files, new_id=ids(holdings), at=NOW)


def known(store: DatabaseStore) -> Holdings:
    with store.reading() as books:
        return holdings_in(books, TENANT)


def test_files_of_one_format_may_refer_to_each_other_in_any_order() -> None:
    procedures = a_file_read("procedures.csv", said("GIS", AssetKind.PROCEDURE, machines=("srv",)))
    machines = a_file_read("machines.csv", said("srv", procedures=("GIS",)))
    for files in ((procedures, machines), (machines, procedures)):
        intake = compared(nothing_known(), *files)
        assert (len(intake.steps), intake.refused, len(intake.steps[0].changes.appeared)) == (1, 0, 2)


def test_files_of_other_formats_come_on_top_of_those_before_them() -> None:
    native = a_file_read("machines.csv", said("srv", ram_mib=1024))
    office = a_file_read("office.csv", said("SRV", ram_mib=2048, note="x"), source="office-csv")
    first, second = compared(nothing_known(), replace(native, observed_us=1), replace(office, observed_us=2)).steps
    assert [one.asset.name for one in first.changes.appeared] == ["srv"]
    assert [(one.field, one.before, one.after) for one in second.changes.changed[0].changes] == [
        ("note", None, "x"),
        ("ram_mib", 1024, 2048),
    ]


def test_each_file_gets_back_its_own_refusals() -> None:
    good, bad = a_file_read("a.csv", said("a")), a_file_read("b.csv", said("b", site="Nirgendwo"))
    (step,) = compared(nothing_known(), good, bad).steps
    assert (step.refusals_of(good), len(step.refusals_of(bad)), step.refusals_of(bad)[0].row) == (
        (), 1, ("b", "as it stood")
    )  # fmt: skip


def test_what_was_shown_is_written_and_repeating_it_is_without_effect(store: DatabaseStore) -> None:
    file = a_file_read("a.csv", said("a"), said("b"), needing("a", "b"))
    intake = compared(known(store), file)
    with store.transaction() as books:
        assert take_inventory(books, intake, at=NOW) == 3
    again = compared(known(store), file)
    assert again.is_empty
    with store.transaction() as books:
        assert take_inventory(books, again, at=NOW) == 0


def test_the_journal_says_what_an_import_did_and_nothing_of_one_without_effect(store: DatabaseStore) -> None:
    file = a_file_read("a.csv", said("a"), said("b", site="Nirgendwo"))
    for _ in range(2):
        intake = compared(known(store), file)
        with store.transaction() as books:
            take_inventory(books, intake, at=NOW)
    with store.reading() as books:
        (sealed,) = books.journal.read(TENANT, subject="inventory")
    assert sealed.entry.kind == "inventory.imported"
    assert (sealed.entry.body["appeared"], sealed.entry.body["refused"]) == ({"server": 1}, 1)


def test_an_inventory_that_changed_since_it_was_shown_is_not_written_onto(store: DatabaseStore) -> None:
    shown = compared(known(store), a_file_read("a.csv", said("a")))
    meanwhile = compared(known(store), a_file_read("b.csv", said("b")))
    with store.transaction() as books:
        take_inventory(books, meanwhile, at=NOW)
    with pytest.raises(InventoryMoved), store.transaction() as books:
        take_inventory(books, shown, at=NOW)
    assert [one.name for one in known(store).assets] == ["b"]
