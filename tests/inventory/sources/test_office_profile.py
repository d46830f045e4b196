"""Kahn proposes what columns are, by heading, by likeness, by content; a person's word wins."""

from __future__ import annotations

from pathlib import Path

import pytest

from inventory.sources.limits import BrokenFile
from inventory.sources.office_profile import Proposal, propose
from tests.inventory.builders import a_file
from tests.inventory.sources.workbooks import a_workbook

TEXT = (
    "Liste der Geräte\nHostname;Standorrt;Sondernr;Netz;Netzadr;Größe;Nutzer;Bemerkung;Hinweis\n"
    "pc-1;Rathaus;A1;00:50:56:aa:00:01;10.0.0.1;8;Erika;a;b\npc-2;Rathaus;A2;00:50:56:aa:00:02;10.0.0.2;8;Jo;c;d\n"
)


def fields(found: Proposal) -> dict[str, tuple[str, str]]:
    return {one.column.heading: (one.column.field, one.why) for one in found.columns}


def test_headings_likeness_and_content_are_asked_in_that_order(tmp_path: Path) -> None:
    assert fields(propose(a_file(tmp_path, TEXT), corrections={})) == {
        "Hostname": ("name", "heading"),
        "Standorrt": ("site", "similar to standort"),
        "Sondernr": ("-", "unknown"),
        "Netz": ("mac", "content"),
        "Netzadr": ("address", "content"),
        "Größe": ("-", "unknown"),
        "Nutzer": ("person", "heading"),
        "Bemerkung": ("note", "heading"),
        "Hinweis": ("-", "unknown"),
    }


def test_short_headings_are_not_taken_for_similar_ones(tmp_path: Path) -> None:
    found = propose(a_file(tmp_path, "Hostname;Wer\npc-1;Erika\npc-2;Jo\n"), corrections={})
    assert fields(found)["Wer"] == ("-", "unknown")


def test_names_of_persons_are_not_shown_as_examples(tmp_path: Path) -> None:
    assert "Erika" not in repr(propose(a_file(tmp_path, TEXT), corrections={}))


def test_a_persons_word_wins_and_may_name_the_unit(tmp_path: Path) -> None:
    found = propose(a_file(tmp_path, TEXT), corrections={"Größe": "ram_mib:gb", "Sondernr": "asset_tag", "Netz": "-"})
    profile = found.profile("amt", kind="workstation")
    told = {one.heading: (one.field, one.unit) for one in profile.columns}
    assert {heading: told[heading] for heading in ("Größe", "Sondernr", "Netz")} == {
        "Größe": ("ram_mib", "gb"), "Sondernr": ("asset_tag", ""), "Netz": ("-", "")
    }  # fmt: skip


def test_a_list_with_headings_nobody_knows_can_still_be_mapped(tmp_path: Path) -> None:
    found = propose(a_file(tmp_path, "Kürzel,Wo\nx1,R1\nx2,R2\n"), corrections={"Kürzel": "name", "Wo": "room"})
    assert [one.column.field for one in found.columns] == ["name", "room"]


def test_of_a_workbook_the_sheet_with_most_known_headings_is_proposed(tmp_path: Path) -> None:
    path = a_workbook(tmp_path, {"Info": [["a", "b"]], "PCs": [["Hostname", "Raum"], ["pc-1", "1"]]})
    assert propose(path, corrections={}).sheet == "PCs"
    assert propose(path, corrections={}, sheet="Info").sheet == "Info"
    with pytest.raises(BrokenFile):
        propose(path, corrections={}, sheet="fehlt")


@pytest.mark.parametrize("text", ["", "nur eine Spalte\n", "\n\n"])
def test_what_is_no_table_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(BrokenFile):
        propose(a_file(tmp_path, text), corrections={})
