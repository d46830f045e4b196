"""The verifier that ships with evidence needs only the standard library and finds every change."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from orchestrator.adapters import verify_chain
from orchestrator.adapters.journal_book import JournalBook
from orchestrator.adapters.store import DatabaseStore
from orchestrator.adapters.verify_chain import check_chain
from orchestrator.core.policy import Policy
from orchestrator.ports import Entry
from tests.orchestrator.adapters.builders import NOW, TOWN

SOURCE = Path(str(verify_chain.__file__))
Line = dict[str, Any]


@pytest.fixture
def lines(store: DatabaseStore) -> list[Line]:
    """An exported chain of four entries; the second had a text that was redacted, the third has one."""
    entries = [Entry(kind="k", subject="s", body={"number": n}, texts={"why": "ümlaut 🚢"}) for n in range(4)]
    with store.transaction() as books:
        books.tenants.add(TOWN, policy=Policy())
        books.journal.append(TOWN, entries, at=NOW)
        books.journal.redact(TOWN, seq=2, name="why")
        assert isinstance(books.journal, JournalBook)
        return [json.loads(line) for line in books.journal.export(TOWN)]


def _checked(lines: list[Line], head: str = "") -> tuple[int, int, str, str]:
    return check_chain([json.dumps(line) for line in lines], head=head)


def test_an_exported_chain_is_whole_also_after_a_redaction(lines: list[Line]) -> None:
    assert lines[1]["texts"] == {}
    assert _checked(lines) == (4, 0, "", lines[-1]["hash"])


def test_verifier_and_journal_agree_on_the_last_hash(lines: list[Line], store: DatabaseStore) -> None:
    with store.reading() as books:
        assert books.journal.verify(TOWN).head == _checked(lines)[3]


TAMPERINGS: dict[str, Callable[[list[Line]], object]] = {
    "an entry is gone": lambda lines: lines.pop(2),
    "two entries changed places": lambda lines: lines.insert(2, lines.pop(3)),
    "an entry stands twice": lambda lines: lines.insert(2, lines[1]),
    "bytes were changed": lambda lines: lines[2].update(canonical=lines[2]["canonical"].replace("2", "3", 1)),
    "a hash was changed": lambda lines: lines[2].update(hash="0" * 64),
    "a text was changed": lambda lines: lines[2]["texts"]["why"].update(text="all was well"),
    "a salt was changed": lambda lines: lines[2]["texts"]["why"].update(salt="00"),
    "a text was added": lambda lines: lines[2]["texts"].update(more={"salt": "00", "text": "x"}),
    "a line is no object": lambda lines: lines.insert(2, "x"),  # type: ignore[arg-type]
    "a line lacks its bytes": lambda lines: lines[2].pop("canonical"),
    "bytes are no JSON": lambda lines: lines[2].update(canonical="{"),
}


@pytest.mark.parametrize("tampering", TAMPERINGS.values(), ids=TAMPERINGS.keys())
def test_a_change_is_found_at_its_line(lines: list[Line], tampering: Callable[[list[Line]], object]) -> None:
    tampering(lines)
    whole, broken_at, why, _ = _checked(lines)
    assert (whole, broken_at) == (2, 3)
    assert why


def test_missing_entries_at_the_end_are_found_with_the_head_from_elsewhere(lines: list[Line]) -> None:
    head = lines[-1]["hash"]
    assert _checked(lines[:-1])[1] == 0
    assert _checked(lines[:-1], head)[1] == 4


def test_a_line_must_name_the_tenant_that_its_bytes_name(lines: list[Line]) -> None:
    lines[2]["tenant"] = "other"
    assert _checked(lines)[1] == 3


def test_as_a_program_it_exits_with_0_or_9_or_2(lines: list[Line], tmp_path: Path) -> None:
    path = tmp_path / "chain.jsonl"

    def run(*arguments: object) -> int:
        call = (sys.executable, "-I", "-S", str(SOURCE), *map(str, arguments))
        return subprocess.run(call, capture_output=True, check=False).returncode

    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert (run(path), run(path, lines[-1]["hash"]), run(path, "0" * 64)) == (0, 0, 9)
    path.write_text(json.dumps(lines[1]) + "\n")
    assert (run(path), run(), run(tmp_path / "none"), run(tmp_path)) == (9, 2, 2, 2)


def test_it_imports_only_the_standard_library_and_has_at_most_100_lines() -> None:
    text = SOURCE.read_text()
    imports = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Import | ast.ImportFrom)]
    names = {getattr(node, "module", None) or node.names[0].name for node in imports}
    assert {name.split(".")[0] for name in names} <= sys.stdlib_module_names
    assert len(text.splitlines()) <= 100
