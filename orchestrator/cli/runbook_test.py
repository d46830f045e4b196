"""`kahn runbook test`: a runbook tried on throw-away hosts, forward, failed and killed at each step, and back."""

from __future__ import annotations

import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import typer
from rich.markup import escape
from rich.table import Table

from inventory.errors import ExpectedError
from orchestrator.cli.context import Context, context_of, harmless
from orchestrator.cli.runbook import Name, folder_of, table_of
from orchestrator.core.trial import NOT_TRIED, Finding, Ground, Trial, Tried, Unseen, cannot_try, ground_of
from orchestrator.spoken import one_line
from orchestrator.texts import _
from orchestrator.wiring_trial import double_lacks, trial_of, what_is_tried

if TYPE_CHECKING:
    from orchestrator.lab.lab import Lab

FAILED = 1


class NoDouble(ExpectedError):
    """A runbook for Windows, and nothing that could speak in the place of a Windows machine."""

    code, says = "RBK-010", "Runbook {runbook} is for Windows; the protocol double needs the Python package {lacks}."
    remedy = "Install Kahn with it (`pip install 'spreekahn[double]'`). Even then no Windows machine is tried."
    exit_code = 7


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

    They are one seat, or, where a procedure moves, two servers with a made-up one behind a gateway; for network boot
    a bare machine in an emulator. Every file, and every row of the procedure, is compared with before from outside.
    Needs root and Linux. A runbook for Windows is played against a protocol double, which is no Windows machine. Ends
    with 1 when anything went otherwise than it must. Ctrl-C takes the hosts away, too, and ends with 130.
    """
    kahn = context_of(ctx)
    folder = folder_of(kahn, runbook)
    found, modules = what_is_tried(folder)
    why = cannot_try(found, modules)
    if why:
        raise CannotTry(runbook=found.name, why=why)
    doubled = ground_of(found) is Ground.DOUBLE
    if doubled and (lacks := double_lacks()):
        raise NoDouble(runbook=found.name, lacks=lacks)
    if doubled:
        kahn.out.line(no_windows())
    with _place(kahn, with_lab=not doubled) as (lab, state):
        trial = trial_of(folder, lab=lab, state=state, tell=kahn.out.line).run()
    _show(kahn, trial)
    if doubled:
        kahn.out.line(no_windows())
    if not trial.passed:
        raise typer.Exit(FAILED)


@contextmanager
def _place(kahn: Context, *, with_lab: bool) -> Iterator[tuple[Lab | None, Path]]:
    """A lab where one is needed, and a folder for everything else; both are gone afterwards."""
    from orchestrator.lab.lab import Lab  # the lab: only who tries a runbook needs it

    with tempfile.TemporaryDirectory(prefix="kahn-trial-") as place:
        lab = Lab(Path(place) / "lab", tell=lambda notice: kahn.out.line(f"  {notice}")) if with_lab else None
        with _stopped_once():
            try:
                yield lab, Path(place) / "state"
            except KeyboardInterrupt:
                kahn.out.warn(_("Interrupted; taking the throw-away hosts away. Nothing was found out."))
                raise
            finally:
                if lab is not None:
                    lab.down()


@contextmanager
def _stopped_once() -> Iterator[None]:
    """The first Ctrl-C, end or hang-up of the terminal interrupts; a further one does not disturb the taking away."""
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

    def interrupted(_number: int, _frame: object) -> None:
        for number in numbers:
            signal.signal(number, signal.SIG_IGN)
        raise KeyboardInterrupt

    before = {number: signal.signal(number, interrupted) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def no_windows() -> str:
    """What must be said before and after anything that a double had a part in."""
    return _(
        "Played against a PROTOCOL DOUBLE: no Windows machine was reached and no line of PowerShell was run. "
        "This is no rehearsal, and opens no gate."
    )


def _show(kahn: Context, trial: Trial) -> None:
    for line in lines_of(trial):
        kahn.out.line(line)
    kahn.out.rich(_table(trial))
    for line in unseen_lines(trial):
        kahn.out.line(line)
    kahn.out.json(trial)


def _table(trial: Trial) -> Table:
    words = (_("step"), _("forward"), _("failed here"), _("killed here"))
    table = table_of(*words)
    for one in trial.steps:
        table.add_row(one.step, *(escape(word_of(finding)) for finding in (one.forward, one.failed, one.killed)))
        if one.cut != NOT_TRIED:
            table.add_row(_("{step}, power lost in the midst").format(step=one.step), "", escape(word_of(one.cut)), "")
    table.add_row(_("compared with before"), escape(word_of(trial.after)), "", "")
    table.add_row(_("asked whether it serves"), escape(word_of(trial.service)), "", "")
    table.add_row(_("back, compared"), escape(word_of(trial.back)), "", "")
    table.add_row(_("frozen runbook after every run"), escape(word_of(trial.tree)), "", "")
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
        Unseen.REAL_MACHINES: _("real hardware: the bare machine runs in an emulator"),
        Unseen.WINDOWS: _("Windows itself: a double spoke in its place, and no line of PowerShell was run"),
    }
    return [_("Not looked at:"), *(f"  {words[one]}" for one in trial.unseen)] if trial.unseen else []
