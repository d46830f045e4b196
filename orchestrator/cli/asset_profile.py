"""`kahn asset profile`: what stands under the headings of the tenant's lists, proposed by Kahn, kept by a person."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from inventory.errors import ExpectedError
from inventory.mapping import IGNORED, PERSON, SPECIAL, MappingProfile, attribute_for, is_machine_field
from inventory.model import field_named, field_word
from inventory.sources.office_profile import Proposal, ProposedColumn, propose
from orchestrator.cli.context import Context, context_of, harmless
from orchestrator.core.canonical import plain
from orchestrator.ports import Entry
from orchestrator.texts import _

app = typer.Typer(no_args_is_help=True)
KEPT, DROPPED = "mapping.put", "mapping.dropped"


class NoSuchProfile(ExpectedError):
    """A mapping profile that the tenant does not have."""

    code, says = "CLI-050", "There is no mapping profile {name!r} in {tenant}."
    remedy = "See `kahn asset profile list`, or make one: `kahn asset profile propose FILE NAME`."
    exit_code = 5


class BadCorrection(ExpectedError):
    """A --set that says nothing usable."""

    code, says = "CLI-051", "{text!r} sets no column: {why}."
    remedy = 'Write "HEADING=FIELD", or "HEADING=FIELD:UNIT" for a size (mb, gb, tb); "HEADING=-" leaves a column out.'


@app.command("propose")
def propose_(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(help="A list as CSV or .xlsx.")],
    name: Annotated[str, typer.Argument(help="Name of the profile.")],
    corrections: Annotated[
        list[str] | None, typer.Option("--set", help='"HEADING=FIELD" where the proposal is wrong; "-" leaves it out.')
    ] = None,
    kind: Annotated[str, typer.Option(help="Kind of every machine in the list, where no column says it.")] = "",
    sheet: Annotated[str, typer.Option(help="The sheet of a workbook.")] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show the proposal.")] = False,
) -> None:
    """Show what Kahn takes the columns of a list for; keep it as a profile once you have confirmed it."""
    context = context_of(ctx)
    found = propose(file, corrections=_corrections(corrections or ()), sheet=sheet)
    _show(context, found)
    profile = found.profile(name, kind=kind)
    context.out.json({"profile": plain(profile), "kept": not dry_run})
    if dry_run:
        context.out.line(_("Nothing was kept (--dry-run)."))
        return
    context.confirm(_("Keep this as the mapping profile {name}?").format(name=name))
    with context.world.transaction() as books:
        books.tenants.put_mapping(context.tenant, profile)
        entry = Entry(kind=KEPT, subject=f"mapping:{name}", body=plain(profile))
        books.journal.append(context.tenant, [entry], at=context.world.clock.now())
    next_step = _("Kept. Next: kahn asset import {file} --profile {name}")
    context.out.line(next_step.format(file=file, name=name))


@app.command("list")
def list_(ctx: typer.Context) -> None:
    """All mapping profiles of the tenant."""
    context = context_of(ctx)
    profiles = _profiles(context)
    table = Table(_("name"), _("columns"), _("kind"), _("sheet"), box=None, pad_edge=False)
    for one in profiles:
        taken = ", ".join(column.heading for column in one.columns if column.field not in (IGNORED, PERSON))
        table.add_row(one.name, Text(harmless(taken)), one.kind, Text(harmless(one.sheet)))
    context.out.rich(table)
    context.out.json([plain(one) for one in profiles])


@app.command("show")
def show(ctx: typer.Context, name: Annotated[str, typer.Argument(help="Name of the profile.")]) -> None:
    """One mapping profile, column by column."""
    context = context_of(ctx)
    profile = found_profile(context, name)
    table = Table(_("heading"), _("field"), _("unit"), _("German"), box=None, pad_edge=False)
    for one in profile.columns:
        known = field_named(one.field)
        german = known.german if known else ""
        table.add_row(Text(harmless(one.heading)), one.field, one.unit, german)
    context.out.rich(table)
    context.out.json(plain(profile))


@app.command("drop")
def drop(ctx: typer.Context, name: Annotated[str, typer.Argument(help="Name of the profile.")]) -> None:
    """Forget a mapping profile; what was imported by it stays."""
    context = context_of(ctx)
    found_profile(context, name)
    context.confirm(_("Forget the mapping profile {name}?").format(name=name))
    with context.world.transaction() as books:
        if not books.tenants.drop_mapping(context.tenant, name):
            raise NoSuchProfile(name=name[:60], tenant=context.tenant)
        entry = Entry(kind=DROPPED, subject=f"mapping:{name}", body={})
        books.journal.append(context.tenant, [entry], at=context.world.clock.now())
    context.out.line(_("The mapping profile {name} is forgotten.").format(name=name))
    context.out.json({"dropped": name})


def found_profile(context: Context, name: str) -> MappingProfile:
    """The tenant's profile of that name. Raises NoSuchProfile."""
    found = next((one for one in _profiles(context) if one.name == name), None)
    if found is None:
        raise NoSuchProfile(name=name[:60], tenant=context.tenant)
    return found


def _profiles(context: Context) -> tuple[MappingProfile, ...]:
    with context.world.store.reading() as books:
        books.tenants.policy(context.tenant)  # a tenant that is not there is refused, not shown as empty
        return books.tenants.mappings(context.tenant)


def _corrections(texts: Sequence[str]) -> dict[str, str]:
    """Heading -> field, or field:unit. Raises BadCorrection."""
    found: dict[str, str] = {}
    for text in texts:
        heading, sign, said = text.rpartition("=")
        field, colon, unit = said.partition(":")
        field = field_word(field)
        if not sign or not heading.strip():
            raise BadCorrection(text=text[:80], why="there is no heading or no =")
        if field not in SPECIAL and not is_machine_field(field):
            raise BadCorrection(text=text[:80], why=f"machines have no field {field[:40]!r}")
        found[heading.strip()] = f"{field}{colon}{unit.strip()}"
    return found


def _show(context: Context, found: Proposal) -> None:
    if found.sheet:
        context.out.line(_("Sheet: {sheet}").format(sheet=found.sheet))
    table = Table(_("heading"), _("example"), _("field"), _("because of"), box=None, pad_edge=False)
    for one in found.columns:
        table.add_row(*(Text(harmless(cell)) for cell in _cells(one)))
    context.out.rich(table)
    ignored = sum(1 for one in found.columns if one.column.field == IGNORED)
    if ignored:
        told = _('{count} columns are left out (-). Say what they are with --set "HEADING=FIELD".')
        context.out.line(told.format(count=ignored))
        left = next(one.column.heading for one in found.columns if one.column.field == IGNORED)
        own = _('To keep one as an attribute of your own: --set "{heading}={attribute}"')
        context.out.line(own.format(heading=harmless(left), attribute=attribute_for(left)))


def _cells(one: ProposedColumn) -> tuple[str, str, str, str]:
    unit = f" ({one.column.unit})" if one.column.unit else ""
    return one.column.heading, one.example, f"{one.column.field}{unit}", one.why
