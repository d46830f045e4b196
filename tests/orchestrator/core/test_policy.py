"""Policies and windows."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from orchestrator.core.policy import InvalidPolicy, Policy, Window, WindowInverted

NIGHT = datetime(2026, 6, 1, 22, 0, tzinfo=UTC)


def test_a_window_that_closes_before_it_opens_is_refused() -> None:
    for closes in (NIGHT, NIGHT - timedelta(hours=1)):
        with pytest.raises(WindowInverted, match="PLAN-011"):
            Window(opens=NIGHT, closes=closes)


def test_a_window_needs_a_time_zone() -> None:
    with pytest.raises(InvalidPolicy, match="time zone"):
        Window(opens=NIGHT.replace(tzinfo=None), closes=NIGHT)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("assets_per_window", 0),
        ("batch_size", 0),
        ("forks", 0),
        ("batch_budget", -0.1),
        ("wave_budget", 1.1),
        ("canary_size", -1),
    ],
)
def test_a_policy_that_makes_no_sense_is_refused_and_the_entry_named(field: str, value: float) -> None:
    with pytest.raises(InvalidPolicy, match=field):
        replace(Policy(), **{field: value})  # type: ignore[arg-type]
