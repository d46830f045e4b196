"""The ready check on the terminal, now and at another time."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from orchestrator.cli.gates import BadMoment, moment_of
from orchestrator.cli.wave import app
from orchestrator.texts import use_language
from tests.known_town import call
from tests.orchestrator.core.builders import a_wave
from tests.town_terminals import a_terminal

CONTENT = a_wave()


def test_a_time_is_local_to_the_window_unless_it_says_otherwise() -> None:
    assert moment_of("start", CONTENT) == CONTENT.window.opens
    assert moment_of("2026-12-01T22:00", CONTENT) == moment_of("2026-12-01T21:00+00:00", CONTENT)
    for bad in ("soon", "2026-02-30", "25:00", ""):
        with pytest.raises(BadMoment):
            moment_of(bad, CONTENT)


def test_tonight_can_be_asked_about_this_morning(tmp_path: Path) -> None:
    context, town = a_terminal(tmp_path, "approved")
    town.clock.moment -= timedelta(hours=10)
    assert call(app, context, "check", "W01").exit_code == 3
    result = call(app, context, "check", "W01", "--at", "start")
    assert result.exit_code == 0, result.output
    late = call(app, context, "check", "W01", "--at", "2027-06-01T00:00")
    assert late.exit_code == 3 and "BLOCKS    window" in late.output and "one approval has expired" in late.output


def test_gates_speak_german(tmp_path: Path) -> None:
    context, town = a_terminal(tmp_path, "proposed")
    use_language("de")
    try:
        output = call(app, context, "check", "W01").output
    finally:
        use_language("en")
    assert "SPERRT" in output and "0 von 1 Freigaben anderer Menschen liegen vor" in output
    assert town.wave()[0].state.value == "proposed"
