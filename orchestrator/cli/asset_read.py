"""`kahn asset read`: what would come of any files, as a table, without writing; no bad file stops the others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from inventory.changes import Holdings, applied
from inventory.errors import ExpectedError
from inventory.mapping import MappingProfile
from inventory.observation import Refusal, columns_refused
from inventory.sources import read_file, recognise
from orchestrator.actions.take_inventory import FileRead, compare, holdings_in
from orchestrator.cli.asset_import import PARTLY_TAKEN, age_of, paths
from orchestrator.cli.asset_profile import found_profile
from orchestrator.cli.context import Context, context_of, harmless
from orchestrator.texts import _, error_lines, spoken_refusal

MOST_REASONS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One file of the table: how many records and dependencies it holds, and what would become of each of them.

    ``read`` is the sum of ``new``, ``changed``, ``unchanged`` and ``rejected``; ``merged`` that of the first three.
    Columns that were refused are no entries: they stand in ``why`` alone.
    """

    file: str
    format: str
    read: int = 0
    new: int = 0
    changed: int = 0
    unchanged: int = 0
    merged: int = 0
    rejected: int = 0
    columns: int = 0
    """Columns or sections that are not known and were not taken."""
    why: tuple[str, ...] = ()
    refused_whole: bool = False


def read(
    ctx: typer.Context,
    files: Annotated[list[Path], typer.Argument(help=_("Any files, or directories of inventory files."))],
    profile: Annotated[
        str, typer.Option("--profile", help=_("Mapping profile of lists (see `kahn asset profile`)."))
    ] = "",
) -> None:
    """Show per file: format, how much was read, what would be new, changed, unchanged or rejected, and why."""
    context = context_of(ctx)
    mapping = found_profile(context, profile) if profile else None
    with context.world.store.reading() as books:
        now = holdings_in(books, context.tenant)
    lines: list[Line] = []
    for path in paths(files):
        line, now = _line(context, path, now, mapping)
        lines.append(line)
    context.out.json([asdict(line) for line in lines])
    context.out.rich(_table(lines))
    context.out.line(_("Nothing was written. Next: kahn asset import FILE"))
    if any(line.rejected or line.columns or line.refused_whole for line in lines):
        raise typer.Exit(PARTLY_TAKEN)


def _line(context: Context, path: Path, now: Holdings, mapping: MappingProfile | None) -> tuple[Line, Holdings]:
    """One file on top of those before it, and the inventory as it would be after it."""
    source = ""
    try:
        source = "" if mapping is not None else recognise(path).name
        reading = read_file(path, profile=mapping)
        one_file = FileRead(file=str(path), reading=reading, observed_us=age_of(path, None))
        intake = compare(now, [one_file], new_id=context.world.new_asset_id, at=context.world.clock.now())
    except ExpectedError as wrong:
        why = error_lines(wrong)[0].replace(str(path), path.name)
        return Line(file=str(path), format=source or "?", why=(f"{wrong.code} {why}",), refused_whole=True), now
    changes = [step.changes for step in intake.steps]
    for one in changes:
        now = applied(now, one)
    refusals = [refusal for one in changes for refusal in one.refusals]
    tallies = [one.tally for one in changes]
    new, changed = sum(one.new for one in tallies), sum(one.changed for one in tallies)
    unchanged = sum(one.unchanged for one in tallies)
    line = Line(
        file=str(path),
        format=reading.source,
        read=sum(one.read for one in tallies),
        new=new,
        changed=changed,
        unchanged=unchanged,
        merged=new + changed + unchanged,
        rejected=sum(one.rejected for one in tallies),
        columns=columns_refused(refusals),
        why=_reasons(refusals, path) or tuple(f"({note})" for note in reading.notes[:1]),
    )
    return line, now


def _reasons(refusals: Sequence[Refusal], path: Path) -> tuple[str, ...]:
    """One sentence per rule that refused something: how often, and the first case."""
    found: dict[str, list[str]] = {}
    for one in refusals:
        found.setdefault(one.code, []).append(spoken_refusal(one).says.replace(str(path), path.name))
    return tuple(
        _("{count} x {code}, the first: {says}").format(count=len(says), code=code, says=says[0])
        if len(says) > 1
        else f"1 x {code} {says[0]}"
        for code, says in found.items()
    )


def _table(lines: Sequence[Line]) -> Table:
    table = Table(box=None, pad_edge=False)
    for heading in (_("file"), _("format")):
        table.add_column(heading, overflow="fold")
    for heading in (_("read"), _("new"), _("changed"), _("unchanged"), _("rejected")):
        table.add_column(heading, justify="right")
    table.add_column(_("why"), overflow="fold", ratio=1)
    for line in lines:
        rejected = _("whole file") if line.refused_whole else str(line.rejected)
        counts = (str(count) for count in (line.read, line.new, line.changed, line.unchanged))
        cells = (Path(line.file).name, line.format, *counts, rejected, _why(line))
        table.add_row(*(Text(harmless(cell).replace("\n", " ")) for cell in cells))
    return table


def _why(line: Line) -> str:
    shown = " | ".join(reason[:220] for reason in line.why[:MOST_REASONS])
    more = len(line.why) - MOST_REASONS
    return shown + (_(" | and {count} more reasons").format(count=more) if more > 0 else "")
