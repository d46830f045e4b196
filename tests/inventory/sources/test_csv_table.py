"""A foreign CSV is known by its headings, whatever their order, case and the lines before them."""

from __future__ import annotations

from pathlib import Path

import pytest

from inventory.sources.csv_table import csv_table, has_headings, heading_key
from inventory.sources.limits import BrokenFile
from tests.inventory.builders import a_file


def test_headings_are_found_after_a_line_of_type_and_rows_keep_their_numbers(tmp_path: Path) -> None:
    path = a_file(tmp_path, '#TYPE X\r\n"Name","*Cores"\r\n\r\n"a, b","4"\r\n')
    table = csv_table(path, "name", "cores")
    assert [(one.number, one.get("name"), one.get("nothing", "cores")) for one in table.rows()] == [(4, "a, b", "4")]


def test_a_blank_before_a_quotation_mark_is_no_part_of_the_cell(tmp_path: Path) -> None:
    (row,) = csv_table(a_file(tmp_path, 'a,b,c\n1, "x, y",3\n'), "a").rows()
    assert row.row == ("1", "x, y", "3")


def test_a_table_without_the_headings_is_refused(tmp_path: Path) -> None:
    path = a_file(tmp_path, "a;b\n1;2\n")
    assert has_headings(path, "a") and not has_headings(path, "a", "c")
    with pytest.raises(BrokenFile):
        csv_table(path, "c")


def test_of_two_equal_headings_the_first_counts(tmp_path: Path) -> None:
    (row,) = csv_table(a_file(tmp_path, "a;A;says\n1;2;3\n"), "a").rows()
    assert dict(row.cells) == {"a": "1"}
    assert heading_key(" *OS  Name ") == "os name"
