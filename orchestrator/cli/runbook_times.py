"""``kahn runbook times``: the stopwatch, read from the journals of the tenant's latest waves."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.table import Table

from orchestrator.actions.read_times import times_of
from orchestrator.cli.context import context_of
from orchestrator.cli.lines import run_words
from orchestrator.core.step_times import estimates
from orchestrator.spoken import one_line
from orchestrator.texts import _


def times(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="Runbook.")],
) -> None:
    """How long each step took in the latest waves, rehearsals among them; the ready check reckons with it."""
    kahn = context_of(ctx)
    with kahn.world.look() as desk:
        desk.books.tenants.policy(kahn.tenant)
        found = estimates(times_of(desk.books, kahn.tenant, name))
    table = Table(box=None, header_style="dim")
    for heading in (_("step"), _("runs"), _("largest"), _("half within"), _("80 % within"), _("slowest")):
        table.add_column(heading, overflow="fold")
    for (direction, step), one in found.items():
        seconds = (f"{value:.1f} s" for value in (one.middle, one.p80, one.slowest))
        table.add_row(one_line(run_words(direction, step)), str(one.runs), str(one.assets), *seconds)
    if found:
        kahn.out.rich(table)
    else:
        kahn.out.line(_("Nothing of this runbook was measured yet."))
    kahn.out.json([{"direction": direction, "step": step, "measured": one} for (direction, step), one in found.items()])
