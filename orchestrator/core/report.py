"""The management report as a value: progress with denominators, what failed and why, what people decide, what comes.

Everything in it is counted from the books of one moment; what nobody knows is said to be unknown. No figure is about a
person who works.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from zoneinfo import ZoneInfo

from inventory.model import AssetId, Snapshot, TenantId, name_key
from orchestrator.core.causes import cause_of
from orchestrator.core.decisions import ENGINEER, About, Decision, decisions_of, local
from orchestrator.core.explain import Sentence
from orchestrator.core.leftovers import Leftover, leftovers_of
from orchestrator.core.lifecycle import ARRIVED, WAVE_GROUPS, MoveState, WaveState
from orchestrator.core.opening_check import Opening, openings_of
from orchestrator.core.places import PLACE_OF_STATE, Place, Tally, WaveCase, Whereabouts, in_order, tally, whereabouts
from orchestrator.core.plan import Plan

NOT_WELL = (
    MoveState.NEEDS_PERSON,
    MoveState.UNKNOWN,
    MoveState.PROBING,
    MoveState.FAILED,
    MoveState.ROLLING_BACK,
    MoveState.ROLLED_BACK,
    MoveState.HELD,
)
"""States of a move that went otherwise than planned, the worst first."""
_GOING = (*sorted(WAVE_GROUPS["in motion"]), WaveState.HELD, WaveState.NEEDS_PERSON)
_COMING = (WaveState.PROPOSED, WaveState.APPROVED, WaveState.SCHEDULED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Freshness:
    """How old the figures are, and whether the record they come from is whole."""

    as_of: datetime
    entries: int
    head: str
    """SHA-256 of the last journal entry."""
    whole: bool
    why_broken: str = ""
    last_fact: datetime | None = None
    inventory_read: datetime | None = None
    """When the inventory was last imported; None when never."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Grounds:
    """All that a report may look at, read in one transaction."""

    tenant: TenantId
    snapshot: Snapshot
    cases: tuple[WaveCase, ...]
    plan: Plan | None
    zone: str
    freshness: Freshness
    retiring: frozenset[AssetId] = frozenset()
    """What the policy has retired by waves."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DepartmentLine:
    """One department's numbers; ``name`` is empty where no department is recorded."""

    name: str
    tally: Tally


@dataclass(frozen=True, slots=True, kw_only=True)
class Setback:
    """One asset that did not go as planned, and what became of it."""

    asset: AssetId
    name: str
    department: str
    users: int
    wave: str
    state: MoveState
    step: str
    """Title of the step at which it happened; empty when none had begun."""
    since: datetime | None

    @property
    def place(self) -> Place:
        """Where it stands, as the numbers count it."""
        return PLACE_OF_STATE[self.state]


@dataclass(frozen=True, slots=True, kw_only=True)
class SetbackGroup:
    """All setbacks of one cause."""

    cause: str
    says: Sentence
    helps: Sentence
    assets: tuple[Setback, ...]

    @property
    def size(self) -> int:
        """How many assets."""
        return len(self.assets)

    @property
    def users(self) -> int:
        """People who use these assets."""
        return sum(one.users for one in self.assets)


