"""Import: shown first, written only onto what was shown."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from inventory.changes import Holdings, applied
from inventory.model import AssetKind
from inventory.observation import Observation, ObservedDependency, Place
from inventory.precedence import InventoryRules
from orchestrator.actions.take_inventory import (
    FileRead,
    Intake,
    InventoryMoved,
    ListIncomplete,
    TooMuchAtOnce,
    check_shares,
    compare,
    holdings_in,
    take_inventory,
    taken_before,
)
from orchestrator.adapters.store import DatabaseStore
from tests.estates import a_policy
from tests.fresh_stores import fresh_store
from tests.inventory.builders import TENANT, a_reading, ids, needing, nothing_known, said

NOW = datetime(2026, 11, 23, 8, tzinfo=UTC)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[DatabaseStore]:
    with closing(fresh_store(tmp_path / "kahn.db")) as opened:
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


def a_complete(holdings: Holdings, *files: FileRead) -> Intake:
    return compare(holdings, files, new_id=ids(holdings), at=NOW, is_complete=True)


def test_only_a_list_that_is_called_complete_takes_away_what_it_does_not_have() -> None:
    first = a_file_read("a.csv", said("Rathaus", AssetKind.SITE), said("a"), said("b"))
    known = applied(nothing_known(), compared(nothing_known(), replace(first, observed_us=1)).steps[0].changes)
    later = replace(a_file_read("b.csv", said("a")), observed_us=2)
    assert compared(known, later).steps[0].changes.gone == ()
    changes = a_complete(known, later).steps[0].changes
    assert [(one.asset.name, one.into) for one in changes.gone] == [("b", None)]
    assert [one.name for one in applied(known, changes).assets if one.is_machine] == ["a"]
    older = replace(later, observed_us=1)
    assert a_complete(known, older).steps[0].changes.gone == ()


def test_what_is_gone_from_one_source_and_there_in_another_stays_and_what_comes_back_is_the_same() -> None:
    known = nothing_known()
    for source, rows, observed_us in (("ad", ["a", "b"], 1), ("glpi", ["b"], 1)):
        file = replace(a_file_read(source, *map(said, rows), source=source), observed_us=observed_us)
        known = applied(known, compared(known, file).steps[0].changes)
    complete = replace(a_file_read("ad", said("c"), source="ad"), observed_us=2)
    changes = a_complete(known, complete).steps[0].changes
    assert [one.asset.name for one in changes.gone] == ["a"]
    gone = applied(known, changes)
    back = compared(gone, replace(a_file_read("ad", said("a"), source="ad"), observed_us=3)).steps[0].changes
    assert [one.asset.id for one in back.appeared] == [changes.gone[0].asset.id]


def test_a_complete_list_with_refused_rows_takes_nothing() -> None:
    with pytest.raises(ListIncomplete):
        a_complete(nothing_known(), a_file_read("a.csv", said("a"), said("b", site="Nirgendwo")))


def test_an_import_that_takes_away_or_changes_too_much_at_once_is_refused() -> None:
    many = a_file_read("a.csv", *(said(f"m{at}", ram_mib=1) for at in range(100)))
    known = applied(nothing_known(), compared(nothing_known(), replace(many, observed_us=1)).steps[0].changes)
    few = replace(a_file_read("b.csv", *(said(f"m{at}", ram_mib=1, note="x") for at in range(70))), observed_us=2)
    with pytest.raises(TooMuchAtOnce, match="take away 30 of 100"):
        check_shares(a_complete(known, few), InventoryRules())
    check_shares(a_complete(known, few), InventoryRules(most_gone=0.3))
    other = replace(a_file_read("c.csv", *(said(f"m{at}", ram_mib=2) for at in range(70))), observed_us=3)
    with pytest.raises(TooMuchAtOnce, match="change 70 of 100"):
        check_shares(compared(known, other), InventoryRules())
    check_shares(compared(known, few), InventoryRules())


def test_asset_that_comes_back_is_written_again_under_its_id(store: DatabaseStore) -> None:
    for rows, observed_us in ((["a", "b"], 1), (["a"], 2), (["a", "b"], 3)):
        file = replace(a_file_read("x", *map(said, rows)), observed_us=observed_us)
        intake = compare(known(store), [file], new_id=ids(known(store)), at=NOW, is_complete=True)
        with store.transaction() as books:
            take_inventory(books, intake, at=NOW)
    assert [one.name for one in known(store).assets] == ["a", "b"]
    with store.reading() as books:
        assert [one["after"] for one in books.assets.history(TENANT, ["b"])] == ["b", None, "b"]


def test_a_file_taken_in_whole_is_remembered_and_one_with_refused_rows_is_not(store: DatabaseStore) -> None:
    whole = replace(a_file_read("a", said("a")), observed_us=1, digest="d1")
    partly = replace(
        a_file_read("b", said("b"), said("c", site="Nirgendwo"), source="other"), observed_us=1, digest="d2"
    )
    intake = compared(known(store), whole, partly)
    with store.transaction() as books:
        take_inventory(books, intake, at=NOW)
    with store.reading() as books:
        assert taken_before(books, TENANT) == {("d1", 1)}
