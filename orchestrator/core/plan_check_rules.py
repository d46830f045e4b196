"""The plan check's rules of ``[planning]``, each a sentence of docs/planning.md turned into one look at the plan."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property
from zoneinfo import ZoneInfo

from inventory.model import AssetId, name_key
from orchestrator.core.constraints import Capacity, Every, Hours, Planning, Recurring, Scope, Weekday
from orchestrator.core.plan import Plan, PlannedWave, PlanRequest
from orchestrator.core.plan_check_traits import Viewed
from orchestrator.core.policy import Policy

SLACK = 1e-6
DAY_NAMES = tuple(Weekday)
ONE_DAY = timedelta(days=1)
INSTANT = timedelta(microseconds=1)
SEAT_KINDS = ("workstation", "notebook", "thin_client")

Wrong = tuple[str, str, list[AssetId]]
"""(rule, what is wrong, of which assets)"""


@dataclass(frozen=True, kw_only=True)
class Case:
    """A plan before these rules. Its windows have time zones."""

    plan: Plan
    policy: Policy
    viewed: Viewed
    request: PlanRequest | None

    @property
    def asked(self) -> Planning:
        """What the policy asks."""
        return self.policy.planning

    @cached_property
    def zone(self) -> ZoneInfo:
        """The policy's."""
        return ZoneInfo(self.policy.zone)

    @cached_property
    def waves(self) -> tuple[PlannedWave, ...]:
        """Those whose windows can be looked at."""
        return tuple(one for one in self.plan.waves if one.window.opens.tzinfo and one.window.closes.tzinfo)

    @cached_property
    def wave_of(self) -> Mapping[AssetId, PlannedWave]:
        """Planned machine -> its wave."""
        return {a: wave for wave in self.waves for a in wave.assets if a in self.viewed.machines}

    def opening_day(self, wave: PlannedWave) -> date:
        """The local day on which its window opens."""
        return wave.window.opens.astimezone(self.zone).date()

    def days(self, wave: PlannedWave) -> list[date]:
        """Every local day that the window touches."""
        first, last = self.opening_day(wave), (wave.window.closes - INSTANT).astimezone(self.zone).date()
        return [first + number * ONE_DAY for number in range(max(0, (last - first).days) + 1)]

    def hit(self, scope: Scope, wave: PlannedWave) -> list[AssetId]:
        """Assets of the wave that the scope holds."""
        return [a for a in wave.assets if a in self.viewed.machines and self.viewed.within(scope, a)]


def rules_broken(case: Case) -> Iterator[Wrong]:
    """All that is wrong by these rules."""
    for look in LOOKS:
        yield from look(case)


# --------------------------------------------------------------------------- windows and days


def _scope_of_window(case: Case) -> Iterator[Wrong]:
    scopes = [one.scope for one in case.policy.weekly] + [one.scope for one in case.policy.windows]
    if all(scope.is_all for scope in scopes):
        return
    for wave in case.waves:
        takers = list(_takers(case, wave))
        wrong = [a for a in case.hit(Scope(), wave) if not any(case.viewed.within(one, a) for one in takers)]
        if wrong:
            yield "window_scope", f"the window of {wave.key} does not take", wrong


def _takers(case: Case, wave: PlannedWave) -> Iterator[Scope]:
    """Scopes of the policy's windows that contain the wave's."""
    opens, closes = (at.astimezone(case.zone).replace(tzinfo=None) for at in (wave.window.opens, wave.window.closes))
    for single in case.policy.windows:
        if single.opens <= wave.window.opens and wave.window.closes <= single.closes:
            yield single.scope
    for weekly in case.policy.weekly:
        for day in (opens.date(), opens.date() - ONE_DAY):
            end = day + ONE_DAY if weekly.closes <= weekly.opens else day
            inside = datetime.combine(day, weekly.opens) <= opens and closes <= datetime.combine(end, weekly.closes)
            if inside and DAY_NAMES[day.weekday()] in weekly.days:
                yield weekly.scope


def recurs_on(recurring: Recurring, day: date) -> bool:
    """Whether a recurring freeze covers the day: asked of its own period and of the one before."""
    begin, end = _period_of(recurring.every, day)
    before = _period_of(recurring.every, begin - ONE_DAY)
    if _covers(recurring, day, (begin, end), _period_of(recurring.every, end + ONE_DAY)):
        return True
    return _covers(recurring, day, before, (begin, end))