@dataclass(frozen=True, slots=True, kw_only=True)
class WaveAhead:
    """A wave that comes, or is under way."""

    key: str
    state: WaveState
    opens: datetime
    closes: datetime
    zone: str
    machines: int
    users: int
    departments: tuple[tuple[str, int], ...]
    """Department and its machines, most first."""
    approvals: int
    """How many hold now."""
    needed: int
    moved: int = 0
    opening: datetime | None = None
    """When the next procedure is asked that the wave stays open for; None when it stays open for none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ManagementReport:
    """The whole report."""

    tenant: TenantId
    zone: str
    freshness: Freshness
    headline: tuple[Sentence, ...]
    """The clauses of the one sentence that says how it stands."""
    total: Tally
    departments: tuple[DepartmentLine, ...]
    setbacks: tuple[SetbackGroup, ...]
    recovered: int
    """Earlier setbacks of assets that have been moved or planned again since."""
    decisions: tuple[Decision, ...]
    under_way: tuple[WaveAhead, ...]
    coming: tuple[WaveAhead, ...]
    leftovers: tuple[Leftover, ...]


def management_report(grounds: Grounds) -> ManagementReport:
    """The report at the moment ``grounds.freshness.as_of``."""
    now = grounds.freshness.as_of
    places = whereabouts(grounds.snapshot, grounds.cases, grounds.plan, now=now, retiring=grounds.retiring)
    setbacks, recovered = _setbacks(grounds.cases, places)
    total = tally(one.place for one in places)
    decisions = (*decisions_of(grounds.cases, now=now), *_planning(grounds.cases, places))
    ahead = in_order(grounds.cases)
    return ManagementReport(
        tenant=grounds.tenant,
        zone=grounds.zone,
        freshness=_on_the_wall(grounds),
        headline=tuple(_headline(total, decisions=len(decisions), grounds=grounds)),
        total=total,
        departments=_departments(places),
        setbacks=setbacks,
        recovered=recovered,
        decisions=decisions,
        under_way=tuple(_ahead(case) for case in ahead if case.progress.state in _GOING),
        coming=tuple(
            _ahead(case)
            for case in ahead
            if case.progress.state in _COMING and now < case.content.window.closes
        ),
        leftovers=leftovers_of(grounds.plan, places),
    )  # fmt: skip


def _on_the_wall(grounds: Grounds) -> Freshness:
    """Freshness with its times in the tenant's zone."""
    zone, fresh = ZoneInfo(grounds.zone), grounds.freshness
    return replace(
        fresh,
        as_of=fresh.as_of.astimezone(zone),
        last_fact=fresh.last_fact and fresh.last_fact.astimezone(zone),
        inventory_read=fresh.inventory_read and fresh.inventory_read.astimezone(zone),
    )


# --------------------------------------------------------------------------- the one sentence


def _headline(total: Tally, *, decisions: int, grounds: Grounds) -> Iterator[Sentence]:
    """Good news needs proof and bad news comes in full: each clause appears when its number is not 0."""
    if not grounds.freshness.whole:
        yield Sentence(says="the record is damaged, so these figures prove nothing")
    if not total.to_move:
        yield Sentence(says="there is nothing to move yet")
    elif grounds.plan is None and not grounds.cases:
        yield Sentence(says="there is no plan yet: none of {total} machines has a date", facts={"total": total.to_move})
    else:
        yield Sentence(
            says="{moved} of {total} machines are moved",
            facts={"moved": total.of(Place.MOVED), "total": total.to_move},
        )
    for place, one, many in _CLAUSES:
        if count := total.of(place):
            yield one if count == 1 else replace(many, facts={"count": count})
    if decisions == 1:
        yield Sentence(says="one decision waits for a person")
    elif decisions:
        yield Sentence(says="{count} decisions wait for a person", facts={"count": decisions})
    elif total.to_move:
        yield Sentence(says="nothing waits for a person")


_CLAUSES = (
    (Place.RETIRED, Sentence(says="one is retired"), Sentence(says="{count} are retired")),
    (
        Place.UNKNOWN,
        Sentence(says="the state of one is unknown"),
        Sentence(says="the state of {count} is unknown"),
    ),
    (Place.NEEDS_PERSON, Sentence(says="one needs a person"), Sentence(says="{count} need a person")),
    (Place.HELD, Sentence(says="one is held"), Sentence(says="{count} are held")),
    (
        Place.ROLLED_BACK,
        Sentence(says="one is back on its old machine, proven as before"),
        Sentence(says="{count} are back on their old machines, proven as before"),
    ),
    (Place.IN_MOTION, Sentence(says="one is in motion right now"), Sentence(says="{count} are in motion right now")),
)


# --------------------------------------------------------------------------- departments


def _departments(places: Sequence[Whereabouts]) -> tuple[DepartmentLine, ...]:
    """One line a department; those that lag behind are never averaged away. Without a name: last."""
    of: dict[str, list[Place]] = {}
    for one in places:
        of.setdefault(one.department, []).append(one.place)
    names = sorted(of, key=lambda name: (not name, name_key(name)))
    return tuple(DepartmentLine(name=name, tally=tally(of[name])) for name in names)


