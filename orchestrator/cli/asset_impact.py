"""`kahn asset impact`: who notices if some assets move together, whatever a filter means by them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

import typer

from inventory.neighbours import Impact, impact_of
from orchestrator.actions.choose_assets import assets_chosen
from orchestrator.cli.context import Context, context_of
from orchestrator.texts import _

NAMES_SHOWN = 12
NOTHING_MATCHED = 5


def impact(
    ctx: typer.Context,
    terms: Annotated[
        list[str], typer.Argument(metavar="FILTER", help=_("Such as site:rathaus room:1.12, or kind:site name=Bauhof."))
    ],
) -> None:
    """Show who notices if all assets of the filter move together: a room, a building, a site, a department, a wave."""
    context = context_of(ctx)
    with context.world.store.reading() as books:
        snapshot, found = assets_chosen(books, context.tenant, terms)
    notices = impact_of(snapshot, (one.id for one in found), themselves=True)
    context.out.json({"moving": [one.name for one in found], **impact_as_json(notices)})
    context.out.line(
        _("{count} assets are meant: {names}").format(count=len(found), names=_some([one.name for one in found]))
    )
    if not found:
        raise typer.Exit(NOTHING_MATCHED)
    show_impact(context, notices)


def impact_as_json(notices: Impact) -> dict[str, Any]:
    """Who notices, for programs."""
    return {
        "procedures": [one.name for one in notices.procedures],
        "seats": [one.name for one in notices.seats],
        "machines": [one.name for one in notices.machines],
        "departments": list(notices.departments),
        "users": notices.users,
        "inside": [one.name for one in notices.inside],
        "partners": list(notices.partners),
    }


def show_impact(context: Context, notices: Impact) -> None:
    """Who notices, for people."""
    if notices.inside:
        kinds: dict[str, int] = {}
        for one in notices.inside:
            kinds[str(one.kind)] = kinds.get(str(one.kind), 0) + 1
        context.out.line(
            _("  It holds {kinds}.").format(kinds=", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items())))
        )
    if not (notices.procedures or notices.seats or notices.machines or notices.partners):
        context.out.line(_("  If it moves, nobody is known to notice."))
        return
    text = _(
        "  Who notices if it moves: people up to {users}, procedures {procedures}, seats {seats}, machines {machines}."
    )
    if not notices.users:
        text = _(
            "  Who notices if it moves, with nobody knowing how many people: procedures {procedures}, seats {seats}, "
            "machines {machines}."
        )
    counts = {"procedures": len(notices.procedures), "seats": len(notices.seats), "machines": len(notices.machines)}
    context.out.line(text.format(users=notices.users, **counts))
    for heading, names in (
        (_("    procedures: {names}"), [one.name for one in notices.procedures]),
        (_("    departments: {names}"), list(notices.departments)),
        (_("    machines: {names}"), [one.name for one in notices.machines]),
        (_("    exchanges data with: {names}"), list(notices.partners)),
    ):
        if names:
            context.out.line(heading.format(names=_some(names)))


def _some(names: Sequence[str]) -> str:
    more = len(names) - NAMES_SHOWN
    return ", ".join(names[:NAMES_SHOWN]) + (_(" and {count} more").format(count=more) if more > 0 else "")
