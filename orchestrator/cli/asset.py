"""`kahn asset`: import inventories, list assets, show one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from inventory.errors import ExpectedError
from inventory.filtering import chosen
from inventory.model import FIELDS, Asset, Snapshot, name_key
from orchestrator.cli.asset_discover import discover
from orchestrator.cli.asset_history import history_of, history_row
from orchestrator.cli.asset_import import import_, word
from orchestrator.cli.asset_profile import app as profile_app
from orchestrator.cli.asset_read import read
from orchestrator.cli.asset_scan import scan
from orchestrator.cli.context import Context, context_of, harmless
from orchestrator.texts import _

app = typer.Typer(no_args_is_help=True, help=_("What exists: import inventories, list assets, show one."))

app.command("import")(import_)
app.command()(read)
app.command()(scan)
app.add_typer(profile_app, name="profile", help=_("What stands under the headings of your lists."))
app.command()(discover)

COLUMNS = "kind,name,site,department,address,os_name"
NOTHING_MATCHED = 5


class NoSuchAsset(ExpectedError):
    """A name that the tenant's inventory does not have."""

    code, says = "CLI-010", "There is nothing called {name!r} in the inventory of {tenant}."
    remedy = "List what there is with `kahn asset list`."
    exit_code = 5


class NoSuchColumn(ExpectedError):
    """A column for the listing that no asset can have."""

    code, says = "CLI-011", "There is no field {column!r}."
    remedy = "The fields are listed in docs/native-format.md; name and kind are columns too."


@app.command("list")
def list_(
    ctx: typer.Context,
    terms: Annotated[
        list[str] | None, typer.Argument(metavar="[FILTER]", help=_("Such as kind=server site~rathaus."))
    ] = None,
    columns: Annotated[str, typer.Option(help=_("Columns, separated by commas."))] = COLUMNS,
    limit: Annotated[int, typer.Option(min=0, help=_("At most so many lines; 0 for all."))] = 0,
) -> None:
    """List the assets that fulfil the filter."""
    context = context_of(ctx)
    wanted = tuple(word.strip() for word in columns.split(",") if word.strip())
    for column in wanted:
        if column not in FIELDS and column not in ("name", "kind"):
            raise NoSuchColumn(column=column)
    found = chosen(_snapshot(context).assets, " ".join(terms or ()))
    shown = found[:limit] if limit else found
    context.out.json([_as_json(asset) for asset in shown])
    if not context.json:
        context.out.rich(_table(wanted, ([_cell(asset, column) for column in wanted] for asset in shown)))
        context.out.line(
            _("{shown} of {all} assets. Next: kahn asset show NAME").format(shown=len(shown), all=len(found))
        )
    if not found:
        raise typer.Exit(NOTHING_MATCHED)


@app.command()
def show(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help=_("Name or id of the asset."))],
    history: Annotated[bool, typer.Option("--history", help=_("Also what became of it, oldest first."))] = False,
) -> None:
    """Show all that is known of one asset."""
    context = context_of(ctx)
    snapshot = _snapshot(context)
    found = [one for one in snapshot.assets if one.id == name or name_key(one.name) == name_key(name)]
    if not found:
        raise NoSuchAsset(name=name, tenant=context.tenant)
    past: tuple[dict[str, Any], ...] = ()
    if history:
        with context.world.store.reading() as books:
            past = history_of(books, context.tenant, found)
    needs = {one.id: _needs(snapshot, one) for one in found}
    context.out.json(
        [{**_as_json(one), "dependencies": needs[one.id]} | ({"history": past} if history else {}) for one in found]
    )
    for one in found:
        _show_asset(context, one, needs[one.id])
    if history and not context.json:
        context.out.rich(_history_table(past))


def _snapshot(context: Context) -> Snapshot:
    with context.world.store.reading() as books:
        return books.assets.snapshot(context.tenant)


# --------------------------------------------------------------------------- what listings show


def _table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> Table:
    table = Table(box=None, pad_edge=False)
    for column in columns:
        table.add_column(column)
    for row in rows:
        table.add_row(*(Text(harmless(cell).replace("\n", " ")) for cell in row))
    return table


def _cell(asset: Asset, column: str) -> str:
    if column in ("name", "kind"):
        return asset.name if column == "name" else str(asset.kind)
    return word(asset.values.get(column), unknown="")


def _as_json(asset: Asset) -> dict[str, Any]:
    return {"id": asset.id, "kind": str(asset.kind), "name": asset.name, **asset.values}


def _needs(snapshot: Snapshot, asset: Asset) -> list[dict[str, str]]:
    """Its dependencies in both directions, by names."""
    names = {one.id: one.name for one in snapshot.assets}
    return [
        {"from": names[one.asset], "needs": names[one.needs], "kind": str(one.kind), "note": one.note}
        for one in snapshot.dependencies
        if asset.id in (one.asset, one.needs)
    ]


def _show_asset(context: Context, asset: Asset, needs: Iterable[dict[str, str]]) -> None:
    context.out.line(f"{asset.kind} {asset.name}  ({asset.id})")
    for field, value in sorted(asset.values.items()):
        context.out.line(f"  {field:14} {word(value)}")
    for one in needs:
        context.out.line(
            _("  {asset} needs {needs} ({kind})").format(asset=one["from"], needs=one["needs"], kind=one["kind"])
        )


def _history_table(past: Iterable[dict[str, Any]]) -> Table:
    return _table((_("when"), _("asset"), _("field"), _("change"), _("source")), (history_row(one) for one in past))
