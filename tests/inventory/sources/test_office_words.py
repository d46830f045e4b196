"""What German offices write over columns, in empty cells and under lists."""

from __future__ import annotations

import pytest

from inventory.mapping import KIND, KIND_OR_MODEL, NAME, PERSON
from inventory.model import FIELDS
from inventory.sources.office_words import (
    FIELD_OF,
    bare_heading,
    field_of,
    fields_of,
    is_footer,
    is_totals,
    unit_in,
)  # fmt: skip


@pytest.mark.parametrize(
    ("heading", "field"),
    [
        ("Rechnername", NAME), ("Hostname", NAME), ("Gerätename", NAME), ("Standort", "site"), ("Zi.", "room"),
        ("Amt", "department"), ("OE", "department"), ("Hauptspeicher (GB)", "ram_mib"), ("RAM in MB", "ram_mib"),
        ("Festplatte [GiB]", "disk_gib"), ("Inv.-Nr.", "asset_tag"), ("Inventar-Nr.", "asset_tag"), ("SN", "serial"),
        ("Anschaffungswert (€)", "cost_eur"), ("Anschaffungswert in EUR", "cost_eur"), ("Kaufdatum", "purchased"),
        ("Fachverfahren", "procedures"), ("Nutzer", PERSON), ("Geräteart", KIND), ("Typ", KIND_OR_MODEL),
        ("IP-Adresse", "address"), ("MAC", "mac"), ("Bemerkung", "note"), ("Lieferant", None),
    ],
)  # fmt: skip
def test_headings_are_known_with_units_punctuation_and_abbreviations(heading: str, field: str | None) -> None:
    assert field_of(heading) == field


def test_every_heading_leads_to_a_field_of_the_inventory() -> None:
    assert set(FIELD_OF.values()) - {NAME, KIND, KIND_OR_MODEL, PERSON} <= set(FIELDS)
    assert all(bare_heading(word) == word for word in FIELD_OF)


@pytest.mark.parametrize(
    ("text", "unit"), [("RAM (MB)", "mb"), ("16 GiB", "gib"), ("2TB", "tb"), ("RAM", None), ("Mb", "mb")]
)
def test_a_unit_is_found_in_heading_or_cell(text: str, unit: str | None) -> None:
    assert unit_in(text) == unit


def test_totals_are_told_from_machines_named_alike() -> None:
    assert all(
        is_totals(cell) for cell in ("Summe", "Summe:", "GESAMT", "Gesamtsumme 12", "Anzahl: 40", "Zwischensumme")
    )
    assert not any(is_totals(cell) for cell in ("Gesamtschule-PC1", "SUMME-01", "anzahl2", "srv"))


def test_remarks_under_a_list_are_told_from_machines() -> None:
    assert all(is_footer(cell) for cell in ("Stand: 01.02.2010", "Seite 1 von 2", "* geschätzt", "Quelle: Kämmerei"))
    assert not any(is_footer(cell) for cell in ("standpc-1", "seitenpc", "srv"))


def test_a_building_is_the_site_unless_another_column_names_that() -> None:
    assert fields_of(["Gebäude", "Raum"]) == {"Gebäude": "site", "Raum": "room"}
    assert fields_of(["Gebäude", "Standort"]) == {"Gebäude": "building", "Standort": "site"}
    assert fields_of(["Haus", "colour"]) == {"Haus": "site"}
