"""The start gates of a wave as lines: verdict, gate, what is so, who owns it and what helps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

from inventory.errors import ExpectedError
from orchestrator.actions.look_at_hosts import ask_hosts
from orchestrator.actions.start_wave import check_wave
from orchestrator.cli.context import Context
from orchestrator.core.calendar import resolved
from orchestrator.core.fleet import hosts_lines
from orchestrator.core.lifecycle import MoveState
from orchestrator.core.ready_line import ReadyLine
from orchestrator.core.wave import WaveContent
from orchestrator.spoken import spoken
from orchestrator.texts import _

START = "start"


class BadMoment(ExpectedError):
    """A time that cannot be read."""

    code, says = "CLI-030", "{given!r} is no time."
    remedy = "Give `start`, or a time such as 2026-12-01T22:00 (local time of the wave's window)."


def gates_of(kahn: Context, wave: str, *, at: str) -> tuple[ReadyLine, ...]:
    """Every start gate now, or as it would be ``at`` that time. Raises BadMoment."""
    world = kahn.world
    with world.look() as desk:
        row = desk.books.waves.get(kahn.tenant, wave)
        then = replace(desk, now=moment_of(at, row.content)) if at else desk
        return check_wave(then, row, tree_there=world.tree_there, key_trouble=world.key_trouble)


def hosts_of(kahn: Context, wave: str) -> tuple[ReadyLine, ...]:
    """What its machines answer now, those of assets that have not begun; nothing is written down."""
    world = kahn.world
    with world.look() as desk:
        row = desk.books.waves.get(kahn.tenant, wave)
        moves = desk.books.waves.moves(kahn.tenant, wave)
    waiting = [move.asset for move in moves if move.state is MoveState.PLANNED]
    return hosts_lines(row.content, *ask_hosts(world.outside(tell=lambda _error: None), row.content, waiting))


def moment_of(given: str, content: WaveContent) -> datetime:
    """The moment meant; a time without an offset is local to the wave's window."""
    if given == START:
        return content.window.opens
    try:
        found = datetime.fromisoformat(given)
        return found if found.tzinfo else resolved(found, ZoneInfo(content.window.zone))
    except (ValueError, OverflowError) as cause:
        raise BadMoment(given=given[:40]) from cause


def show_gates(kahn: Context, lines: Sequence[ReadyLine]) -> None:
    """For people, and as JSON in words."""
    words = {"ok": _("ok"), "held": _("held"), "blocks": _("BLOCKS"), "unknown": _("UNKNOWN")}
    width = max(9, *map(len, words.values()))
    for line in lines:
        kahn.out.line(f"{words[line.verdict]:<{width}} {line.gate:<15} {spoken(line.says)}")
        if line.remedy:
            owner = f"{spoken(line.owner)}: " if line.owner else ""
            kahn.out.line(f"{'':<{width + 16}} {owner}{spoken(line.remedy)}")
    kahn.out.json(
        [
            {
                "gate": line.gate,
                "verdict": line.verdict,
                "says": spoken(line.says),
                "owner": spoken(line.owner) if line.owner else "",
                "remedy": spoken(line.remedy) if line.remedy else "",
                "assets": line.assets,
            }
            for line in lines
        ]
    )
