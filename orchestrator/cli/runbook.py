"""`kahn runbook`: which runbooks there are, whether they hold to the rules, and what they do step by step."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from orchestrator.cli.context import Context, context_of, harmless
from orchestrator.core.runbook import Runbook, RunbookInvalid, Step
from orchestrator.settings import NoHome
from orchestrator.texts import _
from orchestrator.wiring import find_runbook, known_runbooks, load_runbook

app = typer.Typer(no_args_is_help=True, help=_("Runbooks: named steps with their playbooks, undo, verify and probe."))
Name = Annotated[str, typer.Argument(help=_("Name of a runbook, or the path of its folder."))]


@app.command("list")
def list_runbooks(ctx: typer.Context) -> None:
    """Every runbook: one's own in the state directory, and those shipped with Kahn."""
    kahn = context_of(ctx)
    table, rows = _table(_("runbook"), _("title"), _("steps"), _("folder")), []
    for name, folder in known_runbooks(state_dir=_state_dir(kahn)):
        try:
            runbook = load_runbook(folder)
            row = {"name": name, "title": runbook.title, "steps": len(runbook.steps), "folder": str(folder)}
        except RunbookInvalid as error:
            row = {"name": name, "title": str(error), "steps": 0, "folder": str(folder)}
        rows.append(row)
        table.add_row(*(escape(harmless(one)) for one in row.values()))
    kahn.out.rich(table)
    kahn.out.json(rows)
    kahn.out.line(_("Next: `kahn runbook show NAME`."))


@app.command()
def check(ctx: typer.Context, runbook: Name) -> None:
    """Check a runbook by every rule; an error names file and line."""
    kahn = context_of(ctx)
    found = load_runbook(_folder(kahn, runbook))
    kahn.out.line(
        _("{name} holds to every rule: {steps} steps, tree {tree}.").format(
            name=found.name, steps=len(found.steps), tree=found.tree[:12]
        )
    )
    kahn.out.json({"name": found.name, "tree": found.tree, "steps": found.step_names})


@app.command()
def show(ctx: typer.Context, runbook: Name) -> None:
    """The steps of a runbook with effect, undo, verify, probe and deadline."""
    kahn = context_of(ctx)
    found = load_runbook(_folder(kahn, runbook))
    roles = ", ".join(f"{role.name} = {role.machine.value}" for role in found.roles)
    kahn.out.line(f"{found.name}: {found.title}")
    kahn.out.line(_("Roles: {roles}. Tree {tree}.").format(roles=roles, tree=found.tree))
    kahn.out.rich(_steps(found))
    kahn.out.json(found)


def _steps(runbook: Runbook) -> Table:
    words = (_("step"), _("what it does"), _("on"), _("effect"), _("undo"), _("verify"), _("probe"), _("deadline"))
    table = _table("#", *words)
    for number, step in enumerate(runbook.steps, start=1):
        table.add_row(str(number), *(escape(harmless(one)) for one in _cells(step)))
    return table


def _cells(step: Step) -> tuple[str, ...]:
    undo = _("no return") if step.no_return else _is_there(step.undo)
    parts = (undo, _is_there(step.verify), _is_there(step.probe))
    return (step.name, step.title, step.on, step.effect.value, *parts, f"{step.deadline_s} s")


def _is_there(playbook: str) -> str:
    return _("yes") if playbook else "-"


def _table(*columns: str) -> Table:
    table = Table(box=None, pad_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold", no_wrap=column in (_("step"), _("runbook")))
    return table


def _state_dir(kahn: Context) -> Path:
    """The state directory; runbooks can be checked before there is one."""
    try:
        return kahn.settings.home
    except NoHome:
        return kahn.home or Path.cwd()


def _folder(kahn: Context, runbook: str) -> Path:
    path = Path(runbook)
    if "/" in runbook or (path / "runbook.yml").is_file():
        return path.parent if path.name == "runbook.yml" else path
    return find_runbook(runbook, state_dir=_state_dir(kahn))
