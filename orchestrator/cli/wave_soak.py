"""What the screen of a wave says of its soak: opening checks, and who still asks an old server."""

from __future__ import annotations

from rich.console import RenderableType
from rich.text import Text

from orchestrator.cli.lines import clock
from orchestrator.core.asked_old import AskedOld
from orchestrator.core.opening_check import Opening
from orchestrator.core.wave_view import WaveView
from orchestrator.spoken import one_line
from orchestrator.texts import _

NAMES = 4
"""So many procedures, or machines of one, are shown."""


def opening_lines(view: WaveView, *, loud: str) -> list[RenderableType]:
    """Opening checks, a line each."""
    words = {
        Opening.TO_COME: _("to come"),
        Opening.DUE: _("being asked"),
        Opening.GOOD: _("serves"),
        Opening.BAD: _("DOES NOT SERVE"),
    }
    return [
        Text(
            " "
            + _("opening check of {name} at {time}: {stands}").format(
                name=one_line(one.name), time=f"{one.at:%H:%M}", stands=words[one.stands]
            ),
            style=loud if one.stands is Opening.BAD else "",
        )
        for one in view.openings[:NAMES]
    ]


def asker_lines(view: WaveView) -> list[RenderableType]:
    """Old servers that are still asked, a line each; nothing of those that nobody asks."""
    asked = [one for one in view.asked_old if one.asked.machines or one.asked.others]
    return [Text(f" {one_line(one.name)}: {asked_words(one.asked, view.zone)}") for one in asked[:NAMES]]


def asked_words(found: AskedOld, zone: str) -> str:
    """Who asked the old server, how often and when last, in one line."""
    if found.why:
        return _("nobody counts who asks the old server: {why}").format(why=one_line(found.why, longest=120))
    since = clock(found.since, zone) if found.since else "-"
    if found.nobody:
        return _("nobody asked the old server since {time}").format(time=since)
    each = _("{name} ({count} times, last {time})")
    parts = [each.format(name=one_line(one.name), count=one.count, time=clock(one.last, zone))
             for one in found.machines[:NAMES]]  # fmt: skip
    more = found.more + len(found.machines[NAMES:])
    parts += [_("further machines of the inventory: {count}").format(count=more)] if more else []
    if found.others:
        last = clock(found.others_last, zone) if found.others_last else "-"
        says = _("addresses that the inventory does not know: {count} ({times} times, last {time})")
        parts.append(says.format(count=found.others, times=found.others_count, time=last))
    return _("the old server is still asked since {time}: {who}").format(time=since, who="; ".join(parts))
