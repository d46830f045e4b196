"""`kahn asset conflicts` and `kahn asset resolve`: what is open in the inventory, and a person's word on it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Annotated, Any

import typer

from inventory.changes import Holdings
from inventory.conflicts import Conflict, OpenQuestion, conflicts, questions
from inventory.filtering import as_text, chosen
from inventory.model import Asset, field_word
from inventory.tables import micros
from orchestrator.actions.choose_assets import facts_in
from orchestrator.actions.decide_asset import Asked, NotDecidable, Word, decide, decided, effect
from orchestrator.actions.take_inventory import InventoryMoved, holdings_in
from orchestrator.cli.asset_import import show_changes, word
from orchestrator.cli.asset_show import age, assets_named, said_where, table
from orchestrator.cli.context import NoPerson, context_of
from orchestrator.texts import _

As = Annotated[str, typer.Option("--as", help=_("Who says so (else KAHN_PERSON)."))]
MOST_SHOWN = 200


def list_conflicts(
    ctx: typer.Context,
    terms: Annotated[
        list[str] | None, typer.Argument(metavar="[FILTER]", help=_("Such as kind:server site:rathaus."))
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help=_("Also what a person decided already."))] = False,
) -> None:
    """List fields on which sources disagree, and machines of which a mark does not tell whether they are one."""
    context = context_of(ctx)
    with context.world.store.reading() as books:
        holdings = holdings_in(books, context.tenant)
        facts = facts_in(books, context.tenant, holdings.claims.values())
    wanted = {one.id for one in chosen(holdings.assets, as_text(terms or ()), facts=facts)}
    fields = [one for one in conflicts(holdings, of=wanted) if everything or not one.is_decided]
    asked = [one for one in questions(holdings) if any(asset.id in wanted for asset in one.assets)]
    context.out.json(
        {"fields": [_as_json(one) for one in fields], "questions": [_question_as_json(one) for one in asked]}
    )
    if context.json:
        return
    now_us = micros(context.world.clock.now())
    context.out.rich(table(_headings(), (row for one in fields[:MOST_SHOWN] for row in _rows(one, now_us=now_us))))
    for question in asked[:MOST_SHOWN]:
        context.out.line(_question_line(question))
    context.out.line(
        _("{fields} fields, {questions} questions. Next: kahn asset resolve ASSET FIELD --source SOURCE").format(
            fields=len(fields), questions=len(asked)
        )
    )


def resolve(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(metavar="ASSET", help=_("Name or id of the asset."))],
    field: Annotated[str, typer.Argument(help=_("The field, for --use and --source."))] = "",
    use: Annotated[str, typer.Option("--use", help=_("This value counts from now on."))] = "",
    source: Annotated[str, typer.Option("--source", help=_("What this source says counts from now on."))] = "",
    same: Annotated[str, typer.Option("--same", help=_("This other record is the same machine."))] = "",
    different: Annotated[
        str,
        typer.Option("--different", help=_("This other record is another one; source:NAME: what that source says is.")),
    ] = "",
    reason: Annotated[str, typer.Option(help=_("Why; kept in the journal."))] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help=_("Only show the difference."))] = False,
    person: As = "",
) -> None:
    """Decide a conflict or a question; the decision is kept and holds against every later import."""
    context = context_of(ctx)
    with context.world.store.reading() as books:
        holdings = holdings_in(books, context.tenant)
        who = person or context.settings.person
        if not who:
            raise NoPerson()
        said = Word(by=books.people.find(context.tenant, who).id, at=context.world.clock.now(), reason=reason)
    asset = _one(holdings, name)
    asked = _asked(holdings, field=field, use=use, source=source, same=same, different=different)
    decision = decided(holdings, asset, asked, word=said)
    changes = effect(holdings, decision, new_id=context.world.new_asset_id)
    show_changes(context, changes)
    written = 0
    if not dry_run:
        context.confirm(_("Keep this decision?"))
        with context.world.transaction() as books:
            if books.assets.version(context.tenant) != holdings.version:
                raise InventoryMoved(tenant=context.tenant)
            written = decide(books, holdings, decision, changes, word=said)
        context.out.line(_("Decided. Next: kahn asset conflicts"))
    context.out.json({"asset": asset.id, "verdict": decision.verdict.value, "written": written, "stored": not dry_run})


def _one(holdings: Holdings, name: str) -> Asset:
    found = assets_named(holdings.snapshot, name)
    if len(found) > 1:
        kinds = ", ".join(str(one.kind) for one in found)
        raise NotDecidable(what=name, why=f"the name means several things ({kinds}); give an id")
    return found[0]


def _asked(holdings: Holdings, *, field: str, use: str, source: str, same: str, different: str) -> Asked:
    """The one thing that is decided. Raises NotDecidable."""
    if sum(map(bool, (use, source, same, different))) != 1 or bool(field) != bool(use or source):
        raise NotDecidable(
            what=field or "this",
            why="give a field with --use or --source, or --same or --different with another record",
        )
    if different.startswith("source:"):
        return Asked(split=different.removeprefix("source:"))
    if same or different:
        other = _one(holdings, same or different)
        return Asked(same=other) if same else Asked(different=other)
    return Asked(field=field_word(field), use=use, source=source)


# --------------------------------------------------------------------------- what is shown


def _headings() -> tuple[str, ...]:
    return _("asset"), _("field"), "", _("value"), _("says"), _("age"), _("where")


def _rows(one: Conflict, *, now_us: int) -> Iterable[Sequence[str]]:
    for number, said in enumerate(one.words):
        first = (one.asset.name, one.field) if number == 0 else ("", "")
        mark = (_("decided") if one.is_decided else _("counts")) if said.counts else ""
        when = age(said.origin.observed_us, now_us=now_us)
        yield *first, mark, word(said.value), said.source, when, said_where(said)


def _question_line(one: OpenQuestion) -> str:
    names = ", ".join(asset.name for asset in one.assets[:10]) + (", ..." if len(one.assets) > 10 else "")
    text = _("? {mark} {value} is borne by {names}; they differ in {why}")
    if one.why == "source":
        text = _("? {mark} {value} is borne by {names}; one source has several of them")
    elif one.why == "address":
        text = _("? {mark} {value} is only an address; it is borne by {names}")
    return text.format(mark=one.mark[0], value=one.mark[1], names=names, why=one.why)


def _as_json(one: Conflict) -> dict[str, Any]:
    return {
        "asset": one.asset.id,
        "name": one.asset.name,
        "field": one.field,
        "decided": one.is_decided,
        "words": [
            {"value": said.value, "source": said.source, "where": said_where(said), "counts": said.counts}
            for said in one.words
        ],
    }


def _question_as_json(one: OpenQuestion) -> dict[str, Any]:
    return {
        "mark": one.mark[0],
        "value": one.mark[1],
        "why": one.why,
        "assets": [{"id": asset.id, "name": asset.name} for asset in one.assets],
    }
