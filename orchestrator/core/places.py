"""Where each asset of a tenant stands. Each asset that a plan answers for is in exactly one place: numbers add up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType

from inventory.dependencies import departments_of, succession_of
from inventory.model import AssetId, Snapshot, name_key
from orchestrator.core.approval import Standing
from orchestrator.core.control import Unfinished
from orchestrator.core.lifecycle import MoveState, WaveState
from orchestrator.core.plan import Plan
from orchestrator.core.planner.eligibility import STAYS, movable
from orchestrator.core.progress import MoveProgress, WaveProgress
from orchestrator.core.surroundings import CALM, Surroundings
from orchestrator.core.wave import WaveContent


class Place(StrEnum):
    """Where an asset stands on its way."""

    MOVED = "moved"
    RETIRED = "retired"
    IN_MOTION = "in_motion"
    APPROVED = "approved"
    PROPOSED = "proposed"
    HELD = "held"
    ROLLED_BACK = "rolled_back"
    UNKNOWN = "unknown"
    NEEDS_PERSON = "needs_person"
    UNPLANNED = "unplanned"
    STAYS = "stays"


@dataclass(frozen=True, slots=True, kw_only=True)
class Definition:
    """What a number counts, in words; English, translated when shown."""

    place: Place
    says: str


DEFINITIONS = (
    Definition(
        place=Place.MOVED,
        says="Works on the new machine: every step and every check of its runbook ended well. Not yet signed by the "
        "department.",
    ),
    Definition(
        place=Place.RETIRED,
        says="Was to go and is switched off, every step and check of its runbook ended well; kept, or erased since.",
    ),
    Definition(place=Place.IN_MOTION, says="Is being moved, probed or taken back at this moment."),
    Definition(
        place=Place.APPROVED,
        says="Stands in a wave that a second person has approved; it waits for its window or its turn.",
    ),
    Definition(place=Place.PROPOSED, says="Stands in a wave that nobody has approved yet, or no longer."),
    Definition(
        place=Place.HELD,
        says="Was stopped, or its wave was, before it was finished; it stays as it is until a person decides.",
    ),
    Definition(
        place=Place.ROLLED_BACK,
        says="Was begun and taken back: it is on the old machine again, and a comparison has shown it to be as before.",
    ),
    Definition(place=Place.UNKNOWN, says="Nobody has seen how its last step ended. It is never counted as well."),
    Definition(
        place=Place.NEEDS_PERSON, says="Neither the way on nor the way back ended well by itself; a person must look."
    ),
    Definition(place=Place.UNPLANNED, says="Stands in no wave that can start; the reason is listed by rule."),
    Definition(
        place=Place.STAYS,
        says="Stays where it is by decision (retain; retire, where no runbook does that); not part of what is to move.",
    ),
)
TO_MOVE = tuple(place for place in Place if place is not Place.STAYS)
PLACE_OF_STATE: Mapping[MoveState, Place] = MappingProxyType(
    {
        MoveState.HELD: Place.HELD,
        MoveState.MOVED: Place.MOVED,
        MoveState.RETIRED: Place.RETIRED,
        MoveState.ERASED: Place.MOVED,
        MoveState.ROLLED_BACK: Place.ROLLED_BACK,
        MoveState.RUNNING: Place.IN_MOTION,
        MoveState.WAITING_TOOL: Place.IN_MOTION,
        MoveState.ROLLING_BACK: Place.IN_MOTION,
        MoveState.PROBING: Place.UNKNOWN,
        MoveState.UNKNOWN: Place.UNKNOWN,
        MoveState.FAILED: Place.NEEDS_PERSON,
        MoveState.NEEDS_PERSON: Place.NEEDS_PERSON,
    }
)
_OF_WAITING: Mapping[WaveState, Place | None] = MappingProxyType(
    {
        WaveState.DRAFT: None,
        WaveState.MISSED: None,
        WaveState.CLOSED: None,
        WaveState.ROLLED_BACK: None,
        WaveState.PROPOSED: Place.PROPOSED,
        WaveState.APPROVED: Place.APPROVED,
        WaveState.SCHEDULED: Place.APPROVED,
        WaveState.CHECKING: Place.APPROVED,
        WaveState.RUNNING: Place.APPROVED,
        WaveState.SOAKING: Place.APPROVED,
        WaveState.PAUSED: Place.HELD,
        WaveState.ABORTING: Place.HELD,
        WaveState.HELD: Place.HELD,
        WaveState.NEEDS_PERSON: Place.HELD,
        WaveState.ROLLING_BACK: Place.HELD,
    }
)
_NOT_BEGUN = (WaveState.PROPOSED, WaveState.APPROVED, WaveState.SCHEDULED)


@dataclass(frozen=True, slots=True, kw_only=True)
class WaveCase:
    """One wave with all that is known about it. ``standing`` is what its signatures amount to, where it was asked."""

    content: WaveContent
    progress: WaveProgress
    standing: Standing | None = None
    around: Surroundings = CALM
    unfinished: tuple[Unfinished, ...] = ()
    """Acts that wait for another person's signature."""

    @property
    def key(self) -> str:
        """The wave's key."""
        return self.content.key

    def is_approved(self) -> bool:
        """Whether a second person's approval holds now; where signatures were not checked, what the state says."""
        by_state = self.progress.state in (WaveState.APPROVED, WaveState.SCHEDULED)
        return by_state and (self.standing is None or self.standing.holds)


