"""``kahn wave`` under way: pause, resume, abort, close; hold, skip, retry, declare single assets; lead and notes."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from orchestrator.actions.control_wave import (
    Handover,
    add_note,
    change_course,
    declare,
    notes_of,
    take_lead,
    wish,
)
from orchestrator.actions.record import wave_at
from orchestrator.actions.sign import Intent
from orchestrator.actions.take_back import asset_named, assets_named
from orchestrator.actions.work_by_hand import say_how_it_went
from orchestrator.cli.context import Context, context_of, harmless
from orchestrator.cli.lines import clock, run_words
from orchestrator.cli.wave import As, Key, KeyFile, Reason, app, drive_here, keyboard_of
from orchestrator.core.by_hand import DeskWork, check_word, desk_work_for
from orchestrator.core.control import Signatures, check_fit, signatures_needed
from orchestrator.core.decisions import AT_THE_DESK
from orchestrator.core.explain import Sentence
from orchestrator.core.lifecycle import MoveState
from orchestrator.core.progress import WaveProgress
from orchestrator.core.runbook import Direction
from orchestrator.core.undo import WAVE_HELD
from orchestrator.core.wave import ActKind, WaveContent
from orchestrator.ports import WaveRow
from orchestrator.spoken import cause_says, one_line, spoken, state_word, wave_word
from orchestrator.texts import _

__all__ = ["app"]
NEEDS_A_PERSON = 4

Assets = Annotated[list[str], typer.Argument(help="Assets of the wave; those that move together come along.")]


def _at(kahn: Context, wave: str) -> tuple[WaveRow, WaveProgress]:
    with kahn.world.store.reading() as books:
        return wave_at(books, kahn.tenant, wave)


def _course(kahn: Context, wave: str, intent: Intent, person: str, key: Path | None) -> None:
    """Sign and do it; ends with 4 while another signature is missing."""
    keyboard = keyboard_of(kahn, person, key)
    with kahn.world.desk() as desk:
        row, signatures = change_course(desk, desk.books.waves.get(kahn.tenant, wave), keyboard=keyboard, intent=intent)
    _still_missing(kahn, wave, signatures)
    kahn.out.line(_("Wave {wave} is now {state}.").format(wave=wave, state=wave_word(row.state)))


def _still_missing(kahn: Context, wave: str, signatures: Signatures) -> None:
    if not signatures.missing:
        return
    kahn.out.line(
        _("Signed by {count} of {needed}; nothing is done yet. Another person signs the same command.").format(
            count=len(signatures.by), needed=max(signatures.needed, len(signatures.by) + signatures.missing)
        )
    )
    kahn.out.json({"wave": wave, "signed": sorted(signatures.by), "missing": signatures.missing})
    raise typer.Exit(NEEDS_A_PERSON)


@app.command()
def pause(ctx: typer.Context, wave: Key, reason: Reason, person: As = "", key: KeyFile = None) -> None:
    """Begin no new step until somebody resumes; running steps end by themselves. Signed, with a reason."""
    kahn = context_of(ctx)
    _course(kahn, wave, Intent(kind=ActKind.PAUSE, reason=reason), person, key)
    kahn.out.line(_("Next: `kahn wave resume {wave} --reason REASON`.").format(wave=wave))
    kahn.out.json({"wave": wave, "state": "paused"})


@app.command()
def resume(ctx: typer.Context, wave: Key, reason: Reason, person: As = "", key: KeyFile = None) -> None:
    """Let a held or paused wave go on, overruling its gate. Signed, with a reason; after a breaker by two people."""
    kahn = context_of(ctx)
    row, progress = _at(kahn, wave)
    moves = progress.moves.values()
    waiting = sum(move.state is MoveState.PLANNED or move.cause == WAVE_HELD for move in moves)
    staying = sum(move.state is MoveState.HELD and move.cause != WAVE_HELD for move in moves)
    if staying:
        kahn.out.line(
            _("{count} held assets stay where they are; `kahn wave retry {wave}` tries them again.").format(
                count=staying, wave=wave
            )
        )
    if signatures_needed(ActKind.RESUME, row.content, progress) > 1:
        kahn.out.line(_("It held itself because too much went wrong: two people must sign."))
    kahn.confirm(_("Wave {wave} is {state} ({cause}). Let up to {count} waiting assets go on?").format(
        wave=wave, state=wave_word(row.state), cause=cause_says(progress.cause), count=waiting))  # fmt: skip
    _course(kahn, wave, Intent(kind=ActKind.RESUME, reason=reason), person, key)
    drive_here(kahn, wave)


@app.command()
def abort(ctx: typer.Context, wave: Key, reason: Reason, person: As = "", key: KeyFile = None) -> None:
    """Break the wave off: end running steps, look whether every machine is quiet, take back what is half-way.

    What was moved stays moved (`kahn wave rollback` takes it back too); what was not begun stays out.
    """
    kahn = context_of(ctx)
    row, progress = _at(kahn, wave)
    half = [move for move in progress.moves.values() if move.state is MoveState.RUNNING or move.cause == WAVE_HELD]
    for move in half:
        kahn.out.line(f"{harmless(row.content.move(move.asset).name):<24} {state_word(move.state):<13} {move.step}")
    kahn.confirm(
        _("Break wave {wave} off? {runs} running steps are ended; up to {count} assets go back.").format(
            wave=wave, runs=len(progress.live), count=len(half)
        )
    )
    _course(kahn, wave, Intent(kind=ActKind.ABORT, reason=reason), person, key)
    drive_here(kahn, wave)


@app.command()
def close(ctx: typer.Context, wave: Key, reason: Reason, person: As = "", key: KeyFile = None) -> None:
    """End a wave that stands: what is left behind goes into a recovery wave, by a new plan and approval."""
    kahn = context_of(ctx)
    _row, progress = _at(kahn, wave)
    left = sum(move.state in (MoveState.PLANNED, MoveState.HELD) for move in progress.moves.values())
    kahn.confirm(_("End wave {wave} and leave {count} assets for another wave?").format(wave=wave, count=left))
    _course(kahn, wave, Intent(kind=ActKind.CLOSE, reason=reason), person, key)
    kahn.out.line(_("{count} assets are left behind. Next: `kahn plan propose`.").format(count=left))
    kahn.out.json({"wave": wave, "state": "closed", "left": left})


@app.command()
def done(
    ctx: typer.Context,
    wave: Key,
    work: Annotated[str, typer.Argument(help="What was done: the step, undo:STEP, before, or compare.")],
    assets: Annotated[list[str], typer.Argument(help="Assets for which you sign; no other one comes along.")],
    *,
    failed: Annotated[
        bool, typer.Option("--failed", help="It could not be done, or the comparison differs; say why with --reason.")
    ] = False,
    reason: Reason = "",
    person: As = "",
    key: KeyFile = None,
) -> None:
    """Sign that work at the desk is done on these assets, each point of its checklist looked at; or that it failed."""
    kahn = context_of(ctx)
    row, progress = _at(kahn, wave)
    named = tuple(dict.fromkeys(asset_named(row.content, one) for one in assets))
    waits = desk_work_for(row.content, progress, named)
    check_word(row.content, waits, work, named)
    _look_at_points(kahn, row.content, waits, failed=failed)
    keyboard = keyboard_of(kahn, person, key)
    kind = ActKind.DID_NOT if failed else ActKind.DID
    intent = Intent(kind=kind, reason=reason, assets=named, about=waits.about)
    with kahn.world.desk() as desk:
        say_how_it_went(desk, desk.books.waves.get(kahn.tenant, wave), keyboard=keyboard, intent=intent)
    failing = _("Signed: could not be done: {work}, {count} assets.")
    says = failing if failed else _("Signed: done: {work}, {count} assets.")
    kahn.out.line(says.format(work=run_words(waits.direction, waits.step), count=len(named)))
    kahn.out.json({"wave": wave, "work": waits.about, "assets": named, "done": not failed})


def _look_at_points(kahn: Context, content: WaveContent, work: DeskWork, *, failed: bool) -> None:
    """What is signed, then the checklist; where the work is done, each point is asked for."""
    facts = {"wave": content.key, "title": work.title, "count": len(work.assets)}
    kahn.out.line(spoken(Sentence(says=AT_THE_DESK[work.direction], facts=facts)))
    compared = work.direction is Direction.COMPARE
    asks = _("{point} - is it as noted before?") if compared else _("{point} - done and looked at?")
    for number, point in enumerate(work.points, 1):
        line = f"  {number}. {one_line(point, longest=200)}"
        if failed or kahn.yes:
            kahn.out.line(line)
        else:
            kahn.confirm(asks.format(point=line))


@app.command()
def hold(ctx: typer.Context, wave: Key, assets: Assets, reason: Reason, person: As = "", key: KeyFile = None) -> None:
    """Hold single assets before their next step; the others go on."""
    _wish(context_of(ctx), wave, ActKind.HOLD, assets, reason, person, key)


@app.command()
def skip(ctx: typer.Context, wave: Key, assets: Assets, reason: Reason, person: As = "", key: KeyFile = None) -> None:
    """Leave single assets out of the wave: what was begun goes back, the rest stays where it is."""
    _wish(context_of(ctx), wave, ActKind.SKIP, assets, reason, person, key)


@app.command()
def retry(ctx: typer.Context, wave: Key, assets: Assets, reason: Reason, person: As = "", key: KeyFile = None) -> None:
    """Try held assets again in this wave, as soon as it runs."""
    _wish(context_of(ctx), wave, ActKind.RETRY, assets, reason, person, key)


def _wish(
    kahn: Context, wave: str, kind: ActKind, names: list[str], reason: str, person: str, key: Path | None
) -> None:
    keyboard = keyboard_of(kahn, person, key)
    row, progress = _at(kahn, wave)
    assets = assets_named(row.content, tuple(names))
    check_fit(kind, row.content, progress, assets)
    _preview(kahn, row, progress, assets=assets)
    words = {ActKind.HOLD: _("Hold"), ActKind.SKIP: _("Leave out"), ActKind.RETRY: _("Try again")}
    kahn.confirm(_("{act}: {count} assets of wave {wave}?").format(act=words[kind], count=len(assets), wave=wave))
    intent = Intent(kind=kind, reason=reason, assets=assets)
    with kahn.world.desk() as desk:
        wish(desk, desk.books.waves.get(kahn.tenant, wave), keyboard=keyboard, intent=intent)
    kahn.out.line(_("Signed; it is done at the next step border. Next: `kahn wave watch {wave}`.").format(wave=wave))
    kahn.out.json({"wave": wave, "act": kind, "assets": assets})


def _preview(kahn: Context, row: WaveRow, progress: WaveProgress, *, assets: tuple[str, ...]) -> None:
    for asset in assets:
        move = next(one for one in progress.moves.values() if one.asset == asset)
        cause = cause_says(move.cause) if move.cause else ""
        kahn.out.line(f"{harmless(row.content.move(move.asset).name):<24} {state_word(move.state):<13} {cause}")


@app.command()
def repaired(
    ctx: typer.Context,
    wave: Key,
    assets: Assets,
    reason: Reason,
    step: Annotated[str, typer.Option(help="done or not-done: how the step stands that they are stuck at.")] = "",
    undone: Annotated[bool, typer.Option("--undone", help="Everything was taken back by hand.")] = False,
    person: As = "",
    key: KeyFile = None,
) -> None:
    """Say how assets that need a person stand after somebody looked. Two people sign where a step happens only once."""
    kinds = {"done": ActKind.DECLARE_DONE, "not-done": ActKind.DECLARE_NOT_DONE}
    if undone == bool(step) or (step and step not in kinds):
        raise typer.BadParameter(_("give either --step done, --step not-done, or --undone"))
    kind = ActKind.DECLARE_UNDONE if undone else kinds[step]
    kahn = context_of(ctx)
    keyboard = keyboard_of(kahn, person, key)
    row, progress = _at(kahn, wave)
    named = assets_named(row.content, tuple(assets))
    stuck = tuple(one for one in named if progress.moves[one].state is MoveState.NEEDS_PERSON)
    check_fit(kind, row.content, progress, stuck or named)
    _preview(kahn, row, progress, assets=stuck)
    kahn.confirm(_("Declare this of {count} assets? What you sign is believed.").format(count=len(stuck)))
    intent = Intent(kind=kind, reason=reason, assets=stuck)
    with kahn.world.desk() as desk:
        fresh = desk.books.waves.get(kahn.tenant, wave)
        signatures = declare(desk, fresh, keyboard=keyboard, intent=intent)
    _still_missing(kahn, wave, signatures)
    kahn.out.line(
        _("Declared. What was undone is compared with before; the rest goes on when wave {wave} is resumed.").format(
            wave=wave
        )
    )
    kahn.out.json({"wave": wave, "act": kind, "assets": stuck})


@app.command()
def lead(
    ctx: typer.Context,
    wave: Key,
    take_over: Annotated[bool, typer.Option("--take-over", help="Although somebody else leads.")] = False,
    to: Annotated[str, typer.Option(help="Hand the lead to this person.")] = "",
    reason: Reason = "",
    person: As = "",
    key: KeyFile = None,
) -> None:
    """Take the lead of a wave that runs, take it over, or hand it on: its acts need the lead's signature."""
    kahn = context_of(ctx)
    keyboard = keyboard_of(kahn, person, key)
    handover = Handover(reason=reason, over=take_over, to=to)
    with kahn.world.desk() as desk:
        row = desk.books.waves.get(kahn.tenant, wave)
        leader = take_lead(desk, row, keyboard=keyboard, handover=handover)
    kahn.out.line(_("{person} leads wave {wave}.").format(person=leader, wave=wave))
    kahn.out.json({"wave": wave, "lead": leader})


@app.command()
def note(
    ctx: typer.Context,
    wave: Key,
    text: Annotated[str, typer.Option(help="The note; without it, the notes so far are shown.")] = "",
    person: As = "",
) -> None:
    """Keep a note beside the wave for whoever comes next, or read what was noted."""
    kahn = context_of(ctx)
    if text:
        name = person or kahn.settings.person
        with kahn.world.desk() as desk:
            add_note(desk, desk.books.waves.get(kahn.tenant, wave), person=name, text=text)
        kahn.out.line(_("Noted. `kahn wave note {wave}` shows all notes.").format(wave=wave))
    with kahn.world.look() as desk:
        row = desk.books.waves.get(kahn.tenant, wave)
        notes = notes_of(desk, row)
    for one in () if text else notes:
        said = one_line(one.entry.texts.get("note", _("(redacted)")), longest=2_000)
        kahn.out.line(f"{clock(one.at, row.content.window.zone)} {one.entry.by}: {said}")
    kahn.out.json([{"at": one.at, "by": one.entry.by, "note": one.entry.texts.get("note")} for one in notes])
