"""``kahn plan edit``, ``export``, ``import``: the plan in force changed by a person, by one move or by spreadsheet."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from inventory.errors import ExpectedError
from orchestrator.actions.edit_plan import (
    Editable,
    EditOrder,
    EditRefused,
    PlanOutdated,
    edit,
    editable_in,
    store_edit,
)
from orchestrator.actions.pin_asset import machine_named
from orchestrator.actions.sign import Keyboard
from orchestrator.actions.store_plan import StoredWave
from orchestrator.cli.context import Context, context_of
from orchestrator.cli.plan import app
from orchestrator.cli.plan_tables import (
    comparison_document,
    difference_document,
    show_comparison,
    show_difference,
    show_findings,
    show_objective,
    tell_stored,
)
from orchestrator.core.explain import difference
from orchestrator.core.freeze import Frozen
from orchestrator.core.plan import Plan, PlanFinding, WaveKey
from orchestrator.core.plan_check import check_plan
from orchestrator.core.plan_compare import comparison
from orchestrator.core.plan_edit import Edited, NothingToEdit, Wish
from orchestrator.core.plan_rows import RowFault, RowsRead, plan_rows, rows_read
from orchestrator.spoken import language, spoken
from orchestrator.texts import _
from orchestrator.wiring import read_plan_file, write_plan_file

FAULTS_SHOWN = 50
As = Annotated[str, typer.Option("--as", help=_("Who acts (else KAHN_PERSON)."))]
KeyFile = Annotated[Path | None, typer.Option("--key", help=_("Their private SSH key (else KAHN_KEY)."))]
DryRun = Annotated[bool, typer.Option("--dry-run", help=_("Only show what would change."))]
Reason = Annotated[str, typer.Option(help=_("Why; kept in the journal."))]


class PlanFileWrong(ExpectedError):
    """An edited file with rows that cannot be taken. ``faults`` holds all of them."""

    code, says = "PLAN-049", "{file} has {count} errors; nothing of it was taken. The first: {first}"
    remedy = "Correct the cells that are named and import the file again."
    exit_code = 8

    def __init__(self, *, file: str, faults: tuple[RowFault, ...]) -> None:
        self.faults = faults
        super().__init__(file=file, count=len(faults), first=fault_line(faults[0]))


@app.command()
def export(
    ctx: typer.Context,
    output: Annotated[Path, typer.Option("-o", "--output", help=_("Where to: a file that ends in .xlsx or .csv."))],
) -> None:
    """Write the plan in force as a spreadsheet: one row an asset, to be edited in the column `wave` and imported."""
    kahn = context_of(ctx)
    with kahn.world.store.reading() as books:
        start = editable_in(books, tenant=kahn.tenant, now=kahn.world.clock.now(), asks=kahn.world.asks)
    plan = _in_force(kahn, start)
    rows = plan_rows(plan, start.request.snapshot)
    windows = {str(w.key): f"{w.window.local} {w.window.zone}" for w in plan.waves if w.key not in start.fixed}
    write_plan_file(output, rows, waves=windows, german=language() == "de")
    kahn.out.line(_("{count} assets are in {file}.").format(count=len(rows), file=output))
    kahn.out.line(_("Change the column of waves, then: `kahn plan import {file}`.").format(file=output))
    kahn.out.json({"file": str(output), "rows": len(rows), "plan": plan.fingerprint})


@app.command("edit")
def edit_(
    ctx: typer.Context,
    assets: Annotated[list[str], typer.Argument(metavar="ASSET...", help=_("Names of machines."))],
    to: Annotated[str, typer.Option("--to", metavar="WAVE", help=_("Wave of the plan in force, such as W03."))],
    reason: Reason = "",
    dry_run: DryRun = False,
    person: As = "",
    key: KeyFile = None,
) -> None:
    """Move assets, each with its move group, to another wave of the plan in force; checked, shown, stored, pinned."""
    kahn = context_of(ctx)
    start = start_of(kahn)
    _in_force(kahn, start)
    wishes = [Wish(asset=machine_named(start.request.snapshot, name).id, wave=WaveKey(to)) for name in assets]
    _take(kahn, start, wishes, store=None if dry_run else storing(kahn, person, key, reason))


@app.command("import")
def import_(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(help=_("An edited file of `kahn plan export`, or one with asset and wave."))],
    reason: Reason = "",
    dry_run: DryRun = False,
    person: As = "",
    key: KeyFile = None,
) -> None:
    """Take an edited plan in: every error is named with its row and column; without any it is checked and stored."""
    kahn = context_of(ctx)
    start = start_of(kahn)
    plan = _in_force(kahn, start)
    read = rows_read(read_plan_file(file), plan, start.request.snapshot, fixed=start.fixed)
    _refuse_faults(kahn, file, read)
    if read.not_mentioned:
        text = _("{count} assets of the plan are not in the file; they stay where they are.")
        kahn.out.line(text.format(count=read.not_mentioned))
    if not read.wishes:
        kahn.out.line(_("The file changes no wave of any asset; nothing was stored."))
        kahn.out.json({"stored": []})
        return
    _take(kahn, start, read.wishes, store=None if dry_run else storing(kahn, person, key, reason))


def fault_line(fault: RowFault) -> str:
    """Where and what, on one line."""
    return _("row {row}, column {column}: {says}").format(row=fault.row, column=fault.column, says=spoken(fault.says))


# --------------------------------------------------------------------------- both ways of editing


def start_of(kahn: Context) -> Editable:
    """What an edit starts from, by the books."""
    with kahn.world.store.reading() as books:
        return editable_in(books, tenant=kahn.tenant, now=kahn.world.clock.now(), asks=kahn.world.asks)


def _in_force(kahn: Context, start: Editable) -> Plan:
    """Raises NothingToEdit."""
    if start.request.parent is None:
        raise NothingToEdit(tenant=kahn.tenant)
    return start.request.parent


def _refuse_faults(kahn: Context, file: Path, read: RowsRead) -> None:
    for fault in read.faults[:FAULTS_SHOWN]:
        kahn.out.line(f"{file.name}, {fault_line(fault)}")
    if len(read.faults) > FAULTS_SHOWN:
        kahn.out.line(_("{count} more errors.").format(count=len(read.faults) - FAULTS_SHOWN))
    if read.faults:
        raise PlanFileWrong(file=file.name, faults=read.faults)


StoreEdit = Callable[[Editable, Edited], tuple[StoredWave, ...]]


def storing(kahn: Context, person: str, key: Path | None, reason: str) -> StoreEdit:
    """How an edit is stored once a person has confirmed it. Raises NoPerson at once when nobody is named."""
    name, key_file = kahn.signer(person, key)
    keyboard = Keyboard(person=name, key_file=key_file)

    def store(start: Editable, found: Edited) -> tuple[StoredWave, ...]:
        kahn.confirm(_("Store the edited plan and propose its changed waves as {person}?").format(person=name))
        world = kahn.world
        runbooks = {one: world.runbook(one) for one in sorted({wave.runbook for wave in found.plan.waves})}
        with world.desk() as desk:
            frozen = Frozen(
                snapshot=start.request.snapshot,
                policy=start.request.policy,
                runbooks=runbooks,
                profiles={profile.name: profile for profile in desk.books.tenants.access(kahn.tenant)},
                ansible_core=world.ansible_core(),
            )
            order = EditOrder(start=start, edit=found, keyboard=keyboard, reason=reason)
            return store_edit(desk, order, frozen=frozen)

    return store


def _take(kahn: Context, start: Editable, wishes: Sequence[Wish], *, store: StoreEdit | None) -> None:
    """Check the edit, show what it changes, and store it if that is wanted."""
    found, findings = _checked(kahn, start, wishes)
    before = _in_force(kahn, start)
    snapshot = start.request.snapshot
    changes, compared = difference(before, found.plan, snapshot), comparison(before, found.plan, snapshot)
    show_comparison(kahn.out, compared)
    show_difference(kahn.out, changes)
    show_objective(kahn.out, found.plan)
    show_findings(kahn.out, findings)
    document: dict[str, Any] = {
        "difference": difference_document(changes),
        "comparison": comparison_document(compared),
        "judged": found.plan.judged,
        "findings": findings,
        "pins": found.pins,
    }
    if store is None:
        kahn.out.line(_("Nothing was stored. Next: the same without --dry-run."))
        kahn.out.json({**document, "plan": found.plan})
        return
    stored = store(start, found)
    tell_stored(kahn.out, stored)
    kahn.out.line(_("The edits are pinned: the next `kahn plan propose` keeps them."))
    kahn.out.json({**document, "fingerprint": found.plan.fingerprint, "stored": stored})


def _checked(kahn: Context, start: Editable, wishes: Sequence[Wish]) -> tuple[Edited, tuple[PlanFinding, ...]]:
    try:
        return edit(start, wishes, check_plan)
    except (EditRefused, PlanOutdated) as error:
        show_findings(kahn.out, error.findings)
        raise
