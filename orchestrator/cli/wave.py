"""``kahn wave``: look, check, approve, run, watch, take back."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from inventory.errors import ExpectedError
from inventory.model import AssetId
from orchestrator.actions.approve_plan import approve_wave, turn_back_wave
from orchestrator.actions.make_report import case_of
from orchestrator.actions.record import wave_at
from orchestrator.actions.sign import Intent, Keyboard, standing_of
from orchestrator.actions.start_wave import claim_wave, launched_before
from orchestrator.actions.take_back import ask_rollback, assets_named, rollback_preview
from orchestrator.cli.context import Context, context_of, harmless
from orchestrator.cli.drive import drive_until_rest, follow_until_rest
from orchestrator.cli.gates import gates_of, hosts_of, show_gates
from orchestrator.cli.lines import start_line
from orchestrator.cli.watch import render, watch_wave
from orchestrator.cli.wave_compare import show_comparison
from orchestrator.cli.wave_dry_run import show_dry_run
from orchestrator.cli.wave_evidence import show_evidence
from orchestrator.cli.wave_log import show_log
from orchestrator.core.approval import shown_text
from orchestrator.core.lifecycle import WAVE_GROUPS, WaveState
from orchestrator.core.ready import SIGNATURES, blocking
from orchestrator.core.retention import refuse_erased
from orchestrator.core.wave import ActKind
from orchestrator.core.wave_view import view_of, view_of_case
from orchestrator.spoken import spoken, state_word
from orchestrator.texts import _

app = typer.Typer(no_args_is_help=True)
NOT_STARTED = (WaveState.DRAFT, WaveState.PROPOSED, WaveState.APPROVED, WaveState.SCHEDULED, WaveState.MISSED)
REFUSED, PROOF_BROKEN = 3, 9

Key = Annotated[str, typer.Argument(help="Wave, such as W01.")]
As = Annotated[str, typer.Option("--as", help="Who acts (else KAHN_PERSON).")]
KeyFile = Annotated[Path | None, typer.Option("--key", help="Their private SSH key (else KAHN_KEY).")]
Reason = Annotated[str, typer.Option(help="Why; kept in the journal.")]


class AlreadyDriven(ExpectedError):
    """The wave runs already, driven by somebody else."""

    code, says = "RUN-008", "Wave {wave} is {state} and another process drives it."
    remedy = "Watch it with `kahn wave watch {wave}`."
    exit_code = 6


def keyboard_of(kahn: Context, person: str, key: Path | None) -> Keyboard:
    """Who acts, with which key. Raises NoPerson."""
    name, key_file = kahn.signer(person, key)
    return Keyboard(person=name, key_file=key_file)


@app.command("list")
def list_waves(ctx: typer.Context) -> None:
    """All waves of the tenant."""
    kahn = context_of(ctx)
    with kahn.world.store.reading() as books:
        books.tenants.policy(kahn.tenant)  # a tenant that is not there is refused, not shown as empty
        waves = books.waves.all(kahn.tenant)
    table = Table(_("wave"), _("state"), _("window"), _("assets"), _("runbook"))
    for wave in waves:
        window = f"{wave.content.window.local} {wave.content.window.zone}"
        table.add_row(wave.key, _(wave.state.value), window, str(len(wave.content.moves)), wave.content.runbook.name)
    kahn.out.rich(table)
    kahn.out.json([{"wave": one.key, "state": one.state, "fingerprint": one.fingerprint} for one in waves])


@app.command()
def show(
    ctx: typer.Context,
    wave: Key,
    log: Annotated[str, typer.Option(help="ASSET or ASSET:STEP: every recorded line about it.")] = "",
    evidence: Annotated[str, typer.Option(help="ASSET: what is known about it, for whoever must decide.")] = "",
) -> None:
    """What the wave is, who signed it, and where each asset stands."""
    kahn = context_of(ctx)
    if log:
        show_log(kahn, wave, log)
        return
    if evidence:
        show_evidence(kahn, wave, evidence)
        return
    with kahn.world.look() as desk:
        row = desk.books.waves.get(kahn.tenant, wave)
        standing = standing_of(desk, row)
        names = {person.id: person.name or person.id for person in desk.books.people.everyone(kahn.tenant)}
        start = desk.books.occurrences.get(kahn.tenant, wave, revision=row.revision)
        moves = desk.books.waves.moves(kahn.tenant, wave)
        view = view_of_case(replace(case_of(desk, row), standing=standing), now=desk.now)
    kahn.out.line(shown_text(row.content))
    kahn.out.line(_("fingerprint {fingerprint}").format(fingerprint=row.fingerprint))
    if standing.proposer:
        kahn.out.line(_("proposed by {name}").format(name=names[standing.proposer]))
    for person in standing.approvers:
        kahn.out.line(_("approved by {name}").format(name=names[person]))
    for condition in standing.conditions:
        kahn.out.line(_("on condition: {condition}").format(condition=condition))
    if start is not None:
        kahn.out.line(start_line(start))
    for missing in standing.missing if row.state in NOT_STARTED or standing.forged else ():
        kahn.out.line(_("missing: {what}").format(what=spoken(missing)))
    kahn.out.rich(render(view))
    kahn.out.json(
        {
            "view": view,
            "content": row.content,
            "moves": moves,
            "fingerprint": row.fingerprint,
            "standing": standing,
            "start": start,
        }
    )
    if standing.forged:
        raise typer.Exit(PROOF_BROKEN)


@app.command()
def compare(
    ctx: typer.Context,
    wave: Key,
    asset: Annotated[str, typer.Argument(help=_("Asset whose differences are listed."))] = "",
    *,
    every: Annotated[bool, typer.Option("--all", help=_("Also what is expected or tolerated."))] = False,
) -> None:
    """Before and after: what successors offer, compared with the old machines."""
    show_comparison(context_of(ctx), wave, asset, every=every)


@app.command()
def check(
    ctx: typer.Context,
    wave: Key,
    at: Annotated[
        str, typer.Option(help="As it will be then: `start` for the window's opening, or 2026-12-01T22:00 local time.")
    ] = "",
    hosts: Annotated[
        bool, typer.Option("--hosts", help=_("Also log in to its machines and look whether they can work."))
    ] = False,
) -> None:
    """Every start gate, ahead of time; touches nothing."""
    kahn = context_of(ctx)
    lines = gates_of(kahn, wave, at=at) + (hosts_of(kahn, wave) if hosts else ())
    show_gates(kahn, lines)
    blocks = {line.gate for line in blocking(lines)}
    raise typer.Exit(PROOF_BROKEN if SIGNATURES in blocks else REFUSED if blocks else 0)


@app.command()
def approve(
    ctx: typer.Context,
    wave: Key,
    person: As = "",
    key: KeyFile = None,
    condition: Annotated[str, typer.Option(help="A condition people must keep; shown with the wave.")] = "",
    deputy_for: Annotated[str, typer.Option(help="Whom you stand in for.")] = "",
) -> None:
    """Sign a wave as a second person. You sign exactly what is shown."""
    kahn = context_of(ctx)
    world, keyboard = kahn.world, keyboard_of(kahn, person, key)
    with world.store.reading() as books:
        row = books.waves.get(kahn.tenant, wave)
    kahn.out.line(shown_text(row.content))
    kahn.confirm(_("Approve wave {wave} as {person}?").format(wave=wave, person=keyboard.person))
    intent = Intent(kind=ActKind.APPROVE, conditions=condition, for_person=deputy_for)
    with world.desk() as desk:
        fresh = desk.books.waves.get(kahn.tenant, wave)
        _same(row.fingerprint, fresh.fingerprint, wave)
        standing = approve_wave(desk, fresh, keyboard=keyboard, intent=intent, freeze=world.freeze)
    if standing.holds:
        kahn.out.line(
            _("Wave {wave} is approved. Next: `kahn wave check {wave}`, then `kahn wave run {wave}`.").format(wave=wave)
        )
    else:
        kahn.out.line(_("Signed; still missing: {what}.").format(what="; ".join(map(spoken, standing.missing))))
    kahn.out.json(standing)


class ChangedMeanwhile(ExpectedError):
    """The wave became another one between looking and signing."""

    code, says = "APPR-007", "Wave {wave} was changed while you looked at it."
    remedy = "Look at it again and sign what you then see."
    exit_code = 6


def _same(seen: str, now: str, wave: str) -> None:
    if seen != now:
        raise ChangedMeanwhile(wave=wave)


@app.command()
def refuse(ctx: typer.Context, wave: Key, reason: Reason, person: As = "", key: KeyFile = None) -> None:
    """Turn a proposed wave down, with a reason."""
    _turn_back(context_of(ctx), wave, ActKind.REFUSE, reason, person, key)


@app.command()
def withdraw(ctx: typer.Context, wave: Key, reason: Reason, person: As = "", key: KeyFile = None) -> None:
    """Take a proposal or an approval back; possible until the wave starts."""
    _turn_back(context_of(ctx), wave, ActKind.WITHDRAW, reason, person, key)


def _turn_back(kahn: Context, wave: str, kind: ActKind, reason: str, person: str, key: Path | None) -> None:
    keyboard = keyboard_of(kahn, person, key)
    with kahn.world.desk() as desk:
        row = desk.books.waves.get(kahn.tenant, wave)
        turn_back_wave(desk, row, keyboard=keyboard, intent=Intent(kind=kind, reason=reason))
    kahn.out.line(_("Wave {wave} is a draft again. Next: `kahn plan propose`.").format(wave=wave))
    kahn.out.json({"wave": wave, "state": "draft"})


@app.command()
def run(
    ctx: typer.Context,
    wave: Key,
    launch_key: Annotated[str, typer.Option(help="The same key never launches twice; repeat it freely.")] = "",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say what would be done, and whether it may.")
    ] = False,
) -> None:
    """Start the wave now (its window must be open), or carry on driving one that was begun."""
    kahn = context_of(ctx)
    if dry_run:
        raise typer.Exit(show_dry_run(kahn, wave))
    world = kahn.world
    with world.desk() as desk:
        row = desk.books.waves.get(kahn.tenant, wave)
        again = bool(launch_key) and launched_before(desk, row, key=launch_key)
        begun = row.state in WAVE_GROUPS["in motion"]
        if not begun and not again:
            claim_wave(desk, row, tree_there=world.tree_there, key_trouble=world.key_trouble)
    drive_here(kahn, wave, begun=begun and not again)


def drive_here(kahn: Context, wave: str, *, begun: bool = False) -> None:
    """Drive here if nobody drives; else only watch. Ends with the wave's exit code."""
    code = drive_until_rest(kahn, wave)
    if code is None and begun:
        raise AlreadyDriven(wave=wave, state=_state(kahn, wave))
    if code is None:
        kahn.out.line(_("The service drives this wave; this terminal only watches."))
        code = follow_until_rest(kahn, wave)
    _conclude(kahn, wave)
    raise typer.Exit(code)


