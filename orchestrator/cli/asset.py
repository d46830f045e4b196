"""`kahn asset`: import inventories, list assets, show one."""

from __future__ import annotations

from typing import Annotated

import typer

from inventory.errors import ExpectedError
from inventory.model import Asset, field_named, field_word
from orchestrator.actions.choose_assets import assets_chosen
from orchestrator.cli.asset_decide import list_conflicts, resolve
from orchestrator.cli.asset_discover import discover
from orchestrator.cli.asset_drift import drift
from orchestrator.cli.asset_due import due
from orchestrator.cli.asset_export import export
from orchestrator.cli.asset_impact import impact
from orchestrator.cli.asset_import import import_, word
from orchestrator.cli.asset_places import places
from orchestrator.cli.asset_profile import app as profile_app
from orchestrator.cli.asset_read import read
from orchestrator.cli.asset_scan import scan
from orchestrator.cli.asset_show import as_json, show, table
from orchestrator.cli.context import context_of
from orchestrator.texts import _

app = typer.Typer(no_args_is_help=True, help=_("What exists: import inventories, list assets, show one."))

app.command("import")(import_)
app.command()(read)
app.command()(scan)
app.command()(show)
app.command()(impact)
app.command()(places)
app.command("conflicts")(list_conflicts)
app.command()(resolve)
app.command()(export)
app.command()(drift)
app.add_typer(profile_app, name="profile", help=_("What stands under the headings of your lists."))
app.command()(discover)
app.command()(due)

COLUMNS = "kind,name,site,department,address,os_name"
NOTHING_MATCHED = 5


class NoSuchColumn(ExpectedError):
    """A column for the listing that no asset can have."""

    code, says = "CLI-011", "There is no field {column!r}."
    remedy = "The fields are listed in docs/native-format.md; name, kind and attr.NAME are columns too."


@app.command("list")
def list_(
    ctx: typer.Context,
    terms: Annotated[
        list[str] | None, typer.Argument(metavar="[FILTER]", help=_("Such as state:ready site:rathaus os~2008."))
    ] = None,
    columns: Annotated[str, typer.Option(help=_("Columns, separated by commas."))] = COLUMNS,
    limit: Annotated[int, typer.Option(min=0, help=_("At most so many lines; 0 for all."))] = 0,
) -> None:
    """List the assets that fulfil the filter."""
    context = context_of(ctx)
    wanted = tuple(field_word(one) for one in columns.split(",") if one.strip())
    for column in wanted:
        if field_named(column) is None and column not in ("name", "kind"):
            raise NoSuchColumn(column=column)
    with context.world.store.reading() as books:
        found = assets_chosen(books, context.tenant, terms or ())[1]
    shown = found[:limit] if limit else found
    context.out.json([as_json(asset) for asset in shown])
    if not context.json:
        context.out.rich(table(wanted, ([_cell(asset, column) for column in wanted] for asset in shown)))
        context.out.line(
            _("{shown} of {all} assets. Next: kahn asset show NAME").format(shown=len(shown), all=len(found))
        )
    if not found:
        raise typer.Exit(NOTHING_MATCHED)


# --------------------------------------------------------------------------- what listings show


def _cell(asset: Asset, column: str) -> str:
    if column in ("name", "kind"):
        return asset.name if column == "name" else str(asset.kind)
    return word(asset.values.get(column), unknown="")
