"""From windows of units to the waves of a plan, and from what found none to its reasons."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from inventory.model import AssetId
from orchestrator.core.plan import PlannedWave, WaveKey, WhyNot
from orchestrator.core.planner.batches import batches_of
from orchestrator.core.planner.draft import Draft, Unit, number_of
from orchestrator.core.planner.eligibility import RULE_NAMES, Fault
from orchestrator.core.planner.state import NOWHERE, Block, State

GROUP_RULES = (
    "pins_disagree",
    "pinned_wave",
    "pinned_not_before",
    "mixed_runbooks",
    "group_too_large",
    "group_blocked",
    "no_window",
    "approved",
    "window_scope",
    "frozen",
    "season",
    "visit",
    "lead_time",
    "window_fit",
    "limit",
    "stock",
    "apart",
    "pinned_apart",
    "first",
    "seats_wait",
    "needs_first",
    "window_full",
)
ALL_RULES = RULE_NAMES + GROUP_RULES


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowRule:
    """A rule that rules windows out: what it says of them, as the rest of a sentence, and what helps."""

    name: str
    words: str
    remedy: str


WINDOW_RULES = (
    WindowRule(
        name="pinned_not_before",
        words="lie before the time it is pinned to",
        remedy="Pin it earlier, or add windows after that time.",
    ),
    WindowRule(
        name="approved",
        words="are not those of its own approved wave, or belong to others that were approved",
        remedy="Plan again with --move-approved; approvals of waves that change are void then.",
    ),
    WindowRule(
        name="window_scope",
        words="do not take it",
        remedy="Add a window that takes it.",
    ),
    WindowRule(
        name="frozen",
        words="touch the freeze {name!r}",
        remedy="Shorten the freeze, or add windows outside of it.",
    ),
    WindowRule(
        name="season",
        words="lie outside of {name!r}",
        remedy="Add days to the season, or windows within it.",
    ),
    WindowRule(
        name="visit",
        words="are on days without {name!r}",
        remedy="Agree on more days, or add windows on them.",
    ),
    WindowRule(
        name="lead_time",
        words="are too early for {name!r}",
        remedy="Lengthen horizon_days, or begin earlier.",
    ),
    WindowRule(
        name="window_fit",
        words="are too short for its work and the rollback reserve",
        remedy="Add longer windows, or shorten rollback_minutes.",
    ),
    WindowRule(
        name="limit",
        words="have no room under {name!r}",
        remedy="Raise that capacity, add windows or lengthen horizon_days.",
    ),
    WindowRule(
        name="stock",
        words="come before enough of {name!r} is delivered",
        remedy="Have more delivered, or earlier.",
    ),
    WindowRule(
        name="apart",
        words="hold what {name!r} keeps apart from it",
        remedy="Add windows, or loosen the rule.",
    ),
    WindowRule(
        name="pinned_apart",
        words="hold what it is pinned apart from",
        remedy="Remove the pin, or add windows.",
    ),
    WindowRule(
        name="first",
        words="are ruled out by {name!r}",
        remedy="Add windows, or shorten the days between.",
    ),
    WindowRule(
        name="seats_wait",
        words="come before the procedure {name!r} works from the new device",
        remedy="Mend what keeps the procedure's machines, or name it in works_from_new.",
    ),
    WindowRule(
        name="needs_first",
        words="come before something that it needs",
        remedy="Move what it needs first, or let the need be bridged with needs_first = false.",
    ),
    WindowRule(
        name="window_full",
        words="have no room left",
        remedy="Raise assets_per_window, add windows or lengthen horizon_days.",
    ),
)
_RULE = {one.name: one for one in WINDOW_RULES}


def remedy_of(rule: str) -> str:
    """What helps against a rule of windows."""
    return _RULE[rule].remedy


SHOWN = 3


def words_of(block: Block) -> str:
    """What the rule says of windows, as the rest of a sentence."""
    return _RULE[block.rule].words.format(name=block.name)


def left_over(draft: Draft, units: Sequence[Unit], state: State) -> dict[AssetId, Fault]:
    """For each group without a window, what keeps it out of most of them."""
    reasons: dict[AssetId, Fault] = {}
    for number, unit in enumerate(units):
        if state.window_of[number] == NOWHERE:
            reasons.update(dict.fromkeys(unit.group.assets, _fault(draft, state, unit, number)))
    return reasons


def _fault(draft: Draft, state: State, unit: Unit, number: int) -> Fault:
    windows = range(len(draft.openings)) if unit.window is None else range(unit.window, unit.window + 1)
    blocks = Counter(state.blocks(number, windows))
    ranked = sorted(blocks.items(), key=lambda pair: (-pair[1], ALL_RULES.index(pair[0].rule), pair[0].name))
    rule = ranked[0][0].rule if ranked else "window_full"
    place = "its pinned window" if unit.window is not None else f"the {len(draft.openings)} windows in reach"
    if not ranked or {block.rule for block in blocks} == {"window_full"}:
        says = f"No room is left in {place} for a group of {len(unit.group.assets)}."
    else:
        told = "; ".join(f"{count} {words_of(block)}" for block, count in ranked[:SHOWN])
        says = f"Of {place}, {told}."
    return Fault(rule=rule, says=says, remedy=_RULE[rule].remedy)


def why_not_of(reasons: Mapping[AssetId, Fault]) -> tuple[WhyNot, ...]:
    """Assets with the very same reason stand together; in the order of the rules."""
    together: dict[Fault, list[AssetId]] = {}
    for asset, fault in reasons.items():
        together.setdefault(fault, []).append(asset)
    found = [
        WhyNot(assets=tuple(sorted(assets)), rule=fault.rule, says=fault.says, remedy=fault.remedy)
        for fault, assets in together.items()
    ]
    return tuple(sorted(found, key=lambda one: (ALL_RULES.index(one.rule), one.says, one.assets)))


def waves_of(draft: Draft, units: Sequence[Unit], state: State) -> tuple[PlannedWave, ...]:
    """The waves in the order of their windows."""
    filled: dict[int, list[Unit]] = {}
    for number, unit in enumerate(units):
        if state.window_of[number] != NOWHERE:
            filled.setdefault(state.window_of[number], []).append(unit)
    keys = _keys(draft, sorted(filled))
    return tuple(_wave(draft, keys[index], index, filled[index]) for index in sorted(filled))


def _keys(draft: Draft, used: Sequence[int]) -> dict[int, WaveKey]:
    """A wave in the same window keeps the key it had in the parent plan; others get new numbers after all of those."""
    first = draft.request.first_number
    kept = {
        wave.window.closes: number_of(wave.key)
        for wave in (draft.request.parent.waves if draft.request.parent else ())
        if number_of(wave.key) >= first
    }
    following = max(kept.values(), default=first - 1) + 1
    keys: dict[int, WaveKey] = {}
    for index in used:
        number = kept.get(draft.openings[index].window.closes)
        if number is None:
            number, following = following, following + 1
        keys[index] = WaveKey(f"W{number:02d}")
    return keys


def _wave(draft: Draft, key: WaveKey, index: int, units: Iterable[Unit]) -> PlannedWave:
    ordered = sorted(units, key=lambda unit: unit.rank)
    groups = tuple(unit.group for unit in ordered)
    return PlannedWave(
        key=key,
        runbook=ordered[0].runbook,
        window=draft.openings[index].window,
        groups=groups,
        batches=batches_of(groups, canary_size=draft.policy.canary_size, batch_size=draft.policy.batch_size),
    )
