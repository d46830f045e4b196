"""How each asset move's part in a run ended, read from the run's spool. A total function: every host gets one answer.

*Done* is only the ok of the run's own last task. What is not proven is *unknown*, never failed and never done. What the
run never reached is *not_started*: the step's first task was not sent to the machine.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from orchestrator.core.causes import RULES_OWN
from orchestrator.core.receipts import BEGUN_ELSEWHERE_RC, EPOCH_REFUSED_RC

OutcomeKind = Literal["done", "failed", "not_started", "unknown"]

_CLAIM_CAUSES: Mapping[int, str] = {EPOCH_REFUSED_RC: "epoch_refused", BEGUN_ELSEWHERE_RC: "begun_elsewhere"}
_RESULTS = frozenset({"ok", "failed", "unreachable", "skipped", "done"})
_EVIDENCE_FIELDS = ("task", "task_no", "part", "rc", "msg")


class Line(Protocol):
    """One checked line of a spool."""

    @property
    def seq(self) -> int: ...

    @property
    def kind(self) -> str: ...

    @property
    def host(self) -> str: ...

    @property
    def fields(self) -> Mapping[str, Any]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How one attempt ended. ``cause`` is empty when done, else a code such as ``disk_full`` or ``unreachable``.

    ``evidence``: task, task_no, part, rc and msg of the deciding line, its seq, and ``kahn``: what the last of our
    modules reported. All of it comes from the machine and is to be shown with care.
    """

    kind: OutcomeKind
    cause: str = ""
    msg: str = ""
    evidence: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ending:
    """What is known about the end of the run as a whole."""

    started: bool
    whole: bool
    """EXIT is there and the spool holds every line up to its last_seq."""
    why_not: str
    empty_play_at: int
    """Sequence number of the first play that matched no host at all; 0 when there was none."""


def outcomes(  # noqa: PLR0913 - each is one fact about how the run ended
    lines: Iterable[Line],
    *,
    hosts: Sequence[str],
    started: bool,
    exited: bool,
    last_seq: int | None = None,
    damaged: str = "",
) -> dict[str, Outcome]:
    """The outcome of each host of a run of which no process lives any more and which was closed.

    ``lines`` are all trusted lines from the first on; behind damage there are none. A missing EXIT, damage, or fewer
    lines than EXIT counted make every host unknown that has no final event of its own.
    """
    ordered = sorted(lines, key=lambda line: line.seq)
    gap = any(line.seq != number for number, line in enumerate(ordered, start=1))
    lost = last_seq is not None and (ordered[-1].seq if ordered else 0) < last_seq
    why_not = "spool_damaged" if damaged or gap or lost else "" if exited else "supervisor_lost"
    empty = next((line.seq for line in ordered if line.kind == "no_hosts"), 0)
    ending = _Ending(started=started, whole=not why_not, why_not=why_not, empty_play_at=empty)
    own: dict[str, list[Line]] = {host: [] for host in hosts}
    for line in ordered:
        if line.host in own:
            own[line.host].append(line)
    return {host: _outcome(own[host], ending) for host in hosts}


def _outcome(lines: Sequence[Line], ending: _Ending) -> Outcome:
    """First rule that holds: done; nothing seen; a start without its result; the last result; else stopped midway."""
    done = next((line for line in lines if line.kind == "done"), None)
    if done is not None:
        return _done(done, lines, ending)
    seen = [line for line in lines if line.kind == "task_start" or line.kind in _RESULTS]
    if not seen:
        return _nothing_seen(ending)
    last = seen[-1]
    if last.kind == "task_start":
        return _lost_in_task(last, lines, ending)
    if last.kind == "unreachable" and not last.fields.get("ignored"):
        return _made("not_started" if _before_step(seen) else "unknown", "unreachable", last, lines)
    failed = _failure(seen, whole=ending.whole)
    if failed is not None:
        return _failed(failed, lines)
    if not ending.whole:
        return _made("unknown", ending.why_not, last, lines)
    return _made("not_started" if _before_step(seen) else "unknown", "stopped_midway", last, lines)


def _done(done: Line, lines: Sequence[Line], ending: _Ending) -> Outcome:
    """Done, unless nothing was played: Ansible calls a play that matches no host a success."""
    if not any(line.kind in _RESULTS and line.fields.get("part") == "step" for line in lines):
        return _made("not_started", "nothing_played", done, lines)
    if 0 < ending.empty_play_at < done.seq:
        return _made("unknown", "play_without_hosts", done, lines)
    return _made("done", "", done, lines)


def _nothing_seen(ending: _Ending) -> Outcome:
    if not ending.started:
        return Outcome(kind="not_started", cause="never_started")
    if ending.whole:
        return Outcome(kind="not_started", cause="not_reached")
    return Outcome(kind="unknown", cause=ending.why_not)


def _lost_in_task(start: Line, lines: Sequence[Line], ending: _Ending) -> Outcome:
    """A task was sent and its result never came. In the claim no step has begun; a receipt may lie on the target."""
    cause = ending.why_not or "result_lost"
    kind: OutcomeKind = "not_started" if _before_step(lines) and ending.whole else "unknown"
    return _made(kind, cause, start, lines)


def _failure(seen: Sequence[Line], *, whole: bool) -> Line | None:
    """The failure that counts: not one that was ignored. While the run's end is unknown, later lines may be its rescue.

    With a whole spool a failure without a later ``done`` was not rescued, whatever ran behind it (an ``always``).
    """
    failures = [line for line in seen if line.kind == "failed" and not line.fields.get("ignored")]
    if not failures or not (whole or seen[-1] is failures[-1]):
        return None
    return failures[-1]


def _failed(line: Line, lines: Sequence[Line]) -> Outcome:
    """A failed claim is *not_started*: the target itself refused or could not take the receipt, so no step began.

    A failure that is ``lost`` is none: the machine never answered, so nobody knows what it did.
    """
    rc = line.fields.get("rc")
    if line.fields.get("lost"):
        before = _before_step(lines)
        return _made("not_started" if before else "unknown", "unreachable" if before else "result_lost", line, lines)
    if _before_step(lines):
        return _made("not_started", _CLAIM_CAUSES.get(rc, "claim_failed") if rc else "claim_failed", line, lines)
    if line.fields.get("part") == "end":
        return _made("failed", "end_receipt_failed", line, lines)
    cause = line.fields.get("kahn", {}).get("cause")
    named = isinstance(cause, str) and cause and cause not in RULES_OWN
    return _made("failed", cause if named else "task_failed", line, lines)


def _before_step(lines: Sequence[Line]) -> bool:
    """Whether the host has seen nothing but the first contact."""
    return all(line.fields.get("part") == "claim" for line in lines)


def _made(kind: OutcomeKind, cause: str, line: Line, lines: Sequence[Line]) -> Outcome:
    reports = [one.fields["kahn"] for one in lines if isinstance(one.fields.get("kahn"), Mapping)]
    own = line.fields.get("kahn")
    report = own if isinstance(own, Mapping) else reports[-1] if reports else None
    evidence: dict[str, Any] = {name: line.fields[name] for name in _EVIDENCE_FIELDS if name in line.fields}
    evidence["seq"] = line.seq
    if report is not None:
        evidence["kahn"] = report
    msg = line.fields.get("msg", "")
    return Outcome(kind=kind, cause=cause[:80], msg=msg if isinstance(msg, str) else "", evidence=evidence)
