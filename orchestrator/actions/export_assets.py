"""Export: assets as a table for spreadsheets, or as a document that Kahn itself can read again."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from inventory.model import FIELDS, Asset, Snapshot, Value
from inventory.rejects import formula_free
from inventory.sources.native_form import SECTIONS
from inventory.sources.native_json import MARK, VERSION

FIRST = ("kind", "name")


def columns_of(assets: Iterable[Asset]) -> tuple[str, ...]:
    """Kind, name and every field that one of the assets has, in the order of the model."""
    used = {name for asset in assets for name in asset.values}
    return (*FIRST, *(name for name in FIELDS if name in used), *sorted(used - FIELDS.keys()))


def rows_of(assets: Iterable[Asset], columns: Sequence[str]) -> Iterator[tuple[Value | None, ...]]:
    """The cells of each asset; None where nothing is known. Lists are one text, separated by ``|``."""
    for asset in assets:
        own: Mapping[str, Value] = {"kind": asset.kind.value, "name": asset.name}
        yield tuple(_cell(own.get(name, asset.values.get(name))) for name in columns)


def as_csv(assets: Sequence[Asset], columns: Sequence[str]) -> str:
    """A table that no spreadsheet takes a formula from; separated by semicolons."""
    written = io.StringIO()
    writer = csv.writer(written, delimiter=";", lineterminator="\r\n")
    writer.writerow(columns)
    for row in rows_of(assets, columns):
        writer.writerow(["" if cell is None else formula_free(str(cell)) for cell in row])
    return written.getvalue()


def as_document(snapshot: Snapshot, assets: Sequence[Asset]) -> str:
    """The assets and the dependencies among them in the native form: importing it gives the same inventory."""
    names = {asset.id: asset.name for asset in assets}
    groups = {asset.id: _group(asset) for asset in assets}
    document: dict[str, Any] = {MARK: VERSION}
    for section in SECTIONS:
        if section.kinds:
            document[section.key] = [
                _entry(one, many=len(section.kinds) > 1) for one in assets if one.kind in section.kinds
            ]
        else:
            document[section.key] = [
                {
                    "from": f"{groups[one.asset]}:{names[one.asset]}",
                    "needs": f"{groups[one.needs]}:{names[one.needs]}",
                    "kind": one.kind.value,
                }
                | ({"note": one.note} if one.note else {})
                for one in snapshot.dependencies
                if one.asset in names and one.needs in names
            ]
    return json.dumps(document, ensure_ascii=False, indent=1) + "\n"


def _group(asset: Asset) -> str:
    return "machine" if asset.is_machine else asset.kind.value


def _entry(asset: Asset, *, many: bool) -> dict[str, Any]:
    kind = {"kind": asset.kind.value} if many else {}
    return {"name": asset.name, **kind, **{name: _plain(value) for name, value in asset.values.items()}}


def _plain(value: Value) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _cell(value: Value | None) -> Value | None:
    return "|".join(value) if isinstance(value, tuple) else value
