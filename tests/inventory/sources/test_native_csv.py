"""The native form as CSV."""

from __future__ import annotations

from pathlib import Path

import pytest

from inventory.model import FIELDS
from inventory.observation import Reading
from inventory.rejects import rejects_csv
from inventory.sources.limits import BrokenFile
from inventory.sources.native_csv import NativeCsv
from inventory.sources.native_form import BY_KEY
from tests.inventory.builders import JINJA, a_file, codes


def read(folder: Path, text: str) -> Reading:
    path = a_file(folder, text)
    assert NativeCsv().recognises(path)
    return NativeCsv().read(path)


def test_headings_are_field_names_in_any_order_and_separator(tmp_path: Path) -> None:
    for separator in ";,\t":
        text = "machine;kind;ram_mib;procedures\nsrv;vm;4096;GIS|Kasse\n".replace(";", separator)
        (one,) = read(tmp_path, text).observations
        assert (one.kind, dict(one.values), one.place.row) == (
            "vm",
            {"ram_mib": 4096, "procedures": ("GIS", "Kasse")},
            2,
        )


def test_an_unknown_or_repeated_column_is_refused_alone(tmp_path: Path) -> None:
    reading = read(tmp_path, "site;colour;note;note\nRathaus;red;a;b\n")
    assert [(one.code, one.place.column) for one in reading.refusals] == [("INV-008", "colour"), ("INV-008", "note")]
    assert dict(reading.observations[0].values) == {"note": "a"}


def test_a_column_of_another_section_is_unknown_here(tmp_path: Path) -> None:
    assert codes(read(tmp_path, "site;ram_mib\nRathaus;1\n")) == ["INV-008"]


def test_ragged_rows_are_read_and_too_long_ones_refused(tmp_path: Path) -> None:
    reading = read(tmp_path, "site;note;title\nA\nB;b;;;\n\n;;\nC;c;t;lost\n")
    assert [one.name for one in reading.observations] == ["A", "B"]
    assert [(one.code, one.place.row, one.row) for one in reading.refusals] == [("INV-009", 6, ("C", "c", "t", "lost"))]


def test_a_missing_name_or_kind_refuses_the_row(tmp_path: Path) -> None:
    assert codes(read(tmp_path, "machine;kind\n;vm\nsrv;\nsrv;beamer\n")) == ["INV-009", "INV-009", "INV-001"]


def test_every_wrong_cell_is_named_with_row_and_column(tmp_path: Path) -> None:
    reading = read(tmp_path, "machine;kind;ram_mib;address\nsrv;vm;viel;127.0.0.1\n")
    assert [(one.place.row, one.place.column) for one in reading.refusals] == [(2, "ram_mib"), (2, "address")]


def test_a_corrected_file_of_refused_rows_is_imported_as_it_is(tmp_path: Path) -> None:
    first = read(tmp_path, "site;title;note\nA;=1+1;a\n-B;=cmd;-b\n")
    given_back = rejects_csv(first.headings, first.refusals)
    again = read(tmp_path, given_back.replace("'-B", "B"))
    assert again.refusals == ()
    assert [(one.name, dict(one.values)) for one in again.observations] == [("B", {"title": "=cmd", "note": "-b"})]


@pytest.mark.parametrize("field", BY_KEY["machines"].fields)
def test_jinja_in_any_column_is_either_refused_or_kept_as_text(tmp_path: Path, field: str) -> None:
    reading = read(tmp_path, f'machine;kind;{field}\nsrv;vm;"{JINJA}"\n')
    kept = [one.values[field] for one in reading.observations]
    assert (kept, len(reading.refusals)) in (([JINJA], 0), ([(JINJA,)], 0), ([], 1))
    assert not kept or FIELDS[field].type in ("text", "list")


def test_a_file_that_begins_otherwise_is_not_of_this_form(tmp_path: Path) -> None:
    for text in ("", "x;y\n", "Rechnername;Standort\n", "{}"):
        path = a_file(tmp_path, text)
        assert not NativeCsv().recognises(path)
        with pytest.raises(BrokenFile):
            NativeCsv().read(path)


def test_dependencies_have_a_file_of_their_own(tmp_path: Path) -> None:
    (edge,) = read(tmp_path, "from,needs,kind,note\nGIS,srv,hard,Daten\n").dependencies
    assert (edge.asset, edge.needs, edge.kind, edge.note) == ("GIS", "srv", "hard", "Daten")


def test_a_column_of_a_towns_own_is_kept_in_every_section_but_dependencies(tmp_path: Path) -> None:
    (one,) = read(tmp_path, "site;attr.kostenstelle\nRathaus;4711\n").observations
    assert dict(one.values) == {"attr.kostenstelle": "4711"}
    assert codes(read(tmp_path, "site;attr.Größe!\nRathaus;1\n")) == ["INV-008"]
    assert codes(read(tmp_path, "from;needs;kind;attr.x\na;b;hard;1\n")) == ["INV-008"]
