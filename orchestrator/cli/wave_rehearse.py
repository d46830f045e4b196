"""``kahn wave rehearse``: a wave's runbook played through the engine where nothing counts, with a stopwatch."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from orchestrator.actions.rehearse_wave import Player, keep_rehearsal, played_as, read_rehearsal, stage_rehearsal
from orchestrator.actions.sign import Intent, Keyboard
from orchestrator.actions.take_back import ask_rollback
from orchestrator.cli.context import Context, context_of, harmless
from orchestrator.cli.drive import DONE, VIEW_CLOSED, drive_until_rest
from orchestrator.cli.lines import run_words
from orchestrator.core.rehearsal import LAB, SIMULATED, CannotRehearse, Rehearsal, goes_back, why_not
from orchestrator.core.step_times import estimates
from orchestrator.core.wave import ActKind
from orchestrator.ports import WaveRow
from orchestrator.spoken import one_line
from orchestrator.texts import _
from orchestrator.wiring import read_public_key, rehearsal_home

FAILED = 1
SEATS, MOST_SEATS = 3, 20
PROPOSER, APPROVER = "rehearsal-proposer", "rehearsal-approver"


def rehearse(
    ctx: typer.Context,
    wave: Annotated[str, typer.Argument(help="Wave, such as W01.")],
    seats: Annotated[int, typer.Option(min=1, max=MOST_SEATS, help="Seats of the lab that play it.")] = SEATS,
    simulated: Annotated[
        bool, typer.Option("--simulated", help="The wave's own assets on simulated machines; opens no gate.")
    ] = False,
    played: Annotated[
        str, typer.Option("--played-as", help="A wave that is over, on machines that do not matter, as the rehearsal.")
    ] = "",
) -> None:
    """Play the wave's runbook on throw-away hosts through the wave engine, there and back, with a stopwatch.

    What the steps took counts for the wave's times; when all went well on lab hosts, the gate `rehearsal` is opened.
    Nothing of the wave itself is touched. Needs root and Linux (not with --simulated).
    """
    if played and simulated:
        raise typer.BadParameter(_("give either --simulated or --played-as"))
    if seats != SEATS and (played or simulated):
        raise typer.BadParameter(_("--seats is for hosts of the lab alone"))
    kahn = context_of(ctx)
    with kahn.world.look() as desk:
        row = desk.books.waves.get(kahn.tenant, wave)
        found = played_as(desk, row, desk.books.waves.get(kahn.tenant, played)) if played else None
    rehearsal = found or _play(kahn, row, seats=seats, simulated=simulated)
    opened = _keep(kahn, row, rehearsal)
    _tell(kahn, rehearsal, opened=opened)
    raise typer.Exit(DONE if rehearsal.passed else FAILED)


def _keep(kahn: Context, row: WaveRow, rehearsal: Rehearsal) -> bool:
    """Simulated machines leave no trace at all."""
    if rehearsal.where == SIMULATED:
        return False
    with kahn.world.desk() as desk:
        return keep_rehearsal(desk, row, rehearsal)


# --------------------------------------------------------------------------- playing it


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """A wave that was staged: who looks at it with which Context, and where its driver must run."""

    kahn: Context
    wave: str
    proposer: Keyboard
    where: str
    inside: AbstractContextManager[None]


def _play(kahn: Context, row: WaveRow, *, seats: int, simulated: bool) -> Rehearsal:
    why = why_not(row.content.runbook, simulated=simulated)
    if why:
        raise CannotRehearse(runbook=row.content.runbook.name, wave=row.key, why=why)
    back = goes_back(row.content.runbook)
    with tempfile.TemporaryDirectory(prefix="kahn-rehearsal-") as place:
        with _staged(kahn, row, Path(place), seats=0 if simulated else seats) as stage, stage.inside:
            code = drive_until_rest(stage.kahn, stage.wave)
            if code == DONE and back:
                _ask_for_all_back(stage)
                code = drive_until_rest(stage.kahn, stage.wave)
        if code == VIEW_CLOSED:
            raise typer.Exit(VIEW_CLOSED)
        with stage.kahn.world.look() as desk:
            there = desk.books.waves.get(stage.kahn.tenant, stage.wave)
            return read_rehearsal(desk, row.content, there, where=stage.where, with_way_back=back)


@contextmanager
def _staged(kahn: Context, row: WaveRow, place: Path, *, seats: int) -> Iterator[Stage]:
    """The wave approved and started in a store of its own. ``seats``: of the lab; 0 for simulated machines."""
    from orchestrator.lab.rehearsal import lab_ground, simulated_ground, throw_away_key  # only who rehearses needs them

    now = kahn.world.clock.now()
    ground = (
        lab_ground(place, row.content, seats=seats, now=now, tell=lambda notice: kahn.out.line(f"  {notice}"))
        if seats
        else simulated_ground(place, row.content, now=now)
    )
    with ground as there:
        home = rehearsal_home(place, there.content, like=kahn.world, program=there.program)
        scratch = Context(home=home, tenant_name=kahn.tenant, json=kahn.json, plain=kahn.plain, yes=True)
        keyboards = [Keyboard(person=name, key_file=throw_away_key(place, name)) for name in (PROPOSER, APPROVER)]
        proposer, approver = (
            Player(keyboard=one, public_key=read_public_key(one.key_file.with_suffix(".pub"))) for one in keyboards
        )
        with scratch.world.desk() as desk:
            staged = stage_rehearsal(desk, there.content, proposer=proposer, approver=approver)
        yield Stage(
            kahn=scratch,
            wave=staged.key,
            proposer=proposer.keyboard,
            where="lab" if seats else SIMULATED,
            inside=there.inside(),
        )


def _ask_for_all_back(stage: Stage) -> None:
    with stage.kahn.world.desk() as desk:
        row = desk.books.waves.get(stage.kahn.tenant, stage.wave)
        ask_rollback(
            desk, row, keyboard=stage.proposer, intent=Intent(kind=ActKind.ROLL_BACK, reason="the way back, rehearsed")
        )


# --------------------------------------------------------------------------- saying it


def _tell(kahn: Context, rehearsal: Rehearsal, *, opened: bool) -> None:
    if rehearsal.times:
        kahn.out.rich(_table(rehearsal))
    for one in rehearsal.troubles:
        kahn.out.line(f"  {harmless(one.name)}: {one.work}: {one.outcome} {one.cause}")
    minutes = round((rehearsal.ended - rehearsal.began).total_seconds() / 60, 1)
    kahn.out.line(
        _("{assets} assets: {moved} moved, {back} taken back and as before; {minutes} min on: {where}").format(
            assets=rehearsal.assets, moved=rehearsal.moved, back=rehearsal.back, minutes=minutes, where=rehearsal.where
        )
    )
    for line in _verdict(rehearsal, opened=opened):
        kahn.out.line(line)
    kahn.out.json({"passed": rehearsal.passed, "gate_opened": opened, "rehearsal": rehearsal})


def _verdict(rehearsal: Rehearsal, *, opened: bool) -> Iterator[str]:
    if rehearsal.where == SIMULATED:
        yield _("SIMULATED MACHINES: the playbooks were not tried. Nothing was kept and no gate was opened.")
        return
    if not rehearsal.passed:
        yield _("The rehearsal did NOT go well: no gate was opened.")
    if not rehearsal.with_way_back:
        yield _("The way back was not played.")
    if opened:
        yield _("The gate rehearsal is open; what it counts for stands in the policy.")
    elif rehearsal.passed and rehearsal.where != LAB:
        yield _("That its machines do not matter is for a person to say: `kahn gate confirm rehearsal`.")
    elif rehearsal.passed:
        yield _("No gate was opened: the policy names none, or the wave was changed meanwhile.")
    yield _("Next: `kahn runbook times {runbook}`, `kahn wave check {wave}`.").format(
        runbook=rehearsal.runbook, wave=rehearsal.wave
    )


def _table(rehearsal: Rehearsal) -> Table:
    table = Table(box=None, header_style="dim")
    for heading in (_("step"), _("runs"), _("largest"), _("slowest")):
        table.add_column(heading, overflow="fold")
    for (direction, step), one in estimates(rehearsal.times).items():
        table.add_row(one_line(run_words(direction, step)), str(one.runs), str(one.assets), f"{one.slowest:.1f} s")
    return table
