"""``kahn wave probe``: a machine that was lost sight of is asked again, now that it can be reached."""

from __future__ import annotations

import typer

from orchestrator.actions.control_wave import wish
from orchestrator.actions.record import wave_at
from orchestrator.actions.sign import Intent
from orchestrator.actions.take_back import assets_named
from orchestrator.cli.context import context_of, harmless
from orchestrator.cli.wave import As, Key, KeyFile, Reason, drive_here, keyboard_of
from orchestrator.cli.wave_control import Assets
from orchestrator.core.control import askable, check_fit
from orchestrator.core.wave import ActKind
from orchestrator.spoken import cause_says, state_word
from orchestrator.texts import _


def probe(ctx: typer.Context, wave: Key, assets: Assets, reason: Reason, person: As = "", key: KeyFile = None) -> None:
    """Ask machines again how far their step came, after the line to them was mended. It only looks.

    For assets that are unknown or need a person because nobody saw how a step ended. What the machine answers decides
    as ever: done goes on, not done is done again, half done goes back; without an answer a person is asked again.
    """
    kahn = context_of(ctx)
    keyboard = keyboard_of(kahn, person, key)
    with kahn.world.store.reading() as books:
        row, progress = wave_at(books, kahn.tenant, wave)
    named = assets_named(row.content, tuple(assets))
    fit = tuple(one for one in named if askable(row.content, progress.moves[one]))
    check_fit(ActKind.PROBE, row.content, progress, fit or named)
    for asset in fit:
        move, name = progress.moves[asset], harmless(row.content.move(asset).name)
        kahn.out.line(f"{name:<24} {state_word(move.state):<13} {cause_says(move.cause) if move.cause else ''}")
    kahn.confirm(_("Ask {count} machines of wave {wave} again?").format(count=len(fit), wave=wave))
    with kahn.world.desk() as desk:
        intent = Intent(kind=ActKind.PROBE, reason=reason, assets=fit)
        wish(desk, desk.books.waves.get(kahn.tenant, wave), keyboard=keyboard, intent=intent)
    kahn.out.line(_("Signed. What they answer: `kahn wave show {wave} --evidence ASSET`.").format(wave=wave))
    drive_here(kahn, wave)
