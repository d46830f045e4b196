"""JSON is read strictly: what two programs could read differently is refused with its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from inventory.sources.json_text import MAX_FOREIGN_DEPTH, json_document
from inventory.sources.limits import BrokenFile

HERE = Path("export.json")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('{"a": 1, "a": 2}', "stands twice"),
        ('{"a": NaN}', "is no number"),
        ('{"a": -Infinity}', "is no number"),
        ('{"a": 1e999}', "too large"),
        ('{"a": 123456789012345678901}', "too large"),
        ('{"a": "\\ud800"}', "half a character"),
        ("[" * 1_000 + "]" * 1_000, "nested too deeply"),
        ("[" * 200_000, "nested too deeply"),
        ('{"a": 1,\n "b" 2}', "no valid JSON"),
    ],
)
def test_what_can_be_read_in_two_ways_is_refused(text: str, why: str) -> None:
    with pytest.raises(BrokenFile, match=why):
        json_document(HERE, text)


def test_the_line_of_a_mistake_is_named() -> None:
    with pytest.raises(BrokenFile, match="row 2"):
        json_document(HERE, '{"a": 1,\n "b" 2}')


def test_what_other_programs_nest_is_taken() -> None:
    text = "[" * MAX_FOREIGN_DEPTH + "]" * MAX_FOREIGN_DEPTH
    assert json_document(HERE, text) is not None
    with pytest.raises(BrokenFile):
        json_document(HERE, f"[{text}]")
