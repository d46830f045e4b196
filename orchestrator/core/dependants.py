"""Who leans on whom within a wave: what waits while another is in doubt, and in which order moves go back."""

from __future__ import annotations

from functools import lru_cache

from inventory.model import AssetId
from orchestrator.core.lifecycle import MoveState
from orchestrator.core.progress import WaveProgress
from orchestrator.core.wave import WaveContent

IN_DOUBT = (MoveState.UNKNOWN, MoveState.PROBING)


def needed_by(content: WaveContent, asset: AssetId) -> frozenset[AssetId]:
    """All that the asset leans on within the wave, over any number of steps; never itself."""
    return _closures(content.needs)[0].get(asset, frozenset())


def leaning_on(content: WaveContent, asset: AssetId) -> frozenset[AssetId]:
    """All that lean on the asset within the wave, over any number of steps; never itself."""
    return _closures(content.needs)[1].get(asset, frozenset())


Pairs = tuple[tuple[AssetId, AssetId], ...]
Reach = dict[AssetId, frozenset[AssetId]]


@lru_cache(maxsize=64)
def _closures(needs: Pairs) -> tuple[Reach, Reach]:
    forward, backward = _reach(needs), _reach(tuple((needed, asset) for asset, needed in needs))
    return forward, backward


def _reach(pairs: Pairs) -> Reach:
    direct: dict[AssetId, set[AssetId]] = {}
    for one, other in pairs:
        direct.setdefault(one, set()).add(other)
    found: Reach = {}
    for start in direct:
        seen: set[AssetId] = set()
        waiting = list(direct[start])
        while waiting:
            at = waiting.pop()
            if at not in seen:
                seen.add(at)
                waiting.extend(direct.get(at, ()))
        found[start] = frozenset(seen - {start})
    return found


def doubts(content: WaveContent, progress: WaveProgress, asset: AssetId) -> tuple[AssetId, ...]:
    """Assets whose state must be known before this one goes on: of its group, or needed by it, and lost sight of."""
    return tuple(one for one in _leans_on(content, asset) if progress.moves[one].state in IN_DOUBT)


def stuck(content: WaveContent, progress: WaveProgress, asset: AssetId) -> tuple[AssetId, ...]:
    """Assets of its group, or needed by it, that need a person: until one decided, this one stands."""
    return tuple(one for one in _leans_on(content, asset) if progress.moves[one].state is MoveState.NEEDS_PERSON)


def _leans_on(content: WaveContent, asset: AssetId) -> tuple[AssetId, ...]:
    return tuple(sorted({*content.group_of(asset), *needed_by(content, asset)} - {asset}))


def goes_back_first(content: WaveContent, progress: WaveProgress, asset: AssetId) -> tuple[AssetId, ...]:
    """Assets on their way back that lean on this one, so that it is needed until they are back.

    Where two lean on each other there is no order: neither waits for the other.
    """
    mutual = needed_by(content, asset)
    leaning = leaning_on(content, asset) - mutual
    return tuple(sorted(one for one in leaning if progress.moves[one].state is MoveState.ROLLING_BACK))
