"""The table ``[planning]`` of a policy file: what is asked of a plan beside windows, batches and budgets."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from inventory.model import DependencyKind
from orchestrator.core.constraints import (
    EVERYWHERE,
    Apart,
    Capacity,
    DaySpan,
    Delivery,
    Each,
    Effort,
    Every,
    First,
    Hours,
    Level,
    Measure,
    Occasion,
    Per,
    Planning,
    Recurring,
    Scope,
    Season,
    Stock,
    Task,
    Visit,
)
from orchestrator.core.policy_entry import (
    SCOPE_KEYS,
    Entry,
    Reader,
    amount,
    clock,
    day,
    known_keys,
    scope_of,
    tables_of,
    texts,
    weekdays,
    whole,
)

Word = TypeVar("Word", bound=StrEnum)
MOST_DAYS = 3_660
BRIDGED = (DependencyKind.SOFT, DependencyKind.INTERFACE, DependencyKind.DATA)


def read_planning(entry: Entry, zone: ZoneInfo) -> Planning:
    """The whole table. Raises PolicyFileWrong."""
    known_keys(entry, _READERS)
    found = {_FIELD_OF.get(key, key): read(entry.at(key), zone) for key, read in _READERS.items() if key in entry.value}
    return Planning(**found)


# --------------------------------------------------------------------------- single values


def _named(entry: Entry, *keys: str) -> str:
    """The name of the rule, after a look that the table has no other keys than these."""
    known_keys(entry, ("name", *keys, *SCOPE_KEYS))
    name = entry.at("name")
    if not isinstance(name.value, str) or not name.value.strip():
        name.wrong("a name is wanted, so that people know which rule is meant")
    return name.value


def _word(entry: Entry, words: type[Word], *, missing: Word | None = None) -> Word:
    if entry.value is None and missing is not None:
        return missing
    if entry.value not in [one.value for one in words]:
        found = "nothing" if entry.value is None else repr(entry.value)
        entry.wrong(f"one of {', '.join(repr(one.value) for one in words)} is wanted, not {found}")
    return words(entry.value)


def _yes_no(entry: Entry, zone: ZoneInfo) -> bool:
    if not isinstance(entry.value, bool):
        entry.wrong(f"true or false is wanted, not {entry.value!r}")
    return entry.value


def _whole(low: int, high: int) -> Reader:
    return lambda entry, zone: whole(entry, low=low, high=high)


def _days(entry: Entry, *, wanted: bool) -> tuple[Any, ...]:
    if entry.value is None and not wanted:
        return ()
    if not isinstance(entry.value, list) or not entry.value:
        entry.wrong("a list of dates such as [2026-12-20] is wanted")
    return tuple(day(Entry(file=entry.file, key=entry.key, value=one)) for one in entry.value)


def _objective(entry: Entry, zone: ZoneInfo) -> tuple[Level, ...]:
    if not isinstance(entry.value, list):
        entry.wrong(f"a list is wanted, from {', '.join(Level)}")
    found = [_word(Entry(file=entry.file, key=entry.key, value=one), Level) for one in entry.value]
    if len(set(found)) != len(found):
        entry.wrong("a level is named twice")
    return tuple(found)


def _weights(entry: Entry, zone: ZoneInfo) -> dict[Level, float]:
    known_keys(entry, [one.value for one in Level])
    return {Level(key): amount(entry.at(key), high=1e6) for key in sorted(entry.value)}


def _prices(entry: Entry, zone: ZoneInfo) -> dict[DependencyKind, float]:
    known_keys(entry, [one.value for one in BRIDGED])
    found = {DependencyKind(key): amount(entry.at(key), high=1e6) for key in sorted(entry.value)}
    return {**Planning().prices, **found}


# --------------------------------------------------------------------------- freezes that come back


def _recurring(entry: Entry, zone: ZoneInfo) -> Recurring:
    name = _named(entry, "every", "first_day", "last_day")
    first, last = (whole(entry.at(key), low=-366, high=366) for key in ("first_day", "last_day"))
    if not first or not last:
        entry.wrong("days count from 1, or from -1 at the end; there is no day 0")
    return Recurring(
        name=name, every=_word(entry.at("every"), Every), first_day=first, last_day=last, scope=scope_of(entry)
    )


def _occasion(entry: Entry, zone: ZoneInfo) -> Occasion:
    name = _named(entry, "on", "days_before", "days_after")
    before, after = (whole(entry.at(key), low=0, high=MOST_DAYS, missing=0) for key in ("days_before", "days_after"))
    on = _days(entry.at("on"), wanted=True)
    return Occasion(name=name, on=on, days_before=before, days_after=after, scope=scope_of(entry))


def _hours(entry: Entry, zone: ZoneInfo) -> Hours:
    name = _named(entry, "days", "opens", "closes")
    opens, closes = clock(entry.at("opens")), clock(entry.at("closes"), is_end=True)
    return Hours(name=name, days=weekdays(entry.at("days")), opens=opens, closes=closes, scope=scope_of(entry))


def _season(entry: Entry, zone: ZoneInfo) -> Season:
    name = _named(entry, "spans")
    return Season(name=name, spans=tables_of(_span)(entry.at("spans"), zone), scope=scope_of(entry))


def _span(entry: Entry, zone: ZoneInfo) -> DaySpan:
    known_keys(entry, ("first", "last"))
    first, last = day(entry.at("first")), day(entry.at("last"))
    if last < first:
        entry.at("last").wrong(f"it ends on {last} before it begins on {first}")
    return DaySpan(first=first, last=last)


# --------------------------------------------------------------------------- how much at once


def _capacity(entry: Entry, zone: ZoneInfo) -> Capacity:
    name = _named(entry, "of", "most", "per", "each")
    measure, each = _word(entry.at("of"), Measure), _word(entry.at("each"), Each, missing=Each.ALL)
    if measure is Measure.SHARE and each not in (Each.SITE, Each.DEPARTMENT, Each.VENDOR):
        entry.at("each").wrong("a share is one of a site, a department or a vendor")
    if each is Each.PROCEDURE:
        entry.at("each").wrong("a capacity is counted for each site, department or vendor, not for each procedure")
    most = amount(entry.at("most"), high=1 if measure is Measure.SHARE else 1e9)
    per = _word(entry.at("per"), Per, missing=Per.WINDOW)
    return Capacity(name=name, of=measure, most=most, per=per, each=each, scope=scope_of(entry))


def _stock(entry: Entry, zone: ZoneInfo) -> Stock:
    name = _named(entry, "of", "deliveries")
    measure = _word(entry.at("of"), Measure, missing=Measure.ASSETS)
    if measure is Measure.SHARE:
        entry.at("of").wrong("a stock is counted, not shared")
    deliveries = tables_of(_delivery)(entry.at("deliveries"), zone)
    return Stock(name=name, of=measure, deliveries=deliveries, scope=scope_of(entry))


def _delivery(entry: Entry, zone: ZoneInfo) -> Delivery:
    known_keys(entry, ("on", "amount"))
    return Delivery(on=day(entry.at("on")), amount=amount(entry.at("amount")))


def _effort(entry: Entry, zone: ZoneInfo) -> Effort:
    known_keys(entry, ("minutes", *SCOPE_KEYS))
    return Effort(minutes=amount(entry.at("minutes"), high=1e6), scope=scope_of(entry))


# --------------------------------------------------------------------------- before, after, never together


def _visit(entry: Entry, zone: ZoneInfo) -> Visit:
    name = _named(entry, "lead_days", "on", "owner")
    lead = whole(entry.at("lead_days"), low=0, high=MOST_DAYS, missing=0)
    on, owner = _days(entry.at("on"), wanted=False), _owner(entry)
    return Visit(name=name, lead_days=lead, on=on, owner=owner, scope=scope_of(entry))


def _task(entry: Entry, zone: ZoneInfo) -> Task:
    name = _named(entry, "days_before", "owner")
    before = whole(entry.at("days_before"), low=0, high=MOST_DAYS)
    return Task(name=name, days_before=before, owner=_owner(entry), scope=scope_of(entry))


def _owner(entry: Entry) -> str:
    owner = entry.at("owner")
    if owner.value is None:
        return ""
    if not isinstance(owner.value, str) or not owner.value.isprintable() or not owner.value.strip():
        owner.wrong("one line of text is wanted: who does it")
    return owner.value


def _apart(entry: Entry, zone: ZoneInfo) -> Apart:
    known_keys(entry, ("name", "one", "other"))
    name = _named(entry, "one", "other")
    return Apart(name=name, one=_scope(entry.at("one")), other=_scope(entry.at("other")))


def _first(entry: Entry, zone: ZoneInfo) -> First:
    known_keys(entry, ("name", "first", "then", "same", "days_between"))
    name = _named(entry, "first", "then", "same", "days_between")
    return First(
        name=name,
        first=_scope(entry.at("first")),
        then=_scope(entry.at("then")) if "then" in entry.value else EVERYWHERE,
        same=_word(entry.at("same"), Each, missing=Each.ALL),
        days_between=whole(entry.at("days_between"), low=0, high=MOST_DAYS, missing=0),
    )


def _scope(entry: Entry) -> Scope:
    known_keys(entry, SCOPE_KEYS)
    return scope_of(entry)


_READERS: Mapping[str, Reader] = {
    "recurring": tables_of(_recurring),
    "occasion": tables_of(_occasion),
    "hours": tables_of(_hours),
    "season": tables_of(_season),
    "capacity": tables_of(_capacity),
    "stock": tables_of(_stock),
    "visit": tables_of(_visit),
    "task": tables_of(_task),
    "apart": tables_of(_apart),
    "first": tables_of(_first),
    "effort": tables_of(_effort),
    "rollback_minutes": _whole(0, 10_000),
    "seats_wait": _yes_no,
    "works_from_new": lambda entry, zone: texts(entry),
    "hub_at": _whole(0, 1_000_000),
    "hubs": lambda entry, zone: texts(entry),
    "shared_from": _whole(2, 1_000_000),
    "cycles_bind": _yes_no,
    "needs_first": _yes_no,
    "stay": _yes_no,
    "prices": _prices,
    "objective": _objective,
    "weights": _weights,
    "search": _whole(0, 1_000),
}
_FIELD_OF = {
    "occasion": "occasions",
    "season": "seasons",
    "capacity": "capacities",
    "stock": "stocks",
    "visit": "visits",
    "task": "tasks",
    "effort": "efforts",
}
"""Key in the file -> field of Planning, where they differ: one table a rule reads better in the singular."""

PLANNING_EXAMPLE = """
# What a plan must hold beside all that. Nothing here is needed; docs/planning.md explains every rule. A rule, a window
# and a freeze may be narrowed to some assets by names (patterns), sites, departments, kinds, procedures, vendors,
# models (of the successor) and protection.
[planning]
# rollback_minutes = 60          # kept free at the end of each window
# seats_wait = true              # a seat's machine waits until its procedures work from the new one
# works_from_new = ["MESO"]      # procedures that already do
# hub_at = 30                    # needed by so many others: a shared service that binds nothing and costs no bridge
# hubs = ["dc-01"]               # shared services by name
# shared_from = 2                # from so many procedures on, a machine binds none of them
# cycles_bind = true             # whether a circle of needs moves as one though none of them binds
# needs_first = true             # what is needed moves no later than what needs it
# stay = true                    # what the plan before had keeps its window wherever the rules allow it
# objective = ["exposure", "bridges", "risk", "finish", "evenness", "changes"]   # the most important first
# search = 0                     # how hard a better plan is looked for; 0 takes the first that holds all rules

