"""The page that documents the native form."""

from __future__ import annotations

from pathlib import Path

import pytest

from inventory.model import FIELDS
from inventory.observation import Reading
from inventory.sources import read_file
from inventory.sources.native_doc import EXAMPLE, example_csv, example_json, render
from inventory.sources.native_form import SECTIONS, Section
from tests.inventory.builders import a_file, merged, nothing_known


def test_the_page_names_every_section_and_every_field_with_its_german_word() -> None:
    page = render()
    assert all(f"## {section.key}\n" in page for section in SECTIONS)
    assert all(f"| `{field.name}` | {field.german} | {field.means} |" in page for field in FIELDS.values())


def test_the_page_shows_every_example_as_it_is() -> None:
    assert all(example_csv(section).replace("\r\n", "\n") in render() for section in SECTIONS)
    assert example_json() in render()


@pytest.mark.parametrize("section", SECTIONS, ids=lambda section: section.key)
def test_every_example_file_is_read_without_a_refusal(tmp_path: Path, section: Section) -> None:
    reading = read_file(a_file(tmp_path, example_csv(section)))
    assert (reading.source, reading.refusals) == ("native-csv", ())
    assert len(reading.observations) + len(reading.dependencies) == len(EXAMPLE[section.key])


def test_the_example_document_is_imported_whole(tmp_path: Path) -> None:
    reading: Reading = read_file(a_file(tmp_path, example_json()))
    changes = merged(nothing_known(), *reading.observations, *reading.dependencies)
    assert (changes.refusals, len(changes.appeared), len(changes.dependencies)) == ((), 11, 2)
