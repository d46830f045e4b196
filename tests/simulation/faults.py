"""What can go wrong in the simulated world, by the numbers of docs/reliability.md, and the dice that choose.

Each decision depends only on the seed, the point and how often the point was passed, so a run can be replayed, and
replayed without one of its faults.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

TRANSACTION: Mapping[str, str] = {
    "F1-before-commit": "driver killed before a commit",
    "F1-after-commit": "driver killed after a commit",
    "F5-memory": "driver meets MemoryError inside a transaction",
    "F8-database-full": "no room for the database",
    "F13-busy": "database locked by somebody else",
    "F16-committed": "connection lost during the commit, which was done",
    "F16-not-committed": "connection lost during the commit, which was not done",
    "F17-failover": "database fails over: seat lost, another driver sits down",
    "F18-no-connection": "no connection to the database for a while",
    "F19-serialisation": "the commit lost against another transaction",
    "F20-slow-disk": "the commit takes 2 to 40 seconds",
}
READING: Mapping[str, str] = {"F10-read": "EIO while the database is read"}
START: Mapping[str, str] = {
    "F1-before-start": "driver killed between intent and start",
    "F1-half-start": "driver killed when the directory is built and no supervisor runs",
    "F1-after-start": "driver killed when the supervisor has just started",
    "F4-stopped": "driver stopped for minutes between intent and start, then goes on",
    "F11-fsync": "EIO when the run directory is synced",
    "F12-read-only": "file system read-only",
    "F26-two-drivers": "a second driver sits down between intent and start of the first",
    "F30-twice": "the same run is ordered twice",
}
READ: Mapping[str, str] = {"F10-spool": "EIO while a spool is read"}
CLOSE: Mapping[str, str] = {
    "F1-before-close": "driver killed before a run is closed",
    "F1-after-close": "driver killed when a run is closed and its end not written",
    "F11-close": "EIO when the mark is synced",
}
RUN: Mapping[str, str] = {
    "F2-ansible": "ansible's main process killed, its forks go on",
    "F6-power": "power cut on Kahn's machine: everything not synced is gone",
    "F7-torn-line": "everything of the run killed while a line is written",
    "F9-spool-full": "no room for the spool",
    "F10-checksum": "a line of the spool is damaged",
    "F32-order": "a line of the spool is missing",
    "F34-flood": "three hundred more lines than usual",
    "S-supervisor": "supervisor killed, ansible goes on",
}
CONTACT: Mapping[str, str] = {
    "F37-key": "another machine answers at the address",
    "F38-name": "the name leads elsewhere",
    "F39-half-open": "half-open connection, noticed late",
    "F40-banner": "the login stalls",
}
LOOK: Mapping[str, str] = {
    "L-off": "a host is off when its batch is about to begin",
    "L-key": "a host shows another key when its batch is about to begin",
    "L-way": "the way to a host is closed when its batch is about to begin",
}
WORK: Mapping[str, str] = {
    "F3-fork": "a fork killed before its effect",
    "F3-fork-after": "a fork killed after its effect",
    "F28-slow": "a step that takes longer than its deadline",
    "F28-hang": "a host that hangs for ever",
    "F31-lost-reply": "connection lost after the effect",
    "F35-reboot": "host reboots in the middle of the step",
    "T-disk": "disk of the host full in mid-step",
    "T-refuses": "host refuses the step",
    "T-late-failure": "the module fails after its effect",
}
VERIFY: Mapping[str, str] = {
    "F36-verify": "host not reachable when the step is verified",
}
UNDO: Mapping[str, str] = {
    "F43-undo": "an undo fails",
}
PROBE: Mapping[str, str] = {
    "T-blind": "a probe that cannot tell",
}
KILLED: Mapping[str, str] = {
    "F29-late": "the program on the host goes on although its ansible is dead",
    "F29-half": "the program on the host is broken off in the middle",
}
TURN: Mapping[str, str] = {
    "F21-clock": "wall clock one hour forward",
    "F22-clock": "wall clock one hour back",
    "F25-suspend": "machine suspended for minutes",
    "F27-two-services": "a second service on the same store",
    "F44-rollback": "a person asks for a rollback in mid-wave",
}
OPERATOR: Mapping[str, str] = {
    "P-pause": "a person pauses the wave, and lets it go on later",
    "P-resume": "two people let a wave go on that stands, while its steps still work",
    "P-abort": "a person breaks the wave off",
    "P-stop": "a person stops all dispatch, and lifts the stop later",
    "P-lift": "the stop is lifted again early",
    "P-hold": "a person holds an asset",
    "P-skip": "a person leaves an asset out",
    "P-retry": "a person wants a held asset tried again",
    "P-probe": "a person wants a machine asked again that was lost sight of",
}
POINTS: Mapping[str, tuple[float, Mapping[str, str]]] = {
    "transaction": (0.04, TRANSACTION),
    "reading": (0.002, READING),
    "start": (0.2, START),
    "read": (0.005, READ),
    "close": (0.06, CLOSE),
    "run": (0.30, RUN),
    "contact": (0.02, CONTACT),
    "look": (0.08, LOOK),
    "work": (0.10, WORK),
    "verify": (0.04, VERIFY),
    "undo": (0.06, UNDO),
    "probe": (0.25, PROBE),
    "killed": (0.75, KILLED),
    "turn": (0.02, TURN),
    "operator": (0.008, OPERATOR),
}
ALL: Mapping[str, str] = {name: says for _rate, faults in POINTS.values() for name, says in faults.items()}
WANTED = 32


@dataclass
class Dice:
    """Chooses faults. ``without``: ids that are thrown but not played. ``quiet`` stops them all."""

    seed: int
    off: bool = False
    without: frozenset[str] = frozenset()
    most: int = WANTED
    quiet: bool = False
    played: list[tuple[str, str]] = field(default_factory=list)
    """Id and name of each fault that changed something."""
    _passed: Counter[str] = field(default_factory=Counter)

    def chance(self, *words: object) -> float:
        """A number from 0 to 1 that depends on the seed and the words only."""
        text = "/".join(map(str, (self.seed, *words)))
        return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=6).digest(), "big") / 2**48

    def between(self, low: float, high: float, *words: object) -> float:
        """A number in that range."""
        return low + (high - low) * self.chance(*words)

    def throw(self, point: str, *, possible: tuple[str, ...] = ()) -> str:
        """The fault at this passage of the point, or ''. The caller says ``hit`` when it has changed something."""
        self._passed[point] += 1
        number = self._passed[point]
        rate, faults = POINTS[point]
        if self.off or self.quiet or len(self.played) >= self.most or self.chance(point, number) >= rate:
            return ""
        names = possible or tuple(faults)
        if not names or f"{point}{number}" in self.without:
            return ""
        return names[int(self.chance(point, number, "which") * len(names))]

    def hit(self, point: str, name: str) -> str:
        """The fault was played and changed something; its id."""
        place = f"{point}{self._passed[point]}"
        self.played.append((place, name))
        return place
