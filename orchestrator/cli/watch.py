"""``kahn wave watch``: a screen of one wave, or plain lines where there is no terminal. Closing it stops nothing."""

from __future__ import annotations

import os
import select
import sys
import termios
import time
import tty
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from rich.console import Console, ConsoleOptions, Group, RenderableType
from rich.live import Live
from rich.segment import Segment
from rich.text import Text

from orchestrator.actions.control_wave import unfinished_acts
from orchestrator.actions.drive_wave import rests
from orchestrator.actions.look_around import surroundings
from orchestrator.actions.record import wave_at
from orchestrator.cli.context import Context
from orchestrator.cli.drive import Reader, exit_code
from orchestrator.cli.wave_screen import render
from orchestrator.core.lifecycle import WaveState
from orchestrator.core.places import WaveCase
from orchestrator.core.refusals import StoreBusy
from orchestrator.core.wave_view import WaveView, view_of_case
from orchestrator.texts import _

__all__ = ["render", "watch", "watch_wave"]

REFRESH_S = 1.0
LAST_LINES = 6
LEAST_ROWS = 3
"""So many assets are listed however small the screen is."""
VIEW_CLOSED = 130
WAITS_FOR_PEOPLE = (WaveState.HELD, WaveState.PAUSED, WaveState.NEEDS_PERSON)
CLOSING_KEYS = b"qQ\x03"


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """One look at the store: the view, and the exit code once the wave rests (None while it does not)."""

    view: WaveView
    code: int | None

    @property
    def over(self) -> bool:
        """Whether nothing more is to be seen. What stands and waits for people stays on the screen."""
        return self.code is not None and self.view.state not in WAITS_FOR_PEOPLE


def watch(kahn: Context, key: str, *, plain: bool) -> int:
    """Watch until the wave rests (its exit code) or the view is closed (130). Raises UnknownWave."""
    on_screen = sys.stdout.isatty() and sys.stdin.isatty() and not plain and not kahn.json
    try:
        code = _on_screen(kahn, key) if on_screen else _in_lines(kahn, key)
    except KeyboardInterrupt:
        code = None
    if code is None:
        kahn.out.line(_("The view is closed; wave {wave} goes on.").format(wave=key))
        return VIEW_CLOSED
    return code


def watch_wave(kahn: Context, key: str) -> int:
    """Watch as the global options say."""
    return watch(kahn, key, plain=kahn.plain)


def look_at(kahn: Context, key: str) -> Look:
    """The wave as it stands now. An approved wave does not rest: it starts by itself, or by `kahn wave run`."""
    with kahn.world.look() as desk:
        wave, progress = wave_at(desk.books, kahn.tenant, key)
        around, unfinished = surroundings(desk, wave), unfinished_acts(desk, wave, progress)
    ready = wave.state in (WaveState.APPROVED, WaveState.SCHEDULED)
    waits = ready and desk.now < wave.content.window.closes
    code = exit_code(wave, progress) if rests(wave, progress) and not waits else None
    case = WaveCase(content=wave.content, progress=progress, around=around, unfinished=unfinished)
    return Look(view=view_of_case(case, now=desk.now), code=code)


# --------------------------------------------------------------------------- plain lines


def _in_lines(kahn: Context, key: str) -> int:
    """The journal so far and from here on, one line a fact; at the end the whole view."""
    reader = Reader(kahn.world, kahn.tenant, key, from_start=True)
    while True:
        seen = look_at(kahn, key)
        for line in reader.lines():
            kahn.out.line(line)
        if seen.code is not None:
            kahn.out.rich(render(seen.view))
            kahn.out.json(seen.view)
            return seen.code
        time.sleep(REFRESH_S)


# --------------------------------------------------------------------------- the screen


