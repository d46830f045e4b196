"""A wave cut into batches: a small canary first, then equal bites. A move group is never cut."""

from __future__ import annotations

from collections.abc import Sequence

from orchestrator.core.plan import MoveGroup, PlannedBatch


def batches_of(groups: Sequence[MoveGroup], *, canary_size: int, batch_size: int) -> tuple[PlannedBatch, ...]:
    """Canary, then b1, b2 ... in the order of the groups. A group larger than a batch is a batch of its own."""
    canary = _canary(groups, canary_size)
    rest = [group for index, group in enumerate(groups) if index not in canary]
    batches = [_batch("canary", [groups[index] for index in canary])] if canary else []
    batches.extend(_batch(f"b{number}", bite) for number, bite in enumerate(_bites(rest, batch_size), start=1))
    return tuple(batches)


def _canary(groups: Sequence[MoveGroup], size: int) -> list[int]:
    """Indexes of the first groups that fit; when none does, the smallest group, or nothing was risked first."""
    if size == 0 or not groups:
        return []
    chosen: list[int] = []
    room = size
    for index, group in enumerate(groups):
        if len(group.assets) <= room:
            chosen.append(index)
            room -= len(group.assets)
        if room == 0:
            break
    return chosen or [min(range(len(groups)), key=lambda index: len(groups[index].assets))]


def _bites(groups: Sequence[MoveGroup], size: int) -> list[list[MoveGroup]]:
    bites: list[list[MoveGroup]] = []
    room = 0
    for group in groups:
        if not bites or len(group.assets) > room:
            bites.append([])
            room = size
        bites[-1].append(group)
        room -= len(group.assets)
    return bites


def _batch(name: str, groups: Sequence[MoveGroup]) -> PlannedBatch:
    return PlannedBatch(name=name, assets=tuple(asset for group in groups for asset in group.assets))
