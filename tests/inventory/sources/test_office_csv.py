"""The German office CSV."""

from __future__ import annotations

from pathlib import Path

import pytest

from inventory.errors import ExpectedError
from inventory.model import AssetKind
from inventory.observation import Observation, Reading
from inventory.rejects import rejects_csv
from inventory.sources.limits import BrokenFile
from inventory.sources.office_csv import OfficeCsv
from tests.inventory.builders import JINJA, a_file, codes, merged, nothing_known

LIST = """Geräteliste der Stadtverwaltung;;;;;;;;
Stand 03.05.2010;;;;;;;;

Rechnername;Standort;Amt;Betriebssystem;Hauptspeicher (GB);Festplatte (GB);Kaufdatum;Anschaffungswert (€);Verfahren
Bürger-01;Rathaus;Jugend, Schule, Sport;Windows XP;0,5;1.024,5;17.01.2009;1.890,00;GIS
srv-1;Rathaus;Finanzen;Windows Server 2008;16;80;;;DMS/Ratsinfo

Summe:;;;;;;;3.780,00;
Stand: 03.05.2010
"""


def read(folder: Path, text: str | bytes) -> Reading:
    path = a_file(folder, text)
    assert OfficeCsv().recognises(path)
    return OfficeCsv().read(path)


def machines(reading: Reading) -> list[Observation]:
    return [one for one in reading.observations if one.kind in (AssetKind.WORKSTATION, AssetKind.SERVER)]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("separator", [";", "\t"])
def test_a_list_is_read_whatever_its_encoding_and_separator(tmp_path: Path, encoding: str, separator: str) -> None:
    text = LIST.replace(";", separator).replace("\n", "\r\n")
    first, second = machines(read(tmp_path, text.encode(encoding)))
    assert (first.kind, first.name, first.place.row) == ("workstation", "Bürger-01", 5)
    assert dict(first.values) == {
        "site": "Rathaus", "department": "Jugend, Schule, Sport", "os_name": "Windows XP", "ram_mib": 512,
        "disk_gib": 1024.5, "purchased": "2009-01-17", "cost_eur": "1890.00", "procedures": ("GIS",),
    }  # fmt: skip
    assert (second.kind, second.values["ram_mib"]) == ("server", 16384)


def test_totals_and_remarks_are_passed_over_with_a_note(tmp_path: Path) -> None:
    assert read(tmp_path, LIST).notes == (
        "Row 8 was passed over: it sums up others.",
        "Row 9 was passed over: it is a remark under the list.",
    )


def test_sites_departments_and_procedures_that_a_machine_names_appear_with_it(tmp_path: Path) -> None:
    reading = read(tmp_path, LIST)
    changes = merged(nothing_known(), *reading.observations)
    assert changes.refusals == ()
    assert sorted(one.asset.name for one in changes.appeared if not one.asset.is_machine) == [
        "DMS/Ratsinfo", "Finanzen", "GIS", "Jugend, Schule, Sport", "Rathaus"
    ]  # fmt: skip


def test_a_comma_separates_too_when_cells_with_commas_are_quoted(tmp_path: Path) -> None:
    (one,) = machines(read(tmp_path, 'Hostname,RAM (GB),Raum\npc-1,"0,5","1,12"\n'))
    assert dict(one.values) == {"ram_mib": 512, "room": "1,12"}


@pytest.mark.parametrize(
    ("heading", "cells", "sizes"),
    [
        ("RAM (MB)", ("2048", "512"), [2048, 512]),
        ("RAM", ("2048", "512"), [2048, 512]),
        ("RAM", ("8", "16"), [8192, 16384]),
        ("RAM", ("8 GB", "512 MB"), [8192, 512]),
        ("RAM (GB)", ("8", "512MB"), [8192, 512]),
        ("RAM in GiB", ("1,5", "k.A."), [1536, None]),
    ],
)
def test_memory_is_read_in_the_unit_of_cell_heading_or_column(
    tmp_path: Path, heading: str, cells: tuple[str, str], sizes: list[int | None]
) -> None:
    rows = "".join(f"pc-{at};{cell}\n" for at, cell in enumerate(cells))
    assert [one.values.get("ram_mib") for one in machines(read(tmp_path, f"Hostname;{heading}\n{rows}"))] == sizes


def test_a_memory_column_whose_unit_cannot_be_told_is_refused_alone(tmp_path: Path) -> None:
    reading = read(tmp_path, "Hostname;RAM;Raum\npc-1;256;1\n")
    assert (codes(reading), dict(machines(reading)[0].values)) == (["INV-008"], {"room": "1"})


