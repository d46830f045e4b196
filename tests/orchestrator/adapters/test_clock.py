"""The machine's clock tells UTC, and its ids are UUIDv7: unique, and sorted by the time they were made."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta

from orchestrator.adapters.clock import SystemClock


def test_the_clock_tells_utc() -> None:
    before, now, after = datetime.now(UTC), SystemClock().now(), datetime.now(UTC)
    assert before <= now <= after
    assert now.tzinfo is UTC


def test_an_id_is_a_uuid_of_version_7() -> None:
    made = uuid.UUID(SystemClock().new_id())
    assert (made.version, made.variant) == (7, uuid.RFC_4122)


def test_an_id_tells_the_millisecond_it_was_made_in() -> None:
    before = datetime.now(UTC)
    ms = uuid.UUID(SystemClock().new_id()).int >> 80
    made = datetime.fromtimestamp(ms / 1000, UTC)
    assert before - timedelta(milliseconds=1) <= made <= datetime.now(UTC)


def test_ten_thousand_ids_differ() -> None:
    clock = SystemClock()
    assert len({clock.new_id() for _ in range(10_000)}) == 10_000


def test_ids_made_one_millisecond_apart_sort_by_time() -> None:
    clock = SystemClock()
    first = clock.new_id()
    until = datetime.now(UTC) + timedelta(milliseconds=2)
    while datetime.now(UTC) < until:
        pass
    assert first < clock.new_id()
