"""``kahn wave handover W``: what each department takes over in the morning, to print and to sign."""

from __future__ import annotations

import textwrap
from typing import Annotated

import typer

from orchestrator.actions.record import progress_in, subject_of
from orchestrator.actions.take_back import asset_named
from orchestrator.cli.context import context_of
from orchestrator.core.calendar import zone_of
from orchestrator.core.handover import Handover, handovers
from orchestrator.core.lifecycle import ARRIVED
from orchestrator.core.progress import Fact
from orchestrator.spoken import moment, one_line, state_word
from orchestrator.texts import _

WIDTH = 80


def handover(
    ctx: typer.Context,
    wave: Annotated[str, typer.Argument(help="Wave, such as W01.")],
    assets: Annotated[list[str] | None, typer.Argument(help="Only these assets; else the whole wave.")] = None,
    by_hand: Annotated[bool, typer.Option("--by-hand", help="Only assets with something left to do by hand.")] = False,
) -> None:
    """What is handed over: what was set up at each asset, what is left to do by hand, and a line to sign."""
    kahn = context_of(ctx)
    with kahn.world.look() as desk:
        row = desk.books.waves.get(kahn.tenant, wave)
        entries = desk.books.journal.read(kahn.tenant, subject=subject_of(row))
        progress = progress_in(desk.books, row)
    wanted = {asset_named(row.content, name) for name in assets or ()}
    facts = [Fact(at=one.at, kind=one.entry.kind, body=one.entry.body) for one in entries]
    everything = handovers(row.content, progress, facts)
    found = [one for one in everything if not wanted or one.asset in wanted]
    given = ARRIVED if not row.content.runbook.retires else ()
    moved = [one for one in found if one.state in given]
    shown = [one for one in moved if not by_hand or one.by_hand or one.more]
    for one in shown:
        for line in _lines(one, row.content.window.zone):
            kahn.out.line(line)
    others = [one for one in found if one.state not in given]
    for one in others:
        kahn.out.line(
            _("{name}: {state}; nothing is handed over").format(name=one_line(one.name), state=state_word(one.state))
        )
    tasks = sum(len(one.by_hand) + one.more for one in moved)
    kahn.out.line(_("handed over: {count}; left to do by hand: {tasks}").format(count=len(moved), tasks=tasks))
    kahn.out.json({"wave": wave, "handovers": [*shown, *others]})


def _lines(one: Handover, zone: str) -> list[str]:
    """The block of one asset, at most 80 columns wide where words allow it."""
    name = one_line(one.name) + (f" -> {one_line(one.successor)}" if one.successor else "")
    place = ", ".join(one_line(part) for part in (one.department, one.site) if part)
    when = _("moved {time}").format(time=moment(one.since.astimezone(zone_of(zone)))) if one.since else ""
    lines = [f"== {name}", *_wrapped("; ".join(part for part in (place, when) if part), "   ")]
    words = {
        "people": _("accounts {count}"),
        "groups": _("groups {count}"),
        "printers": _("printers {count}"),
        "shares": _("shares {count}"),
        "jobs": _("users' scheduled jobs {count}"),
    }
    made = [words[kind].format(count=count) for kind, count in one.made.items() if count]
    lines += _wrapped(_("set up: {list}").format(list=", ".join(made) or "-"), "   ")
    if one.by_hand or one.more:
        lines.append("   " + _("left to do by hand:"))
    for task in one.by_hand:
        lines += _wrapped(one_line(task), "   [ ] ", more="       ")
    if one.more:
        lines.append("       " + _("... and {count} more").format(count=one.more))
    return [*lines, "", "   " + _("taken over by ______________________________  on ______________"), ""]


def _wrapped(text: str, indent: str, *, more: str = "") -> list[str]:
    return textwrap.wrap(text, WIDTH, initial_indent=indent, subsequent_indent=more or indent, break_long_words=False)
