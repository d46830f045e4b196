"""`kahn asset show`: the record with who says so and since when, conflicts, needs, and who notices if it moves."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from inventory.changes import Holdings
from inventory.conflicts import Conflict, conflicts, provenance
from inventory.errors import ExpectedError
from inventory.model import Asset, Dependency, Snapshot, name_key
from inventory.neighbours import Tie, impact, ties
from inventory.picture import picture
from inventory.record import Word
from inventory.tables import instant, micros
from orchestrator.actions.take_inventory import holdings_in
from orchestrator.cli.asset_history import history_of, history_row
from orchestrator.cli.asset_impact import impact_as_json, show_impact
from orchestrator.cli.asset_import import CannotWrite, word
from orchestrator.cli.context import Context, context_of, harmless
from orchestrator.texts import _

_DAY_US = 86_400_000_000


class NoSuchAsset(ExpectedError):
    """A name that the tenant's inventory does not have."""

    code, says = "CLI-010", "There is nothing called {name!r} in the inventory of {tenant}."
    remedy = "List what there is with `kahn asset list`."
    exit_code = 5


def show(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help=_("Name or id of the asset."))],
    history: Annotated[bool, typer.Option("--history", help=_("Also what became of it, oldest first."))] = False,
    drawing: Annotated[
        Path | None, typer.Option("--picture", help=_("Draw it with its neighbours into this file (SVG)."))
    ] = None,
) -> None:
    """Show all that is known of one asset: who says so, since when, what it needs and who notices if it moves."""
    context = context_of(ctx)
    past: tuple[dict[str, Any], ...] = ()
    with context.world.store.reading() as books:
        holdings = holdings_in(books, context.tenant)
        found = assets_named(holdings.snapshot, name)
        people = {str(one.id): one.name or "" for one in books.people.everyone(context.tenant)}
        if history:
            past = history_of(books, context.tenant, found)
    known = ties(holdings.snapshot)
    if drawing is not None:
        _draw(drawing, picture(holdings.snapshot, found[0], known))
    answers = [
        _document(holdings, one, known) | _contact(context, one, people) | ({"history": past} if history else {})
        for one in found
    ]
    context.out.json(answers)
    if not context.json:
        for one in found:
            _show_asset(context, holdings, one, known)
            for told in _contact(context, one, people).values():
                context.out.line(_("  The contact {contact} is {who}.").format(contact=one.text("contact"), who=told))
        if history:
            context.out.rich(
                table((_("when"), _("asset"), _("field"), _("change"), _("source")), map(history_row, past))
            )
        if drawing is not None:
            context.out.line(_("The picture is in {file}").format(file=drawing))


def assets_named(snapshot: Snapshot, name: str) -> list[Asset]:
    """Everything of that name or id; ``machine:NAME`` only what is in that group. Raises NoSuchAsset."""
    group, colon, rest = name.partition(":")
    key = name_key(name)
    found = [one for one in snapshot.assets if one.id == name or name_key(one.name) == key]
    if not found and colon:
        by_name = snapshot.by_name().get((group.casefold(), name_key(rest)))
        found = [by_name] if by_name else []
    if not found:
        raise NoSuchAsset(name=name, tenant=snapshot.tenant)
    return found


def table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> Table:
    """A plain table of harmless texts."""
    made = Table(box=None, pad_edge=False)
    for column in columns:
        made.add_column(column)
    for row in rows:
        made.add_row(*(Text(harmless(cell).replace("\n", " ")) for cell in row))
    return made


def as_json(asset: Asset) -> dict[str, Any]:
    """The record as a document."""
    return {"id": asset.id, "kind": str(asset.kind), "name": asset.name, **asset.values}


def age(observed_us: int, *, now_us: int) -> str:
    """How old a word is, for people."""
    if observed_us <= 0:
        return "?"
    days = (now_us - observed_us) // _DAY_US
    return _("today") if days < 1 else _("{days} d").format(days=days)


def said_where(one: Word) -> str:
    """File and row of a word, as far as there are any."""
    if not one.origin.file:
        return ""
    return f"{one.origin.file}:{one.origin.row}" if one.origin.row else one.origin.file


def _draw(file: Path, drawing: str) -> None:
    try:
        file.write_text(drawing, encoding="utf-8")
    except OSError as cause:
        raise CannotWrite(file=file, why=cause.strerror or "unknown") from cause


