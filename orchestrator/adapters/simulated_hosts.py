"""Hosts that exist only here: what was done to them, what still works on them, and a ledger that forgets nothing."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Literal

LedgerKind = Literal["claim", "begin", "effect", "half", "undo", "end", "probe", "baseline", "compare", "after"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerEntry:
    """One thing that happened on a host, with its fingerprint before and after. ``at_us``: the world's microseconds."""

    at_us: int
    host: str
    kind: LedgerKind
    step: str
    attempt: str
    run: str
    epoch: int
    before: str
    after: str
    answer: str = ""


@dataclass(slots=True, kw_only=True)
class SimulatedHost:
    """One asset's machines, seen as one. ``whole`` and ``half``: steps done, and done in part, by which attempt."""

    name: str
    whole: dict[str, str] = field(default_factory=dict)
    half: dict[str, str] = field(default_factory=dict)
    epoch: int = 0
    begun: str = ""
    ended: str = ""
    baseline: str = ""
    at_work: dict[str, int] = field(default_factory=dict)
    """Attempts of which a program works here, and until when."""

    def fingerprint(self) -> str:
        """What a comparison of the machine's files would give: the same exactly when nothing of any step is left."""
        state = ",".join((*sorted(self.whole), *(f"{step}?" for step in sorted(self.half))))
        return hashlib.sha256(f"{self.name} {state}".encode()).hexdigest()[:12]

    def answer(self, step: str) -> str:
        """What an honest probe of the step says."""
        return "done" if step in self.whole else "partial" if step in self.half else "not_done"

    def apply(self, step: str, attempt: str) -> None:
        """The step is done, whatever was done of it before."""
        self.half.pop(step, None)
        self.whole[step] = attempt

    def apply_half(self, step: str, attempt: str) -> None:
        """The step was broken off in the middle."""
        if step not in self.whole:
            self.half[step] = attempt

    def take_back(self, step: str) -> None:
        """The step is undone, whatever there was of it."""
        self.whole.pop(step, None)
        self.half.pop(step, None)

    def quiet(self, now_us: int) -> bool:
        """Whether no program of any attempt works here."""
        self.at_work = {attempt: until for attempt, until in self.at_work.items() if until > now_us}
        return not self.at_work
