"""A list in a workbook gives the same machines as the list as text."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from inventory.mapping import MappedColumn, MappingProfile, ProfileDoesNotFit
from inventory.sources import read_file, recognise
from inventory.sources.limits import BrokenFile, FileUnreadable
from inventory.sources.office_xlsx import OfficeXlsx
from tests.inventory.builders import a_file
from tests.inventory.sources.workbooks import Sheets, a_workbook

HEADINGS: list[object] = [
    "Rechnername",
    "Standort",
    "Hauptspeicher (GB)",
    "Festplatte",
    "Kaufdatum",
    "Anschaffungswert (€)",
    "Zi.",
]
ROW: list[object] = ["pc-1", "Rathaus", 8, 119.5, date(2012, 5, 6), 1890.5, "1.12"]
LIST: list[list[object]] = [["Inventarliste 2024"], [], HEADINGS, ROW, ["pc-2", "Rathaus", 4], ["Summe", "", 12]]
TEXT = (
    "Inventarliste 2024\n\nRechnername;Standort;Hauptspeicher (GB);Festplatte;Kaufdatum;Anschaffungswert (€);Zi.\n"
    "pc-1;Rathaus;8;119,5;06.05.2012;1.890,50;1.12\npc-2;Rathaus;4\nSumme;;12\n"
)


def test_workbook_and_text_say_the_same(tmp_path: Path) -> None:
    book = OfficeXlsx().read(a_workbook(tmp_path, {"Liste": LIST}))
    text = read_file(a_file(tmp_path, TEXT))
    assert [(one.kind, one.name, one.values) for one in book.observations] == [
        (one.kind, one.name, one.values) for one in text.observations
    ]
    assert len(book.observations) == 3 and book.refusals == ()
    assert [one.place.row for one in book.observations] == [4, 4, 5]


def test_the_sheet_with_the_list_is_found_and_another_list_is_named(tmp_path: Path) -> None:
    sheets: Sheets = {
        "Deckblatt": [["Stadt"], ["Stand", "heute"]],
        "Drucker": [["Hostname", "Raum"], ["d", "1"]],
        "PCs": LIST,
    }
    path = a_workbook(tmp_path, sheets, "x.bin")
    assert recognise(path).name == "office-xlsx"
    reading = read_file(path)
    assert {one.name for one in reading.observations} == {"Rathaus", "pc-1", "pc-2"}
    assert any("'Drucker' holds a list too" in note for note in reading.notes)


def test_a_profile_names_its_sheet(tmp_path: Path) -> None:
    path = a_workbook(tmp_path, {"PCs": LIST, "Drucker": [["Hostname", "Raum"], ["d1", "1"]]})
    columns = (MappedColumn(heading="Hostname", field="name"), MappedColumn(heading="Raum", field="room"))
    profile = MappingProfile(name="drucker", columns=columns, kind="printer", sheet="Drucker")
    assert [(one.kind, one.name) for one in read_file(path, profile=profile).observations] == [("printer", "d1")]
    with pytest.raises(ProfileDoesNotFit):
        read_file(a_workbook(tmp_path, {"PCs": LIST}), profile=profile)


def test_a_workbook_without_a_list_says_so(tmp_path: Path) -> None:
    with pytest.raises(BrokenFile, match="no headings of a machine list"):
        read_file(a_workbook(tmp_path, {"Tabelle1": [["a", "b"], ["c", "d"]]}))


def test_an_old_or_encrypted_workbook_is_refused_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(FileUnreadable, match="save it as"):
        read_file(a_file(tmp_path, b"\xd0\xcf\x11\xe0" + bytes(600)))


def test_a_bad_row_is_given_back_and_the_rest_taken(tmp_path: Path) -> None:
    reading = read_file(a_workbook(tmp_path, {"L": [HEADINGS, ROW, ["{{ x }}", "Rathaus", 4], ["pc-3", "", "viel"]]}))
    assert [one.name for one in reading.observations] == ["Rathaus", "pc-1"]
    assert [(one.place.row, one.row[0]) for one in reading.refusals] == [(3, "{{ x }}"), (4, "pc-3")]
