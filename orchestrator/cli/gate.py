"""``kahn gate``: what people must confirm before a wave starts, and who confirmed what."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated
from zoneinfo import ZoneInfo

import typer
from rich.table import Table

from inventory.model import AssetId, name_key
from orchestrator.actions.confirm_gate import Say, confirm_gate, confirmations_in
from orchestrator.actions.take_back import UnknownAsset
from orchestrator.cli.context import Context, NoPerson, context_of
from orchestrator.cli.gates import BadMoment
from orchestrator.core.calendar import resolved
from orchestrator.core.wave import WaveContent
from orchestrator.spoken import one_line
from orchestrator.texts import _

app = typer.Typer(no_args_is_help=True)
Gate = Annotated[str, typer.Argument(help="Gate, as the policy names it.")]
Wave = Annotated[str, typer.Argument(help="Wave, such as W01; none for a gate of the whole tenant.")]
Asset = Annotated[list[str] | None, typer.Option("--asset", help="Only these assets of the wave.")]
As = Annotated[str, typer.Option("--as", help="Who says so (else KAHN_PERSON).")]


@app.command("list")
def list_gates(ctx: typer.Context) -> None:
    """What must be confirmed, and everything that was."""
    kahn = context_of(ctx)
    with kahn.world.look() as desk:
        demands = desk.books.tenants.policy(kahn.tenant).gates
        found = confirmations_in(desk.books, kahn.tenant)
        names: dict[str, str] = {
            person.id: person.name or person.id for person in desk.books.people.everyone(kahn.tenant)
        }
    for one in demands:
        kahn.out.line(f"{one.name:<18} {one.reach.value:<8} {one_line(one.owner)}")
    if not demands:
        kahn.out.line(_("The policy names no gate that people confirm."))
    table = Table(box=None, header_style="dim")
    for heading in (_("gate"), _("about"), _("by"), _("on"), _("until"), ""):
        table.add_column(heading, overflow="fold")
    for each in found:
        about = each.wave or each.runbook[:12] or kahn.tenant
        about += f" ({len(each.assets)})" if each.assets else ""
        until = f"{each.until:%Y-%m-%d}" if each.until else "-"
        word = _("withdrawn") if each.withdrawn else ""
        table.add_row(each.gate, about, names.get(each.by, each.by), f"{each.at:%Y-%m-%d}", until, word)
    if found:
        kahn.out.rich(table)
    kahn.out.json({"gates": demands, "confirmations": found})


@app.command()
def confirm(
    ctx: typer.Context,
    gate: Gate,
    wave: Wave = "",
    asset: Asset = None,
    people: Annotated[int, typer.Option(min=0, max=10_000, help="How many people are there (for staff).")] = 0,
    until: Annotated[str, typer.Option(help="Last day on which it counts, such as 2026-12-31.")] = "",
    note: Annotated[str, typer.Option(help="What it rests on, such as a file reference; can be redacted.")] = "",
    person: As = "",
) -> None:
    """Say that a gate is open; kept in the journal with who said so."""
    kahn = context_of(ctx)
    last = _end_of_day(kahn, until) if until else None
    _say(kahn, Say(gate=gate, people=people, until=last, note=note), wave=wave, assets=asset or [], person=person)
    kahn.out.line(_("Confirmed. Next: `kahn wave check {wave}`.").format(wave=wave or "WAVE"))


@app.command()
def withdraw(ctx: typer.Context, gate: Gate, wave: Wave = "", asset: Asset = None, person: As = "") -> None:
    """Close a gate again."""
    kahn = context_of(ctx)
    _say(kahn, Say(gate=gate, withdrawn=True), wave=wave, assets=asset or [], person=person)
    kahn.out.line(_("Withdrawn: the gate is closed again."))


def _say(kahn: Context, say: Say, *, wave: str, assets: list[str], person: str) -> None:
    name = person or kahn.settings.person
    if not name:
        raise NoPerson()
    with kahn.world.desk() as desk:
        who = desk.books.people.find(kahn.tenant, name)
        row = desk.books.waves.get(kahn.tenant, wave) if wave else None
        named = tuple(_asset(row.content, one) for one in assets) if row else ()
        found = confirm_gate(desk, kahn.tenant, replace(say, assets=named), wave=row, person=who.id)
    kahn.out.json(found)


def _asset(content: WaveContent, name: str) -> AssetId:
    """The asset of that name alone; a confirmation never spreads to its group. Raises UnknownAsset."""
    for move in content.moves:
        if name_key(move.name) == name_key(name):
            return move.asset
    raise UnknownAsset(asset=name[:60], wave=content.key)


def _end_of_day(kahn: Context, day: str) -> datetime:
    """The moment after the last moment of that day, in the tenant's zone. Raises BadMoment."""
    with kahn.world.look() as desk:
        zone = ZoneInfo(desk.books.tenants.policy(kahn.tenant).zone)
    try:
        following = date.fromisoformat(day) + timedelta(days=1)
    except (ValueError, OverflowError) as cause:
        raise BadMoment(given=day[:40]) from cause
    return resolved(datetime.combine(following, time()), zone).astimezone(UTC)
