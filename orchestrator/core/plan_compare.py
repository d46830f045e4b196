"""Two plans compared in the words people use: who moves later or earlier, which wave grew, when it is all done."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from inventory.dependencies import departments_of
from inventory.model import AssetId, Snapshot, name_key
from orchestrator.core.calendar import zone_of
from orchestrator.core.explain import Sentence
from orchestrator.core.plan import Plan, PlannedWave, PlannedWindow

SHOWN = 5
"""Names and departments in a sentence, at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """An asset that moves in another night than before. ``days`` by the local calendar; negative when earlier."""

    asset: AssetId
    name: str
    department: str
    before: str
    """Key of the wave before."""
    after: str
    days: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """What becomes different from one plan to another."""

    later: tuple[Shift, ...]
    """Farthest first."""
    earlier: tuple[Shift, ...]
    sizes: tuple[tuple[str, int, int], ...]
    """(wave, assets before, assets after) of waves that grow, shrink, come (0 before) or go (0 after)."""
    finish_before: datetime | None
    """When the last window opens, local time; None for a plan without waves."""
    finish_after: datetime | None
    says: tuple[Sentence, ...]

    @property
    def finish_days(self) -> int:
        """Days by which the last wave moves later; negative when earlier, 0 where one of the plans has no waves."""
        if self.finish_before is None or self.finish_after is None:
            return 0
        return (self.finish_after.date() - self.finish_before.date()).days


def comparison(before: Plan, after: Plan, snapshot: Snapshot) -> Comparison:
    """The later plan against the earlier one. Raises InvalidPolicy for a window with an unknown zone."""
    shifts = tuple(_shifts(before, after, snapshot))
    later = tuple(sorted((one for one in shifts if _is_later(one, before, after)), key=_farthest))
    earlier = tuple(sorted((one for one in shifts if one not in later), key=_farthest))
    found = Comparison(
        later=later,
        earlier=earlier,
        sizes=tuple(_sizes(before, after)),
        finish_before=_finish(before),
        finish_after=_finish(after),
        says=(),
    )
    return replace(found, says=tuple(_sentences(found)))


def _farthest(shift: Shift) -> tuple[int, str, AssetId]:
    return -abs(shift.days), name_key(shift.name), shift.asset


def _is_later(shift: Shift, before: Plan, after: Plan) -> bool:
    old, new = before.wave(shift.before), after.wave(shift.after)
    return old is not None and new is not None and new.window.opens > old.window.opens


def _shifts(before: Plan, after: Plan, snapshot: Snapshot) -> Iterator[Shift]:
    old, new = _wave_of(before), _wave_of(after)
    known, departments = snapshot.by_id(), departments_of(snapshot)
    for asset in sorted(old.keys() & new.keys()):
        one, other = old[asset].window, new[asset].window
        if one.opens != other.opens:
            yield Shift(
                asset=asset,
                name=known[asset].name if asset in known else str(asset),
                department=departments.get(asset, ""),
                before=str(old[asset].key),
                after=str(new[asset].key),
                days=(_local(other).date() - _local(one).date()).days,
            )


def _wave_of(plan: Plan) -> dict[AssetId, PlannedWave]:
    return {asset: wave for wave in plan.waves for asset in wave.assets}


def _local(window: PlannedWindow) -> datetime:
    return window.opens.astimezone(zone_of(window.zone))


def _sizes(before: Plan, after: Plan) -> Iterator[tuple[str, int, int]]:
    old, new = _size_of(before), _size_of(after)
    for key in sorted(old.keys() | new.keys()):
        if old.get(key, 0) != new.get(key, 0):
            yield key, old.get(key, 0), new.get(key, 0)


def _size_of(plan: Plan) -> Mapping[str, int]:
    return {str(wave.key): len(wave.assets) for wave in plan.waves}


def _finish(plan: Plan) -> datetime | None:
    last = max(plan.waves, key=lambda wave: wave.window.opens, default=None)
    return _local(last.window) if last is not None else None


# --------------------------------------------------------------------------- in words


def days_words(days: int) -> Sentence:
    """A number of days in words; its sign does not count."""
    if days == 0:
        return Sentence(says="less than a day")
    if abs(days) == 1:
        return Sentence(says="one day")
    return Sentence(says="{count} days", facts={"count": abs(days)})


def _say(*, says: str, **facts: object) -> Sentence:
    return Sentence(says=says, facts=facts)


def _sentences(found: Comparison) -> Iterator[Sentence]:
    yield from _finish_sentences(found)
    yield from _shift_sentences(found.later, is_later=True)
    yield from _shift_sentences(found.earlier, is_later=False)
    for wave, old, new in found.sizes:
        if not old:
            yield _say(says="{wave} is new, with {count} assets.", wave=wave, count=new)
        elif not new:
            yield _say(says="{wave} is gone; it had {count} assets.", wave=wave, count=old)
        elif new > old:
            yield _say(says="{wave} grows from {old} to {new} assets.", wave=wave, old=old, new=new)
        else:
            yield _say(says="{wave} shrinks from {old} to {new} assets.", wave=wave, old=old, new=new)


def _finish_sentences(found: Comparison) -> Iterator[Sentence]:
    old, new = found.finish_before, found.finish_after
    if old is None or new is None:
        return
    days = days_words(found.finish_days)
    if new > old:
        yield _say(says="The last wave comes {days} later: {new} instead of {old}.", days=days, new=new, old=old)
    elif new < old:
        yield _say(says="The last wave comes {days} earlier: {new} instead of {old}.", days=days, new=new, old=old)
    else:
        yield _say(says="The last wave stays on {date}.", date=new)


def _shift_sentences(shifts: tuple[Shift, ...], *, is_later: bool) -> Iterator[Sentence]:
    if not shifts:
        return
    facts: dict[str, object] = {
        "count": len(shifts),
        "name": shifts[0].name,
        "days": days_words(shifts[0].days),
        "departments": _departments(shifts),
        "names": _some([one.name for one in shifts]),
    }
    if len(shifts) == 1:
        yield (
            Sentence(says="{name} moves {days} later.", facts=facts)
            if is_later
            else Sentence(says="{name} moves {days} earlier.", facts=facts)
        )
    elif is_later:
        yield Sentence(says="{count} assets move later, by up to {days} ({departments}): {names}.", facts=facts)
    else:
        yield Sentence(says="{count} assets move earlier, by up to {days} ({departments}): {names}.", facts=facts)


def _departments(shifts: Iterable[Shift]) -> str:
    count = Counter(one.department or "?" for one in shifts)
    ordered = sorted(count.items(), key=lambda pair: (-pair[1], name_key(pair[0])))
    return _some([f"{department} {number}" for department, number in ordered])


def _some(names: list[str]) -> str:
    shown = names if len(names) <= SHOWN else [*names[:SHOWN], f"... +{len(names) - SHOWN}"]
    return ", ".join(shown)
