"""`kahn town`: a made-up municipality to try everything with."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from inventory.errors import ExpectedError
from inventory.sources.town import LARGEST, SMALLEST, TownWish, make_town, write_town
from orchestrator.cli.context import context_of
from orchestrator.texts import _


class TownNotWritten(ExpectedError):
    """The made-up town could not be written."""

    code, says = "CLI-013", "The town cannot be written to {out}: {why}."
    remedy = "Choose another place, or make room or rights there."
    exit_code = 7


def town(
    ctx: typer.Context,
    out: Annotated[Path, typer.Option(help=_("A .json file, or a directory for one CSV file per section."))],
    seats: Annotated[int, typer.Option(min=SMALLEST, max=LARGEST, help=_("How many seats the town has."))] = 1_400,
    seed: Annotated[int, typer.Option(help=_("Which of all such towns; the same seed gives the same bytes."))] = 1,
    successors: Annotated[bool, typer.Option(help=_("Plan a successor for each workstation."))] = True,
    dirt: Annotated[
        bool, typer.Option("--dirt", help=_("With duplicates, gaps and placeholders, as in real life."))
    ] = False,
) -> None:
    """Make up a municipality: sites, departments, seats, machines, procedures and what depends on what."""
    made = make_town(TownWish(seats=seats, seed=seed, has_successors=successors, is_dirty=dirt))
    try:
        written = write_town(made, out)
    except OSError as cause:
        raise TownNotWritten(out=out, why=cause.strerror or "unknown") from cause
    counts = {section: len(entries) for section, entries in made.items() if isinstance(entries, list)}
    speaker = context_of(ctx).out
    speaker.json({"files": [str(path) for path in written], **counts})
    for path in written:
        speaker.line(str(path))
    speaker.line(", ".join(f"{section} {count}" for section, count in counts.items()))
    speaker.line(_("Next: kahn asset import {out}").format(out=out))
