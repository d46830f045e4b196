"""`kahn asset discover`: ask machines by ssh what they are, show the difference, and take it when confirmed."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from orchestrator.actions.discover import Discovered, FactsReader, ask, discovered
from orchestrator.actions.scan_keys import select_machines
from orchestrator.actions.take_inventory import Now, holdings_in, take_inventory
from orchestrator.cli.asset_import import PARTLY_TAKEN, examples, show_changes, show_refusals, step_as_json
from orchestrator.cli.context import Context, context_of
from orchestrator.core.discovery import FactsAnswer
from orchestrator.core.host_keys import Door
from orchestrator.spoken import one_line, spoken
from orchestrator.texts import _
from orchestrator.wiring import read_credentials, read_facts

NOT_REACHED = 7
AT_ONCE = 20


def discover(
    ctx: typer.Context,
    words: Annotated[
        list[str] | None,
        typer.Argument(metavar="NAME|FILTER", help=_("Names (with * and ?) or terms such as kind=server.")),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help=_("Only show the difference."))] = False,
    at_once: Annotated[
        int, typer.Option(min=1, max=100, help=_("How many machines are asked at the same time."))
    ] = AT_ONCE,
    credentials: Annotated[
        Path | None, typer.Option(help=_("File of ansible-vault with passwords or keys, by access profile."))
    ] = None,
    vault_password_file: Annotated[
        Path | None, typer.Option(help=_("File or program with that file's password; else you are asked."))
    ] = None,
) -> None:
    """Ask machines by ssh what they are and with whom they talk; nothing is changed on them, the difference shown."""
    context = context_of(ctx)
    with context.world.store.reading() as books:
        holdings = holdings_in(books, context.tenant)
        profiles = {one.name: one for one in books.tenants.access(context.tenant)}
    machines = select_machines(holdings.snapshot, words or ())
    opened = read_credentials(credentials, password_file=vault_password_file, profiles=profiles) if credentials else {}
    read = partial(read_facts, at_once=at_once, credentials=opened)
    answers = ask(machines, profiles=profiles, read=_reader(context, count=len(machines), read=read))
    now = Now(at=context.world.clock.now(), new_id=context.world.new_asset_id)
    found = discovered(holdings, answers, now=now)
    _show(context, found)
    written = 0
    if not dry_run and not found.intake.is_empty:
        context.confirm(_("Write these changes?"))
        with context.world.transaction() as books:
            written = take_inventory(books, found.intake, at=context.world.clock.now())
    _conclude(context, found, written)


def _reader(context: Context, *, count: int, read: Callable[..., Sequence[FactsAnswer]]) -> FactsReader:
    """Reads the reports and shows on a terminal how many have come."""

    def told(doors: Sequence[Door]) -> Sequence[FactsAnswer]:
        if context.json or not sys.stdout.isatty():
            return read(doors)
        answered = Counter[str]()
        with context.out.console.status("") as shown:

            def tell(_answer: FactsAnswer) -> None:
                answered["all"] += 1
                shown.update(_("{number} of {count} machines asked").format(number=answered["all"], count=count))

            return read(doors, tell=tell)

    return told


def _show(context: Context, found: Discovered) -> None:
    for step in found.intake.steps:
        for one in step.files:
            examples(context, [f"- {note}" for note in one.reading.notes])
        show_refusals(context, step.changes.refusals)
        show_changes(context, step.changes)
    if found.troubles:
        context.out.line(_("  without a report: {count}").format(count=len(found.troubles)))
        examples(context, [f"! {asset.name}: {one_line(spoken(trouble.told))}" for asset, trouble in found.troubles])


def _conclude(context: Context, found: Discovered, written: int) -> None:
    context.out.json(
        {
            "answered": found.answered,
            "written": written,
            "steps": [step_as_json(step) for step in found.intake.steps],
            "troubles": [
                {"name": asset.name, "code": trouble.code, "says": one_line(spoken(trouble.told))}
                for asset, trouble in found.troubles
            ],
        }
    )
    context.out.line(
        _("Machines that answered: {answered}, that did not: {failed}; changes written: {written}.").format(
            answered=found.answered, failed=len(found.troubles), written=written
        )
    )
    if found.intake.refused:
        raise typer.Exit(PARTLY_TAKEN)
    if found.troubles:
        raise typer.Exit(NOT_REACHED)