def _period_of(every: Every, day: date) -> tuple[date, date]:
    if every is Every.YEAR:
        return date(day.year, 1, 1), date(day.year, 12, 31)
    first = day.month if every is Every.MONTH else 3 * ((day.month - 1) // 3) + 1
    last = first if every is Every.MONTH else first + 2
    return date(day.year, first, 1), date(day.year, last, monthrange(day.year, last)[1])


def _covers(recurring: Recurring, day: date, period: tuple[date, date], following: tuple[date, date]) -> bool:
    first, last = _counted(recurring.first_day, period), _counted(recurring.last_day, period)
    return first <= day <= (last if last >= first else _counted(recurring.last_day, following))


def _counted(number: int, period: tuple[date, date]) -> date:
    days = [period[0] + step * ONE_DAY for step in range((period[1] - period[0]).days + 1)]
    place = number - 1 if number > 0 else len(days) + number
    return days[min(max(place, 0), len(days) - 1)]


def frozen_names(policy: Policy, day: date) -> Iterator[tuple[str, Scope]]:
    """Every freeze by days that covers this one, with whom it keeps back."""
    for freeze in policy.freezes:
        if freeze.first <= day <= freeze.last:
            yield freeze.name, freeze.scope
    for occasion in policy.planning.occasions:
        if any(-occasion.days_before <= (day - on).days <= occasion.days_after for on in occasion.on):
            yield occasion.name, occasion.scope
    for recurring in policy.planning.recurring:
        if recurs_on(recurring, day):
            yield recurring.name, recurring.scope


def touches_hours(hours: Hours, opens: datetime, closes: datetime) -> bool:
    """Whether the local times come into the window (its ends in local time)."""
    day = opens.date() - ONE_DAY
    while day <= closes.date():
        if DAY_NAMES[day.weekday()] in hours.days:
            end = day + ONE_DAY if hours.closes <= hours.opens else day
            begin = datetime.combine(day, hours.opens, tzinfo=opens.tzinfo)
            after = datetime.combine(end, hours.closes, tzinfo=opens.tzinfo)
            if begin.timestamp() < closes.timestamp() and opens.timestamp() < after.timestamp():
                return True
        day += ONE_DAY
    return False


def _frozen(case: Case) -> Iterator[Wrong]:
    for wave in case.waves:
        found = {pair for day in case.days(wave) for pair in frozen_names(case.policy, day)}
        opens, closes = wave.window.opens.astimezone(case.zone), wave.window.closes.astimezone(case.zone)
        found |= {(one.name, one.scope) for one in case.asked.hours if touches_hours(one, opens, closes)}
        for name, scope in sorted(found, key=repr):
            if wrong := case.hit(scope, wave):
                yield "frozen", f"the window of {wave.key} touches {name!r}, which keeps back", wrong


def _season(case: Case) -> Iterator[Wrong]:
    for wave in case.waves:
        for season in case.asked.seasons:
            outside = [d for d in case.days(wave) if not any(s.first <= d <= s.last for s in season.spans)]
            if outside and (wrong := case.hit(season.scope, wave)):
                yield "season", f"the window of {wave.key} lies outside of {season.name!r}, to which are held", wrong


def _visit(case: Case) -> Iterator[Wrong]:
    for wave in case.waves:
        for visit in case.asked.visits:
            if visit.on and case.opening_day(wave) not in visit.on and (wrong := case.hit(visit.scope, wave)):
                yield "visit", f"{wave.key} is on a day without {visit.name!r}, which is wanted for", wrong


def _lead_time(case: Case) -> Iterator[Wrong]:
    if case.plan.not_before.tzinfo is None:
        return
    begin = case.plan.not_before.astimezone(case.zone).date()
    leads = [(one.name, one.lead_days, one.scope) for one in case.asked.visits]
    leads += [(one.name, one.days_before, one.scope) for one in case.asked.tasks]
    parent = case.request.parent if case.request else None
    before = {a: wave.window.closes for wave in (parent.waves if parent else ()) for a in wave.assets}
    for wave in case.waves:
        for name, lead, scope in leads:
            if (case.opening_day(wave) - begin).days < lead:
                wrong = [a for a in case.hit(scope, wave) if before.get(a) != wave.window.closes]
                if wrong:
                    yield "lead_time", f"{wave.key} is too early for {name!r}, {lead} days ahead, of", wrong


# --------------------------------------------------------------------------- how much


def _limit(case: Case) -> Iterator[Wrong]:
    for capacity in case.asked.capacities:
        sums: dict[tuple[str, object], float] = {}
        whom: dict[tuple[str, object], list[AssetId]] = {}
        for wave in case.waves:
            period = wave.key if capacity.per == "window" else _period_at(case, capacity, wave.window.opens)
            for part, amount, assets in _amounts(case, capacity.of, capacity.scope, wave, capacity.each):
                sums[part, period] = sums.get((part, period), 0.0) + amount
                whom.setdefault((part, period), []).extend(assets)
        _add_begun(case, capacity, sums)
        most_of = _most(case, capacity)
        for place, amount in sums.items():
            most = most_of(place[0])
            if amount > most + SLACK:
                of = f" of {place[0]!r}" if capacity.each else ""
                yield "limit", f"{amount:g}{of} in one {capacity.per}, {capacity.name!r} says {most:g}", whom[place]


def _add_begun(case: Case, capacity: Capacity, sums: dict[tuple[str, object], float]) -> None:
    """What waves that began, and are not in the plan, take where the plan takes something too."""
    shown = {wave.key for wave in case.waves}
    for begun in case.request.begun if case.request and capacity.per != "window" else ():
        period = _period_at(case, capacity, begun.window.opens)
        groups = begun.groups if begun.key not in shown else ()
        for part, amount, _assets in _amounts_of(case, capacity.of, capacity.scope, groups, capacity.each):
            if (part, period) in sums:
                sums[part, period] += amount


def _period_at(case: Case, capacity: Capacity, opens: datetime) -> date:
    day = opens.astimezone(case.zone).date()
    return day if capacity.per == "day" else day - day.weekday() * ONE_DAY


def _most(case: Case, capacity: Capacity) -> Callable[[str], float]:
    if capacity.of != "share":
        return lambda part: capacity.most
    count: dict[str, int] = {}
    for asset in case.viewed.movers:
        if case.viewed.within(capacity.scope, asset):
            for part in case.viewed.parts(asset, capacity.each):
                count[part] = count.get(part, 0) + 1
    return lambda part: max(1, int(capacity.most * count.get(part, 0) + 1e-9))


def _amounts(
    case: Case, of: str, scope: Scope, wave: PlannedWave, each: str
) -> Iterator[tuple[str, float, list[AssetId]]]:
    """(part, amount, of which assets) in one wave."""
    return _amounts_of(case, of, scope, [group.assets for group in wave.groups], each)


def _amounts_of(
    case: Case, of: str, scope: Scope, groups: Iterable[Sequence[AssetId]], each: str
) -> Iterator[tuple[str, float, list[AssetId]]]:
    viewed = case.viewed
    for group in groups:
        inside = [a for a in group if a in viewed.machines and viewed.within(scope, a)]
        if of == "cutovers":
            serving = [a for a in inside if viewed.running(a)]
            for part in {part for a in serving for part in viewed.parts(a, each)}:
                yield part, 1.0, serving
            continue
        for a in inside:
            amount = viewed.minutes(case.asked.efforts, a) if of == "minutes" else viewed.amount(of, a)
            for part in viewed.parts(a, each):
                yield part, amount, [a]


def _stock(case: Case) -> Iterator[Wrong]:
    settled = case.request.settled if case.request else frozenset()
    for stock in case.asked.stocks:
        gone = [a for a in case.viewed.movers & settled if case.viewed.within(stock.scope, a)]
        used = sum(_alone(case, stock.of, a) for a in gone)
        for wave in sorted(case.waves, key=lambda one: one.window.opens):
            amounts = list(_amounts(case, stock.of, stock.scope, wave, ""))
            drawn = sum(amount for _part, amount, _assets in amounts)
            used += drawn
            there = sum(one.amount for one in stock.deliveries if one.on <= case.opening_day(wave))
            if drawn and used > there + SLACK:
                whom = [a for _part, _amount, assets in amounts for a in assets]
                yield "stock", f"by {wave.key} {used:g} of {stock.name!r} are used, {there:g} are there", whom


def _alone(case: Case, of: str, asset: AssetId) -> float:
    if of == "cutovers":
        return float(bool(case.viewed.running(asset)))
    return case.viewed.minutes(case.asked.efforts, asset) if of == "minutes" else case.viewed.amount(of, asset)


def _window_fit(case: Case) -> Iterator[Wrong]:
    reserve, efforts = case.asked.rollback_minutes, case.asked.efforts
    for wave in case.waves if reserve or efforts else ():
        rest = (wave.window.closes - wave.window.opens).total_seconds() / 60 - reserve
        work = {a: case.viewed.minutes(efforts, a) for a in case.hit(Scope(), wave)}
        too_long = [a for a, minutes in work.items() if minutes > rest + SLACK]
        if rest <= 0 or too_long or sum(work.values()) > rest * case.policy.forks + SLACK:
            yield "window_fit", f"the window of {wave.key} is too short for", too_long or list(work)


# --------------------------------------------------------------------------- with whom, before whom


def _apart(case: Case) -> Iterator[Wrong]:
    for wave in case.waves:
        for rule in case.asked.apart:
            ones, others = set(case.hit(rule.one, wave)), set(case.hit(rule.other, wave))
            if ones - others and others - ones:
                yield "apart", f"{wave.key} mixes what {rule.name!r} keeps apart", sorted(ones ^ others)


def _first(case: Case) -> Iterator[Wrong]:
    for rule in case.asked.first:
        latest: dict[str, PlannedWave] = {}
        rest: dict[str, list[tuple[AssetId, PlannedWave]]] = {}
        for asset, wave in case.wave_of.items():
            for part in case.viewed.parts(asset, rule.same) - ({""} if rule.same else set()):
                if case.viewed.within(rule.first, asset):
                    latest[part] = max(latest.get(part, wave), wave, key=lambda one: one.window.opens)
                elif case.viewed.within(rule.then, asset):
                    rest.setdefault(part, []).append((asset, wave))
        for part in sorted(latest.keys() & rest.keys()):
            wrong = [a for a, wave in rest[part] if not _follows(case, latest[part], wave, rule.days_between)]
            if wrong:
                yield "first", f"before {rule.name!r} is through move", wrong


def _follows(case: Case, earlier: PlannedWave, later: PlannedWave, days: int) -> bool:
    gap = (case.opening_day(later) - case.opening_day(earlier)).days
    return later.window.opens > earlier.window.opens and gap >= days


def _seats_wait(case: Case) -> Iterator[Wrong]:
    if not case.asked.seats_wait:
        return
    settled = case.request.settled if case.request else frozenset()
    waiting = {name_key(case.viewed.machines[a].name): a for a in case.viewed.movers - settled}
    ready = {name_key(name) for name in case.asked.works_from_new}
    wrong = [
        asset
        for asset, wave in case.wave_of.items()
        if case.viewed.machines[asset].kind in SEAT_KINDS
        and any(
            _not_yet(case, waiting[host], wave)
            for procedure in case.viewed.used(asset) - ready
            for host in case.viewed.hosts.get(procedure, ())
            if host in waiting
        )
    ]
    if wrong:
        yield "seats_wait", "before a procedure used there works from the new device move", wrong


def _not_yet(case: Case, host: AssetId, wave: PlannedWave) -> bool:
    there = case.wave_of.get(host)
    return there is None or there.window.opens > wave.window.opens


def _not_with(case: Case) -> Iterator[Wrong]:
    for pin in case.request.pins if case.request else ():
        wave = case.wave_of.get(pin.asset)
        company = [a for a in pin.not_with if wave is not None and case.wave_of.get(a) is wave]
        if company:
            yield "pin", "in one wave though pinned apart are", [pin.asset, *company]


def _approved(case: Case) -> Iterator[Wrong]:
    parent = case.request.parent if case.request else None
    for old in parent.waves if parent and case.request else ():
        if case.request is None or old.key not in case.request.approved:
            continue
        members = set(old.assets)
        inside = {a for wave in case.waves if wave.window.closes == old.window.closes for a in wave.assets}
        if left := sorted((members - inside) & case.wave_of.keys()):
            yield "approved", f"{old.key} was approved, but elsewhere are", left
        if added := sorted(inside - members):
            yield "approved", f"{old.key} was approved without", added


LOOKS: Iterable[Callable[[Case], Iterator[Wrong]]] = (
    _scope_of_window,
    _frozen,
    _season,
    _visit,
    _lead_time,
    _limit,
    _stock,
    _window_fit,
    _apart,
    _first,
    _seats_wait,
    _not_with,
    _approved,
)
