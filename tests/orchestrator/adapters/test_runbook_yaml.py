"""YAML with lines: every place knows its line, and what could do harm is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.adapters.runbook_yaml import MAX_BYTES, Lined, read_lined
from orchestrator.core.runbook import RunbookInvalid


def lined(folder: Path, text: str, *, own_tags: bool = False) -> Lined:
    path = folder / "some.yml"
    path.write_text(text, encoding="utf-8")
    return read_lined(path, shown_as="some.yml", own_tags=own_tags)


def test_every_place_knows_its_line(tmp_path: Path) -> None:
    found = lined(tmp_path, "title: x\nsteps:\n  - name: one\n  - name: two\n    effect: none\n")
    assert found.value == {"title": "x", "steps": [{"name": "one"}, {"name": "two", "effect": "none"}]}
    assert (found.line(("steps", 1, "effect")), found.line(("steps", 0))) == (5, 3)


def test_a_place_that_is_not_there_has_the_line_of_what_is_around_it(tmp_path: Path) -> None:
    found = lined(tmp_path, "title: x\nsteps:\n  - name: one\n")
    assert found.line(("steps", 0, "undo")) == 3
    assert found.refuse(("steps", 0, "undo"), "it is missing").facts["line"] == 3


@pytest.mark.parametrize(
    ("text", "line", "what"),
    [
        ("a: 1\na: 2\n", 2, "twice"),
        ("a: &x 1\nb: *x\n", 1, "anchors and aliases"),
        ("a: !!python/object/apply:os.system [id]\n", 1, "tag"),
        ("a: 1\n---\nb: 2\n", 2, "second document"),
        ("a: [1, 2\n", 2, ""),
        ("a: " + "[" * 20 + "]" * 20 + "\n", 1, "nested too deeply"),
    ],
)
def test_what_could_do_harm_is_refused_with_its_line(tmp_path: Path, text: str, line: int, what: str) -> None:
    with pytest.raises(RunbookInvalid) as refused:
        lined(tmp_path, text)
    assert refused.value.facts["line"] == line
    assert what in str(refused.value.facts["what"])


def test_playbooks_may_use_their_own_tags(tmp_path: Path) -> None:
    assert lined(tmp_path, "a: !unsafe '{{ b }}'\n", own_tags=True).value == {"a": "{{ b }}"}


def test_a_file_that_is_too_large_is_not_even_read(tmp_path: Path) -> None:
    with pytest.raises(RunbookInvalid, match="larger than"):
        lined(tmp_path, "#" * (MAX_BYTES + 1))
