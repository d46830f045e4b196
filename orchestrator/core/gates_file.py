"""Gates that people open, as a policy file names them."""

from __future__ import annotations

from dataclasses import replace
from zoneinfo import ZoneInfo

from orchestrator.core.demands import KNOWN, NAME, Demand, Reach
from orchestrator.core.policy_entry import Entry, known_keys, tables_of, whole

_KEYS = ("name", "reach", "owner", "max_age_days", "per_person")


def read_gates(entry: Entry, zone: ZoneInfo) -> tuple[Demand, ...]:
    """All `[[gate]]` tables. A name that Kahn knows brings what is usual. Raises PolicyFileWrong."""
    found: tuple[Demand, ...] = tables_of(_gate)(entry, zone)
    names = [one.name for one in found]
    for name in names:
        if names.count(name) > 1:
            entry.wrong(f"{name} is named twice")
    return found


def _gate(entry: Entry, _zone: ZoneInfo) -> Demand:
    known_keys(entry, _KEYS)
    name = entry.at("name")
    if not isinstance(name.value, str) or not NAME.fullmatch(name.value):
        name.wrong("a short word of a to z, 0 to 9 and - is wanted, such as staff-council")
    usual = KNOWN.get(name.value, Demand(name=name.value))
    return replace(
        usual,
        reach=_reach(entry.at("reach"), usual.reach),
        owner=_owner(entry.at("owner"), usual.owner),
        max_age_days=_number(entry.at("max_age_days"), usual.max_age_days),
        per_person=_number(entry.at("per_person"), usual.per_person),
    )


def _reach(entry: Entry, usual: Reach) -> Reach:
    if entry.value is None:
        return usual
    if entry.value not in list(Reach):
        entry.wrong(f"one of {', '.join(Reach)} is wanted")
    return Reach(entry.value)


def _owner(entry: Entry, usual: str) -> str:
    if entry.value is None:
        return usual
    if not isinstance(entry.value, str) or not entry.value.isprintable() or len(entry.value) > 100:
        entry.wrong("a short text on one line is wanted: an office, not a name")
    return entry.value


def _number(entry: Entry, usual: int) -> int:
    return usual if entry.value is None else whole(entry, low=0, high=100_000)
