"""What surrounds a wave."""

from __future__ import annotations

from orchestrator.core.surroundings import CALM, Surroundings


def test_by_default_nothing_is_the_matter() -> None:
    assert Surroundings() == CALM and not CALM.stopped
