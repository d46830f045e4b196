"""The start of a wave: a total table, and what stands on the wall in the nights in which clocks change."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from inventory.model import TenantId
from orchestrator.core.lifecycle import IllegalTransition
from orchestrator.core.occurrence import (
    OCCURRENCE_GROUPS,
    OCCURRENCE_TABLE,
    OF_WAVE,
    Occurrence,
    OccurrenceEvent,
    OccurrenceState,
    next_occurrence_state,
    occurrence_of,
)
from orchestrator.core.plan import PlannedWindow


def start(opens: datetime, zone: str = "Europe/Berlin") -> Occurrence:
    window = PlannedWindow(opens=opens, closes=opens + timedelta(hours=3), zone=zone, local="")
    return occurrence_of(TenantId("stadt"), "W01", 2, window=window)


def test_its_table_is_total_and_every_state_is_in_one_group() -> None:
    assert set(OCCURRENCE_TABLE) == set(OccurrenceState)
    assert sorted(one for group in OCCURRENCE_GROUPS.values() for one in group) == sorted(OccurrenceState)
    assert {event for follow in OCCURRENCE_TABLE.values() for event in follow} == set(OccurrenceEvent)
    assert set(OF_WAVE.values()) == set(OccurrenceEvent)


def test_what_was_claimed_is_never_claimed_again() -> None:
    once = start(datetime(2026, 12, 1, 21, 0, tzinfo=UTC))
    assert next_occurrence_state(once, OccurrenceEvent.CLAIM) is OccurrenceState.CLAIMED
    for state in (OccurrenceState.CLAIMED, OccurrenceState.DONE):
        with pytest.raises(IllegalTransition, match="the start of wave W01"):
            next_occurrence_state(
                Occurrence(
                    tenant=once.tenant, wave="W01", revision=2, starts=once.starts, local="", zone="", state=state
                ),
                OccurrenceEvent.CLAIM,
            )


@pytest.mark.parametrize(
    ("opens", "local"),
    [
        (datetime(2026, 10, 25, 0, 30, tzinfo=UTC), "2026-10-25 02:30 +02:00"),
        (datetime(2026, 10, 25, 1, 30, tzinfo=UTC), "2026-10-25 02:30 +01:00"),
        (datetime(2027, 3, 28, 1, 0, tzinfo=UTC), "2027-03-28 03:00 +02:00"),
        (datetime(2026, 12, 31, 23, 30, tzinfo=UTC), "2027-01-01 00:30 +01:00"),
    ],
)
def test_of_a_doubled_hour_one_can_tell_which_turn_is_meant(opens: datetime, local: str) -> None:
    found = start(opens)
    assert (found.local, found.zone, found.starts) == (local, "Europe/Berlin", opens)


def test_a_zone_that_this_machine_does_not_know_is_shown_in_utc_and_the_instant_holds() -> None:
    opens = datetime(2026, 12, 1, 21, 0, tzinfo=UTC)
    found = start(opens, zone="Mars/Olympus")
    assert (found.local, found.zone, found.starts) == ("2026-12-01 21:00 +00:00", "Mars/Olympus", opens)
