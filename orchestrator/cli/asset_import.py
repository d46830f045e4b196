"""`kahn asset import`: files of any known format into the inventory, the difference shown first."""

from __future__ import annotations

import gc
import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any

import typer

from inventory.changes import ChangeSet
from inventory.errors import ExpectedError
from inventory.mapping import MappingProfile
from inventory.model import Value
from inventory.observation import Refusal, columns_refused, entries_refused
from inventory.rejects import rejects_csv
from inventory.sources import is_recognised, read_file
from inventory.sources.limits import FileUnreadable
from inventory.tables import micros
from orchestrator.actions.take_inventory import (
    FileRead,
    Intake,
    Step,
    check_shares,
    compare,
    holdings_in,
    take_inventory,
    taken_before,
)
from orchestrator.cli.asset_profile import found_profile
from orchestrator.cli.context import Context, context_of
from orchestrator.texts import _, spoken_place, spoken_refusal

EXAMPLES = 20
"""How many examples of what changes an import shows, shared among the kinds."""
MOST_SIGNS = 300
"""Signs of one example; a list of packages is longer than anybody reads here."""
PARTLY_TAKEN = 8
SAME_ALWAYS = ("native-csv", "native-json")
"""Formats whose files say the same whenever they are read: no mapping profile has a say."""


class CannotWrite(ExpectedError):
    """A file that was to be written cannot be."""

    code, says = "CLI-012", "{file} cannot be written: {why}."
    remedy = "Choose another place, or make room or rights there."
    exit_code = 7


def import_(
    ctx: typer.Context,
    files: Annotated[list[Path], typer.Argument(help=_("Files of any known format, or directories of such files."))],
    profile: Annotated[
        str, typer.Option("--profile", help=_("Mapping profile of lists (see `kahn asset profile`)."))
    ] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help=_("Only show the difference."))] = False,
    rejects: Annotated[
        Path | None, typer.Option("--rejects", help=_("Where refused rows go; default: FILE.rejects.csv."))
    ] = None,
    observed: Annotated[
        datetime | None,
        typer.Option(
            formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"],
            help=_("When the files' contents were so (UTC); default: when each file was last written."),
        ),
    ] = None,
    vanished: Annotated[
        bool, typer.Option("--vanished", help=_("These are all that their sources have: the rest is gone there."))
    ] = False,
    allow_many: Annotated[
        bool, typer.Option("--allow-many", help=_("Even if it takes away or changes more than the policy allows."))
    ] = False,
    again: Annotated[bool, typer.Option("--again", help=_("Read files anew that were taken in already."))] = False,
) -> None:
    """Take inventories in: shows the difference, asks, writes; repeating it changes nothing."""
    context = context_of(ctx)
    wanted = [(path, age_of(path, observed)) for path in paths(files)]
    with collecting_paused():
        if not again and not vanished and _are_known(context, wanted):
            _conclude_known(context, dry_run=dry_run)
            return
        mapping = found_profile(context, profile) if profile else None
        # An iterator lets go of what it gave: the rows are not kept beside what they become.
        reads = iter([_read(path, mapping, age_us) for path, age_us in wanted])
        with context.world.store.reading() as books:
            before = holdings_in(books, context.tenant)
            rules = books.tenants.policy(context.tenant).inventory
        now = context.world.clock.now()
        intake = compare(before, reads, new_id=context.world.new_asset_id, at=now, is_complete=vanished)
        for step in intake.steps:
            _show(context, step)
        if not allow_many:
            check_shares(intake, rules)
        written, rejected = (0, []) if dry_run else _written(context, intake, rejects)
    _conclude(context, intake, written=written, rejected=rejected, dry_run=dry_run)
    if intake.refused:
        raise typer.Exit(PARTLY_TAKEN)


def _written(context: Context, intake: Intake, rejects: Path | None) -> tuple[int, list[Path]]:
    """Ask, give refused rows back, and write; how many changes there were, and the files of refused rows."""
    if not intake.is_empty:
        context.confirm(_("Write these changes?"))
    rejected = _write_rejects(intake, rejects)
    written = 0
    if not intake.is_empty:
        with context.world.transaction() as books:
            written = take_inventory(books, intake, at=context.world.clock.now())
    return written, rejected