def _on_screen(kahn: Context, key: str) -> int | None:
    """The screen, drawn anew each second; None when the person closed it."""
    seen = look_at(kahn, key)
    reader = Reader(kahn.world, kahn.tenant, key, from_start=True)
    last = deque(reader.lines(), maxlen=LAST_LINES)
    if not seen.over:
        latest = _follow(kahn, key, seen, reader=reader, last=last)
        if latest is None:
            return None
        seen = latest
    kahn.out.rich(render(seen.view, last=list(last)))
    return seen.code


def _follow(kahn: Context, key: str, seen: Look, *, reader: Reader, last: deque[str]) -> Look | None:
    """Draw until the wave rests, and give the last look at it; None when the person closed the screen."""
    with _keys() as keyboard, Live(console=kahn.out.console, screen=True, auto_refresh=False) as live:
        looked = time.monotonic()
        while not seen.over:
            live.update(_screen(kahn, seen.view, list(last), age_s=time.monotonic() - looked), refresh=True)
            if _closed(keyboard, wait_s=REFRESH_S):
                return None
            try:
                seen = look_at(kahn, key)
                last.extend(reader.lines())
                looked = time.monotonic()
            except StoreBusy:
                continue  # the screen says how old it is
    return seen


def _screen(kahn: Context, view: WaveView, last: list[str], *, age_s: float) -> RenderableType:
    runs = _("running steps: {count}").format(count=view.live_runs)
    fresh = _("as of: store {seconds} s").format(seconds=int(age_s))
    closing = _("q closes this view only: THE WAVE GOES ON")
    return Group(Fitted(view, last), Text(f" {fresh}   {runs}   {closing}", style="reverse"))


class Fitted:
    """The wave in the lines that the screen has above its last one: first the journal goes, then rows of assets."""

    def __init__(self, view: WaveView, last: list[str]) -> None:
        self._view = view
        self._last = last

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Segment]:
        room = console.height - 1
        last, rows = self._last, max(LEAST_ROWS, len(self._view.not_well))
        lines = self._lines(console, last, rows)
        if len(lines) > room:
            last = last[len(lines) - room :] if len(lines) - room < len(last) else []
            lines = self._lines(console, last, rows)
        if len(lines) > room:
            lines = self._lines(console, last, max(LEAST_ROWS, rows - (len(lines) - room) - 1))
        if len(lines) > room:
            more = _("... {count} more lines: `kahn wave show {wave}`")
            said = more.format(count=len(lines) - room + 1, wave=self._view.key)
            lines = [*lines[: room - 1], *console.render_lines(Text(f" {said}", style="bold"), pad=False)[:1]]
        for line in lines:
            yield from line
            yield Segment.line()

    def _lines(self, console: Console, last: list[str], rows: int) -> list[list[Segment]]:
        return console.render_lines(render(self._view, last=last, rows=rows), pad=False)


def _closed(keyboard: int, *, wait_s: float) -> bool:
    """Whether a closing key is pressed within the time; other keys do nothing."""
    until = time.monotonic() + wait_s
    while (left := until - time.monotonic()) > 0:
        ready, _w, _x = select.select([keyboard], [], [], left)
        if ready:
            typed = os.read(keyboard, 64)
            if not typed or any(key in CLOSING_KEYS for key in typed):
                return True
    return False


@contextmanager
def _keys() -> Iterator[int]:
    """The keyboard, one key at a time without echo; as it was before when left."""
    keyboard = sys.stdin.fileno()
    before = termios.tcgetattr(keyboard)
    try:
        tty.setcbreak(keyboard, termios.TCSANOW)
        # Ctrl-C comes as a key, read where it is expected: as a signal it could break into the drawing of the screen,
        # and the terminal would throw away what was being written.
        quiet = termios.tcgetattr(keyboard)
        quiet[3] &= ~termios.ISIG
        termios.tcsetattr(keyboard, termios.TCSANOW, quiet)
        yield keyboard
    finally:
        termios.tcsetattr(keyboard, termios.TCSANOW, before)