def _state(kahn: Context, wave: str) -> str:
    with kahn.world.store.reading() as books:
        return books.waves.get(kahn.tenant, wave).state.value


def _conclude(kahn: Context, wave: str) -> None:
    with kahn.world.store.reading() as books:
        row, progress = wave_at(books, kahn.tenant, wave)
    view = view_of(row, progress, now=kahn.world.clock.now())
    kahn.out.rich(render(view))
    if view.behind and view.state is WaveState.CLOSED:
        left = sum(len(line.names) for line in view.behind)
        kahn.out.line(_("{count} assets are left behind. Next: `kahn plan propose`.").format(count=left))
    kahn.out.line(_("Next: `kahn wave show {wave}`, `kahn report make management`.").format(wave=wave))
    kahn.out.json(view)


@app.command()
def watch(ctx: typer.Context, wave: Key) -> None:
    """Watch a wave. Closing the view never stops the wave."""
    kahn = context_of(ctx)
    raise typer.Exit(watch_wave(kahn, wave))


@app.command()
def rollback(
    ctx: typer.Context,
    wave: Key,
    assets: Annotated[list[str] | None, typer.Argument(help="Assets; the whole wave when none is named.")] = None,
    preview: Annotated[bool, typer.Option("--preview", help="Only show what would go back.")] = False,
    reason: Reason = "",
    person: As = "",
    key: KeyFile = None,
) -> None:
    """Take a wave, or some assets with all that moves together with them, back to the old machines."""
    kahn = context_of(ctx)
    with kahn.world.store.reading() as books:
        row, progress = wave_at(books, kahn.tenant, wave)
    wanted = assets_named(row.content, tuple(assets or ()))
    refuse_erased(row.content, progress, wanted)
    lines = rollback_preview(row.content, progress, wanted)
    for line in lines:
        undo = ", ".join(line.undo) or _("nothing to undo, only compared with before")
        mark = _("  BEHIND THE POINT OF NO RETURN") if line.no_return else ""
        kahn.out.line(f"{harmless(line.name):<24} {state_word(line.state):<13} {undo}{mark}")
    if not lines:
        kahn.out.line(_("Nothing to take back: nothing of this was begun, or it is as before already."))
    kahn.out.line(_("Assets: {count}, users: {users}.").format(count=len(lines), users=sum(one.users for one in lines)))
    if preview:
        kahn.out.json(lines)
        return
    _ask_rollback(kahn, wave, wanted, reason, keyboard_of(kahn, person, key))
    drive_here(kahn, wave)


def _ask_rollback(kahn: Context, wave: str, assets: tuple[AssetId, ...], reason: str, keyboard: Keyboard) -> None:
    kahn.confirm(_("Roll this back now?"))
    intent = Intent(kind=ActKind.ROLL_BACK, reason=reason, assets=assets)
    with kahn.world.desk() as desk:
        ask_rollback(desk, desk.books.waves.get(kahn.tenant, wave), keyboard=keyboard, intent=intent)
