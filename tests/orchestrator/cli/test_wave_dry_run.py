"""A dry run from a terminal."""

from __future__ import annotations

import json
from pathlib import Path

from orchestrator.cli import wave
from orchestrator.core.lifecycle import WaveState
from tests.known_town import call
from tests.town_terminals import a_terminal, sitting_down


def test_a_dry_run_says_what_would_be_done_and_does_nothing(tmp_path: Path) -> None:
    context, town = a_terminal(tmp_path, "approved")
    with town.store.reading() as books:
        before = len(books.journal.read(context.tenant))
    said = call(wave.app, context, "run", "W01", "--dry-run")
    assert "switch-off-old" in said.output and "happens only once" in said.output and said.exit_code == 0
    document = json.loads(call(wave.app, sitting_down(town, json=True), "run", "W01", "--dry-run").stdout)
    assert document["may_start"] and document["batches"][0]["runs"][0]["step"] == ""
    with town.store.reading() as books:
        assert len(books.journal.read(context.tenant)) == before
    assert town.wave()[0].state is WaveState.APPROVED


def test_what_may_not_start_is_told_with_its_exit_code(tmp_path: Path) -> None:
    context, _town = a_terminal(tmp_path)
    assert call(wave.app, context, "run", "W01", "--dry-run").exit_code == 3
