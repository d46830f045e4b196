"""Causes that a machine names or that are known of a run: why a move is not well, and what a person does about it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """One cause. ``says`` completes "not moved: ..."; ``remedy`` is what helps; both English, translated when shown."""

    code: str
    says: str
    remedy: str


KNOWN = (
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
        code="reach_lost",
        says="the new machine does not reach something that the old one reaches and that is used there",
        remedy="Look at its place in the network and at firewalls (the result names address and port); plan it again.",
    ),
    Cause(
        code="hostname_differs",
        says="the new machine does not bear the name of its record",
        remedy="Look what else sets its name (DHCP, a directory), then try the step again.",
    ),
    Cause(
        code="owners_differ",
        says="owners of files are somebody else on the new server",
        remedy="Give both servers the same directory (the result names numbers and names), then plan it again.",
    ),
    Cause(
        code="sid_differs",
        says="Windows ACLs name accounts of the old server itself, whom the new server does not know",
        remedy="Give the new server the old one's SID (`net setlocalsid`, the result names it), then plan it again.",
    ),
    Cause(
        code="acl_not_supported",
        says="the new server's file system does not keep ACLs or attributes that are in use",
        remedy="Mount it with ACLs and extended attributes, then plan it again.",
    ),
    Cause(
        code="files_in_use",
        says="files of the share are open although its service has stopped",
        remedy="End the programs that the result names (a backup, a session on the server), then plan it again.",
    ),
    Cause(
        code="still_used",
        says="somebody still uses the machine that is to be retired",
        remedy="Ask them (the result names logons, connections and files); plan it again, or change its strategy.",
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
    Cause(
        code="read_only",
        says="its root file system is read-only",
        remedy="Look at its disk before anything else is done, then plan it again.",
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
        code="equipment_invalid",
        says="the old machine's list of printers and shares is not usable",
        remedy="Somebody may have tampered with the old machine: look at its printers.conf, fstab and crontabs.",
    ),
    Cause(
        code="equipment_missing",
        says="printers, shares or scheduled jobs are not on the new machine",
        remedy="Look whether something else manages them there; then try the step again.",
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
