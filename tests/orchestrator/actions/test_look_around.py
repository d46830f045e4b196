"""Looking around before the rules are asked."""

from __future__ import annotations

from pathlib import Path

from orchestrator.actions.look_around import surroundings
from orchestrator.actions.stop_all import stop_all
from orchestrator.core.surroundings import CALM
from tests.copied_towns import a_town


def test_a_stop_of_all_dispatch_is_seen(tmp_path: Path) -> None:
    town = a_town(tmp_path)
    with town.outside().desk() as desk:
        assert surroundings(desk) == CALM
        stop_all(desk, by="anna", reason="smoke")
        assert surroundings(desk).stopped