def test_the_kind_comes_from_a_column_of_its_own_where_there_is_one(tmp_path: Path) -> None:
    reading = read(tmp_path, "Hostname;Geräteart;Raum\na;Drucker;1\nb;;1\nc;Toaster;1\n")
    assert [(one.name, str(one.kind)) for one in reading.observations] == [("a", "printer"), ("b", "workstation")]
    assert codes(reading) == ["INV-001"]


def test_a_type_that_is_no_kind_is_the_model(tmp_path: Path) -> None:
    first, second = read(tmp_path, "Hostname;Typ\na;Kontor 310\nb;Notebook\n").observations
    assert (first.kind, first.values["model"], second.kind) == (
        "workstation", "Kontor 310", "notebook"
    )  # fmt: skip


def test_names_of_persons_are_not_taken(tmp_path: Path) -> None:
    reading = read(tmp_path, "Hostname;Benutzer;Raum\npc-1;Erika Muster;1\n")
    assert "Erika" not in str(reading.observations[0].values) and "persons" in reading.notes[0]


def test_an_unknown_column_is_noted_and_one_that_repeats_another_refused(tmp_path: Path) -> None:
    reading = read(tmp_path, "Hostname;Lieferant;Rechnername;Raum\npc-1;x;pc-2;1\n")
    assert "Lieferant" in reading.notes[0] and codes(reading) == ["INV-008"]
    assert [one.name for one in reading.observations] == ["pc-1"]


def test_cells_that_say_nothing_are_silent(tmp_path: Path) -> None:
    (one,) = read(tmp_path, "Hostname;SN;IP;Raum\npc-1;unbekannt;#NV;-\n").observations
    assert dict(one.values) == {}


def test_of_several_addresses_the_first_is_taken_if_all_are_good(tmp_path: Path) -> None:
    reading = read(tmp_path, "Hostname;IP\npc-1;10.0.0.1 / 10.0.0.2\npc-2;10.0.0.1, 127.0.0.1\n")
    assert [one.values["address"] for one in reading.observations] == ["10.0.0.1"]
    assert codes(reading) == ["INV-001"]


@pytest.mark.parametrize("name", [JINJA, "-oProxyCommand=x", "a;id", "localhost", "../x", "all", "<script>"])
def test_a_hostile_name_refuses_its_row_only(tmp_path: Path, name: str) -> None:
    reading = read(tmp_path, f'Hostname;Raum\n"{name}";1\npc-1;1\n')
    assert [one.name for one in reading.observations] == ["pc-1"]
    assert (reading.refusals[0].place.row, reading.refusals[0].row) == (2, (name, "1"))


def test_refused_rows_can_be_corrected_in_the_file_given_back(tmp_path: Path) -> None:
    first = read(tmp_path, "Hostname;Raum;Kaufdatum\npc-1;=1+1;31.02.2010\n")
    given_back = rejects_csv(first.headings, first.refusals)
    assert ";'=1+1;" in given_back
    (one,) = read(tmp_path, given_back.replace("31.02.2010", "28.02.2010", 1)).observations
    assert dict(one.values) == {"room": "=1+1", "purchased": "2010-02-28"}


def test_a_row_with_more_cells_than_headings_is_refused(tmp_path: Path) -> None:
    assert codes(read(tmp_path, "Hostname;Raum\npc-1;1;2\n")) == ["INV-009"]


def test_a_file_without_headings_of_a_machine_list_is_none(tmp_path: Path) -> None:
    for text in ("", "a;b\n1;2\n", "Hostname\npc-1\n", "x" * 100_000):
        path = a_file(tmp_path, text)
        assert not OfficeCsv().recognises(path)
        with pytest.raises(ExpectedError):
            OfficeCsv().read(path)


def test_an_unterminated_quote_refuses_the_file_with_its_row(tmp_path: Path) -> None:
    with pytest.raises(BrokenFile) as raised:
        read(tmp_path, "Hostname;Raum\n" + "pc-1;1\n" * 40 + 'pc-2;"1\n')
    assert "row 42" in str(raised.value)


@pytest.mark.parametrize("row", ['pc;"open;8\npc2;1;8', 'pc;"' + "x" * 200_000 + '";8', "pc;" + ";" * 600])
def test_a_row_that_breaks_the_table_is_named_and_refuses_the_file(tmp_path: Path, row: str) -> None:
    path = a_file(tmp_path, f"Hostname;Raum;RAM (GB)\n{row}\n")
    assert OfficeCsv().recognises(path)
    with pytest.raises(ExpectedError, match="row 2"):
        OfficeCsv().read(path)
