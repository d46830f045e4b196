"""Keeping the start of a wave in step with the wave, in one transaction: planned, claimed, missed, dropped, done."""

from __future__ import annotations

from orchestrator.actions.desk import Desk
from orchestrator.core.lifecycle import WaveEvent
from orchestrator.core.occurrence import (
    OCCURRENCE_TABLE,
    OF_WAVE,
    Occurrence,
    OccurrenceEvent,
    next_occurrence_state,
    occurrence_of,
)
from orchestrator.ports import WaveRow

BEGINS = (OccurrenceEvent.PLAN, OccurrenceEvent.CLAIM, OccurrenceEvent.MISS)
"""Events for which there must be a row; one that a wave of an earlier release lacks is made."""


def keep_occurrence(desk: Desk, wave: WaveRow, event: WaveEvent) -> Occurrence | None:
    """What the wave's event does to its start; None when nothing. Raises Overtaken, IllegalTransition.

    A claim is compare-and-set on the row: of two that start the same wave, one is refused, whatever else they read.
    """
    about = OF_WAVE.get(event)
    if about is None:
        return None
    book = desk.books.occurrences
    found = book.get(wave.tenant, wave.key, revision=wave.revision)
    if found is None and about in BEGINS:
        planned = occurrence_of(wave.tenant, wave.key, wave.revision, window=wave.content.window)
        found = book.put(planned, at=desk.now)
        if about is OccurrenceEvent.PLAN:
            return found
    if found is None or (about not in BEGINS and about not in _possible(found)):
        return None
    to = next_occurrence_state(found, about)
    epoch = desk.books.epoch() if about is OccurrenceEvent.CLAIM else found.epoch
    return book.change(found, to=to, epoch=epoch, at=desk.now)


def _possible(found: Occurrence) -> frozenset[OccurrenceEvent]:
    """Events that its state allows: a wave that is rolled back after it was closed has been started and is done."""
    return frozenset(OCCURRENCE_TABLE[found.state])
