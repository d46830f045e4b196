"""Cause codes in words: why a move or a wave is not well, and what a person does about it. One list for every view."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """One cause. ``says`` completes "not moved: ..."; ``remedy`` is what helps; both English, translated when shown."""

    code: str
    says: str
    remedy: str


_KNOWN = (
    # what a machine said
    Cause(
        code="manifest_differs",
        says="the copy is not equal to the original",
        remedy="Read the differences in the wave's log; nothing of the original was given up.",
    ),
    Cause(
        code="not_enough_space",
        says="the new machine or the vault has too little room",
        remedy="Make room there, then plan it again.",
    ),
    Cause(
        code="source_busy",
        says="somebody still works on the old machine",
        remedy="Ask them to log off, then plan it again.",
    ),
    Cause(
        code="still_working",
        says="a program of an earlier attempt still works on the machine",
        remedy="Wait until it has ended, then roll back again.",
    ),
    Cause(
        code="old_host_stays_off",
        says="the old machine does not come back on",
        remedy="Press its power button, wait until it answers, then roll back again.",
    ),
    Cause(
        code="foreign_files",
        says="files that Kahn did not put there stand in the way",
        remedy="Look at them on the new machine and move them away, then roll back again.",
    ),
    Cause(
        code="busy_elsewhere",
        says="another wave has it in hand",
        remedy="Wait until the other wave is over, then plan it again.",
    ),
    Cause(
        code="busy",
        says="another wave has it in hand",
        remedy="Wait until the other wave is over, then plan it again.",
    ),
    Cause(
        code="not_confirmed",
        says="nobody said in time how the work at the desk ended",
        remedy="Look at the machine, then say how it stands with `kahn wave repaired`, or take it back.",
    ),
    Cause(
        code="not_possible_by_hand",
        says="a person signed that it could not be done; the reason stands with the signature",
        remedy="Read the reason (`kahn wave show W --evidence ASSET`); the asset goes back or a person decides.",
    ),
    Cause(
        code="needs",
        says="something that it needs is in doubt in another wave",
        remedy="Decide about that wave first (`kahn status --needs-me`), then plan it again.",
    ),
    Cause(
        code="narrow_freeze",
        says="a freeze keeps it, or what moves together with it, back in this window",
        remedy="Plan it again: it gets a window outside of the freeze.",
    ),
    Cause(
        code="drift",
        says="its record changed since the proposal",
        remedy="Propose the plan again, so that the new record is approved.",
    ),
    Cause(code="vault_full", says="the vault is full", remedy="Make room in the vault, then plan the assets again."),
    Cause(code="disk_full", says="a disk is full", remedy="Make room on that machine, then plan the assets again."),
    Cause(
        code="unreachable",
        says="the machine did not answer",
        remedy="Look whether it is on and connected, then plan it again.",
    ),
    Cause(
        code="source_unreachable",
        says="the old machine did not answer",
        remedy="Look whether it is on and connected, then plan it again.",
    ),
    Cause(
        code="target_unreachable",
        says="the new machine did not answer",
        remedy="Look whether it is on and connected, then plan it again.",
    ),
    Cause(
        code="differs",
        says="the copy is not equal to the original",
        remedy="Read the differences in the wave's log; nothing of the original was given up.",
    ),
    Cause(
        code="target_not_empty",
        says="the new machine already holds files of others",
        remedy="Empty it or name another successor.",
    ),
    Cause(code="accounts_differ", says="the accounts of both machines differ", remedy="Compare the two accounts."),
    Cause(
        code="accounts_missing", says="the list of accounts is missing", remedy="Look at the successor with the log."
    ),
    Cause(
        code="accounts_invalid",
        says="an account of the old machine cannot be taken over",
        remedy="Correct the account on the old machine.",
    ),
    Cause(
        code="archive_damaged",
        says="what arrived is not what was saved",
        remedy="Check the disks and the line, then plan it again.",
    ),
    Cause(code="archive_missing", says="the vault holds nothing of it", remedy="Look into the vault before going on."),
    Cause(
        code="manifest_damaged",
        says="the list of checksums is damaged",
        remedy="Treat the machine with suspicion: look at it before going on.",
    ),
    Cause(
        code="manifest_missing",
        says="the list of checksums is missing",
        remedy="Treat the machine with suspicion: look at it before going on.",
    ),
    Cause(code="not_locked", says="people can still log in to the old machine", remedy="Look at the old machine."),
    Cause(code="power_off_failed", says="the old machine would not switch off", remedy="Switch it off by hand."),
    Cause(code="still_on", says="the old machine is still on", remedy="Switch it off by hand."),
    Cause(
        code="mounts_in_home",
        says="another file system is mounted in a user's home",
        remedy="Decide whether it is to move as well, and unmount it.",
    ),
    Cause(code="clock_wrong", says="the machine's clock is wrong", remedy="Set the clock, then plan it again."),
    Cause(code="python_too_old", says="the machine's Python is too old", remedy="Choose another runbook for it."),
    Cause(code="source_too_large", says="the machine sent more than announced", remedy="Look at the machine."),
    Cause(code="permission_denied", says="access was refused", remedy="Check the access profile's rights."),
    Cause(code="os_error", says="the operating system refused", remedy="Read the message in the wave's log."),
    Cause(code="task_failed", says="a task of the runbook failed", remedy="Read the message in the wave's log."),
    # what is known of a run
    Cause(code="never_started", says="its run never started", remedy="Read the wave's log; nothing was begun."),
    Cause(code="not_reached", says="its run ended before its turn", remedy="Nothing was begun; plan it again."),
    Cause(
        code="claim_failed",
        says="the machine could not take the claim",
        remedy="Look at its disk and rights; nothing was begun.",
    ),
    Cause(
        code="epoch_refused",
        says="a newer driver has worked on it",
        remedy="Let only one service drive; look at it before going on.",
    ),
    Cause(
        code="begun_elsewhere",
        says="an earlier attempt has begun on it and not ended",
        remedy="Look at the machine before anything else is done to it.",
    ),
    Cause(
        code="end_receipt_failed",
        says="the step ended, but its receipt could not be written",
        remedy="Look at the machine's disk.",
    ),
    Cause(code="result_lost", says="begun, not finished: no result came", remedy="Look at the machine."),
    Cause(code="stopped_midway", says="begun, not finished: it stopped midway", remedy="Look at the machine."),
    Cause(
        code="supervisor_lost",
        says="begun, not finished: whoever watched it is gone",
        remedy="Look at the machine.",
    ),
    Cause(
        code="spool_damaged",
        says="its record is damaged and proves nothing",
        remedy="Keep the run's files and look at the machine.",
    ),
)
_DECIDED = (
    # what the rules decided
    Cause(
        code="no_baseline",
        says="its state from before could not be recorded, so nothing was changed",
        remedy="Look at what the machine answered in the wave's log.",
    ),
    Cause(code="tries_spent", says="all tries were used up", remedy="Read the message in the wave's log."),
    Cause(code="undo_failed", says="a step could not be taken back", remedy="Finish by hand what is listed."),
    Cause(
        code="differs_from_before",
        says="after the rollback it is not as it was before",
        remedy="Compare it with the list of differences and mend it by hand.",
    ),
    Cause(
        code="group_went_back",
        says="an asset that it moves together with went back",
        remedy="It is planned again together with its group.",
    ),
    Cause(code="asked", says="a person asked for the rollback", remedy="Plan it again when it may move."),
    Cause(
        code="wave_held",
        says="its wave was held before its next step",
        remedy="Resume the wave, or roll it back.",
    ),
    # what the fleet preflight saw before the batch began
    Cause(
        code="connection_refused",
        says="the machine is on, but takes no ssh connections",
        remedy="Start its ssh service or look at its firewall, then plan it again.",
    ),
    Cause(
        code="does_not_speak",
        says="the machine takes connections but does not speak ssh as it should",
        remedy="Look at the machine: it may hang or be cut off by something in between; then plan it again.",
    ),
    Cause(
        code="host_key_changed",
        says="the machine shows another host key than the approved one",
        remedy="Find out why: it was set up anew, or somebody else answers. Then `kahn asset scan` and propose again.",
    ),
    Cause(
        code="login_refused",
        says="the machine does not let Kahn in",
        remedy="Check the access profile's user and key on the machine, then plan it again.",
    ),
    Cause(
        code="sudo_refused",
        says="Kahn's user may not use sudo there",
        remedy="Allow it on the machine or take another access profile, then plan it again.",
    ),
    Cause(
        code="read_only",
        says="its root file system is read-only",
        remedy="Look at its disk before anything else is done, then plan it again.",
    ),
    Cause(
        code="no_sensible_answer",
        says="the machine lets Kahn in and then gives no sensible answer in time",
        remedy="It may hang or be very busy: log in by hand and look at it, then plan it again.",
    ),
    # gates that hold an asset at the start
    Cause(
        code="keys", says="the key for its machines cannot be read", remedy="Put the key in place, then plan it again."
    ),
    Cause(
        code="facts",
        says="a machine was seen otherwise after the proposal",
        remedy="Look at its history, then propose the plan again.",
    ),
    Cause(
        code="backup-restored",
        says="nobody has confirmed that its backup was restored as a test",
        remedy="Restore it as a test and confirm it: `kahn gate confirm`; then plan it again.",
    ),
    Cause(
        code="hardware",
        says="nobody has confirmed that its new machine is there",
        remedy="Look for the machine and confirm it: `kahn gate confirm`; then plan it again.",
    ),
    Cause(
        code="held_by_person",
        says="a person held it",
        remedy="Let it be tried again with `kahn wave retry`, leave it out with `kahn wave skip`, or roll it back.",
    ),
    Cause(code="skipped", says="a person left it out of its wave", remedy="Plan it into another wave."),
    Cause(
        code="tool_failed",
        says="the other tool said that it failed",
        remedy="Look into that tool, then plan it again.",
    ),
    Cause(
        code="tool_overdue",
        says="the other tool did not finish in time",
        remedy="Look into that tool, then say how the step stands with `kahn wave repaired`.",
    ),
    Cause(code="aborted", says="a person broke the wave off", remedy="Plan what is left into another wave."),
    Cause(
        code="declared_undone",
        says="people say that they took it back by hand; the comparison with before decides",
        remedy="Wait for the comparison.",
    ),
    # why a wave stands
    Cause(code="paused", says="a person paused it", remedy="Resume it when it may go on."),
    Cause(
        code="same_error",
        says="several assets met the same error: look for one cause",
        remedy="Look at the cause that they share; mend it, let them be tried again, then resume.",
    ),
    Cause(
        code="mass_unreachable",
        says="many machines fell silent at once: the line is to blame rather than they",
        remedy="Look at the network first; nothing is taken back by itself meanwhile. Then resume.",
    ),
    Cause(
        code="way_closed",
        says="the way to its machines, or a machine that all of them need, does not work",
        remedy="Read in the wave's log what was found; mend it, then resume. Nothing of the batch was begun.",
    ),
    Cause(
        code="service_bad",
        says="something that was moved does not serve as it should",
        remedy="Look at what its service check said; take it back, or mend it and resume.",
    ),
    Cause(
        code="frozen",
        says="a freeze is in force: nothing may move",
        remedy="Wait until it is over, or let the administrator change the policy.",
    ),
    Cause(
        code="disk_low",
        says="too little room is left where Kahn writes",
        remedy="Make room on Kahn's own machine (`kahn doctor` shows where), then resume.",
    ),
    Cause(
        code="clock_jumped",
        says="the clock of Kahn's machine jumped by more than a minute",
        remedy="Correct the clock, look at the window and the freezes, then resume.",
    ),
    Cause(
        code="no_time_left",
        says="the next step and the way back, should it fail, would end after the window",
        remedy="Plan the rest into another window; what is half-way can be taken back now.",
    ),
    Cause(
        code="held_half_way",
        says="an asset that a person held stands between old and new",
        remedy="Let it be tried again (`kahn wave retry`), or take it back (`kahn wave rollback`).",
    ),
    Cause(
        code="not_quiet",
        says="it was broken off, but a step could not be ended",
        remedy="Look at the machines it works on; `kahn stop` lists the running steps.",
    ),
    Cause(
        code="given_up",
        says="a person ended it with some assets left behind",
        remedy="Plan what is left into another wave.",
    ),
    Cause(
        code="not_approved",
        says="no genuine approval stands behind it",
        remedy="Find out who wrote to the database, then propose and approve the assets anew.",
    ),
    Cause(
        code="budget_spent",
        says="more went wrong than was agreed",
        remedy="Look at what failed; then resume the wave or roll it back.",
    ),
    Cause(
        code="window_ended",
        says="its window ended",
        remedy="Plan the rest into another window, or roll the wave back.",
    ),
    Cause(
        code="rollback_limit",
        says="more would have to go back than may go back without a person",
        remedy="Decide about the rollback: `kahn wave rollback`.",
    ),
    Cause(
        code="moves_need_a_person",
        says="some assets need a person",
        remedy="Look at each of them; then resume the wave or roll them back.",
    ),
    Cause(
        code="rollback_incomplete",
        says="the rollback could not be finished everywhere",
        remedy="Look at what is left of each asset and finish it by hand.",
    ),
    Cause(code="partly_rolled_back", says="a part of it was rolled back", remedy="Plan that part again."),
    Cause(
        code="store_restored",
        says="the store was restored from a backup and does not know what happened since",
        remedy="Compare each asset under way with its machine; rolling back is the safest way on.",
    ),
    Cause(code="window_passed", says="its window passed without a start", remedy="Plan it again."),
    Cause(
        code="started_too_late",
        says="a gate or a stop kept it, or nobody drove, when its window opened; by now its first batch and the way "
        "back, should it fail, would end after the window",
        remedy="See what kept it (`kahn wave check`, `kahn stop`, `kahn serve`), then plan it again.",
    ),
    Cause(code="approval_expired", says="its approval expired", remedy="Have it approved again."),
)
CAUSES: Mapping[str, Cause] = MappingProxyType({cause.code: cause for cause in (*_KNOWN, *_DECIDED)})
RULES_OWN = frozenset(cause.code for cause in _DECIDED)
"""Causes that only the rules give: a machine that names one of them is not believed."""
_UNNAMED = Cause(code="", says="no cause was recorded", remedy="Read the wave's log.")


def cause_of(code: str) -> Cause:
    """The cause with that code. Total: a code that is not in the list stands for itself, as text without templates."""
    if not code:
        return _UNNAMED
    literal = code.replace("{", "{{").replace("}", "}}")
    return CAUSES.get(code) or Cause(code=code, says=literal, remedy=_UNNAMED.remedy)
