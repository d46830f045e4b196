"""`kahn asset drift`: what is other in the inventory than when the plan in force was made."""

from __future__ import annotations

from datetime import UTC

import typer

from inventory.tables import instant
from orchestrator.actions.see_drift import drift_in
from orchestrator.cli.asset_import import word
from orchestrator.cli.asset_show import table
from orchestrator.cli.context import context_of
from orchestrator.texts import _

DRIFTED = 6
MOST_SHOWN = 200


def drift(ctx: typer.Context) -> None:
    """Show what changed since the plan in force was made: of its assets, and what it does not know."""
    context = context_of(ctx)
    with context.world.store.reading() as books:
        found = drift_in(books, context.tenant)
    context.out.json(found)
    if not context.json:
        rows = (
            (
                f"{instant(one.at_us).astimezone(UTC):%Y-%m-%d %H:%M}Z",
                one.wave,
                one.name,
                one.field,
                f"{word(one.before)} -> {word(one.after)}",
                one.source,
            )
            for one in found.changes[:MOST_SHOWN]
        )
        if found.changes:
            columns = (_("when"), _("wave"), _("asset"), _("field"), _("change"), _("source"))
            context.out.rich(table(columns, rows))
        if found.gone:
            context.out.line(_("No longer in the inventory: {count} assets of the plan").format(count=len(found.gone)))
        if found.unplanned:
            names = ", ".join(one.name for one in found.unplanned[:10])
            text = _("The plan says nothing of {count} assets: {names}")
            context.out.line(text.format(count=len(found.unplanned), names=names))
        if found.is_none:
            context.out.line(_("The inventory is as it was when the plan was made."))
    if not found.is_none:
        raise typer.Exit(DRIFTED)
