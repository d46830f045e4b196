"""`kahn runbook test`: a runbook tried on throw-away hosts, forward, failed and killed at each step, and back."""

from __future__ import annotations

import tempfile
from pathlib import Path

import typer
from rich.markup import escape
from rich.table import Table

from inventory.errors import ExpectedError
from orchestrator.cli.context import context_of, harmless
from orchestrator.cli.runbook import Name, folder_of, table_of
from orchestrator.core.trial import Finding, Trial, Tried, cannot_try
from orchestrator.spoken import one_line
from orchestrator.texts import _
from orchestrator.wiring import load_runbook, trial_of

FAILED = 1


class CannotTry(ExpectedError):
    """A runbook of which nothing can be tried on lab hosts."""

    code, says = "RBK-006", "Runbook {runbook} cannot be tried on lab hosts: {why}."
    remedy = "Try it in a wave on machines that do not matter, and confirm the rehearsal."
    exit_code = 3


def try_runbook(
    ctx: typer.Context,
    runbook: Name,
) -> None:
    """Try a runbook on one seat of throw-away hosts: each step fails, is killed, is taken back, is done; then back.

    Every file of the hosts is compared with before from outside. Needs root and Linux. Ends with 1 when anything went
    otherwise than it must.
    """
    from orchestrator.lab.lab import Lab  # the lab: only who tries a runbook needs it

    kahn = context_of(ctx)
    folder = folder_of(kahn, runbook)
    found = load_runbook(folder)
    why = cannot_try(found)
    if why:
        raise CannotTry(runbook=found.name, why=why)
    with tempfile.TemporaryDirectory(prefix="kahn-trial-") as place:
        lab = Lab(Path(place) / "lab", tell=lambda notice: kahn.out.line(f"  {notice}"))
        try:
            trial = trial_of(folder, lab=lab, state=Path(place) / "state", tell=kahn.out.line).run()
        finally:
            lab.down()
    for line in lines_of(trial):
        kahn.out.line(line)
    kahn.out.rich(_table(trial))
    kahn.out.json(trial)
    if not trial.passed:
        raise typer.Exit(FAILED)


def _table(trial: Trial) -> Table:
    words = (_("step"), _("forward"), _("failed here"), _("killed here"))
    table = table_of(*words)
    for one in trial.steps:
        table.add_row(one.step, *(escape(word_of(finding)) for finding in (one.forward, one.failed, one.killed)))
    table.add_row(_("back, compared"), word_of(trial.back), "", "")
    return table


def word_of(finding: Finding) -> str:
    """A finding in words."""
    words = {
        Tried.WELL: _("as before") if finding.told else _("ok"),
        Tried.DIFFERS: _("DIFFERS"),
        Tried.BROKEN: _("BROKEN"),
        Tried.NOT_TRIED: _("not tried"),
    }
    return words[finding.verdict] + (f" ({one_line(finding.told)})" if finding.told else "")


def lines_of(trial: Trial) -> list[str]:
    """What differs, path by path."""
    return [f"  {harmless(path)}" for finding in trial.findings for path in finding.differences]
