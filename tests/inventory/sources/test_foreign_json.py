"""Entries of foreign JSON are looked at without trusting their types."""

from __future__ import annotations

from pathlib import Path

import pytest

from inventory.sources.foreign_json import entries, entry, has_keys, json_start, listed, number, text
from tests.inventory.builders import a_file


@pytest.mark.parametrize(
    ("raw", "expected"),
    [(4, 4.0), ("4", 4.0), ("4,5", 4.5), (-1, 0.0), (True, 0.0), ("4 GB", 0.0), ({}, 0.0), (None, 0.0)],
)
def test_a_number_may_be_written_as_text(raw: object, expected: float) -> None:
    assert number(raw) == expected


def test_what_has_another_type_than_expected_says_nothing() -> None:
    assert (text({}), text(True), text(None), text(7)) == ("", "", "", "7")
    assert (entry([1]), list(entries([1, {"a": 1}])), list(entries({"a": 1}))) == ({}, [{"a": 1}], [{"a": 1}])
    assert (list(listed("a")), list(listed(None)), list(listed(["a"]))) == (["a"], [], ["a"])


def test_keys_are_looked_for_as_keys(tmp_path: Path) -> None:
    start = json_start(a_file(tmp_path, ' {"note": "the \\"content\\" of", "deviceid" : 1}'))
    assert has_keys(start, "deviceid", "note") and not has_keys(start, "content")
    assert json_start(a_file(tmp_path, "a;b\n")) == ""