# [[planning.recurring]]
# name = "turn of the month"
# every = "month"                # month, quarter or year
# first_day = -3                 # from the third day before its end
# last_day = 2                   # to the second day of the next
# procedures = ["Infoma newsystem"]

# [[planning.occasion]]
# name = "election"
# on = [2027-09-26]
# days_before = 56
# days_after = 14

# [[planning.hours]]
# name = "counter"
# days = ["tue", "thu"]
# opens = "08:00"
# closes = "18:00"
# departments = ["Bürgerservice"]

# [[planning.season]]
# name = "school holidays"
# spans = [{ first = 2027-02-01, last = 2027-02-06 }]
# departments = ["Schulverwaltung"]

# [[planning.capacity]]
# name = "technicians"
# of = "minutes"                 # assets, share, minutes, cutovers, vcpu, ram_gib, disk_gib or rack_units
# most = 480
# per = "day"                    # window, day or week
# each = "site"                  # site, department or vendor; without it, all together

# [[planning.effort]]
# minutes = 45
# kinds = ["workstation"]

# [[planning.stock]]
# name = "new workstations"
# of = "assets"
# deliveries = [{ on = 2026-12-01, amount = 400 }, { on = 2027-02-01, amount = 1000 }]
# kinds = ["workstation"]

# [[planning.stock]]
# name = "target racks"
# of = "rack_units"              # of the successors, by their field `rack_units`
# deliveries = [{ on = 2026-12-01, amount = 84 }]

# [[planning.visit]]
# name = "maker on site"
# lead_days = 28
# owner = "Verfahrensbetreuung"  # who orders it; `kahn plan tasks` lists what is due when
# on = [2027-01-19, 2027-02-16]
# vendors = ["AKDB"]

# [[planning.task]]
# name = "notice to the works council"
# days_before = 28
# owner = "Projektleitung"

# [[planning.apart]]
# name = "very high alone"
# one = { protection = ["sehr hoch"] }
# other = { protection = ["normal", "hoch"] }

# [[planning.first]]
# name = "pilot"
# first = { departments = ["IT"] }
# days_between = 14

# [planning.prices]              # of a need that a plan cuts for a time
# soft = 5
# interface = 2
# data = 1
"""
