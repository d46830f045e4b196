"""``kahn asset due``: which old machines are kept, and from which day on each may be erased."""

from __future__ import annotations

from typing import Annotated

import typer

from orchestrator.actions.record_erasure import kept_in
from orchestrator.cli.asset_show import table
from orchestrator.cli.context import context_of
from orchestrator.core.lifecycle import WaveState
from orchestrator.core.retention import KeptMachine
from orchestrator.spoken import one_line, state_word
from orchestrator.texts import _

NOTHING_THERE = 5


def due(
    ctx: typer.Context,
    every: Annotated[bool, typer.Option("--all", help=_("Also those that were erased, with the certificate."))] = False,
) -> None:
    """List old machines that are kept after their move or retirement, the one that may be erased first on top."""
    kahn = context_of(ctx)
    with kahn.world.look() as desk:
        waves = [one for one in desk.books.waves.all(kahn.tenant) if one.state is WaveState.CLOSED]
        found = sorted((one for wave in waves for one in kept_in(desk, wave)), key=lambda one: (one.until, one.name))
        now = desk.now
    shown = [one for one in found if every or one.erasure is None]
    kahn.out.json([_document(one, is_due=one.is_due(now)) for one in shown])
    if not kahn.json:
        headings = (_("old machine"), _("wave"), _("state"), _("since"), _("may be erased from"), _("certificate"))
        kahn.out.rich(table(headings, map(_row, shown)))
    ready = sum(one.is_due(now) for one in shown)
    kahn.out.line(
        _("{count} old machines are kept; {ready} of them may be erased today.").format(
            count=sum(one.erasure is None for one in shown), ready=ready
        )
    )
    if ready:
        kahn.out.line(_("Next: `kahn wave erased WAVE ASSET --certificate FILE --by WHO --how HOW`."))
    if not shown:
        raise typer.Exit(NOTHING_THERE)


def _row(one: KeptMachine) -> tuple[str, ...]:
    erasure = one.erasure
    proof = f"{one_line(erasure.certificate)} {erasure.sha256[:16]}" if erasure else ""
    until = _("erased on {day}").format(day=erasure.on) if erasure else one.until.isoformat()
    return one_line(one.machine), one.wave, state_word(one.state), one.since.isoformat(), until, proof


def _document(one: KeptMachine, *, is_due: bool) -> dict[str, object]:
    erasure = one.erasure
    return {
        "asset": one.asset,
        "name": one.name,
        "machine": one.machine,
        "wave": one.wave,
        "state": one.state,
        "since": one.since,
        "from": None if erasure else one.until,
        "due": is_due,
        "erased": erasure,
    }