@contextmanager
def collecting_paused() -> Iterator[None]:
    """The garbage collector at rest: it would look through hundreds of thousands of records that all stay."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _read(path: Path, mapping: MappingProfile | None, age_us: int) -> FileRead:
    reading = read_file(path, profile=mapping)
    digest = _digest(path) if reading.source in SAME_ALWAYS else ""
    return FileRead(file=str(path), reading=reading, observed_us=age_us, digest=digest)


def _digest(path: Path) -> str:
    """SHA-256 of the file and of the version that reads it; empty when it cannot be read."""
    try:
        with path.open("rb") as file:
            return f"{hashlib.file_digest(file, 'sha256').hexdigest()} {version('spreekahn')}"
    except OSError:
        return ""


def _are_known(context: Context, wanted: Iterable[tuple[Path, int]]) -> bool:
    """Whether these very files, of this age, were all taken in whole: taking them in again cannot change anything."""
    with context.world.store.reading() as books:
        taken = taken_before(books, context.tenant)
    return bool(taken) and all((_digest(path), age_us) in taken for path, age_us in wanted)


def _conclude_known(context: Context, *, dry_run: bool) -> None:
    context.out.json({"written": 0, "dry_run": dry_run, "rejects": [], "steps": []})
    context.out.line(_("Nothing to write: these very files were taken in already; --again reads them anew."))


def age_of(path: Path, observed: datetime | None) -> int:
    """When the file's contents were so, microseconds since 1970 UTC; 0 when nobody can tell."""
    if observed:
        return micros(observed.replace(tzinfo=UTC))
    try:
        return path.stat().st_mtime_ns // 1_000
    except OSError:
        return 0  # reading it will say what is wrong


def paths(named: Iterable[Path]) -> list[Path]:
    """Each file once; a directory stands for the inventory files directly in it. Raises FileUnreadable."""
    found: dict[Path, None] = {}
    for path in named:
        found.update(dict.fromkeys(_inside(path) if path.is_dir() else [path]))
    return list(found)


def _inside(directory: Path) -> list[Path]:
    try:
        found = sorted(one for one in directory.iterdir() if _is_inventory(one))
    except OSError as cause:
        raise FileUnreadable(file=directory, why=cause.strerror or "unknown") from cause
    if not found:
        raise FileUnreadable(file=directory, why="the directory holds no file of a known format")
    return found


def _is_inventory(path: Path) -> bool:
    known = (".csv", ".json", ".xlsx", ".xml", ".log", ".gz")
    if path.name.endswith(".rejects.csv") or path.name.startswith(".") or not path.is_file():
        return False
    return path.suffix.casefold() in known or is_recognised(path)


# --------------------------------------------------------------------------- what an import shows


def _show(context: Context, step: Step) -> None:
    """One step: per file what was passed over and refused, then what changes, with examples."""
    out = context.out
    for one in step.files:
        out.line(_("{file} ({format})").format(file=one.file, format=step.source))
        examples(context, [f"- {note}" for note in one.reading.notes])
        show_refusals(context, step.refusals_of(one))
    show_changes(context, step.changes)


def show_refusals(context: Context, refused: Sequence[Refusal]) -> None:
    """How many rows, and how many whole columns, are not taken, and why; a row with two troubles counts once."""
    if rows := entries_refused(refused):
        context.out.line(_("  rejected rows: {count}").format(count=rows))
    if columns := columns_refused(refused):
        context.out.line(_("  columns not taken: {count}").format(count=columns))
    examples(context, [refused_line(one) for one in refused])


def refused_line(one: Refusal) -> str:
    """One refusal for people: where, which rule, what is wrong."""
    return f"! {spoken_place(one.place)}: {one.code} {spoken_refusal(one).says}"


