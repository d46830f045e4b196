"""Exports: tables without formulas, and a document that gives the same inventory again."""

from __future__ import annotations

import csv
from pathlib import Path

from inventory.changes import applied
from inventory.merge import merge
from inventory.model import AssetKind
from inventory.sources import read_file
from orchestrator.actions.export_assets import as_csv, as_document, columns_of, rows_of
from tests.inventory.builders import at, ids, knowing, needing, nothing_known, said

KNOWN = knowing(
    said("Rathaus", AssetKind.SITE),
    said("MESO", AssetKind.PROCEDURE, machines=("srv",), users=4),
    said("srv", AssetKind.VM, site="Rathaus", ram_mib=4096, note="=cmd|' /C calc'!A0", mac=("00:50:56:00:00:01",)),
    needing("MESO", "srv"),
).snapshot


def test_a_table_has_kind_name_and_every_field_that_is_used() -> None:
    columns = columns_of(KNOWN.assets)
    assert columns[:3] == ("kind", "name", "site") and "machines" in columns and "serial" not in columns
    rows = {row[1]: row for row in rows_of(KNOWN.assets, columns)}
    assert rows["srv"][columns.index("ram_mib")] == 4096 and rows["MESO"][columns.index("site")] is None


def test_no_cell_of_a_csv_starts_a_formula() -> None:
    rows = list(csv.reader(as_csv(KNOWN.assets, ("name", "note")).splitlines(), delimiter=";"))
    assert ["srv", "'=cmd|' /C calc'!A0"] in rows


def test_the_document_can_be_imported_and_gives_the_same(tmp_path: Path) -> None:
    file = tmp_path / "export.json"
    file.write_text(as_document(KNOWN, KNOWN.assets))
    changes = merge(nothing_known(), read_file(file), new_id=ids(nothing_known()), when=at(1))
    again = applied(nothing_known(), changes).snapshot
    assert changes.refusals == () and len(again.dependencies) == 1
    assert {(one.kind, one.name): dict(one.values) for one in again.assets} == {
        (one.kind, one.name): dict(one.values) for one in KNOWN.assets
    }


def test_dependencies_of_what_is_not_exported_are_left_out() -> None:
    only = [one for one in KNOWN.assets if one.name == "srv"]
    assert '"dependencies": []' in as_document(KNOWN, only)
