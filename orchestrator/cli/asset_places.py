"""`kahn asset places`: sites, buildings and rooms, with what stands in each."""

from __future__ import annotations

from typing import Annotated

import typer

from inventory.places import Room, rooms_of
from orchestrator.actions.choose_assets import assets_chosen
from orchestrator.cli.asset_show import table
from orchestrator.cli.context import context_of
from orchestrator.texts import _

NOTHING_MATCHED = 5


def places(
    ctx: typer.Context,
    terms: Annotated[
        list[str] | None, typer.Argument(metavar="[FILTER]", help=_("Such as site:rathaus kind:seat."))
    ] = None,
) -> None:
    """Show where the assets of the filter stand: site, building, room, how many of each kind, and whose they are."""
    context = context_of(ctx)
    with context.world.store.reading() as books:
        found = rooms_of(assets_chosen(books, context.tenant, terms or ())[1])
    context.out.json(
        [
            {"site": one.site, "building": one.building, "room": one.room, "departments": list(one.departments)}
            | {"kinds": {str(kind): count for kind, count in one.kinds.items()}}
            for one in found
        ]
    )
    if not context.json:
        headings = (_("site"), _("building"), _("room"), _("what stands there"), _("departments"))
        context.out.rich(table(headings, map(_row, found)))
        context.out.line(_("{count} places. Next: kahn asset impact site:SITE room:ROOM").format(count=len(found)))
    if not found:
        raise typer.Exit(NOTHING_MATCHED)


def _row(one: Room) -> tuple[str, ...]:
    kinds = ", ".join(f"{count} {kind}" for kind, count in one.kinds.items())
    return one.site or "?", one.building, one.room or "?", kinds, ", ".join(one.departments)
