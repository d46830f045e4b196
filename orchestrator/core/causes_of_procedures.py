"""Causes that the machines of a procedure name: its servers, their databases, and the gateway in front of them."""

from __future__ import annotations

from orchestrator.core.causes_of_machines import Cause
from orchestrator.core.causes_of_names import OF_NAMES

OF_PROCEDURES = (
    *OF_NAMES,
    # what was described is not what is there
    Cause(
        code="path_missing",
        says="a file or folder of the procedure is not on the old server",
        remedy="Correct the paths under [[procedure]] in the policy, then propose the plan again.",
    ),
    Cause(
        code="job_missing",
        says="a scheduled job of the procedure is not on the old server",
        remedy="Correct `jobs` under [[procedure]] in the policy, then propose the plan again.",
    ),
    Cause(
        code="account_missing",
        says="the service account is not on the old server",
        remedy="Correct `user` under [[procedure]] in the policy, then propose the plan again.",
    ),
    Cause(
        code="database_missing",
        says="there is no such database, role or database program",
        remedy="Correct the databases under [[procedure]] in the policy, or install the server's programs.",
    ),
    Cause(
        code="gateway_differs",
        says="the gateway does not lead where the description says",
        remedy="Look at the gateway's file; correct it, or `gateway_line` in the policy, then plan it again.",
    ),
    Cause(
        code="switch_differs",
        says="a file that is to be switched is no plain file, or does not name the old server",
        remedy="Look at that file; correct it, or `switch_files` or `points_here` in the policy, then plan it again.",
    ),
    Cause(
        code="mounts_inside",
        says="another file system is mounted in a folder that is to be carried",
        remedy="Name the folders so that none holds another file system, then propose the plan again.",
    ),
    # databases
    Cause(
        code="database_away",
        says="the database server does not answer",
        remedy="Start it or look at its socket and port, then plan it again.",
    ),
    Cause(
        code="database_damaged",
        says="a database is damaged by its own account",
        remedy="Have it repaired before it moves; nothing of it was touched.",
    ),
    Cause(
        code="database_failed",
        says="the database server refused; its own words stand in the result",
        remedy="Read them in the wave's log, mend what they name, then plan it again.",
    ),
    Cause(
        code="database_foreign",
        says="a database has the name that Kahn needs beside the procedure's, and Kahn did not make it",
        remedy="Rename it or have it removed by whoever owns it (the message names it), then plan it again.",
    ),
    Cause(
        code="database_has_events",
        says="an event of a MariaDB database would write on both servers",
        remedy="Disable the event that is named, then plan it again; enable it after the move.",
    ),
    Cause(
        code="database_has_own_rights",
        says="a database has rights or settings of its own that would not be carried",
        remedy="Write them down, take them away and set them again after the move, or move it by hand.",
    ),
    Cause(
        code="database_in_use",
        says="another program has a database open",
        remedy="End the programs that the result names (a backup, a report), then plan it again.",
    ),
    Cause(
        code="database_too_old",
        says="a database server is too old, or the new one is older than the old one",
        remedy="Bring the server that is named up to date, then plan it again.",
    ),
    Cause(
        code="not_fenced",
        says="a database was to be replaced while it may be in use, so nothing was touched",
        remedy="Look at the server: somebody took its barrier away. Then roll back again.",
    ),
    # carrying and comparing
    Cause(
        code="fingerprint_differs",
        says="files or tables differ between the two servers",
        remedy="The result names the tables; the old server serves. Look for a program that writes beside the service.",
    ),
    Cause(
        code="parcel_damaged",
        says="what a machine sent makes no sense",
        remedy="Check the line and that machine, then plan it again.",
    ),
    Cause(
        code="already_moved",
        says="the copy is in use, because the procedure has moved",
        remedy="Take the cut-over back first.",
    ),
    # service, gateway, writers
    Cause(
        code="service_not_running",
        says="the service does not run on the old server",
        remedy="Start it, or correct `unit` in the policy, then plan it again.",
    ),
    Cause(
        code="service_not_started",
        says="the service did not start",
        remedy="Read its last words in the wave's log and look at its own log on the server.",
    ),
    Cause(
        code="service_not_stopped",
        says="the service did not stop",
        remedy="Read its last words in the wave's log; end it by hand, then plan it again.",
    ),
    Cause(
        code="procedure_silent",
        says="the procedure does not answer as its users need it",
        remedy="Ask it by hand (`path`, `expect` under [[procedure]]), then plan it again.",
    ),
    Cause(
        code="interface_unreachable",
        says="the new server does not reach what the old one reaches",
        remedy="Have the firewall opened for the addresses that the result names, then plan it again.",
    ),
    Cause(
        code="gateway_refused",
        says="the gateway did not take its new file",
        remedy="Read its last words in the wave's log, correct its configuration, then plan it again.",
    ),
    Cause(
        code="gateway_unreachable",
        says="the gateway did not answer",
        remedy="Look whether it is on and connected, then plan it again.",
    ),
    Cause(
        code="partner_unreachable",
        says="a machine whose files name the old server did not answer",
        remedy="Look whether it is on and connected, or correct `points_here` in the policy, then plan it again.",
    ),
    Cause(
        code="partner_silent",
        says="another procedure's machine does not reach the procedure as described",
        remedy="Try the interface by hand from the machine that is named; correct it, or `points_here` in the policy.",
    ),
    Cause(
        code="partner_refused",
        says="the command that makes another procedure's machine read its files failed",
        remedy="Read its words in the wave's log, look at that machine, then plan it again.",
    ),
    Cause(
        code="partner_failed",
        says="Kahn's program on another procedure's machine ended before its time",
        remedy="Read the message in the wave's log and look at that machine.",
    ),
    Cause(
        code="two_writers",
        says="both servers run the service, or the wrong one does",
        remedy="Stop the wrong one by hand (`kahn wave show W --evidence ASSET` says which); nothing was touched.",
    ),
    Cause(
        code="record_damaged",
        says="the note of who may write cannot be read on the gateway",
        remedy="Look at both servers and the gateway before anything else is done, then say how the step stands.",
    ),
    Cause(
        code="not_moved",
        says="servers and gateway do not agree that the new server serves",
        remedy="Look at both servers and the gateway, then roll back or try again.",
    ),
    Cause(
        code="source_failed",
        says="Kahn's program on the old machine ended before its time",
        remedy="Read the message in the wave's log and look at that machine.",
    ),
    Cause(
        code="target_failed",
        says="Kahn's program on the new machine ended before its time",
        remedy="Read the message in the wave's log and look at that machine.",
    ),
    Cause(
        code="gateway_failed",
        says="Kahn's program on the gateway ended before its time",
        remedy="Read the message in the wave's log and look at that machine.",
    ),
    Cause(
        code="vault_failed",
        says="Kahn's program on the vault ended before its time",
        remedy="Read the message in the wave's log and look at that machine.",
    ),
    Cause(
        code="vault_unreachable",
        says="the vault did not answer",
        remedy="Look whether it is on and connected, then plan it again.",
    ),
    Cause(
        code="giver_failed",
        says="the machine that gives stopped in the middle",
        remedy="Read the message in the wave's log and look at that machine.",
    ),
    # any machine
    Cause(
        code="access_not_root",
        says="Kahn's user does not become root there",
        remedy="Correct the access profile (`become`), then propose the plan again.",
    ),
    Cause(code="bad_asset", says="the asset's id cannot name a folder", remedy="Give the asset a plain id."),
    Cause(
        code="store_damaged",
        says="Kahn's own folder on the machine is no folder",
        remedy="Somebody put something else in the place of /var/lib/kahn: look at the machine first.",
    ),
    Cause(
        code="disk_error",
        says="a disk reports errors",
        remedy="Have the disk replaced or restore the machine, then plan it again.",
    ),
    Cause(
        code="not_permitted",
        says="the operating system does not permit it, even to root",
        remedy="Look for read-only attributes or a security module on the file that is named.",
    ),
    Cause(
        code="path_too_long",
        says="a path is too long for the machine",
        remedy="Shorten the folder names that the result names, then plan it again.",
    ),
)
