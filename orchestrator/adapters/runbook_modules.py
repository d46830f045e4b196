"""Which modules the playbooks of a runbook use, read from the plays without Ansible."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from orchestrator.adapters.runbook_yaml import read_lined
from orchestrator.core.runbook import Runbook

BOOT_SERVER = "kahn_netboot"
"""The module by which a runbook releases a disk to Kahn's boot server."""
ADOPTED = "adopted"
"""What stands in place of the modules of a playbook that somebody else wrote: nobody reads those."""
_LISTS = ("tasks", "pre_tasks", "post_tasks", "handlers", "block", "rescue", "always")
_KEYWORDS = frozenset({
    "action", "any_errors_fatal", "args", "async", "become", "become_exe", "become_flags", "become_method",
    "become_user", "changed_when", "check_mode", "collections", "connection", "debugger", "delay", "delegate_facts",
    "delegate_to", "diff", "environment", "failed_when", "ignore_errors", "ignore_unreachable", "listen",
    "local_action", "loop", "loop_control", "module_defaults", "name", "no_log", "notify", "poll", "port", "register",
    "remote_user", "retries", "run_once", "tags", "throttle", "timeout", "until", "vars", "when",
})  # fmt: skip
"""What a task may say beside its module."""


def modules_of(runbook: Runbook, folder: Path) -> frozenset[str]:
    """Names of the modules of all plays; Ansible's own without their collection. Raises RunbookInvalid."""
    if runbook.adopted is not None:
        return frozenset({ADOPTED})
    found: set[str] = set()
    for name in _playbooks(runbook):
        found.update(_modules(read_lined(folder / name, shown_as=str(folder / name), own_tags=True).value))
    return frozenset(found)


def _playbooks(runbook: Runbook) -> Iterator[str]:
    told = [runbook.baseline.take, runbook.baseline.compare]
    told += [one.playbook for one in (runbook.service, runbook.after) if one is not None]
    told += [runbook.service.at_end] if runbook.service is not None else []
    for step in runbook.steps:
        told += [step.playbook, step.verify, step.undo, step.probe]
    return (name for name in dict.fromkeys(told) if name)


def _modules(plays: Any) -> Iterator[str]:
    """Of a list of plays, tasks or blocks; a play with roles uses what nobody reads here, and says ``roles``."""
    for entry in plays if isinstance(plays, list) else ():
        if not isinstance(entry, dict):
            continue
        inner = [word for word in _LISTS if word in entry]
        for word in inner:
            yield from _modules(entry[word])
        if "roles" in entry:
            yield "roles"
        if not inner and "hosts" not in entry:
            yield from (_short(word) for word in entry if word not in _KEYWORDS and not word.startswith("with_"))


def _short(name: str) -> str:
    return name.removeprefix("ansible.builtin.").removeprefix("ansible.legacy.")
