"""`kahn asset export`: the inventory for other programs, as CSV, XLSX or JSON."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from inventory.errors import ExpectedError
from orchestrator.actions.choose_assets import assets_chosen
from orchestrator.actions.export_assets import as_csv, as_document, columns_of, rows_of
from orchestrator.cli.asset_import import CannotWrite
from orchestrator.cli.context import context_of
from orchestrator.texts import _
from orchestrator.wiring import sheet_bytes

NOTHING_MATCHED = 5
FORMS = (".csv", ".xlsx", ".json")


class UnknownForm(ExpectedError):
    """A file name whose ending does not say in which form to write."""

    code, says = "CLI-040", "{file} does not say by its ending in which form to write."
    remedy = "Let the name end with .csv, .xlsx or .json."


def export(
    ctx: typer.Context,
    output: Annotated[Path, typer.Option("--output", "-o", help=_("The file to write: .csv, .xlsx or .json."))],
    terms: Annotated[
        list[str] | None, typer.Argument(metavar="[FILTER]", help=_("Such as state:ready site:rathaus os~2008."))
    ] = None,
) -> None:
    """Write assets into a file: tables that no spreadsheet takes a formula from, or JSON that can be imported again."""
    context = context_of(ctx)
    form = output.suffix.casefold()
    if form not in FORMS:
        raise UnknownForm(file=output)
    with context.world.store.reading() as books:
        snapshot, found = assets_chosen(books, context.tenant, terms or ())
    columns = columns_of(found)
    try:
        if form == ".csv":
            # The mark tells spreadsheet programs that it is UTF-8.
            output.write_text(as_csv(found, columns), encoding="utf-8-sig", newline="")
        elif form == ".json":
            output.write_text(as_document(snapshot, found), encoding="utf-8")
        else:
            output.write_bytes(sheet_bytes(str(context.tenant), columns, rows_of(found, columns)))
    except OSError as cause:
        raise CannotWrite(file=output, why=cause.strerror or "unknown") from cause
    context.out.json({"file": str(output), "assets": len(found)})
    context.out.line(_("{count} assets are in {file}").format(count=len(found), file=output))
    if not found:
        raise typer.Exit(NOTHING_MATCHED)
