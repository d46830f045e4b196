"""`kahn runbook`: which runbooks there are, whether they hold to the rules, and what they do step by step."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from orchestrator.cli.context import Context, context_of, harmless
from orchestrator.core.likeness import SECTIONS
from orchestrator.core.runbook import Runbook, RunbookInvalid, Step
from orchestrator.settings import NoHome
from orchestrator.texts import _
from orchestrator.wiring import Wish, adopt_playbook, find_runbook, known_runbooks, load_runbook, parsed_wish

app = typer.Typer(no_args_is_help=True, help=_("Runbooks: named steps with their playbooks, undo, verify and probe."))
Name = Annotated[str, typer.Argument(help=_("Name of a runbook, or the path of its folder."))]


@app.command("list")
def list_runbooks(ctx: typer.Context) -> None:
    """Every runbook: one's own in the state directory, and those shipped with Kahn."""
    kahn = context_of(ctx)
    table, rows = table_of(_("runbook"), _("title"), _("steps"), _("folder")), []
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
    found = load_runbook(folder_of(kahn, runbook))
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
    found = load_runbook(folder_of(kahn, runbook))
    roles = ", ".join(f"{role.name} = {role.machine.value}" for role in found.roles)
    kahn.out.line(f"{found.name}: {found.title}")
    kahn.out.line(_("Roles: {roles}. Tree {tree}.").format(roles=roles, tree=found.tree))
    _tell_adopted(kahn, found)
    kahn.out.rich(_steps(found))
    for number, point in enumerate(found.baseline.checklist, 1):
        if number == 1:
            kahn.out.line(_("noted before and compared after a way back, by hand:"))
        kahn.out.line(f"  {number}. {harmless(point)}")
    for step in found.steps:
        _tell_waiting(kahn, step)
        _tell_condition(kahn, step)
        _tell_points(kahn, step)
    _tell_after(kahn, found)
    kahn.out.json(found)


@app.command()
def adopt(
    ctx: typer.Context,
    playbook: Annotated[str, typer.Argument(help=_("A playbook's path, or REPOSITORY@COMMIT:PATH."))],
    *,
    name: Annotated[str, typer.Option(help=_("Name of the runbook; default: that of the file."))] = "",
    title: Annotated[str, typer.Option(help=_("What people read."))] = "",
    undo: Annotated[str, typer.Option(help=_("Your own playbook that takes it back, in the same folder."))] = "",
    probe: Annotated[str, typer.Option(help=_("Your own playbook that tells whether it was done."))] = "",
    vault_password_file: Annotated[Path | None, typer.Option(help=_("File that opens its vault; stays there."))] = None,
    deadline_s: Annotated[int, typer.Option(min=1, max=86_400, help=_("Seconds one run may take."))] = 3_600,
    fast: Annotated[
        bool, typer.Option("--fast", help=_("Play it through Mitogen: one Python a machine, not a task."))
    ] = False,
) -> None:
    """Take a playbook of your own in as a runbook, unchanged: it runs once per asset, and two persons approve it."""
    kahn = context_of(ctx)
    path, repository, commit = parsed_wish(playbook)
    wish = Wish(
        playbook=path,
        repository=repository,
        commit=commit,
        title=title,
        undo=undo,
        probe=probe,
        vault_password_file=str(vault_password_file.resolve()) if vault_password_file else "",
        deadline_s=deadline_s,
        fast=fast,
    )
    taken = adopt_playbook(wish, state_dir=kahn.settings.home, name=name or _name_of(path))
    _tell_adopted(kahn, taken.runbook)
    kahn.out.line(_("It lies in {folder}; the original is not used any more.").format(folder=taken.folder))
    for line in taken.findings:
        kahn.out.line(_("Look at {place}").format(place=harmless(line)))
    kahn.out.json({"name": taken.runbook.name, "folder": str(taken.folder), "findings": taken.findings})
    kahn.out.line(_("Next: name it in the policy's [runbooks], then `kahn plan propose`."))


