"""Two runbooks as one: the steps of the first, such as an installation, in front of those of the second."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Any

import yaml

from inventory.errors import ExpectedError
from orchestrator.adapters.runbook_yaml import read_lined
from orchestrator.adapters.runbooks import FILE_NAME, SHIPPED, is_runbook_name, load_runbook
from orchestrator.core.runbook import Runbook
from orchestrator.supervisor.boundary import boundary

PLAYBOOKS = ("playbook", "start", "verify", "undo", "probe")
MAX_TITLE = 120


class CannotJoin(ExpectedError):
    """Two runbooks cannot be one."""

    code, says = "RBK-009", "{first} and {second} cannot be joined: {why}."
    remedy = "Copy one of them into `runbooks/` of the state directory, change it there, and join that one."


def join_runbooks(first: Path, second: Path, *, shelf: Path, name: str, shared: Path = SHIPPED) -> Runbook:
    """The joined runbook, written to ``shelf/name``, which must not exist. Raises CannotJoin, RunbookInvalid.

    The files of the first lie in a folder of its name; baseline, service check and comparison are the second's.
    """
    loaded = load_runbook(first, shared=shared), load_runbook(second, shared=shared)
    if why := _hindrance(*loaded, name=name) or ("its folder exists already" if (shelf / name).exists() else ""):
        raise CannotJoin(first=loaded[0].name, second=loaded[1].name, why=why)
    told = [read_lined(folder / FILE_NAME, shown_as=str(folder / FILE_NAME)).value for folder in (first, second)]
    shelf.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".join-", dir=shelf) as work:
        part = Path(work) / name
        shutil.copytree(second, part, ignore=shutil.ignore_patterns("__pycache__"))
        inner = part / loaded[0].name
        if inner.exists():
            raise CannotJoin(first=loaded[0].name, second=loaded[1].name, why=f"the second has a folder {inner.name}")
        shutil.copytree(first, inner, ignore=shutil.ignore_patterns(FILE_NAME, "__pycache__"))
        document = _joined(told[0], told[1], folder=inner.name)
        text = yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=1_000)
        (part / FILE_NAME).write_text(f"# Made of {loaded[0].name} and {loaded[1].name}.\n{text}", encoding="utf-8")
        load_runbook(part, shared=shared)
        with boundary("joined.rename"):
            part.rename(shelf / name)
    return load_runbook(shelf / name, shared=shared)


def _hindrance(first: Runbook, second: Runbook, *, name: str) -> str:
    """Why they cannot be one; empty when they can."""
    if not is_runbook_name(name):
        return f"{name[:60]!r} is no runbook name (a-z, 0-9 and -)"
    if first.adopted or second.adopted:
        return "an adopted playbook is played alone"
    if both := sorted(set(first.step_names) & set(second.step_names)):
        return f"both have a step {both[0]!r}"
    machines = {role.name: role.machine for role in second.roles}
    for role in first.roles:
        if machines.get(role.name, role.machine) is not role.machine:
            return f"the role {role.name} is another machine in each"
    facts = {need.fact: need.values for need in second.needs}
    for need in first.needs:
        if facts.get(need.fact, need.values) != need.values:
            return f"they need different values of {need.fact}"
    return ""


def _joined(first: dict[str, Any], second: dict[str, Any], *, folder: str) -> dict[str, Any]:
    """The document of both. Playbooks of the first are found in ``folder``."""
    steps = [
        {key: f"{folder}/{value}" if key in PLAYBOOKS else value for key, value in step.items()}
        for step in first["steps"]
    ]
    title = f"{first['title']}, then: {second['title']}"
    more = {
        "title": title if len(title) <= MAX_TITLE else second["title"],
        "roles": {**first["roles"], **second["roles"]},
        "needs": {**first.get("needs", {}), **second.get("needs", {})},
        "groups": list(dict.fromkeys([*first.get("groups", []), *second.get("groups", [])])),
        "procedure": bool(first.get("procedure") or second.get("procedure")),
    }
    kept = {key: value for key, value in more.items() if value}
    return {**second, **kept, "steps": [*steps, *second["steps"]]}
