"""The first window with room, the same as looking at one after the other."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from orchestrator.core.planner.room import Room

ASKS = st.lists(st.tuples(st.sampled_from("ab"), st.integers(1, 6), st.integers(0, 9)), max_size=60)


@given(windows=st.integers(0, 9), capacity=st.integers(1, 6), asks=ASKS)
def test_the_first_window_with_room_is_the_one_found_by_looking_at_each(
    windows: int, capacity: int, asks: list[tuple[str, int, int]]
) -> None:
    room = Room(windows=windows, capacity=capacity, runbooks="ab")
    free, owner = [capacity] * windows, [""] * windows
    for runbook, size, start in asks:
        fits = (w for w in range(start, windows) if owner[w] in ("", runbook) and free[w] >= size)
        expected = next(fits, None)
        assert room.first(runbook=runbook, size=size, start=start) == expected
        if expected is not None:
            assert room.has(runbook=runbook, size=size, window=expected)
            room.take(runbook=runbook, size=size, window=expected)
            free[expected], owner[expected] = free[expected] - size, runbook