def _name_of(playbook: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", Path(playbook).stem.lower()).strip("-")


def _tell_adopted(kahn: Context, runbook: Runbook) -> None:
    """What an approver must know of a playbook that Kahn did not write."""
    adopted, step = runbook.adopted, runbook.steps[0]
    if adopted is None:
        return
    kahn.out.line(_("Adopted from {origin}.").format(origin=harmless(adopted.origin)))
    kahn.out.line(_("It runs once per asset and is never repeated by itself. Two persons approve each wave of it."))
    if adopted.fast:
        kahn.out.line(_("It is played in the fast mode (Mitogen), which is part of what is approved."))
    if not step.undo:
        kahn.out.line(_("There is NO UNDO: what it did stays, also when it fails midway."))
    if not step.probe:
        kahn.out.line(_("There is no probe: when its end was not seen, a person has to look."))


def _tell_after(kahn: Context, runbook: Runbook) -> None:
    """What is compared before an asset counts as moved."""
    if runbook.after is None:
        return
    sections = ", ".join(one for one in SECTIONS if one not in runbook.after.leave_out)
    kahn.out.line(
        _("compared on {role} before an asset counts as moved: {what}").format(role=runbook.after.on, what=sections)
    )
    for pattern in runbook.after.ignore:
        kahn.out.line("  " + _("may differ: {pattern}").format(pattern=harmless(pattern)))


def _tell_waiting(kahn: Context, step: Step) -> None:
    """What it waits for, and how long at most."""
    if step.waits_for:
        says = _("{step} waits for the end of {causes}, at most {minutes} min, and looks every {every} s").format(
            step=step.name, causes=", ".join(step.waits_for), minutes=step.waits_s // 60, every=step.every_s
        )
        kahn.out.line(says)


def _tell_points(kahn: Context, step: Step) -> None:
    """What a person does in it, point by point."""
    for words, points in ((_("by hand"), step.checklist), (_("undo by hand"), step.undo_checklist)):
        if points:
            kahn.out.line(f"{step.name}, {words}" + (f" ({harmless(step.present)}):" if step.present else ":"))
        for number, point in enumerate(points, 1):
            kahn.out.line(f"  {number}. {harmless(point)}")


def _tell_condition(kahn: Context, step: Step) -> None:
    """What must be there for it to be part of a wave."""
    if step.only_with:
        says = _("{step} is part of a wave only where the policy has [{what}]")
        kahn.out.line(says.format(step=step.name, what=step.only_with))


def _steps(runbook: Runbook) -> Table:
    words = (_("step"), _("what it does"), _("on"), _("effect"), _("undo"), _("verify"), _("probe"), _("deadline"))
    table = table_of("#", *words)
    for number, step in enumerate(runbook.steps, start=1):
        table.add_row(str(number), *(escape(harmless(one)) for one in _cells(step)))
    return table


def _cells(step: Step) -> tuple[str, ...]:
    undo = _("no return") if step.no_return else _is_there(step.undo or "".join(step.undo_checklist))
    if step.checklist:
        return (step.name, step.title, step.on, step.effect.value, undo, _("by hand"), "-", f"{step.deadline_s} s")
    parts = (undo, _is_there(step.verify), _is_there(step.probe))
    on = f"{step.on} ({_('another tool')})" if step.external else step.on
    return (step.name, step.title, on, step.effect.value, *parts, f"{step.deadline_s} s")


def _is_there(playbook: str) -> str:
    return _("yes") if playbook else "-"


def table_of(*columns: str) -> Table:
    """A plain table of these columns."""
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


def folder_of(kahn: Context, runbook: str) -> Path:
    """The folder of a runbook named by a command: a path, or a name. Raises RunbookUnknown."""
    path = Path(runbook)
    if "/" in runbook or (path / "runbook.yml").is_file():
        return path.parent if path.name == "runbook.yml" else path
    return find_runbook(runbook, state_dir=_state_dir(kahn))
