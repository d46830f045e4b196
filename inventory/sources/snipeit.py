"""Snipe-IT's CSV files: assets and locations. Persons to whom an asset is checked out are not taken.

The demo data of such systems names assets after nothing in particular, so the asset tag is the name unless the asset's
own name occurs once. A category that names no sort of machine is no obstacle if the model does.
"""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

from inventory.model import AssetKind, name_key
from inventory.observation import Place, Reading
from inventory.sources.csv_table import TableRow, csv_table, has_headings
from inventory.sources.gathering import Gathering
from inventory.sources.kind_words import machine_kind
from inventory.sources.limits import BrokenFile, RowRefused

_US_DATE = re.compile(r"([0-9]{1,2})/([0-9]{1,2})/([0-9]{2}|[0-9]{4})")
_NOTEBOOK = re.compile(r"macbook|thinkpad|latitude|elitebook|lifebook|probook|xps|surface", re.IGNORECASE)
_WORDS = re.compile(r"[^\w-]+")


class SnipeIt:
    """Assets, or locations, of a Snipe-IT."""

    name = "snipe-it"

    def recognises(self, path: Path) -> bool:
        """Whether the headings of one of its files stand in it."""
        return _is_assets(path) or _is_locations(path) or _is_models(path)

    def read(self, path: Path) -> Reading:
        """Every asset or location. Raises ExpectedError."""
        if _is_models(path):
            why = "it lists models, no machines; export the assets (Assets, All Assets, Export)"
            raise BrokenFile(place=Place(file=str(path)), why=why)
        if _is_locations(path):
            return _locations(path)
        table = csv_table(path, "asset tag")
        found = Gathering(path, self.name, headings=table.headings)
        rows = list(table.rows())
        names = Counter(name_key(row.get("name", "item name", "asset name")) for row in rows)
        for row in rows:
            _take(found, row, names)
        return found.reading()


def _is_assets(path: Path) -> bool:
    return has_headings(path, "asset tag", "category") or has_headings(path, "asset tag", "model")


def _is_locations(path: Path) -> bool:
    return has_headings(path, "name", "address2", "manager username") or has_headings(path, "name", "address", "zip")


def _is_models(path: Path) -> bool:
    return has_headings(path, "model number", "fieldset", "requestable")


def _locations(path: Path) -> Reading:
    table = csv_table(path, "name")
    found = Gathering(path, SnipeIt.name, headings=table.headings)
    for row in table.rows():
        street = " ".join(part for part in (row.get("address"), row.get("address2")) if part)
        town = " ".join(part for part in (row.get("zip"), row.get("city")) if part)
        title = ", ".join(part for part in (street, town) if part)
        found.asset(AssetKind.SITE, row.get("name"), {"title": title}, place=found.spot(row.number, row.row))
    return found.reading()


def _take(found: Gathering, row: TableRow, names: Counter[str]) -> None:
    tag, own = row.get("asset tag"), row.get("name", "item name", "asset name")
    is_unique = bool(own) and names[name_key(own)] == 1
    name = own if is_unique else tag
    place = found.place(row.number)
    if not name:
        found.refuse(RowRefused(why="it has neither a name nor an asset tag"), place, row.row)
        return
    kind = _kind(row)
    said = {
        "title": "" if is_unique else own,
        "asset_tag": tag,
        "serial": row.get("serial", "serial number"),
        "vendor": row.get("manufacturer"),
        "model": " ".join(part for part in (row.get("model", "model name"), row.get("model number")) if part),
        "site": row.get("location", "checked out to: location"),
        "note": row.get("asset notes", "notes"),
        "purchased": _date(row.get("purchase date")),
        "cost_eur": row.get("purchase cost").replace(",", ""),
        "lifecycle": row.get("status", "status label"),
        "tags": [f"{word}={row.get(word)}" for word in ("category", "company", "supplier") if row.get(word)],
    }
    found.asset(
        kind or AssetKind.WORKSTATION, name, said, place=found.spot(row.number, row.row), guessed_kind=kind is None
    )
    if kind is None:
        category = row.get("category")[:60]
        found.note(
            f"Row {row.number}: the category {category!r} names no sort of machine; {name[:60]!r} is taken as a PC."
        )


def _kind(row: TableRow) -> AssetKind | None:
    """The kind by the category, else by the model; None where neither says it."""
    words = [row.get("category"), *_WORDS.split(row.get("category"))]
    singular = [word.removesuffix("s") for word in words]
    found = next((kind for word in (*words, *singular) if word and (kind := machine_kind(word))), None)
    return found or (AssetKind.NOTEBOOK if _NOTEBOOK.search(row.get("model", "model name")) else None)


def _date(text: str) -> str:
    """A day as YYYY-MM-DD from the American m/d/yy that Snipe-IT's files use; other forms as they stand."""
    found = _US_DATE.fullmatch(text)
    if not found:
        return text
    year = int(found[3]) + (2000 if len(found[3]) == 2 else 0)
    return f"{year:04d}-{int(found[1]):02d}-{int(found[2]):02d}"
