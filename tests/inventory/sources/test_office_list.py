"""A list is read once, row by row, by what offices usually write or by a kept profile."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from inventory.mapping import MappedColumn, MappingProfile, ProfileDoesNotFit
from inventory.model import AssetKind
from inventory.observation import Reading
from inventory.sources.office_csv import OfficeCsv
from inventory.sources.office_list import SAMPLE_ROWS, ListFile, Numbered, heading_row, read_list
from tests.inventory.builders import a_file

HERE = ListFile(path=Path("list"), source="test")
PROFILE = MappingProfile(
    name="geraete",
    columns=(
        MappedColumn(heading="Kürzel", field="name"),
        MappedColumn(heading="Gr.", field="ram_mib", unit="gb"),
        MappedColumn(heading="Wo", field="site"),
        MappedColumn(heading="Wer", field="person"),
        MappedColumn(heading="Egal", field="-"),
        MappedColumn(heading="Weg", field="room"),
    ),
    kind="notebook",
)


def by_profile(folder: Path, text: str) -> Reading:
    return OfficeCsv(PROFILE).read(a_file(folder, text))


def test_a_profile_reads_headings_that_nobody_else_writes(tmp_path: Path) -> None:
    reading = by_profile(tmp_path, "Liste 2024\nKÜRZEL;Gr.;Wo;Wer;Egal\nnb-1;8;Rathaus;Erika Muster;x\n")
    (_site, one) = reading.observations
    assert (one.kind, one.name, dict(one.values)) == (AssetKind.NOTEBOOK, "nb-1", {"ram_mib": 8192, "site": "Rathaus"})
    assert (reading.source, one.source) == ("office:geraete", "office:geraete")
    assert "Erika" not in repr(one.values)
    assert any("'Weg'" in note for note in reading.notes) and not any("'Egal'" in note for note in reading.notes)


def test_a_list_that_does_not_fit_its_profile_is_refused_naming_the_headings(tmp_path: Path) -> None:
    with pytest.raises(ProfileDoesNotFit, match="'Kürzel'"):
        by_profile(tmp_path, "Hostname;Raum\npc-1;1\n")


def test_the_rows_are_asked_for_once_and_in_order() -> None:
    asked: list[int] = []

    def body() -> Iterator[Numbered]:
        for number in range(2, SAMPLE_ROWS + 100):
            asked.append(number)
            yield number, (f"pc-{number}", "4")

    reading = read_list(HERE, (1, ("Hostname", "RAM (GB)")), body())
    assert len(reading.observations) == len(asked) == len(set(asked))


def test_the_heading_row_is_the_one_with_most_known_words() -> None:
    rows = [(1, ("Name", "Inventar")), (4, ("Hostname", "Raum", "RAM", "Amt")), (5, ("pc-1", "1", "4", "x"))]
    found = heading_row(HERE, rows)
    assert found is not None and found[1][0] == 4
    assert heading_row(HERE, [(1, ("a", "b"))]) is None