@dataclass(frozen=True, slots=True, kw_only=True)
class Whereabouts:
    """One asset's place, and the wave that put it there (empty when none did)."""

    asset: AssetId
    name: str
    department: str
    place: Place
    wave: str = ""
    rule: str = ""
    """Why it is in no wave: the first rule that failed; empty when the plan does not say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """How many assets are in each place. Every place is there, also with 0."""

    counts: Mapping[Place, int]

    @property
    def to_move(self) -> int:
        """The denominator: all that a plan answers for, without what stays by decision."""
        return sum(self.counts[place] for place in TO_MOVE)

    def of(self, *places: Place) -> int:
        """How many are in these places together."""
        return sum(self.counts[place] for place in places)


def tally(places: Iterable[Place]) -> Tally:
    """The counts of these places."""
    counted = Counter(places)
    return Tally(counts=MappingProxyType({place: counted[place] for place in Place}))


def whereabouts(
    snapshot: Snapshot,
    cases: Sequence[WaveCase],
    plan: Plan | None,
    *,
    now: datetime,
    retiring: frozenset[AssetId] = frozenset(),
) -> tuple[Whereabouts, ...]:
    """Every asset that a plan answers for, or that a wave has touched, with its place; by department and name.

    The last wave (by window) that can say something decides: a wave that never began and cannot start says nothing.
    ``retiring``: what the policy has retired by waves, and what so does not stay where it is.
    """
    known, departments = snapshot.by_id(), departments_of(snapshot)
    answered = {asset.id for asset in movable(snapshot, succession_of(snapshot))}
    rules = {asset: one.rule for one in plan.why_not for asset in one.assets} if plan else {}
    latest = _latest(cases, now=now)
    moves = {move.asset: move for case in cases for move in case.content.moves}
    found = []
    for asset in answered | latest.keys():
        place, wave = latest.get(asset, (Place.UNPLANNED, ""))
        decided = asset in known and asset not in retiring and known[asset].text("strategy") in STAYS
        stays = place is Place.UNPLANNED and decided
        found.append(
            Whereabouts(
                asset=asset,
                name=known[asset].name if asset in known else moves[asset].name,
                department=departments.get(asset, "") or (moves[asset].department if asset in moves else ""),
                place=Place.STAYS if stays else place,
                wave=wave,
                rule=rules.get(asset, "") if place is Place.UNPLANNED else "",
            )
        )
    return tuple(sorted(found, key=lambda one: (name_key(one.department), name_key(one.name), one.asset)))


def in_order(cases: Iterable[WaveCase]) -> tuple[WaveCase, ...]:
    """Waves by the time their window opens."""
    return tuple(sorted(cases, key=lambda case: (case.content.window.opens, case.key)))


def _latest(cases: Sequence[WaveCase], *, now: datetime) -> dict[AssetId, tuple[Place, str]]:
    latest: dict[AssetId, tuple[Place, str]] = {}
    for case in in_order(cases):
        for move in case.progress.moves.values():
            place = place_of(case, move, now=now)
            if place is not None:
                latest[move.asset] = (place, case.key)
    return latest


def place_of(case: WaveCase, move: MoveProgress, *, now: datetime) -> Place | None:
    """What one wave says about one of its moves; None when it can no longer say anything."""
    state = case.progress.state
    if move.state is MoveState.ERASED and case.content.runbook.retires:
        return Place.RETIRED
    if move.state is not MoveState.PLANNED:
        return PLACE_OF_STATE[move.state]
    if state in _NOT_BEGUN and now >= case.content.window.closes:
        return None
    if state in (WaveState.APPROVED, WaveState.SCHEDULED) and not case.is_approved():
        return Place.PROPOSED
    return _OF_WAITING[state]
