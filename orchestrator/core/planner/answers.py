"""Answers about one asset in a plan: what keeps it out of earlier windows or out of all, and what would help most."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

from inventory.model import AssetId
from orchestrator.core.constraints import Level
from orchestrator.core.plan import Plan, PlanRequest
from orchestrator.core.planner.build import problem_of
from orchestrator.core.planner.draft import Draft, Unit, draft_of, units_of
from orchestrator.core.planner.greedy import Floors
from orchestrator.core.planner.judge import levels_of, values_of
from orchestrator.core.planner.state import NOWHERE, Block, State
from orchestrator.core.planner.waves import remedy_of, words_of

EQUAL = 1e-6
ORDER = Block("needs_first", "")
EXACT_UP_TO = 12
"""Rules up to which the smallest set in conflict is looked for by trying all; above, one rule after the other."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Barred:
    """One rule, what it says of windows, and how many it rules out."""

    rule: str
    says: str
    remedy: str
    windows: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """The first level of the objective, as people weigh it, on which two places of a group differ."""

    level: Level
    here: float
    there: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """Why an asset is not earlier (``wave`` is set), or in no wave at all, with all others where they are."""

    asset: AssetId
    wave: str
    windows: int
    """How many windows were looked at: those before its own, or all."""
    barred: tuple[Barred, ...]
    """Every rule that is in the way, that which rules out most windows first."""
    open_windows: tuple[str, ...]
    """Windows in which nothing is in the way."""
    conflict: tuple[Barred, ...]
    """A smallest set of rules that rules out all of these windows; empty when some are open."""
    nearest: str
    """The first window with the fewest rules in the way, and so the cheapest to open; empty when there is none."""
    to_lift: tuple[Barred, ...]
    """The rules in the way there."""
    stays: bool = False
    """Whether its window is the one that the plan before gave it, and the policy lets it stay."""
    there: Compared | None = None
    """Its own place beside the first open window; None without such a window, or where no level differs."""


def why_not(request: PlanRequest, plan: Plan, asset: AssetId) -> Answer | None:
    """What is in the way of the asset; None when it is in no group that could move at all. Raises InvalidPolicy."""
    settled = request.settled - {one for wave in plan.waves for one in wave.assets}
    begun = (one for one in request.begun if plan.wave(one.key) is None or one.window in request.occupied)
    asked = replace(request, not_before=plan.not_before, settled=settled, begun=tuple(begun))
    draft = draft_of(asked)
    units, _reasons = units_of(draft)
    number = next((n for n, unit in enumerate(units) if asset in unit.group.assets), None)
    if number is None:
        return None
    state = _as_planned(draft, units, plan)
    own = state.window_of[number]
    if own != NOWHERE:
        state.remove(number)
    windows = range(own if own != NOWHERE else len(draft.openings))
    floor = _floor(draft, units, state, number)
    blocks = {w: frozenset(_every(state, number, w, floor=floor)) for w in windows}
    wave = next((str(one.key) for one in plan.waves if asset in one.assets), "")
    answer = _answer(draft, asset=asset, wave=wave, blocks=blocks)
    if own == NOWHERE:
        return answer
    state.add(number, own)
    first = next((window for window in windows if not blocks[window]), None)
    problem = state.problem
    stays = problem.stay and problem.units[number].old == own
    return replace(answer, stays=stays, there=_compared(state, number, first) if first is not None else None)


def _compared(state: State, number: int, window: int) -> Compared | None:
    """The whole plan beside the same one with this group in that window."""
    moved = list(state.window_of)
    moved[number] = window
    here, there = values_of(state.problem, state.window_of), values_of(state.problem, moved)
    differing = (level for level in levels_of(state.problem) if abs(here[level] - there[level]) > EQUAL)
    return next((Compared(level=one, here=here[one], there=there[one]) for one in differing), None)


def _as_planned(draft: Draft, units: Sequence[Unit], plan: Plan) -> State:
    state = State(problem_of(draft, units))
    planned = {asset: wave.window.closes for wave in plan.waves for asset in wave.assets}
    for number, unit in enumerate(units):
        window = draft.closing.get(planned[unit.group.assets[0]]) if unit.group.assets[0] in planned else None
        if window is not None:
            state.add(number, window)
    return state


def _floor(draft: Draft, units: Sequence[Unit], state: State, number: int) -> int:
    if not draft.policy.planning.needs_first:
        return 0
    placed = {unit.part: window for unit, window in zip(units, state.window_of, strict=True) if window != NOWHERE}
    return Floors(draft.structure).of(units[number].part, placed)


def _every(state: State, number: int, window: int, *, floor: int) -> Iterable[Block]:
    if window < floor:
        yield ORDER
    yield from state.every_block(number, window)


def _answer(draft: Draft, *, asset: AssetId, wave: str, blocks: Mapping[int, frozenset[Block]]) -> Answer:
    count = Counter(block for found in blocks.values() for block in found)
    shut = [window for window in blocks if blocks[window]]
    nearest = min(shut, key=lambda window: (len(blocks[window]), window), default=None)
    is_shut = len(shut) == len(blocks)
    return Answer(
        asset=asset,
        wave=wave,
        windows=len(blocks),
        barred=_barred(count, count),
        open_windows=tuple(draft.openings[window].window.local for window in blocks if not blocks[window]),
        conflict=_barred(smallest_conflict(list(blocks.values())) if is_shut else (), count),
        nearest=draft.openings[nearest].window.local if nearest is not None else "",
        to_lift=_barred(blocks[nearest], count) if nearest is not None else (),
    )


def _barred(blocks: Iterable[Block], count: Mapping[Block, int]) -> tuple[Barred, ...]:
    found = [
        Barred(rule=one.rule, says=words_of(one), remedy=remedy_of(one.rule), windows=count[one]) for one in set(blocks)
    ]
    return tuple(sorted(found, key=lambda one: (-one.windows, one.rule, one.says)))


def smallest_conflict(blocks: Sequence[frozenset[Block]]) -> tuple[Block, ...]:
    """Fewest rules of which at least one shuts each window; of equal ones, the first by name.

    Exact up to EXACT_UP_TO rules; above, the rule that shuts most is taken again and again, and spare ones are dropped.
    """
    rules = sorted({block for found in blocks for block in found})
    if len(rules) <= EXACT_UP_TO:
        for size in range(1, len(rules) + 1):
            for chosen in combinations(rules, size):
                if all(not found.isdisjoint(chosen) for found in blocks):
                    return chosen
        return ()
    chosen_so_far: list[Block] = []
    left = list(blocks)
    while left:
        best = max(rules, key=lambda rule: (sum(rule in found for found in left), rules.index(rule) * -1))
        chosen_so_far.append(best)
        left = [found for found in left if best not in found]
    for rule in list(chosen_so_far):
        others = [one for one in chosen_so_far if one != rule]
        if all(not found.isdisjoint(others) for found in blocks):
            chosen_so_far = others
    return tuple(chosen_so_far)
