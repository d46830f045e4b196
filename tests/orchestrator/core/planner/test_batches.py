"""Batches: a small canary first, groups never cut."""

from __future__ import annotations

from inventory.model import AssetId
from orchestrator.core.plan import MoveGroup
from orchestrator.core.planner.batches import batches_of


def groups(*sizes: int) -> tuple[MoveGroup, ...]:
    names = iter(range(1000))
    return tuple(MoveGroup(assets=tuple(AssetId(f"a{next(names)}") for _ in range(size))) for size in sizes)


def sizes(*of: int, canary: int = 2, batch: int = 4) -> list[tuple[str, int]]:
    return [(one.name, len(one.assets)) for one in batches_of(groups(*of), canary_size=canary, batch_size=batch)]


def test_a_canary_goes_first_and_then_equal_bites() -> None:
    assert sizes(*[1] * 9) == [("canary", 2), ("b1", 4), ("b2", 3)]


def test_a_canary_takes_whole_groups_only() -> None:
    assert sizes(3, 2, 1) == [("canary", 2), ("b1", 4)]
    assert sizes(3, 1, 3, 1) == [("canary", 2), ("b1", 3), ("b2", 3)]


def test_where_every_group_is_larger_than_the_canary_the_smallest_goes_first() -> None:
    assert sizes(4, 3, 5) == [("canary", 3), ("b1", 4), ("b2", 5)]


def test_a_group_larger_than_a_batch_is_a_batch_of_its_own() -> None:
    assert sizes(1, 1, 6, 1) == [("canary", 2), ("b1", 6), ("b2", 1)]


def test_a_small_wave_is_all_canary() -> None:
    assert sizes(1, 1) == [("canary", 2)]


def test_without_a_canary_the_first_batch_is_b1() -> None:
    assert sizes(1, 1, canary=0) == [("b1", 2)]


def test_an_empty_wave_has_no_batches() -> None:
    assert sizes() == []