def show_changes(context: Context, changes: ChangeSet) -> None:
    """What would change, with examples of each kind."""
    out = context.out
    by_kind: dict[str, list[str]] = {}
    for one in changes.appeared:
        by_kind.setdefault(str(one.asset.kind), []).append(one.asset.name)
    for kind, names in sorted(by_kind.items()):
        out.line(_("  new {kind}: {count}").format(kind=kind, count=len(names)))
        examples(context, [f"+ {kind} {name}" for name in names], most=max(3, EXAMPLES // len(by_kind)))
    if changes.changed:
        out.line(_("  changed: {count}").format(count=len(changes.changed)))
    examples(
        context,
        [
            f"~ {one.asset.name}: {change.field} {word(change.before)} -> {word(change.after)}"
            for one in changes.changed
            for change in one.changes
        ],
    )
    if changes.dependencies:
        out.line(_("  new dependencies: {count}").format(count=len(changes.dependencies)))
    if changes.gone:
        out.line(_("  no longer there: {count}").format(count=len(changes.gone)))
        examples(context, [f"- {one.asset.kind} {one.asset.name}" for one in changes.gone])
    out.line(_("  unchanged: {count}").format(count=changes.unchanged))
    if changes.confirmed:
        out.line(_("  of these confirmed again, at a later time: {count}").format(count=changes.confirmed))
    if changes.overruled:
        out.line(
            _("  of these kept as a claim only, as another source or a newer word counts: {count}").format(
                count=changes.overruled
            )
        )


def examples(context: Context, lines: Sequence[str], *, most: int = EXAMPLES) -> None:
    """The first lines, and how many more there are."""
    for line in lines[:most]:
        shown = line if len(line) <= MOST_SIGNS else f"{line[:MOST_SIGNS]}..."
        context.out.line(f"    {shown}".replace("\n", " "))
    if len(lines) > most:
        context.out.line(_("    ... and {count} more").format(count=len(lines) - most))


def _conclude(context: Context, intake: Intake, *, written: int, rejected: Sequence[Path], dry_run: bool) -> None:
    context.out.json(
        {
            "written": written,
            "dry_run": dry_run,
            "rejects": [str(path) for path in rejected],
            "steps": [step_as_json(step) for step in intake.steps],
        }
    )
    out = context.out
    for path in rejected:
        out.line(_("Refused rows, with reasons, are in {file}").format(file=path))
    if intake.is_empty and intake.refused:
        out.line(_("Nothing to write: what was not refused, the inventory says already."))
    elif intake.is_empty:
        out.line(_("Nothing to write: the inventory says all this already."))
    elif dry_run:
        out.line(_("Nothing was written (--dry-run)."))
    else:
        out.line(_("{count} changes written. Next: kahn plan propose").format(count=written))


def step_as_json(step: Step) -> dict[str, Any]:
    """One step of an import for programs."""
    changes = step.changes
    return {
        "source": step.source,
        "files": [one.file for one in step.files],
        "notes": [note for one in step.files for note in one.reading.notes],
        "appeared": dict(sorted(Counter(str(one.asset.kind) for one in changes.appeared).items())),
        "changed": [
            {"name": one.asset.name, "field": change.field, "before": change.before, "after": change.after}
            for one in changes.changed
            for change in one.changes
        ],
        "dependencies": len(changes.dependencies),
        "gone": [one.asset.name for one in changes.gone],
        "unchanged": changes.unchanged,
        "confirmed": changes.confirmed,
        "overruled": changes.overruled,
        "rejected": changes.tally.rejected,
        "columns": columns_refused(changes.refusals),
        "refused": [_refusal_as_json(refusal) for refusal in changes.refusals],
    }


def _refusal_as_json(refusal: Refusal) -> dict[str, Any]:
    place, refusal = refusal.place, spoken_refusal(refusal)
    return {
        "file": place.file,
        "row": place.row,
        "column": place.column,
        "code": refusal.code,
        "says": refusal.says,
        "remedy": refusal.remedy,
    }


def _write_rejects(intake: Intake, wanted: Path | None) -> list[Path]:
    """One file of refused rows per imported file that has any. Raises CannotWrite."""
    refused = [(one, step.refusals_of(one)) for step in intake.steps for one in step.files if step.refusals_of(one)]
    written: list[Path] = []
    for number, (one, refusals) in enumerate(refused, start=1):
        path = Path(f"{one.file}.rejects.csv") if wanted is None else wanted
        if wanted is not None and number > 1:
            path = wanted.with_name(f"{wanted.stem}-{number}{wanted.suffix}")
        try:
            path.touch(mode=0o600)  # whole rows come back, columns that were not taken included
            # The mark tells spreadsheet programs that it is UTF-8.
            path.write_text(
                rejects_csv(one.reading.headings, map(spoken_refusal, refusals)), encoding="utf-8-sig", newline=""
            )
        except OSError as cause:
            raise CannotWrite(file=path, why=cause.strerror or "unknown") from cause
        written.append(path)
    return written


def word(value: Value | None, *, unknown: str = "?") -> str:
    """A value for people."""
    if value is None:
        return unknown
    return ", ".join(value) if isinstance(value, tuple) else str(value)
