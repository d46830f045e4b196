"""``kahn report``: pages for people who decide."""

from __future__ import annotations

import os
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from inventory.errors import ExpectedError
from orchestrator.actions.make_report import grounds_in
from orchestrator.cli.context import context_of
from orchestrator.core.report import ManagementReport, management_report
from orchestrator.spoken import joined
from orchestrator.supervisor.boundary import boundary
from orchestrator.texts import _
from orchestrator.wiring import management_page

app = typer.Typer(no_args_is_help=True)
PROOF_BROKEN = 9


@app.callback()
def reports() -> None:
    """Reports for people who decide."""


class Kind(StrEnum):
    """Which report."""

    MANAGEMENT = "management"


class ReportNotWritten(ExpectedError):
    """The page could not be put where it was wanted."""

    code, says = "REP-001", "The report could not be written to {file}: {why}."
    remedy = "Give another place with `-o FILE`."


@app.command()
def make(
    ctx: typer.Context,
    kind: Annotated[Kind, typer.Argument(help="Which report.")],
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="Where the page goes; else a dated file in this directory.")
    ] = None,
) -> None:
    """Make a report as one HTML page. With --json the report itself, and a page only where -o says."""
    kahn = context_of(ctx)
    with kahn.world.look() as desk:
        report = management_report(grounds_in(desk, kahn.tenant))
    page = output or (None if kahn.json else Path(_name(report, kind)))
    if page is not None:
        write_whole(page, management_page(report))
    headline = joined(report.headline)
    kahn.out.line(headline)
    kahn.out.line(_("The page is {file}.").format(file=page))
    kahn.out.json({"headline": headline, "to_move": report.total.to_move, "page": page and str(page), "report": report})
    if not report.freshness.whole:
        raise typer.Exit(PROOF_BROKEN)


def _name(report: ManagementReport, kind: Kind) -> str:
    return f"kahn-{kind}-{report.tenant}-{report.freshness.as_of:%Y-%m-%d-%H%M}.html"


def write_whole(target: Path, text: str) -> None:
    """The file holds the whole text or is as it was before. Raises ReportNotWritten."""
    beside = target.with_name(f".{target.name}.{os.getpid()}.new")
    try:
        with beside.open("x", encoding="utf-8") as opened:
            opened.write(text)
            opened.flush()
            with boundary("report.file.sync"):
                os.fsync(opened.fileno())
        with boundary("report.file.rename"):
            beside.replace(target)
    except OSError as error:
        beside.unlink(missing_ok=True)
        raise ReportNotWritten(file=target, why=error.strerror or error) from error