# --------------------------------------------------------------------------- setbacks


def _setbacks(
    cases: Iterable[WaveCase], places: Sequence[Whereabouts]
) -> tuple[tuple[SetbackGroup, ...], int]:  # fmt: skip
    """What went otherwise than planned and still stands so, by cause; and how many were overcome since."""
    present = {one.asset: one.wave for one in places}
    found: dict[str, list[Setback]] = {}
    recovered = 0
    for case in in_order(cases):
        for move in case.progress.moves.values():
            if move.state not in NOT_WELL:
                continue
            if present.get(move.asset) != case.key:
                recovered += 1
                continue
            found.setdefault(move.cause, []).append(_setback(case, move.asset))
    groups = [_group(code, setbacks) for code, setbacks in found.items()]
    return tuple(sorted(groups, key=lambda one: (NOT_WELL.index(one.assets[0].state), -len(one.assets)))), recovered


def _setback(case: WaveCase, asset: AssetId) -> Setback:
    move, planned = case.progress.moves[asset], case.content.move(asset)
    title = next((step.title or step.name for step in case.content.runbook.steps if step.name == move.step), move.step)
    return Setback(
        asset=asset,
        name=planned.name,
        department=planned.department,
        users=planned.users,
        wave=case.key,
        state=move.state,
        step=title,
        since=local(move.since, case.content) if move.since else None,
    )


def _group(code: str, setbacks: list[Setback]) -> SetbackGroup:
    cause = cause_of(code)
    ordered = sorted(setbacks, key=lambda one: (NOT_WELL.index(one.state), name_key(one.name)))
    return SetbackGroup(
        cause=code, says=Sentence(says=cause.says), helps=Sentence(says=cause.remedy), assets=tuple(ordered)
    )


# --------------------------------------------------------------------------- decisions and what comes


def _planning(cases: Sequence[WaveCase], places: Sequence[Whereabouts]) -> Iterator[Decision]:
    """What went back or stayed behind in a wave that is over waits for a new plan; so does what no plan has seen."""
    over = {case.key for case in cases if case.progress.state in (WaveState.CLOSED, WaveState.ROLLED_BACK)}
    again = [one for one in places if one.place in (Place.ROLLED_BACK, Place.HELD) and one.wave in over]
    fresh = [one for one in places if one.place is Place.UNPLANNED and not one.rule]
    if not again and not fresh:
        return
    yield Decision(
        about=About.PLAN,
        wave="",
        what=Sentence(
            says="Plan anew: machines that went back or stayed behind: {again}, machines that no plan knows: {fresh}.",
            facts={"again": len(again), "fresh": len(fresh)},
        ),
        who=ENGINEER,
        if_nobody_acts=Sentence(says="They stay where they are, without a date."),
        assets=tuple(one.asset for one in (*again, *fresh)),
        names=tuple(one.name for one in (*again, *fresh)),
        commands=("kahn plan propose",),
    )


def _next_opening(case: WaveCase) -> datetime | None:
    lines = openings_of(case.content, case.progress, now=case.content.window.opens)
    return next((one.at for one in lines if one.stands is not Opening.GOOD), None)


def _ahead(case: WaveCase) -> WaveAhead:
    content = case.content
    count: dict[str, int] = {}
    for move in content.moves:
        count[move.department] = count.get(move.department, 0) + 1
    there = len(case.standing.approvers) if case.standing else content.approvers_needed * case.is_approved()
    return WaveAhead(
        key=case.key,
        state=case.progress.state,
        opens=local(content.window.opens, content),
        closes=local(content.window.closes, content),
        zone=content.window.zone,
        machines=len(content.moves),
        users=sum(move.users for move in content.moves),
        departments=tuple(sorted(count.items(), key=lambda pair: (-pair[1], pair[0]))),
        approvals=there,
        needed=content.approvers_needed,
        moved=sum(move.state in ARRIVED for move in case.progress.moves.values()),
        opening=_next_opening(case),
    )
