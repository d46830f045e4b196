"""Whether a successor offers what its machine offered before: two portraits compared, every difference with a verdict.

A portrait comes from a machine: it is taken apart with care, and what cannot be read counts as not seen, never as good.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import Any

from orchestrator.core.canonical import LATER

SECTIONS = ("ports", "services", "certificates", "shares", "printers", "jobs", "mounts", "domain", "rows", "answer")
LESS = "less_than_before"
"""Cause of a move whose successor lacks what its machine offered before."""
NOT_COMPARED = "not_compared"
"""Cause of a move of which nobody could say how before and after compare."""
BEFORE_AND_AFTER = (LESS, NOT_COMPARED)
KEPT = 150
"""Differences written down of one comparison, at most; the worst come first, and all are counted."""


class Verdict(StrEnum):
    """What a difference amounts to, worst first."""

    UNSEEN = "unseen"
    """It could not be looked at, before or now."""
    MISSING = "missing"
    CHANGED = "changed"
    NEW = "new"
    TOLERATED = "tolerated"
    EXPECTED = "expected"
    """It differs as it must: the machine's own name or address, or another name that was declared."""
    SAME = "same"


WORST_FIRST = tuple(Verdict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tolerances:
    """What may differ. Patterns such as ``services: apt-*`` or ``mounts: * = vfat*`` with the signs of file names."""

    ignore: tuple[str, ...] = ()
    other_names: tuple[tuple[str, str], ...] = ()
    """(entry before, entry now), such as ``services: mysql.service`` and ``services: mariadb.service``."""
    rows_percent: int = 5
    """By so many percent a table may have fewer rows than before."""
    slower_ms: int = 2000
    """By so many milliseconds an answer may come later."""
    full_percent: int = 90
    """From here on a disk counts as too full."""
    leave_out: tuple[str, ...] = field(default=(), metadata=LATER)
    """Sections that are not compared."""

    def joined(self, *, ignore: Sequence[str], leave_out: Sequence[str]) -> Tolerances:
        """These and those of a runbook together."""
        return Tolerances(
            ignore=(*self.ignore, *ignore),
            other_names=self.other_names,
            rows_percent=self.rows_percent,
            slower_ms=self.slower_ms,
            full_percent=self.full_percent,
            leave_out=tuple(dict.fromkeys((*self.leave_out, *leave_out))),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One entry that is not the same. ``before`` and ``now`` come from machines; empty where there was nothing."""

    section: str
    name: str
    before: str
    now: str
    verdict: Verdict
    serious: bool = False
    """Whether somebody would miss it, so that a person must look."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """What came out. ``counts`` has every verdict, also with 0."""

    counts: Mapping[str, int]
    differences: tuple[Difference, ...]
    serious: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Likeness:
    """How before and after compare: entries by verdict, and how many of them a person must look at."""

    counts: Mapping[str, int]
    serious: int


Entries = dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Portrait:
    """What a machine told of itself, checked: sections of entries, and what could not be read."""

    sections: Mapping[str, Entries]
    unread: Mapping[str, str]


def portrait_of(kahn: object) -> Portrait | None:
    """The portrait in a module's report; None when there is none that can be used."""
    told = kahn.get("portrait") if isinstance(kahn, Mapping) else None
    if not isinstance(told, Mapping) or not isinstance(told.get("sections"), Mapping):
        return None
    sections = {name: _entries(told["sections"][name]) for name in SECTIONS if name in told["sections"]}
    unread = {name: str(why) for name, why in _mapping(told.get("unread")).items() if name in SECTIONS}
    for name, count in _mapping(told.get("left_out")).items():
        if name in SECTIONS:
            unread[name] = f"... {count}"
    return Portrait(sections=sections, unread=unread)


def _mapping(told: object) -> Mapping[str, Any]:
    return told if isinstance(told, Mapping) else {}


def _entries(parts: object) -> Entries:
    maps = [part for part in parts if isinstance(part, Mapping)] if isinstance(parts, list | tuple) else []
    return {str(key): str(value) for part in maps for key, value in part.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Machines:
    """Words of the old machine and those that stand in their place on the new one: names and addresses."""

    words: tuple[tuple[str, str], ...]

    def translated(self, text: str) -> str:
        """The text as the new machine would say it; whole words only."""
        for old, new in self.words:
            text = re.sub(rf"(?<![\w.-]){re.escape(old)}(?![\w-])", new.replace("\\", ""), text)
        return text


def compared(before: Portrait, now: Portrait, *, machines: Machines, tolerances: Tolerances) -> Comparison:
    """Every section on its own; the worst differences first."""
    found: list[Difference] = []
    same = 0
    for section in SECTIONS:
        if section in tolerances.leave_out:
            continue
        one = _Section(section=section, machines=machines, tolerances=tolerances)
        differences, equal = one.compared(before.sections.get(section, {}), now.sections.get(section, {}))
        unseen = tuple(_unseen(section, before, now))
        found += [*unseen, *_without_guesses(differences, section, before, now)]
        same += equal
    ordered = sorted(found, key=lambda one: (not one.serious, WORST_FIRST.index(one.verdict), one.section, one.name))
    counted = Counter(one.verdict.value for one in ordered)
    counts = {verdict.value: counted[verdict.value] for verdict in Verdict} | {Verdict.SAME.value: same}
    return Comparison(counts=counts, differences=tuple(ordered), serious=sum(one.serious for one in ordered))


def _unseen(section: str, before: Portrait, now: Portrait) -> Iterable[Difference]:
    """A section that could not be read, or not wholly, on either side."""
    why = {side: one.unread.get(section, "") for side, one in (("before", before), ("now", now))}
    if any(why.values()) or _absent(section, before, now):
        yield Difference(section=section, name="*", verdict=Verdict.UNSEEN, serious=True, **why)


def _absent(section: str, before: Portrait, now: Portrait) -> bool:
    """Whether the new machine does not speak at all of what the old one spoke of."""
    return section in before.sections and section not in now.sections


def _without_guesses(found: Iterable[Difference], section: str, before: Portrait, now: Portrait) -> list[Difference]:
    """Nothing is missing where nobody looked, and nothing is new where nobody looked before: it is not seen."""
    blind = {Verdict.MISSING} if section in now.unread or _absent(section, before, now) else set()
    blind |= {Verdict.NEW} if section in before.unread else set()
    return [one for one in found if one.verdict not in blind]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Section:
    section: str
    machines: Machines
    tolerances: Tolerances

    def compared(self, before: Entries, now: Entries) -> tuple[list[Difference], int]:
        """What differs, and how many entries are the same."""
        found, same, seen = [], 0, set()
        for name, value in before.items():
            there = next((one for one in self._names(name) if one in now), None)
            seen.add(there)
            difference = self._judged(name, value, there, now[there] if there is not None else "")
            if difference is None:
                same += 1
            else:
                found.append(difference)
        found += [self._new(name, value) for name, value in now.items() if name not in seen]
        return found, same

    def _names(self, name: str) -> tuple[str, ...]:
        """Under which names it may stand on the new machine, its own first."""
        declared = dict(self.tolerances.other_names).get(f"{self.section}: {name}", "").partition(": ")[2]
        return tuple(filter(None, (declared, name, self.machines.translated(name))))

    def _new(self, name: str, value: str) -> Difference:
        verdict = Verdict.TOLERATED if self._ignored(name, value) else Verdict.NEW
        return Difference(section=self.section, name=name, before="", now=value, verdict=verdict)

    def _judged(self, name: str, value: str, there: str | None, now: str) -> Difference | None:
        """The difference, or None where there is none."""
        if there == name and now == value:
            return None
        if self._ignored(name, value) or (there is not None and self._ignored(there, now)):
            verdict = Verdict.TOLERATED
        elif there is None:
            verdict = Verdict.MISSING
        elif now in (value, self.machines.translated(value)):
            verdict = Verdict.EXPECTED
        else:
            verdict = Verdict.TOLERATED if self._tolerated(name, value, now) else Verdict.CHANGED
        shown = name if there in (None, name) else f"{name} -> {there}"
        serious = verdict is Verdict.MISSING or (verdict is Verdict.CHANGED and self._lost(value, now))
        return Difference(
            section=self.section, name=shown, before=value, now=now, verdict=verdict, serious=serious
        )  # fmt: skip

    def _ignored(self, name: str, value: str) -> bool:
        words = f"{self.section}: {name}", f"{self.section}: {name} = {value}"
        return any(fnmatchcase(word, pattern) for pattern in self.tolerances.ignore for word in words)

    def _tolerated(self, name: str, before: str, now: str) -> bool:
        limits, section = self.tolerances, self.section
        if section == "services":
            return set(before.split()) < set(now.split()) and "failed" not in now.split()
        if section == "rows" or (section == "answer" and name == "milliseconds"):
            return _within(section, before, now, limits)
        if section == "mounts":
            old, new = _MOUNT.fullmatch(before), _MOUNT.fullmatch(now)
            return bool(old and new and old[1] == new[1] and int(new[2]) < limits.full_percent)
        if section == "certificates":
            old, new = _CERTIFICATE.fullmatch(self.machines.translated(before)), _CERTIFICATE.fullmatch(now)
            return bool(old and new and old[1] == new[1] and old[2] <= new[2])
        return False

    def _lost(self, before: str, now: str) -> bool:
        """Whether a changed entry is worth less than before."""
        if self.section == "services":
            return not set(before.split()) - {"failed"} <= set(now.split()) or "failed" in now.split()
        if self.section == "rows":
            return not (before.isdecimal() and now.isdecimal() and int(now) >= int(before))
        return self.section in ("answer", "shares", "printers", "mounts")


_MOUNT = re.compile(r"(\S+) (\d{1,3}) %")
_CERTIFICATE = re.compile(r"(.*), until (\d{4}-\d\d-\d\d), ([0-9a-f]+)")


def _within(section: str, before: str, now: str, limits: Tolerances) -> bool:
    """Whether a number stays within its limit: rows more or less, an answer not much later."""
    if not (before.isdecimal() and now.isdecimal()):
        return False
    if section == "answer":
        return int(now) <= int(before) + limits.slower_ms
    least = int(before) * (100 - limits.rows_percent)
    most = int(before) * (100 + limits.rows_percent)
    return least <= int(now) * 100 <= most
