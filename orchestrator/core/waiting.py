"""What happens if nobody acts: for every state that waits, one sentence and a time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from orchestrator.core.decide import NOT_QUIET_AFTER
from orchestrator.core.estimates import Estimates
from orchestrator.core.lifecycle import MoveState, WaveState
from orchestrator.core.move_rules import next_probe_at
from orchestrator.core.opening_check import soak_ends
from orchestrator.core.progress import MoveProgress, WaveProgress
from orchestrator.core.surroundings import CALM, Surroundings
from orchestrator.core.waits import waits_told, waits_until
from orchestrator.core.wave import WaveContent


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """What comes next without people. ``says`` is an English template, ``facts`` fill it, ``at`` is when (UTC)."""

    says: str
    facts: dict[str, str]
    at: datetime | None = None


WAVE_OUTLOOKS: dict[WaveState, str] = {
    WaveState.DRAFT: "Nothing happens: the wave must be proposed again; at {closes} its window is over.",
    WaveState.PROPOSED: "Nothing happens: the wave does not start without an approval by another person; "
    "at {closes} its window is over.",
    WaveState.APPROVED: "Nothing starts unless the service runs or somebody calls `kahn wave run`; "
    "at {closes} its window is over.",
    WaveState.SCHEDULED: "It starts by itself at {opens}.",
    WaveState.MISSED: "Nothing happens: its window passed without a start, and nothing is caught up. Plan it again.",
    WaveState.CHECKING: "The start gates are being read; it starts or is held within seconds.",
    WaveState.RUNNING: "As long as `kahn serve` or `kahn wave run` drives, it goes on by itself; "
    "at {closes} no new step begins any more.",
    WaveState.SOAKING: "As long as `kahn serve` or `kahn wave run` drives, it goes on by itself at {at}, "
    "when the soak is over.",
    WaveState.PAUSED: "No new step begins until a person resumes it; at {closes} its window is over and it is held.",
    WaveState.ABORTING: "Running steps are being ended; once every machine is known to be quiet, "
    "what is half-way is taken back. At {at} a person is asked.",
    WaveState.HELD: "No new step begins ({cause}). What was moved stays moved, what was rolled back stays rolled back. "
    "After {last} a rollback of all that was begun would end after the window.",
    WaveState.ROLLING_BACK: "As long as `kahn serve` or `kahn wave run` drives, the rollback goes on "
    "until every asset is proven or needs a person.",
    WaveState.ROLLED_BACK: "Nothing happens: the wave is over and everything is as before.",
    WaveState.NEEDS_PERSON: "Nothing happens: a person must decide about the assets that need one. "
    "After {last} a rollback of all that was begun would end after the window.",
    WaveState.CLOSED: "Nothing happens: the wave is over.",
}
MOVE_OUTLOOKS: dict[MoveState, str] = {
    MoveState.PLANNED: "It waits for its batch.",
    MoveState.HELD: "It stays as it is until it is planned again; one that only the wave's halt stopped goes on "
    "when the wave is resumed.",
    MoveState.MOVED: "It stays moved.",
    MoveState.RETIRED: "It stays switched off and is kept; `kahn asset due` tells from when on it may be erased.",
    MoveState.ERASED: "Nothing: the old machine is erased, and there is no way back.",
    MoveState.ROLLED_BACK: "It stays on the old machine until it is planned again.",
    MoveState.RUNNING: "It goes on by itself.",
    MoveState.WAITING_TOOL: "Another tool has step {step} in hand and is asked again and again; at {at} a person is "
    "called.",
    MoveState.PROBING: "The probe's answer decides.",
    MoveState.ROLLING_BACK: "It is taken back, last step first.",
    MoveState.FAILED: "It is taken back, or a person is asked, within seconds.",
    MoveState.UNKNOWN: "It is probed again at {at}; after {tries} probes without an answer a person is asked.",
    MoveState.NEEDS_PERSON: "Nothing happens: it stays exactly as it is until a person acts.",
}


_DRIVEN = (WaveState.SCHEDULED, WaveState.RUNNING, WaveState.SOAKING, WaveState.ABORTING, WaveState.ROLLING_BACK)
"""States whose outlook begins something; an abort begins probes and rollbacks."""
_STARTS = (WaveState.APPROVED, *_DRIVEN)
_MOVES_BY_ITSELF = (
    MoveState.RUNNING,
    MoveState.PROBING,
    MoveState.ROLLING_BACK,
    MoveState.WAITING_TOOL,
    MoveState.FAILED,
    MoveState.UNKNOWN,
)
"""States of an asset whose outlook is more work of the driver."""
HALTED_OUTLOOKS: dict[str, str] = {
    "stopped": "All dispatch is stopped: nothing that changes a machine begins in any wave, a rollback neither, until "
    "a person lifts that with `kahn stop --lift`. Machines in doubt are still asked how they stand.",
    "undriven": "NOBODY DRIVES NOW: steps under way end by themselves, and nothing else happens until `kahn serve` or "
    "`kahn wave run` runs.",
    "at_desk": "It waits for work at the desk; if nobody has signed by {at}, how it stands is unknown.",
    "at_desk_undriven": "It waits for work at the desk. NOBODY DRIVES NOW: a signature counts, and nothing follows it "
    "until `kahn serve` or `kahn wave run` runs.",
    "waits": "Step {step} waits ({cause}) and looks again and again; at {at} it gives up: what was not touched stays "
    "as it is, the rest is taken back.",
    "waits_told": "Step {step} waits until {at} ({cause}) and then goes on by itself.",
    "undriven_yet": "NOBODY DRIVES NOW: it starts at {opens} only if `kahn serve` runs by then.",
}
"""What is said instead, while nobody carries on what begins by itself."""


def next_without_people(content: WaveContent, progress: WaveProgress, *, around: Surroundings = CALM) -> Outlook:
    """The wave's outlook. Total: every state has one."""
    says = WAVE_OUTLOOKS[progress.state]
    if around.stopped and progress.state in _STARTS:
        return Outlook(says=HALTED_OUTLOOKS["stopped"], facts={})
    if around.driven is False and progress.state in _DRIVEN:
        says = HALTED_OUTLOOKS["undriven_yet" if progress.state is WaveState.SCHEDULED else "undriven"]
    at = _when(content, progress, around)
    facts = {
        "opens": _clock(content.window.opens),
        "closes": _clock(content.window.closes),
        "at": _clock(at) if at else "-",
        "last": _clock(at) if at else "-",
        "cause": progress.cause or "-",
    }
    return Outlook(says=says, facts=facts, at=at)


