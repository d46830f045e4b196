"""The second opinion: every rule of a plan checked again, sharing no code with any planner."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from itertools import pairwise

from inventory.model import Asset, AssetId, Snapshot
from orchestrator.core.constraints import Planning
from orchestrator.core.plan import Pin, Plan, PlanFinding, PlannedWave, PlanRequest
from orchestrator.core.plan_check_asks import asks_unmet, is_let_go, people_move, wanted_by_others
from orchestrator.core.plan_check_calendar import window_faults
from orchestrator.core.plan_check_groups import SEATED, answered_for, direct_needs, successor_of, together
from orchestrator.core.plan_check_rules import Case, rules_broken
from orchestrator.core.plan_check_traits import Viewed
from orchestrator.core.policy import Policy

ERROR, WARNING = "error", "warning"
SHOWN = 5
"""Names in a sentence, at most."""


def check_plan(
    plan: Plan, snapshot: Snapshot, policy: Policy, *, request: PlanRequest | None = None
) -> tuple[PlanFinding, ...]:
    """All that is wrong with the plan, errors first. With the request, pins, settled assets and parent count too."""
    bench = _Bench(plan=plan, snapshot=snapshot, policy=policy, request=request)
    findings = [finding for check in CHECKS for finding in check(bench)]
    return tuple(sorted(findings, key=lambda one: one.severity != ERROR))


def errors_of(findings: tuple[PlanFinding, ...]) -> tuple[PlanFinding, ...]:
    """Those that forbid proposing the plan."""
    return tuple(one for one in findings if one.severity == ERROR)


@dataclass(frozen=True, kw_only=True)
class _Bench:
    """The plan under examination, with what is looked up more than once."""

    plan: Plan
    snapshot: Snapshot
    policy: Policy
    request: PlanRequest | None

    @cached_property
    def assets(self) -> Mapping[AssetId, Asset]:
        """Assets by id."""
        return self.snapshot.by_id()

    @cached_property
    def settled(self) -> frozenset[AssetId]:
        """Assets that are not to be planned again."""
        return self.request.settled if self.request else frozenset()

    @cached_property
    def answered(self) -> frozenset[AssetId]:
        """Assets that must be in a wave or among the leftovers."""
        return answered_for(self.snapshot) - self.settled

    @cached_property
    def wave_of(self) -> Mapping[AssetId, PlannedWave]:
        """Planned asset -> its wave (the last, should there be two)."""
        return {asset: wave for wave in self.plan.waves for asset in wave.assets}

    @cached_property
    def heirs(self) -> Mapping[AssetId, AssetId]:
        """Old machine -> its successor."""
        return successor_of(self.snapshot)

    def names(self, assets: list[AssetId]) -> str:
        """The first few names, for a sentence."""
        shown = [repr(self.assets[one].name) if one in self.assets else repr(str(one)) for one in assets[:SHOWN]]
        more = f" and {len(assets) - SHOWN} more" if len(assets) > SHOWN else ""
        return ", ".join(shown) + more


Check = Callable[[_Bench], Iterator[PlanFinding]]


def _finding(rule: str, says: str, assets: list[AssetId] | None = None, severity: str = ERROR) -> PlanFinding:
    return PlanFinding(severity=severity, rule=rule, says=says, assets=tuple(assets or ()))


def _about(bench: _Bench, rule: str, says: str, assets: list[AssetId]) -> Iterator[PlanFinding]:
    """One finding for all assets it is true of; none when there are none."""
    if assets:
        yield _finding(rule, f"{says}: {bench.names(assets)}.", assets)


# --------------------------------------------------------------------------- identity


def _tenant(bench: _Bench) -> Iterator[PlanFinding]:
    if bench.plan.tenant != bench.snapshot.tenant:
        yield _finding("tenant", f"The plan is for {bench.plan.tenant}, the inventory is {bench.snapshot.tenant}'s.")
    foreign = [asset for asset in bench.wave_of if asset in bench.assets and _is_foreign(bench, asset)]
    yield from _about(bench, "tenant", "Assets of another tenant are planned", foreign)


def _is_foreign(bench: _Bench, asset: AssetId) -> bool:
    return bench.assets[asset].tenant != bench.plan.tenant


def _parent(bench: _Bench) -> Iterator[PlanFinding]:
    if bench.request is None:
        return
    expected = bench.request.parent.fingerprint if bench.request.parent else ""
    if bench.plan.parent != expected:
        yield _finding("parent", "The plan does not follow the plan that it should replace.")


def _keys(bench: _Bench) -> Iterator[PlanFinding]:
    keys = [wave.key for wave in bench.plan.waves]
    for key in sorted({key for key in keys if keys.count(key) > 1}):
        yield _finding("wave_key", f"Two waves have the key {key}.")
    for key in keys:
        if not (key.startswith("W") and key[1:].isascii() and key[1:].isdigit()):
            yield _finding("wave_key", f"{key!r} is not a wave's key such as W01.")


def _once(bench: _Bench) -> Iterator[PlanFinding]:
    seen: set[AssetId] = set()
    twice: dict[AssetId, None] = {}
    left = [asset for one in bench.plan.why_not for asset in one.assets]
    for asset in [*(asset for wave in bench.plan.waves for asset in wave.assets), *left]:
        if asset in seen:
            twice[asset] = None
        seen.add(asset)
    yield from _about(bench, "twice", "Assets are named more than once", list(twice))


def _known(bench: _Bench) -> Iterator[PlanFinding]:
    left = [asset for one in bench.plan.why_not for asset in one.assets]
    unknown = [asset for asset in [*bench.wave_of, *left] if asset not in bench.assets]
    yield from _about(bench, "unknown_asset", "Assets are not in the inventory", unknown)


def _covered(bench: _Bench) -> Iterator[PlanFinding]:
    named = set(bench.wave_of) | {asset for one in bench.plan.why_not for asset in one.assets}
    dropped = sorted(bench.answered - named)
    yield from _about(bench, "dropped", "Assets are in no wave and have no reason", dropped)
    for one in bench.plan.why_not:
        if not one.rule or not one.assets:
            yield _finding("dropped", f"A leftover has no rule or no asset: {one.says!r}.", list(one.assets))


def _settled(bench: _Bench) -> Iterator[PlanFinding]:
    again = [asset for asset in bench.wave_of if asset in bench.settled]
    yield from _about(bench, "settled", "Assets were moved already or are under way", again)


# --------------------------------------------------------------------------- can it move


def _fields(bench: _Bench) -> Iterator[PlanFinding]:
    for rule, says, lacking in asks_unmet(bench.plan, bench.snapshot, bench.policy, request=bench.request):
        yield from _about(bench, rule, says, lacking)
    planned = [asset for asset in bench.wave_of if asset in bench.assets]
    unfit = [asset for asset in planned if asset not in bench.answered and asset not in bench.settled]
    yield from _about(bench, "not_a_move", "Assets are never moved themselves", unfit)
    stays = [asset for asset in planned if bench.assets[asset].text("strategy") in ("retain", "retire")]
    stays = [asset for asset in stays if not is_let_go(bench.assets[asset], bench.policy)]
    yield from _about(bench, "retained", "Assets are to stay", stays)
    gone = [asset for asset in planned if is_let_go(bench.assets[asset], bench.policy)]
    needed = wanted_by_others(bench.snapshot) if gone else frozenset()
    yield from _about(bench, "still_needed", "Assets retire that others need", [one for one in gone if one in needed])


def _successors(bench: _Bench) -> Iterator[PlanFinding]:
    planned = [asset for asset in bench.wave_of if asset in bench.assets]
    lacking = [one for one in planned if one not in bench.heirs and _wants_heir(bench.assets[one], bench.policy)]
    yield from _about(bench, "no_successor", "Assets have no successor in the inventory", lacking)
    count: dict[AssetId, int] = {}
    for heir in bench.heirs.values():
        count[heir] = count.get(heir, 0) + 1
    shared = [one for one in planned if one in bench.heirs and count[bench.heirs[one]] > 1]
    yield from _about(bench, "successor_taken", "Assets share a successor with another one", shared)
    moving = [one for one in planned if one in bench.heirs and bench.heirs[one] in bench.heirs]
    yield from _about(bench, "successor_replaced", "Assets' successors are replaced themselves", moving)


def _wants_heir(asset: Asset, policy: Policy) -> bool:
    return not is_let_go(asset, policy) and (asset.kind in SEATED or bool(asset.text("successor")))


def _runbooks(bench: _Bench) -> Iterator[PlanFinding]:
    for wave in bench.plan.waves:
        wrong = [one for one in wave.assets if one in bench.assets and not _fits(bench, one, wave)]
        yield from _about(bench, "runbook", f"{wave.key} runs {wave.runbook!r}, which is not theirs", wrong)


def _fits(bench: _Bench, asset: AssetId, wave: PlannedWave) -> bool:
    table = bench.policy.by_hand if people_move(bench.assets[asset], bench.policy) else bench.policy.runbooks
    if "windows" in bench.assets[asset].text("os_name").casefold() and bench.assets[asset].kind in bench.policy.by_psrp:
        table = bench.policy.by_psrp
    if is_let_go(bench.assets[asset], bench.policy):
        table = bench.policy.retire
    return table.get(bench.assets[asset].kind) == wave.runbook


# --------------------------------------------------------------------------- waves and batches


def _shape(bench: _Bench) -> Iterator[PlanFinding]:
    for wave in bench.plan.waves:
        if not wave.assets or not all(batch.assets for batch in wave.batches):
            yield _finding("empty_wave", f"{wave.key} or one of its batches is empty.")
        grouped = sorted(asset for group in wave.groups for asset in group.assets)
        if grouped != sorted(wave.assets):
            odd = sorted(set(grouped).symmetric_difference(wave.assets)) or grouped
            yield _finding("batches", f"The batches of {wave.key} are not its groups: {bench.names(odd)}.", odd)
        if len(wave.assets) > bench.policy.assets_per_window:
            limit = bench.policy.assets_per_window
            yield _finding("capacity", f"{wave.key} has {len(wave.assets)} assets; a window takes {limit}.")


def _batches(bench: _Bench) -> Iterator[PlanFinding]:
    for wave in bench.plan.waves:
        group_of = {asset: number for number, group in enumerate(wave.groups) for asset in group.assets}
        where: dict[int, set[str]] = {}
        for batch in wave.batches:
            groups = {group_of.get(asset, -1) for asset in batch.assets}
            yield from _batch_size(bench, wave, batch.name, sizes=(len(batch.assets), len(groups)))
            for group in groups:
                where.setdefault(group, set()).add(batch.name)
        for group, names in where.items():
            if len(names) > 1:
                torn = list(wave.groups[group].assets) if group >= 0 else []
                yield _finding("torn_group", f"Batches of {wave.key} tear a group: {bench.names(torn)}.", torn)
        yield from _batch_names(bench, wave)


def _batch_size(bench: _Bench, wave: PlannedWave, name: str, *, sizes: tuple[int, int]) -> Iterator[PlanFinding]:
    """``sizes``: assets and groups. One group alone may be larger than a batch; two may not."""
    limit = bench.policy.canary_size if name == "canary" else bench.policy.batch_size
    if sizes[0] > limit and sizes[1] > 1:
        yield _finding("batch_size", f"Batch {name} of {wave.key} has {sizes[0]} assets; the policy says {limit}.")


def _batch_names(bench: _Bench, wave: PlannedWave) -> Iterator[PlanFinding]:
    rest = [f"b{number}" for number in range(1, len(wave.batches) + 1)]
    expected = ["canary", *rest] if bench.policy.canary_size else rest
    names = [batch.name for batch in wave.batches]
    if names != expected[: len(names)]:
        yield _finding("batch_names", f"The batches of {wave.key} are {', '.join(names)}.")


def _groups(bench: _Bench) -> Iterator[PlanFinding]:
    stands_for = together(bench.snapshot, bench.policy.planning)
    places: dict[AssetId, set[tuple[str, int]]] = {}
    members: dict[AssetId, list[AssetId]] = {}
    spot = {
        asset: (str(wave.key), number)
        for wave in bench.plan.waves
        for number, group in enumerate(wave.groups)
        for asset in group.assets
    }
    for asset in sorted(bench.answered):
        places.setdefault(stands_for[asset], set()).add(spot.get(asset, ("", -1)))
        members.setdefault(stands_for[asset], []).append(asset)
    for first, found in places.items():
        if len(found) > 1:
            says = f"What must move together does not: {bench.names(members[first])}."
            yield _finding("broken_group", says, members[first])


# --------------------------------------------------------------------------- when


def _windows(bench: _Bench) -> Iterator[PlanFinding]:
    for wave in bench.plan.waves:
        for rule, says in window_faults(wave.window, bench.policy):
            yield _finding(rule, f"The window of {wave.key}: {says}.")
    if bench.plan.not_before.tzinfo is None:
        yield _finding("window_zone", "The plan's not_before has no time zone.")
        return
    end = bench.plan.not_before + timedelta(days=bench.policy.horizon_days)
    for wave in _zoned(bench):
        if wave.window.opens < bench.plan.not_before and not _goes_on(bench, wave):
            yield _finding("window_past", f"The window of {wave.key} opens before the plan may begin.")
        if wave.window.opens >= end:
            yield _finding("window_far", f"The window of {wave.key} lies beyond the policy's horizon.")


def _goes_on(bench: _Bench, wave: PlannedWave) -> bool:
    """Whether its window is still open, and is that of the same wave in the plan before."""
    old = bench.request.parent.wave(wave.key) if bench.request and bench.request.parent else None
    return old is not None and old.window == wave.window and wave.window.closes > bench.plan.not_before


def _zoned(bench: _Bench) -> list[PlannedWave]:
    return [wave for wave in bench.plan.waves if wave.window.opens.tzinfo and wave.window.closes.tzinfo]


def _apart(bench: _Bench) -> Iterator[PlanFinding]:
    for one, other in pairwise(sorted(_zoned(bench), key=lambda wave: wave.window.opens)):
        if other.window.opens < one.window.closes:
            yield _finding("window_shared", f"The windows of {one.key} and {other.key} overlap.")


def _pins(bench: _Bench) -> Iterator[PlanFinding]:
    for pin in bench.request.pins if bench.request else ():
        wave = bench.wave_of.get(pin.asset)
        if pin.asset not in bench.assets:
            says = f"A pin names an asset that is not in the inventory: {str(pin.asset)!r}."
            yield _finding("pin", says, [pin.asset], WARNING)
        elif wave is not None and not _is_honoured(bench, pin, wave):
            yield _finding("pin", f"The pin of {bench.names([pin.asset])} is not honoured.", [pin.asset])


def _is_honoured(bench: _Bench, pin: Pin, wave: PlannedWave) -> bool:
    if pin.not_before is not None and wave.window.opens < pin.not_before:
        return False
    if pin.wave is None:
        return True
    old = bench.request.parent.wave(pin.wave) if bench.request and bench.request.parent else None
    return wave.key == pin.wave or (old is not None and old.window.closes == wave.window.closes)


def _order(bench: _Bench) -> Iterator[PlanFinding]:
    early: dict[AssetId, None] = {}
    needs = direct_needs(bench.snapshot, bench.policy.planning) if bench.policy.planning.needs_first else ()
    for who, whom in needs:
        mine, theirs = _opens(bench, who), _opens(bench, whom)
        if mine is not None and theirs is not None and mine < theirs:
            early[who] = None
    if early:
        assets = sorted(early)
        says = f"Assets move before what they need: {bench.names(assets)}."
        yield _finding("order", says, assets, WARNING)


def _opens(bench: _Bench, asset: AssetId) -> datetime | None:
    wave = bench.wave_of.get(asset)
    return wave.window.opens if wave is not None and wave.window.opens.tzinfo else None


def _planning(bench: _Bench) -> Iterator[PlanFinding]:
    if bench.policy.planning == Planning() and not _has_scopes(bench.policy) and not _holds_waves(bench):
        return
    case = Case(plan=bench.plan, policy=bench.policy, viewed=Viewed(bench.snapshot), request=bench.request)
    for rule, says, assets in rules_broken(case):
        yield _finding(rule, f"{says[:1].upper()}{says[1:]}: {bench.names(assets)}.", assets)


def _has_scopes(policy: Policy) -> bool:
    scopes = [one.scope for one in policy.weekly] + [one.scope for one in policy.windows]
    return not all(scope.is_all for scope in (*scopes, *(one.scope for one in policy.freezes)))


def _holds_waves(bench: _Bench) -> bool:
    request = bench.request
    return request is not None and (bool(request.approved) or any(pin.not_with for pin in request.pins))


CHECKS: tuple[Check, ...] = (
    _tenant,
    _parent,
    _keys,
    _known,
    _once,
    _covered,
    _settled,
    _fields,
    _successors,
    _runbooks,
    _shape,
    _batches,
    _groups,
    _windows,
    _apart,
    _pins,
    _planning,
    _order,
)