def _contact(context: Context, asset: Asset, people: Mapping[str, str]) -> dict[str, str]:
    """Who its contact is now, told by the table of people or the file of contacts: names lie nowhere else."""
    word_ = asset.text("contact")
    if not word_:
        return {}
    if word_ in people:
        return {"contact_is": people[word_] or _("a person whose name is erased")}
    known = next((one for one in context.world.contacts().of(context.tenant) if one.name == word_), None)
    called = _("called through {channel}").format(channel=known.channel) if known else ""
    return {"contact_is": called or _("nobody known here: neither a person nor one of the contacts")}


# --------------------------------------------------------------------------- as a document


def _document(holdings: Holdings, asset: Asset, known: Sequence[Tie]) -> dict[str, Any]:
    notices = impact(holdings.snapshot, asset.id, known)
    return {
        **as_json(asset),
        "dependencies": _needs(holdings.snapshot, asset),
        "provenance": {
            field: [_word_as_json(one) for one in said] for field, said in provenance(holdings, asset.id).items()
        },
        "conflicts": [one.field for one in conflicts(holdings, of=[asset.id]) if not one.is_decided],
        "impact": impact_as_json(notices),
    }


def _word_as_json(one: Word) -> dict[str, Any]:
    return {
        "value": one.value,
        "source": one.source,
        "file": one.origin.file,
        "row": one.origin.row,
        "observed": instant(one.origin.observed_us),
        "imported": instant(one.origin.imported_us),
        "counts": one.counts,
        "gone": one.is_gone,
    }


def _needs(snapshot: Snapshot, asset: Asset) -> list[dict[str, Any]]:
    """Its dependencies in both directions, by names."""
    names = {one.id: one.name for one in snapshot.assets}
    return [
        {"from": names[one.asset], "needs": names[one.needs], "kind": str(one.kind), "note": one.note} | _evidence(one)
        for one in snapshot.dependencies
        if asset.id in (one.asset, one.needs) and one.asset in names and one.needs in names
    ]


def _evidence(one: Dependency) -> dict[str, Any]:
    told: dict[str, Any] = {}
    if one.evidence:
        told["evidence"] = one.evidence
    if one.mib_per_day:
        told["mib_per_day"] = one.mib_per_day
    if one.source:
        told |= {"source": one.source, "observed": instant(one.observed_us)}
    return told


# --------------------------------------------------------------------------- for people


def _show_asset(context: Context, holdings: Holdings, asset: Asset, known: Sequence[Tie]) -> None:
    out = context.out
    out.line(f"{asset.kind} {asset.name}  ({asset.id})")
    said = provenance(holdings, asset.id)
    out.rich(
        table(("", "", _("says"), _("age"), _("where")), _rows(asset, said, now_us=micros(context.world.clock.now())))
    )
    _show_conflicts(context, conflicts(holdings, of=[asset.id]))
    for one in _needs(holdings.snapshot, asset):
        text = _("  {asset} needs {needs} ({kind})").format(asset=one["from"], needs=one["needs"], kind=one["kind"])
        more = [str(one[key]) for key in ("evidence", "note") if one.get(key)]
        more += [_("{mib} MiB a day").format(mib=f"{one['mib_per_day']:g}")] if "mib_per_day" in one else []
        out.line(text + (f": {'; '.join(more)}" if more else ""))
    show_impact(context, impact(holdings.snapshot, asset.id, known))


def _rows(asset: Asset, said: Mapping[str, tuple[Word, ...]], *, now_us: int) -> Iterable[Sequence[str]]:
    for field, value in sorted(asset.values.items()):
        first = said[field][0] if said.get(field) else None
        if first is None:
            yield f"  {field}", word(value), "", "", ""
        else:
            yield (
                f"  {field}",
                word(value),
                first.source,
                age(first.origin.observed_us, now_us=now_us),
                said_where(first),
            )


def _show_conflicts(context: Context, found: Iterable[Conflict]) -> None:
    for one in found:
        others = ", ".join(f"{word(other.value)} ({other.source})" for other in one.words[1:])
        text = _("  ! {field}: {value} counts; others say {others}")
        if one.is_decided:
            text = _("  decided: {field} is {value}; others say {others}")
        context.out.line(text.format(field=one.field, value=word(one.words[0].value), others=others))