def _when(content: WaveContent, progress: WaveProgress, around: Surroundings) -> datetime | None:
    """When the outlook comes true; None where nothing comes, or where it depends on machines alone."""
    state, closes, since = progress.state, content.window.closes, progress.since
    if state is WaveState.SCHEDULED:
        return content.window.opens
    if state in (WaveState.HELD, WaveState.NEEDS_PERSON):
        return Estimates(content=content, around=around).last_rollback(progress) or closes
    if state is WaveState.ABORTING:
        return since + NOT_QUIET_AFTER if since else None
    if state is WaveState.SOAKING:
        return soak_ends(content, progress)
    return closes if state in _UNTIL_IT_CLOSES else None


_UNTIL_IT_CLOSES = (
    WaveState.DRAFT,
    WaveState.PROPOSED,
    WaveState.APPROVED,
    WaveState.RUNNING,
    WaveState.PAUSED,
)


def move_without_people(content: WaveContent, move: MoveProgress, *, around: Surroundings = CALM) -> Outlook:
    """One move's outlook. Total: every state has one."""
    work = move.at_work
    if work is not None and content.runbook.by_hand(work.direction, work.step):
        at = work.until
        says = HALTED_OUTLOOKS["at_desk" if around.driven is not False else "at_desk_undriven"]
        return Outlook(says=says, facts={"at": _clock(at) if at else "-"}, at=at)
    if move.state in _MOVES_BY_ITSELF and (around.stopped or around.driven is False):
        return Outlook(says=HALTED_OUTLOOKS["stopped" if around.stopped else "undriven"], facts={})
    until = waits_until(content, move) if move.state is MoveState.RUNNING else None
    told = waits_told(content, move) if until is not None else None
    if told is not None and move.last is not None:
        facts = {"at": _clock(told), "step": move.last.step, "cause": move.last.cause}
        return Outlook(says=HALTED_OUTLOOKS["waits_told"], facts=facts, at=told)
    if until is not None and move.last is not None:
        facts = {"at": _clock(until), "step": move.last.step, "cause": move.last.cause}
        return Outlook(says=HALTED_OUTLOOKS["waits"], facts=facts, at=until)
    unknown = move.state is MoveState.UNKNOWN and move.since is not None
    at = next_probe_at(content, move) if unknown else None
    if move.state is MoveState.WAITING_TOOL and move.started_at is not None:
        at = move.started_at + timedelta(seconds=content.runbook.step(move.step).deadline_s)
    tries = str(content.thresholds.probe_tries)
    facts = {"at": _clock(at) if at else "-", "tries": tries, "step": move.step or "-"}
    return Outlook(says=MOVE_OUTLOOKS[move.state], facts=facts, at=at)


def _clock(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%d %H:%M %Z")
