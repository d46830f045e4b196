"""Patience with a database that is away."""

from __future__ import annotations

from datetime import timedelta

from orchestrator.cli.patience import Patience
from orchestrator.core.refusals import StoreUnavailable
from tests.towns import TestClock


def test_an_outage_of_an_hour_is_said_a_few_times_and_its_end_once() -> None:
    clock, said = TestClock(), list[str]()
    patience = Patience(warn=said.append, now=clock.now)
    for _ in range(3600):
        patience.away(StoreUnavailable(url="postgresql://", why="gone"))
        clock.moment += timedelta(seconds=1)
    assert len(said) == 2 * 6
    assert patience.back() and not patience.back()
    assert "back after 3600 s" in said[-1] and len(said) == 13
