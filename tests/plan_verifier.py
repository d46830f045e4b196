"""A verifier of finished plans for benches and property tests: shares no code with planners nor with the plan check.

It is written to be read beside the rules, not to be fast: each rule is one short function that names what breaks it.
Rules of the calendar are checked by walking over days, groups by walking over the graph.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from fnmatch import fnmatchcase
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import holidays

from inventory.model import Asset, Snapshot, name_key
from orchestrator.core.plan import BegunWave, Plan, PlannedWave, PlanRequest
from orchestrator.core.policy import Policy
from tests.asks_verifier import asked

DAY = timedelta(days=1)
STILL = ("site", "department", "seat", "template", "procedure")
SEATED = ("workstation", "notebook", "thin_client")


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """One broken rule, and what breaks it."""

    rule: str
    says: str


def violations(plan: Plan, request: PlanRequest) -> list[Violation]:
    """All broken rules; empty for a plan that holds them all."""
    return [Violation(rule=rule.__name__[1:], says=says) for rule in RULES for says in rule(plan, request)]


def counted(plan: Plan, request: PlanRequest) -> dict[str, int]:
    """Rule -> how often it is broken."""
    return dict(Counter(one.rule for one in violations(plan, request)))


# --------------------------------------------------------------------------- what there is


def movers(snapshot: Snapshot) -> dict[Any, Asset]:
    """Machines that a plan must answer for: old ones and those that nobody replaces anything with."""
    naming = {name_key(a.text("successor")) for a in snapshot.assets if a.is_machine and a.text("successor")}
    return {
        a.id: a
        for a in snapshot.assets
        if a.is_machine
        and a.kind not in STILL
        and not a.text("role")
        and (a.text("successor") or name_key(a.name) not in naming)
    }


def _where(plan: Plan) -> dict[Any, PlannedWave]:
    return {asset: wave for wave in plan.waves for asset in wave.assets}


def _coverage(plan: Plan, request: PlanRequest) -> Iterator[str]:
    named = Counter(asset for wave in plan.waves for asset in wave.assets)
    named += Counter(asset for one in plan.why_not for asset in one.assets)
    wanted = movers(request.snapshot).keys() - request.settled
    yield from (f"{asset} stands in the plan {count} times" for asset, count in named.items() if count > 1)
    yield from (f"{asset} is in no wave and has no reason" for asset in sorted(wanted - named.keys()))
    yield from (f"{asset} is none of those that move" for asset in sorted(named.keys() - wanted))


def _fields(plan: Plan, request: PlanRequest) -> Iterator[str]:
    machines = {name_key(a.name): a for a in request.snapshot.assets if a.is_machine}
    known = request.snapshot.by_id()
    for asset, wave in _where(plan).items():
        one = known.get(asset)
        if one is None:
            continue
        heir = machines.get(name_key(one.text("successor"))) if one.text("successor") else None
        both = [one, *([heir] if heir else [])]
        windows = "windows" in one.text("os_name").lower() and one.kind in request.policy.by_hand
        asks = request.asked_by(wave.runbook)
        needed = () if (not asks.reached if asks else windows) else ("address", "access", "host_key")
        if any(not machine.text(name) for machine in both for name in needed):
            yield f"{asset} or its successor cannot be reached"
        if one.text("strategy") in ("retain", "retire") or (one.kind in SEATED and heir is None):
            yield f"{asset} is to stay or has no successor"
        theirs = request.policy.by_hand if windows else request.policy.runbooks
        if theirs.get(one.kind) != wave.runbook:
            yield f"{asset} is moved by a runbook that is not its own"


def _asked(plan: Plan, request: PlanRequest) -> Iterator[str]:
    return asked(plan, request)


# --------------------------------------------------------------------------- when


def _windows(plan: Plan, request: PlanRequest) -> Iterator[str]:
    policy = request.policy
    for wave in plan.waves:
        opens, closes = wave.window.opens, wave.window.closes
        if not opens < closes:
            yield f"{wave.key} ends before it begins"
        if opens < request.not_before and not _was_open(request, wave):
            yield f"{wave.key} begins before planning does"
        if not any(start <= opens and closes <= end for start, end in _allowed(policy, opens)):
            yield f"{wave.key} lies in no window of the policy"
        if any(start < closes and opens < end for start, end in _frozen(policy)):
            yield f"{wave.key} lies in a freeze"


def _overlaps(plan: Plan, request: PlanRequest) -> Iterator[str]:
    spans = sorted((wave.window.opens, wave.window.closes, wave.key) for wave in plan.waves)
    for before, after in pairwise(spans):
        if after[0] < before[1]:
            yield f"{before[2]} and {after[2]} overlap"
    for wave in plan.waves:
        for other in request.occupied:
            if wave.window.opens < other.closes and other.opens < wave.window.closes:
                yield f"{wave.key} overlaps a wave that is under way"


def _was_open(request: PlanRequest, wave: PlannedWave) -> bool:
    old = request.parent.wave(wave.key) if request.parent else None
    return old is not None and old.window == wave.window and wave.window.closes > request.not_before


def _allowed(policy: Policy, opens: datetime) -> Iterator[tuple[datetime, datetime]]:
    """Windows of the policy near that moment, whole, whatever freezes take away."""
    zone = ZoneInfo(policy.zone)
    yield from ((one.opens, one.closes) for one in policy.windows)
    around = opens.astimezone(zone).date()
    for day in (around - DAY, around, around + DAY):
        if _is_closed(policy, day):
            continue
        for one in policy.weekly:
            if ("mon", "tue", "wed", "thu", "fri", "sat", "sun")[day.weekday()] in one.days:
                end = day + DAY if one.closes <= one.opens else day
                yield _at(day, one.opens, zone), _at(end, one.closes, zone)


def _is_closed(policy: Policy, day: date) -> bool:
    if not policy.holidays:
        return False
    return (day.month, day.day) in ((12, 24), (12, 31)) or day in _holidays(policy.holidays, day.year)


_KNOWN: dict[tuple[str, int], Any] = {}


def _holidays(state: str, year: int) -> Any:
    if (state, year) not in _KNOWN:
        _KNOWN[state, year] = holidays.country_holidays("DE", subdiv=state, years=year)
    return _KNOWN[state, year]


def _at(day: date, clock: time, zone: ZoneInfo) -> datetime:
    """The moment of a local time; one that the clock jumps over is the moment of the jump or later."""
    return datetime.combine(day, clock, tzinfo=zone)


def _frozen(policy: Policy) -> Iterator[tuple[datetime, datetime]]:
    zone = ZoneInfo(policy.zone)
    for one in policy.freezes:
        if one.scope.is_all and one.first <= one.last:
            yield _at(one.first, time(), zone), _at(one.last + DAY, time(), zone)


def _pins(plan: Plan, request: PlanRequest) -> Iterator[str]:
    where = _where(plan)
    for pin in request.pins:
        wave = where.get(pin.asset)
        if wave is None:
            continue
        if pin.not_before is not None and wave.window.opens < pin.not_before:
            yield f"{pin.asset} moves before its pin allows"
        old = request.parent.wave(pin.wave) if request.parent and pin.wave else None
        if pin.wave is not None and wave.key != pin.wave and (old is None or old.window.closes != wave.window.closes):
            yield f"{pin.asset} is not in the wave it is pinned to"
        if any(where.get(other) is wave for other in pin.not_with):
            yield f"{pin.asset} is in one wave with what it must not be with"


# --------------------------------------------------------------------------- how much


def _rooms(plan: Plan, request: PlanRequest) -> Iterator[str]:
    for wave in plan.waves:
        if len(wave.assets) > request.policy.assets_per_window:
            yield f"{wave.key} has {len(wave.assets)} assets"


def _batches(plan: Plan, request: PlanRequest) -> Iterator[str]:
    for wave in plan.waves:
        grouped = sorted(asset for group in wave.groups for asset in group.assets)
        if grouped != sorted(wave.assets):
            yield f"the batches of {wave.key} are not its groups"


def _capacities(plan: Plan, request: PlanRequest) -> Iterator[str]:
    known = request.snapshot.by_id()
    for one in request.policy.planning.capacities:
        if one.of not in ("assets", "share"):
            continue
        used: Counter[tuple[str, str]] = Counter()
        whole: Counter[str] = Counter()
        for asset in movers(request.snapshot).values():
            if fits(one.scope, asset, request.snapshot):
                whole[asset.text(one.each) if one.each else ""] += 1
        planned = [(_period(wave, one.per, request.policy), asset) for wave in plan.waves for asset in wave.assets]
        for own, (period, asset_id) in [
            *((True, pair) for pair in planned),
            *((False, pair) for pair in _begun(plan, request, one.per)),
        ]:
            asset = known[asset_id]
            place = period, asset.text(one.each) if one.each else ""
            used[place] += (own or place in used) and fits(one.scope, asset, request.snapshot)
        for (period, each), count in sorted(used.items()):
            most = max(1.0, float(int(one.most * whole[each] + 1e-9))) if one.of == "share" else one.most
            if count > most + 1e-9:
                yield f"{one.name}: {count} in {period} {each}, at most {most:g}"


def _begun(plan: Plan, request: PlanRequest, per: str) -> Iterator[tuple[str, Any]]:
    """(day or week, asset) of waves that began and are not in the plan."""
    keys = {wave.key for wave in plan.waves}
    for wave in request.begun if per != "window" else ():
        for asset in (one for group in wave.groups for one in group if wave.key not in keys):
            yield _period(wave, per, request.policy), asset


def _period(wave: PlannedWave | BegunWave, per: str, policy: Policy) -> str:
    day = wave.window.opens.astimezone(ZoneInfo(policy.zone)).date()
    if per == "window":
        return str(wave.window.opens)
    return str(day) if per == "day" else str(day - timedelta(days=day.weekday()))


def _stocks(plan: Plan, request: PlanRequest) -> Iterator[str]:
    known, zone = request.snapshot.by_id(), ZoneInfo(request.policy.zone)
    for one in request.policy.planning.stocks:
        if one.of != "assets":
            continue
        used = 0
        for wave in sorted(plan.waves, key=lambda wave: wave.window.opens):
            used += sum(fits(one.scope, known[asset], request.snapshot) for asset in wave.assets)
            day = wave.window.opens.astimezone(zone).date()
            there = sum(delivery.amount for delivery in one.deliveries if delivery.on <= day)
            if used > there:
                yield f"{one.name}: {used} used until {day}, {there:g} delivered"
                break


def _apart(plan: Plan, request: PlanRequest) -> Iterator[str]:
    known = request.snapshot.by_id()
    for one in request.policy.planning.apart:
        for wave in plan.waves:
            sides = [
                (fits(one.one, known[asset], request.snapshot), fits(one.other, known[asset], request.snapshot))
                for asset in wave.assets
            ]
            if any(left and not right for left, right in sides) and any(right and not left for left, right in sides):
                yield f"{one.name}: both in {wave.key}"


def fits(scope: Any, asset: Asset, snapshot: Snapshot) -> bool:
    """Whether the scope holds the asset, by its own fields (not by those of procedures on it)."""
    lists = (
        (scope.names, lambda wanted: any(fnmatchcase(name_key(asset.name), name_key(one)) for one in wanted)),
        (scope.sites, lambda wanted: name_key(asset.text("site")) in {name_key(one) for one in wanted}),
        (scope.departments, lambda wanted: name_key(asset.text("department")) in {name_key(one) for one in wanted}),
        (scope.kinds, lambda wanted: asset.kind in wanted),
    )
    return all(test(wanted) for wanted, test in lists if wanted)


# --------------------------------------------------------------------------- what hangs together


def _edges(request: PlanRequest) -> Iterator[tuple[str, str, bool]]:
    """(who, needs whom, whether that binds) among all that could move or run on what moves, by id."""
    snapshot = request.snapshot
    nodes = {
        a.id for a in snapshot.assets if a.kind not in ("site", "department", "seat", "template") and not a.text("role")
    }
    alias = _alias(snapshot, nodes)
    machines = {name_key(a.name): a for a in snapshot.assets if a.is_machine}
    procedures = {name_key(a.name): a for a in snapshot.assets if a.kind == "procedure"}
    found: list[tuple[str, str, bool]] = [
        (one.asset, one.needs, one.kind in ("hard", "licence"))
        for one in snapshot.dependencies
        if one.tenant == snapshot.tenant
    ]
    users: dict[str, set[str]] = defaultdict(set)
    for asset in snapshot.assets:
        for name in asset.texts("machines"):
            users[name_key(name)].add(asset.id)
    for asset in snapshot.assets:
        found += [
            (asset.id, procedures[k].id, False) for k in map(name_key, asset.texts("procedures")) if k in procedures
        ]
        for key in map(name_key, asset.texts("machines")):
            if key in machines:
                own = machines[key].kind not in SEATED and len(users[key]) < request.policy.planning.shared_from
                found.append((asset.id, machines[key].id, own))
    for who, whom, binds in found:
        who, whom = alias.get(who, who), alias.get(whom, whom)
        if who in nodes and whom in nodes and who != whom:
            yield who, whom, binds


def _alias(snapshot: Snapshot, nodes: set[Any]) -> dict[str, str]:
    """A successor that replaces one machine alone is another name for it."""
    machines = {name_key(a.name): a for a in snapshot.assets if a.is_machine}
    named: dict[str, list[str]] = defaultdict(list)
    for one in snapshot.assets:
        heir = machines.get(name_key(one.text("successor"))) if one.is_machine and one.text("successor") else None
        if heir is not None and not heir.text("successor"):
            named[heir.id].append(one.id)
    return {new: olds[0] for new, olds in named.items() if len(olds) == 1 and new in nodes and olds[0] in nodes}


def _bound(plan: Plan, request: PlanRequest) -> Iterator[str]:
    """What is bound, directly or through what does not move itself, moves in one wave or not at all."""
    near: dict[str, set[str]] = defaultdict(set)
    for who, whom, binds in _edges(request):
        if binds:
            near[who].add(whom)
            near[whom].add(who)
    where, answering = _where(plan), movers(request.snapshot).keys() - request.settled
    seen: set[str] = set()
    for start in sorted(near):
        if start in seen:
            continue
        together, waiting = {start}, [start]
        while waiting:
            fresh = near[waiting.pop()] - together
            together |= fresh
            waiting += fresh
        seen |= together
        places = {str(where[asset].key) if asset in where else "" for asset in together & answering}
        if len(places) > 1:
            yield f"bound together, but in {sorted(places)}: {sorted(together & answering)[:4]}"


def _order(plan: Plan, request: PlanRequest) -> Iterator[str]:
    """What is needed moves no later than what needs it, where both are machines and the policy asks for it.

    The only rule that a plan may break for the sake of another one: see SOFT.
    """
    if not request.policy.planning.needs_first:
        return
    where = _where(plan)
    for who, whom, _binds in _edges(request):
        mine, theirs = where.get(who), where.get(whom)
        if mine is not None and theirs is not None and mine.window.opens < theirs.window.opens:
            yield f"{who} moves before {whom}, which it needs"


def _seats(plan: Plan, request: PlanRequest) -> Iterator[str]:
    """With ``seats_wait``: a seat's machine moves no earlier than the procedures used there."""
    planning = request.policy.planning
    if not planning.seats_wait:
        return
    where = _where(plan)
    machines = {name_key(a.name): a.id for a in request.snapshot.assets if a.is_machine}
    there = {name_key(name) for name in planning.works_from_new}
    lasts: dict[str, datetime] = {}
    for one in request.snapshot.assets:
        if one.kind == "procedure" and name_key(one.name) not in there:
            hosts = [machines.get(name_key(name)) for name in one.texts("machines")]
            opens = [where[host].window.opens for host in hosts if host in where]
            if opens:
                lasts[name_key(one.name)] = max(opens)
    for seat in request.snapshot.assets:
        wave = where.get(machines.get(name_key(seat.text("machine")), "")) if seat.kind == "seat" else None
        for name in map(name_key, seat.texts("procedures")) if wave else ():
            if wave is not None and name in lasts and lasts[name] > wave.window.opens:
                yield f"{seat.name} moves before {name} works from there"


RULES = (
    *(_coverage, _fields, _windows, _overlaps, _rooms, _batches),
    *(_asked, _bound, _order, _pins, _capacities, _stocks, _apart, _seats),
)
SOFT = ("order",)
