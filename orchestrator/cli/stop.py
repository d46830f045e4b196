"""``kahn stop``: the emergency brake. No new dispatch anywhere; running steps are listed."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from orchestrator.actions.sign import Keyboard
from orchestrator.actions.stop_all import lift_stop, running_steps, stop_all
from orchestrator.cli.context import Context, NoPerson, context_of
from orchestrator.cli.lines import clock, run_words
from orchestrator.run_ports import RunRow
from orchestrator.spoken import one_line
from orchestrator.texts import _


def stop(
    ctx: typer.Context,
    everything: Annotated[
        bool, typer.Option("--all", help="Stop all dispatch, in every wave of every tenant.")
    ] = False,
    lift: Annotated[bool, typer.Option("--lift", help="Let every wave go on where it stood.")] = False,
    reason: Annotated[str, typer.Option(help="Why; kept in every tenant's journal.")] = "",
    person: Annotated[str, typer.Option("--as", help="Who acts (else KAHN_PERSON); to stop, no key is needed.")] = "",
    key: Annotated[Path | None, typer.Option("--key", help="To lift: their private SSH key (else KAHN_KEY).")] = None,
) -> None:
    """Stop all new steps everywhere at once, lift that again, or (without options) list the running steps."""
    kahn = context_of(ctx)
    if everything and lift:
        raise typer.BadParameter(_("give either --all or --lift"))
    if everything or lift:
        _lift(kahn, person, key, reason) if lift else _stop(kahn, person, reason)
    _show(kahn)


def _stop(kahn: Context, person: str, reason: str) -> None:
    by = person or kahn.settings.person
    if not by:
        raise NoPerson()
    with kahn.world.desk() as desk:
        stop_all(desk, by=by, reason=reason)


def _lift(kahn: Context, person: str, key: Path | None, reason: str) -> None:
    name, key_file = kahn.signer(person, key)
    kahn.confirm(_("Let every wave go on where it stood?"))
    with kahn.world.desk() as desk:
        lift_stop(desk, keyboard=Keyboard(person=name, key_file=key_file), reason=reason)


def _show(kahn: Context) -> None:
    with kahn.world.look() as desk:
        stopped, runs = desk.books.launches.stopped(), running_steps(desk)
    if stopped is not None:
        kahn.out.line(
            _("ALL DISPATCH IS STOPPED since {time} by {by}: {reason}").format(
                time=clock(stopped.at), by=one_line(stopped.by), reason=one_line(stopped.reason)
            )
        )
        kahn.out.line(_("Running steps end by themselves. Next: `kahn stop --lift --reason REASON`."))
    else:
        kahn.out.line(_("Dispatch is free."))
    kahn.out.line(_("Running steps: {count}").format(count=len(runs)))
    for run in runs:
        kahn.out.line(_line(run))
    kahn.out.json({"stopped": stopped, "running": [_document(run) for run in runs]})


def _line(run: RunRow) -> str:
    words = run_words(run.direction, run.step)
    machines = ", ".join(machine for attempt in run.attempts for machine in attempt.machines)
    return _(" {tenant} {wave} {batch}: {words} since {since}, ends at {deadline} at the latest; on {machines}").format(
        tenant=run.tenant, wave=run.wave, batch=run.batch, words=words, since=clock(run.intended_at),
        deadline=clock(run.deadline), machines=one_line(machines),
    )  # fmt: skip


def _document(run: RunRow) -> dict[str, object]:
    assets = [attempt.asset for attempt in run.attempts]
    return {
        "run": run.id,
        "tenant": run.tenant,
        "wave": run.wave,
        "batch": run.batch,
        "step": run.step,
        "direction": run.direction,
        "assets": assets,
        "since": run.intended_at,
        "deadline": run.deadline,
    }
