"""Reading one entry of a policy file: a value with its place, and the errors that name it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any, NoReturn
from zoneinfo import ZoneInfo

from inventory.errors import ExpectedError
from inventory.model import AssetKind
from orchestrator.core.constraints import EVERYWHERE, Scope
from orchestrator.core.policy import Weekday

EARLIEST, LATEST = date(2000, 1, 1), date(2200, 1, 1)
MAX_ENTRIES = 200
CLOCK = re.compile(r"([01]\d|2[0-3]):([0-5]\d)")


class PolicyFileWrong(ExpectedError):
    """A policy file with an entry that makes no sense."""

    code, says = "PLAN-013", "{file}, {key}: {why}."
    remedy = "Correct the entry; `kahn tenant policy --example` prints a file with every entry explained."
    exit_code = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One value with the place where it stands."""

    file: str
    key: str
    value: Any

    def wrong(self, why: str, *, cause: BaseException | None = None) -> NoReturn:
        """Raise PolicyFileWrong for this place."""
        raise PolicyFileWrong(file=self.file, key=self.key, why=why) from cause

    def at(self, key: str) -> Entry:
        """The entry below, None when it is missing."""
        return Entry(file=self.file, key=f"{self.key}.{key}" if self.key else key, value=self.value.get(key))


Reader = Callable[[Entry, ZoneInfo], Any]


def known_keys(entry: Entry, known: Sequence[str] | Mapping[str, object]) -> None:
    """Refuse a table with any other key."""
    if not isinstance(entry.value, dict):
        entry.wrong("a table is wanted here")
    for key in entry.value:
        if key not in known:
            entry.at(key).wrong(f"unknown key; known are {', '.join(sorted(known))}")


def tables_of(reader: Reader) -> Reader:
    """A reader of a list of tables, from one that reads a single table."""

    def read_all(entry: Entry, zone: ZoneInfo) -> tuple[Any, ...]:
        if not isinstance(entry.value, list):
            entry.wrong(f"write it as [[{entry.key}]]")
        if len(entry.value) > MAX_ENTRIES:
            entry.wrong(f"more than {MAX_ENTRIES} entries")
        numbered = enumerate(entry.value, start=1)
        return tuple(reader(Entry(file=entry.file, key=f"{entry.key}[{n}]", value=v), zone) for n, v in numbered)

    return read_all


def clock(entry: Entry, *, is_end: bool = False) -> time:
    """Hours and minutes; TOML's own times are taken too."""
    if isinstance(entry.value, time) and not (entry.value.second or entry.value.microsecond):
        return entry.value
    if is_end and entry.value == "24:00":
        return time()
    read = CLOCK.fullmatch(entry.value) if isinstance(entry.value, str) else None
    if read is None:
        found = "nothing" if entry.value is None else repr(entry.value)
        entry.wrong(f"a time such as 22:00 is wanted, not {found}")
    return time(int(read[1]), int(read[2]))


def weekdays(entry: Entry) -> tuple[Weekday, ...]:
    """Days by name, in the order of the week."""
    names = [one.value for one in Weekday]
    if not isinstance(entry.value, list) or not entry.value or any(one not in names for one in entry.value):
        entry.wrong(f"a list of days is wanted, from {', '.join(names)}")
    return tuple(one for one in Weekday if one.value in entry.value)


def texts(entry: Entry) -> tuple[str, ...]:
    """A list of texts, none of them empty; nothing gives none."""
    if entry.value is None:
        return ()
    if not isinstance(entry.value, list) or not all(isinstance(one, str) and one.strip() for one in entry.value):
        entry.wrong("a list of texts is wanted")
    return tuple(entry.value)


def amount(entry: Entry, *, low: float = 0, high: float = 1e9) -> float:
    """A number within bounds."""
    if isinstance(entry.value, bool) or not isinstance(entry.value, int | float):
        entry.wrong(f"a number is wanted, not {entry.value!r}")
    if not low <= entry.value <= high:
        entry.wrong(f"{entry.value} is not between {low:g} and {high:g}")
    return float(entry.value)


def whole(entry: Entry, *, low: int, high: int, missing: int | None = None) -> int:
    """A whole number within bounds; ``missing`` where there is none."""
    if entry.value is None and missing is not None:
        return missing
    if isinstance(entry.value, bool) or not isinstance(entry.value, int):
        entry.wrong(f"a whole number is wanted, not {entry.value!r}")
    if not low <= entry.value <= high:
        entry.wrong(f"{entry.value} is not between {low} and {high}")
    return int(entry.value)


SCOPE_KEYS = ("names", "sites", "departments", "kinds", "procedures", "vendors", "models", "protection")
PROTECTION = ("normal", "hoch", "sehr hoch")


def scope_of(entry: Entry) -> Scope:
    """The scope that stands among the keys of a table; without any of them, everything."""
    lists = {key: texts(entry.at(key)) for key in SCOPE_KEYS if key in entry.value}
    if not lists:
        return EVERYWHERE
    for key in lists:
        if not lists[key]:
            entry.at(key).wrong("an empty list would take no asset; leave it out for all")
    for kind in lists.get("kinds", ()):
        if kind not in [one.value for one in AssetKind]:
            entry.at("kinds").wrong(f"there is no kind {kind!r}; known are {', '.join(one.value for one in AssetKind)}")
    for one in lists.get("protection", ()):
        if one not in PROTECTION:
            entry.at("protection").wrong(f"there is no protection class {one!r}; known are {', '.join(PROTECTION)}")
    kinds = tuple(AssetKind(kind) for kind in lists.pop("kinds", ()))
    return Scope(**lists, kinds=kinds)


def day(entry: Entry) -> date:
    """A local date within reach."""
    if isinstance(entry.value, datetime) or not isinstance(entry.value, date):
        entry.wrong("a date such as 2026-12-20 is wanted, without quotation marks")
    if not EARLIEST <= entry.value < LATEST:
        entry.wrong(f"the year {entry.value.year} is out of reach")
    return entry.value
