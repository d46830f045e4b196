"""A plan in plain values for faces: its waves, why an asset is where it is, and how two plans differ."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import TypeVar

from inventory.dependencies import BINDING, Structure, departments_of, structure_of, succession_of
from inventory.model import Asset, AssetId, Snapshot, name_key
from orchestrator.core.plan import Pin, Plan, PlannedWave
from orchestrator.core.planner.draft import binding_of
from orchestrator.core.planner.splits import Splits
from orchestrator.core.policy import Policy

Row = TypeVar("Row", bound=tuple[str, ...])

SHOWN = 5
"""Names in a sentence, at most."""
LARGE_AT = 10
"""Machines from which a group that holds half of all is said to hold everything together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sentence:
    """One sentence for people: an English template that a face translates, and the facts that fill it."""

    says: str
    facts: Mapping[str, object] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """The sentence in English."""
        return self.says.format(**self.facts)

    def __str__(self) -> str:
        """As ``text``, so that a sentence can be a fact of another one."""
        return self.text


@dataclass(frozen=True, slots=True, kw_only=True)
class WaveLine:
    """One wave of a plan as a row."""

    key: str
    runbook: str
    local: str
    zone: str
    opens: datetime
    closes: datetime
    assets: int
    groups: int
    batches: tuple[tuple[str, int], ...]
    departments: tuple[tuple[str, int], ...]
    """Department and number of its assets, most first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftoverLine:
    """All assets that one rule keeps out."""

    rule: str
    count: int
    says: str
    """The reason in words; that of the first group where they differ."""
    remedy: str
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """Why one asset is in its wave, or in none."""

    asset: AssetId
    name: str
    wave: str
    """Key, or empty."""
    batch: str
    rule: str
    """The rule that keeps it out; empty for a planned asset and for one that is never moved."""
    because: tuple[Sentence, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanDifference:
    """What changes from one plan to another. Assets by name; ``says`` tells all of it in sentences."""

    moved: tuple[tuple[str, str, str], ...]
    """(asset, from wave, to wave)"""
    added: tuple[tuple[str, str], ...]
    removed: tuple[tuple[str, str], ...]
    windows: tuple[tuple[str, str, str], ...]
    """(wave, window before, window after)"""
    unchanged: int
    """Assets that stay in their wave."""
    says: tuple[Sentence, ...]

    @property
    def is_empty(self) -> bool:
        """Whether every asset keeps its wave and every wave its window."""
        return not (self.moved or self.added or self.removed or self.windows)


# --------------------------------------------------------------------------- the whole plan


def wave_lines(plan: Plan, snapshot: Snapshot) -> tuple[WaveLine, ...]:
    """One row a wave, in the order of their windows."""
    departments = departments_of(snapshot)
    return tuple(_wave_line(wave, departments) for wave in plan.waves)


def _wave_line(wave: PlannedWave, departments: Mapping[AssetId, str]) -> WaveLine:
    count = Counter(departments.get(asset, "") for asset in wave.assets)
    return WaveLine(
        key=wave.key,
        runbook=wave.runbook,
        local=wave.window.local,
        zone=wave.window.zone,
        opens=wave.window.opens,
        closes=wave.window.closes,
        assets=len(wave.assets),
        groups=len(wave.groups),
        batches=tuple((batch.name, len(batch.assets)) for batch in wave.batches),
        departments=tuple(sorted(count.items(), key=lambda pair: (-pair[1], pair[0]))),
    )


def leftover_lines(plan: Plan, snapshot: Snapshot) -> tuple[LeftoverLine, ...]:
    """One row a rule, in the order of the rules, with the number of assets it keeps out."""
    known = snapshot.by_id()
    reasons: dict[str, list[int]] = {}
    for index, one in enumerate(plan.why_not):
        reasons.setdefault(one.rule, []).append(index)
    lines = []
    for rule, indexes in reasons.items():
        first = plan.why_not[indexes[0]]
        assets = [asset for index in indexes for asset in plan.why_not[index].assets]
        names = tuple(sorted((_name(known, asset) for asset in assets), key=name_key))
        lines.append(LeftoverLine(rule=rule, count=len(assets), says=first.says, remedy=first.remedy, names=names))
    return tuple(lines)


def structure_sentences(snapshot: Snapshot, policy: Policy | None = None) -> tuple[Sentence, ...]:
    """What the dependencies look like under a policy: one large group, knots, hubs, and entries that make no sense."""
    policy = policy or Policy()
    binding = binding_of(policy)
    structure, known = structure_of(snapshot, binding), snapshot.by_id()
    largest = _largest_group(structure, known)
    return (
        *_together_sentences(largest, Splits(snapshot, binding), policy, known),
        *_structure_sentences(structure, known, cycles_bind=binding.cycles_bind),
    )


def _largest_group(structure: Structure, known: Mapping[AssetId, Asset]) -> tuple[AssetId, ...]:
    """The machines of the largest part, when they are half of all or more; else none."""
    groups = [tuple(one for one in part.assets if known[one].is_machine) for part in structure.parts]
    largest = max(groups, key=len, default=())
    return largest if len(largest) >= max(LARGE_AT, sum(len(group) for group in groups) / 2) else ()


def _together_sentences(
    group: tuple[AssetId, ...], splits: Splits, policy: Policy, known: Mapping[AssetId, Asset]
) -> Iterator[Sentence]:
    if not group:
        return
    yield _say(says="Everything hangs together: {count} machines are bound into one group.", count=len(group))
    split = splits.cheapest(group, limit=min(policy.assets_per_window, len(group) - 1))
    if split is not None and split.needs:
        pairs = [f"{_name(known, one.asset)} - {_name(known, one.needs)}" for one in split.needs]
        sizes = ", ".join(str(size) for size in split.sizes[:SHOWN])
        yield _say(says="Loosening {needs} would part it into {sizes}.", needs=_listed(pairs), sizes=sizes)
    yield _say(says="Shared services that need not move with their users: name them in `hubs`, or set `hub_at`.")


def _structure_sentences(
    structure: Structure, known: Mapping[AssetId, Asset], *, cycles_bind: bool
) -> Iterator[Sentence]:
    for cycle in structure.cycles[:SHOWN]:
        path = " -> ".join(_some([_name(known, one) for one in cycle.path])) + f" -> {_name(known, cycle.path[0])}"
        if cycles_bind:
            yield _say(says="{knot} assets need each other and stay together: {path}.", knot=cycle.knot, path=path)
        else:
            yield _say(says="{knot} assets need each other and may be bridged: {path}.", knot=cycle.knot, path=path)
    if len(structure.cycles) > SHOWN:
        yield _say(says="{count} more such cycles.", count=len(structure.cycles) - SHOWN)
    for hub in structure.hubs[:SHOWN]:
        yield _say(says="{name} is needed by {count} others.", name=_name(known, hub.asset), count=hub.needed_by)
    if structure.self_edges:
        names = ", ".join(_some([_name(known, one) for one in structure.self_edges]))
        yield _say(says="Said to need themselves, which counts for nothing: {names}.", names=names)
    if structure.dangling:
        yield _say(
            says="{count} dependencies name something that is not in the inventory.", count=len(structure.dangling)
        )


# --------------------------------------------------------------------------- one asset


def explain(plan: Plan, snapshot: Snapshot, asset: AssetId, *, pins: Iterable[Pin] = ()) -> Explanation:
    """Why the asset is in its wave, or in none: what binds it, in the order in which it counts."""
    known = snapshot.by_id()
    wave = next((wave for wave in plan.waves if asset in wave.assets), None)
    batch = next((one.name for one in wave.batches if asset in one.assets), "") if wave else ""
    reason = next((one for one in plan.why_not if asset in one.assets), None)
    because = [_pin_sentence(pin) for pin in pins if pin.asset == asset]
    if reason is not None:
        because += [_say(says="{fact}", fact=reason.says), _say(says="{fact}", fact=reason.remedy)]
    elif wave is None:
        because += _never_sentences(snapshot, known, asset)
    else:
        because += _placed_sentences(wave, snapshot, asset)
    because += _need_sentences(plan, snapshot, asset)
    return Explanation(
        asset=asset,
        name=_name(known, asset),
        wave=wave.key if wave else "",
        batch=batch,
        rule=reason.rule if reason else "",
        because=tuple(because),
    )


def _say(*, says: str, **facts: object) -> Sentence:
    return Sentence(says=says, facts=MappingProxyType(facts))


def _pin_sentence(pin: Pin) -> Sentence:
    if pin.wave is not None:
        return _say(says="A person pinned it to {wave}.", wave=pin.wave)
    return _say(says="A person pinned it to not before {time}.", time=pin.not_before and pin.not_before.isoformat(" "))


def _placed_sentences(wave: PlannedWave, snapshot: Snapshot, asset: AssetId) -> Iterator[Sentence]:
    known = snapshot.by_id()
    yield _say(
        says="{wave} runs {runbook} in the window {window} {zone}.",
        wave=wave.key,
        runbook=wave.runbook,
        window=wave.window.local,
        zone=wave.window.zone,
    )
    group = next(one for one in wave.groups if asset in one.assets)
    if len(group.assets) > 1:
        others = [_name(known, one) for one in group.assets if one != asset]
        yield _say(
            says="It moves together with {others}, bound by {words}.",
            others=", ".join(_some(others)),
            words=", ".join(group.bound_by),
        )
    else:
        yield _say(says="Nothing binds it: it moves alone.")


def _never_sentences(snapshot: Snapshot, known: Mapping[AssetId, Asset], asset: AssetId) -> Iterator[Sentence]:
    if asset not in known:
        yield _say(says="It is not in the inventory.")
        return
    olds = succession_of(snapshot).replaces.get(asset, ())
    if olds:
        yield _say(says="It is the successor of {name} and never moved itself.", name=_name(known, olds[0]))
    elif known[asset].text("role"):
        yield _say(says="It serves all waves as {role} and is never moved itself.", role=known[asset].text("role"))
    elif not known[asset].is_machine:
        yield _say(says="A {kind} is never moved itself.", kind=known[asset].kind.value)
    else:
        yield _say(says="It has been moved, is under way, or came into the inventory after the plan was made.")


def _need_sentences(plan: Plan, snapshot: Snapshot, asset: AssetId) -> Iterator[Sentence]:
    """Its declared needs, with the waves of what is needed."""
    known = snapshot.by_id()
    waves = {one: wave.key for wave in plan.waves for one in wave.assets}
    for need in [one for one in snapshot.dependencies if one.asset == asset and one.needs != asset][:SHOWN]:
        facts = {"name": _name(known, need.needs), "kind": need.kind.value, "wave": waves.get(need.needs, "")}
        if need.kind in BINDING:
            yield _say(says="It needs {name} ({kind}), and so moves with it.", **facts)
        elif need.needs in waves:
            yield _say(says="It needs {name} ({kind}), which is in {wave}.", **facts)
        else:
            yield _say(says="It needs {name} ({kind}), which is in no wave.", **facts)


# --------------------------------------------------------------------------- two plans


def difference(before: Plan, after: Plan, snapshot: Snapshot) -> PlanDifference:
    """What changes for which asset and which window, and all of it in sentences."""
    known = snapshot.by_id()
    old = {asset: str(wave.key) for wave in before.waves for asset in wave.assets}
    new = {asset: str(wave.key) for wave in after.waves for asset in wave.assets}
    both = old.keys() & new.keys()
    moved = _by_name((_name(known, one), old[one], new[one]) for one in both if old[one] != new[one])
    added = _by_name((_name(known, one), new[one]) for one in new.keys() - old.keys())
    removed = _by_name((_name(known, one), old[one]) for one in old.keys() - new.keys())
    windows = tuple(_window_changes(before, after))
    return PlanDifference(
        moved=moved,
        added=added,
        removed=removed,
        windows=windows,
        unchanged=len(both) - len(moved),
        says=tuple(_difference_sentences(moved, added, removed, windows)),
    )


def _by_name(rows: Iterable[Row]) -> tuple[Row, ...]:
    return tuple(sorted(rows, key=lambda row: (name_key(row[0]), row)))


def _window_changes(before: Plan, after: Plan) -> Iterator[tuple[str, str, str]]:
    for wave in after.waves:
        old = before.wave(wave.key)
        if old is not None and (old.window.opens, old.window.closes) != (wave.window.opens, wave.window.closes):
            yield str(wave.key), old.window.local, wave.window.local


def _difference_sentences(
    moved: Iterable[tuple[str, str, str]],
    added: Iterable[tuple[str, str]],
    removed: Iterable[tuple[str, str]],
    windows: Iterable[tuple[str, str, str]],
) -> Iterator[Sentence]:
    for wave, old, new in windows:
        yield _say(says="The window of {wave} changes from {old} to {new}.", wave=wave, old=old, new=new)
    for ways, names in _gathered((f"{old} {new}", name) for name, old, new in moved):
        old, _, new = ways.partition(" ")
        yield _say(
            says="{count} from {old} to {new}: {names}.", count=len(names), old=old, new=new, names=_listed(names)
        )
    for wave, names in _gathered((wave, name) for name, wave in added):
        yield _say(says="{count} new in {wave}: {names}.", count=len(names), wave=wave, names=_listed(names))
    for wave, names in _gathered((wave, name) for name, wave in removed):
        gone = _listed(names)
        yield _say(
            says="{count} no longer in {wave} nor in any other: {names}.", count=len(names), wave=wave, names=gone
        )


def _gathered(pairs: Iterable[tuple[str, str]]) -> list[tuple[str, list[str]]]:
    together: dict[str, list[str]] = {}
    for key, name in pairs:
        together.setdefault(key, []).append(name)
    return sorted(together.items())


def _listed(names: list[str]) -> str:
    return ", ".join(_some(names))


def _some(names: list[str]) -> list[str]:
    return names if len(names) <= SHOWN else [*names[: SHOWN - 1], f"... ({len(names) - SHOWN + 1} more)"]


def _name(known: Mapping[AssetId, Asset], asset: AssetId) -> str:
    return known[asset].name if asset in known else str(asset)
