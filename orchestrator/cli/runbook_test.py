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
from orchestrator.core.trial import Finding, Trial, Tried, Unseen, cannot_try
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
    """Try a runbook on throw-away hosts: each step fails, is killed, is taken back, is done; then back.

    They are one seat, or, where a procedure moves, two servers with a made-up one behind a gateway. Every file, and
    every row of the procedure, is compared with before from outside. Needs root and Linux. Ends with 1 when anything
    went otherwise than it must.
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
    for line in unseen_lines(trial):
        kahn.out.line(line)
    kahn.out.json(trial)
    if not trial.passed:
        raise typer.Exit(FAILED)


def _table(trial: Trial) -> Table:
    words = (_("step"), _("forward"), _("failed here"), _("killed here"))
    table = table_of(*words)
    for one in trial.steps:
        table.add_row(one.step, *(escape(word_of(finding)) for finding in (one.forward, one.failed, one.killed)))
    table.add_row(_("compared with before"), escape(word_of(trial.after)), "", "")
    table.add_row(_("asked whether it serves"), escape(word_of(trial.service)), "", "")
    table.add_row(_("back, compared"), escape(word_of(trial.back)), "", "")
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


def unseen_lines(trial: Trial) -> list[str]:
    """What nobody looked at."""
    words = {
        Unseen.OTHER_FILES: _(
            "files outside of /etc /home /root /opt /srv /boot /usr/local /var, and logs and temporary files in /var"
        ),
        Unseen.TIMES: _("times of files outside of /home"),
        Unseen.DEATHS: _(
            "the death of a machine or of its line: Ansible alone is killed, a third of the way through each step"
        ),
        Unseen.RULES: _("several assets at once, and the rules by which a wave goes on"),
        Unseen.OTHER_DATABASES: _("PostgreSQL and MariaDB: the made-up procedure keeps its rows in SQLite"),
        Unseen.WRITERS: _("users who write meanwhile"),
        Unseen.SERVICES: _("running services and databases"),
        Unseen.EMPTY_GATEWAY: _("what a gateway serves: here it is an empty machine"),
        Unseen.BASELINE_BY_HAND: _("the comparison with before, which is a person's"),
    }
    return [_("Not looked at:"), *(f"  {words[one]}" for one in trial.unseen)] if trial.unseen else []
