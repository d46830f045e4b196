"""``kahn plan delay``: what else moves when a wave begins later; and, if wanted, the plan with that delay."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from orchestrator.cli.context import Context, context_of
from orchestrator.cli.plan import app
from orchestrator.cli.plan_edit import As, KeyFile, Reason, start_of, storing
from orchestrator.cli.plan_tables import comparison_document, show_comparison, show_findings, tell_stored
from orchestrator.core.plan_check import check_plan
from orchestrator.core.plan_compare import Comparison, comparison
from orchestrator.core.plan_delay import Delay, delayed
from orchestrator.texts import _


@app.command()
def delay(
    ctx: typer.Context,
    wave: Annotated[str, typer.Argument(help=_("Wave of the plan in force, such as W03."))],
    days: Annotated[int, typer.Option(min=1, max=3_660, help=_("How many days later it begins, at least."))],
    store: Annotated[bool, typer.Option("--store", help=_("Store the plan with the delay; else only show."))] = False,
    reason: Reason = "",
    person: As = "",
    key: KeyFile = None,
) -> None:
    """What if a wave begins later: its new window, the waves it drags along, and what becomes of the finish date."""
    kahn = context_of(ctx)
    start = start_of(kahn)
    keep = storing(kahn, person, key, reason) if store else None
    found = delayed(start.request, wave, days, fixed=start.fixed)
    compared = _shown(kahn, found)
    document: dict[str, Any] = {"dragged": found.dragged, "comparison": comparison_document(compared)}
    if keep is None:
        kahn.out.line(_("Nothing was stored. Next: the same with --store, or `kahn plan edit`."))
        kahn.out.json({**document, "plan": found.edit.plan})
        return
    stored = keep(start, found.edit)
    tell_stored(kahn.out, stored)
    kahn.out.json({**document, "fingerprint": found.edit.plan.fingerprint, "stored": stored})


def _shown(kahn: Context, found: Delay) -> Comparison:
    for one in found.dragged:
        facts = {"wave": one.wave, "before": one.before.local, "after": one.after.local, "other": one.waits_for}
        if one.waits_for:
            text = _("{wave} waits for {other}: from {before} to {after}.")
        else:
            text = _("{wave} moves from {before} to {after}.")
        kahn.out.line(text.format(**facts))
    if len(found.dragged) == 1:
        kahn.out.line(_("No other wave has to move."))
    request = found.edit.request
    assert request.parent is not None
    compared = comparison(request.parent, found.edit.plan, request.snapshot)
    show_comparison(kahn.out, compared)
    show_findings(kahn.out, check_plan(found.edit.plan, request.snapshot, request.policy, request=request))
    return compared
