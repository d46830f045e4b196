"""Cause codes in words: why a move or a wave is not well, and what a person does about it. One list for every view."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from orchestrator.core.causes_of_boot import KNOWN_OF_BOOT
from orchestrator.core.causes_of_domain import OF_DOMAIN
from orchestrator.core.causes_of_machines import KNOWN, Cause
from orchestrator.core.causes_of_procedures import OF_PROCEDURES
from orchestrator.core.causes_of_servers import OF_SERVERS
from orchestrator.core.causes_of_windows import SEEN, TOLD

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
    Cause(
        code="less_than_before",
        says="its successor lacks something that the old machine offered",
        remedy="See what: `kahn wave compare`. If it may stay so, say `kahn wave repaired --step done`; once it is "
        "mended, `--step not-done`: then it is compared again. Or take it back.",
    ),
    Cause(
        code="not_compared",
        says="every step is done, but before and after could not be compared",
        remedy="Look at the successor. If all is there, say `kahn wave repaired --step done`; to compare again, "
        "`--step not-done`. Or take it back.",
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
        code="python_missing",
        says="it has no Python, which every step on it needs",
        remedy="Install Python 3.9 or newer as /usr/bin/python3, or choose another runbook; then plan it again.",
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
        code="opening_bad",
        says="at the hour at which its counter opens a procedure did not serve as its users need it",
        remedy="Ask it by hand at once: take it back, or mend it and resume; the department waits for one of the two.",
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
CAUSES: Mapping[str, Cause] = MappingProxyType(
    {
        cause.code: cause
        for cause in (*KNOWN, *OF_PROCEDURES, *OF_SERVERS, *OF_DOMAIN, *KNOWN_OF_BOOT, *_DECIDED, *SEEN, *TOLD)
    }
)
RULES_OWN = frozenset(cause.code for cause in (*_DECIDED, *SEEN))
"""Causes that only the rules give: a machine that names one of them is not believed."""
_UNNAMED = Cause(code="", says="no cause was recorded", remedy="Read the wave's log.")


def cause_of(code: str) -> Cause:
    """The cause with that code. Total: a code that is not in the list stands for itself, as text without templates."""
    if not code:
        return _UNNAMED
    literal = code.replace("{", "{{").replace("}", "}}")
    return CAUSES.get(code) or Cause(code=code, says=literal, remedy=_UNNAMED.remedy)
