"""``kahn backup``: keep everything that Kahn knows in one file, and bring it back."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import typer

from orchestrator.actions.hold_restored import EPOCHS_LEFT_OUT, hold_restored, went_back
from orchestrator.cli.context import Context, context_of
from orchestrator.settings import read_settings
from orchestrator.texts import _
from orchestrator.wiring import make_backup, open_world, read_manifest, restore_backup

app = typer.Typer(no_args_is_help=True)
File = Annotated[Path, typer.Argument(help="Backup file.")]


@app.command()
def make(
    ctx: typer.Context,
    output: Annotated[Path, typer.Option("--output", "-o", help="File to write; it must not exist yet.")],
    secret: Annotated[
        list[str] | None, typer.Option("--secret", help="Keep this secret file of the state directory too, in clear.")
    ] = None,
) -> None:
    """Write the store at one moment, configuration, contacts, trees and runs; also while waves are under way."""
    kahn = context_of(ctx)
    settings, world = kahn.settings, kahn.world
    with world.look() as desk:
        facts = {"at": desk.now.isoformat(), "kahn": version("spreekahn"), "epoch": desk.books.epoch()}
    for name in secret or []:
        if Path(name).name != name:
            raise typer.BadParameter(_("--secret names a file of the state directory, without a path."))
    count = make_backup(
        output.absolute(), home=settings.home, url=settings.database_url, facts=facts, secrets=tuple(secret or ())
    )
    kahn.out.line(
        _("Written: {file} ({count} files). Next: `kahn backup show {file}`.").format(file=output, count=count)
    )
    if secret:
        kahn.out.line(_("It holds secrets in clear: keep it like them."))
    kahn.out.json({"file": str(output), "files": count, **facts})


@app.command()
def show(ctx: typer.Context, file: File) -> None:
    """When a backup was made, by which release, and how much it holds."""
    kahn = context_of(ctx)
    found = read_manifest(file)
    facts: dict[str, object] = {name: found[name] for name in ("at", "kahn", "revision", "epoch") if name in found}
    for name, value in facts.items():
        kahn.out.line(f"{name:<10} {value}")
    kahn.out.line(_("{count} files").format(count=len(found["files"])))
    kahn.out.json({**facts, "files": len(found["files"])})


@app.command()
def restore(
    ctx: typer.Context,
    file: File,
    directory: Annotated[Path, typer.Argument(help="Empty directory, the new state directory.")],
    database: Annotated[
        str, typer.Option(help="Empty PostgreSQL database to fill; without it SQLite in the directory.")
    ] = "",
) -> None:
    """Bring a backup back into an empty directory. Every wave under way is held, every approval ends."""
    kahn = context_of(ctx)
    home = directory.absolute()
    manifest = restore_backup(file, home, url=database)
    held = _hold_everything(kahn, home)
    kahn.out.line(_("Restored to {home}: the state of {at}.").format(home=home, at=manifest.get("at", "-")))
    kahn.out.line(_("Stopped until somebody says go on: {waves}.").format(waves=", ".join(held) or "-"))
    kahn.out.line(_("Stop the old service for good before you start this one."))
    kahn.out.json({"home": str(home), "at": manifest.get("at"), "stopped": held})


def _hold_everything(kahn: Context, home: Path) -> list[str]:
    """What happened after the backup is not in it. A far higher epoch unseats the old driver, should it still run."""
    world = open_world(read_settings(home))
    with world.desk() as desk:
        how = went_back(desk.books, world.runs)
        held = hold_restored(desk, how)
        desk.books.raise_epoch(above=max(how.epoch_here, how.epoch_of_store) + EPOCHS_LEFT_OUT)
    return [f"{wave.tenant}/{wave.key}" for wave in held]
