"""The start gate for what a wave's assets need outside it: nothing moves onto ground that is in doubt."""

from __future__ import annotations

from collections.abc import Mapping

from inventory.dependencies import BINDING
from inventory.model import AssetId, Snapshot
from orchestrator.core.explain import Sentence
from orchestrator.core.lifecycle import MOVE_GROUPS, MoveState
from orchestrator.core.ready_line import ENGINEER, HELD, ReadyLine, good
from orchestrator.core.wave import WaveContent

IN_DOUBT: frozenset[MoveState] = MOVE_GROUPS["in motion"] | MOVE_GROUPS["stuck"]
"""States of an asset of another wave in which nobody should rely on it."""


def needs_line(content: WaveContent, snapshot: Snapshot, doubtful: Mapping[AssetId, str]) -> ReadyLine:
    """Whether anything that an asset needs, over any number of binding dependencies, is in doubt in another wave.

    ``doubtful``: assets in doubt, with the key of the wave that has them. Those that lean on one stay behind.
    """
    leaning = _leaning_on(doubtful, snapshot)
    shaky = {move.asset: leaning[move.asset] for move in content.moves if move.asset in leaning}
    if not shaky:
        return good("needs", Sentence(says="nothing that its assets need is in doubt in another wave"))
    needed = next(iter(shaky.values()))
    return ReadyLine(
        gate="needs",
        verdict=HELD,
        says=Sentence(
            says="{count} assets stay behind: they need {needed}, whose state in wave {wave} is in doubt",
            facts={"count": len(shaky), "needed": _name(needed, snapshot), "wave": doubtful[needed]},
        ),
        owner=ENGINEER,
        remedy=Sentence(says="decide about it in that wave first: kahn status --needs-me"),
        assets=tuple(shaky),
    )


def _leaning_on(doubtful: Mapping[AssetId, str], snapshot: Snapshot) -> dict[AssetId, AssetId]:
    """Everything that needs one in doubt, and which; those in doubt are not among what leans on them."""
    if not doubtful:
        return {}
    needed_by: dict[AssetId, list[AssetId]] = {}
    for one in snapshot.dependencies:
        if one.kind in BINDING:
            needed_by.setdefault(one.needs, []).append(one.asset)
    found: dict[AssetId, AssetId] = {}
    for needed in sorted(doubtful):
        waiting = [needed]
        while waiting:
            for leaning in needed_by.get(waiting.pop(), ()):
                if leaning not in found and leaning not in doubtful:
                    found[leaning] = needed
                    waiting.append(leaning)
    return found


def _name(asset: AssetId, snapshot: Snapshot) -> str:
    found = snapshot.by_id().get(asset)
    return found.name if found else asset
