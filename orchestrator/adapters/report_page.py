"""The management report as one HTML page: self-contained, without scripts, readable by everyone and on paper."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from orchestrator import spoken
from orchestrator.core.places import DEFINITIONS, TO_MOVE, Place, Tally
from orchestrator.core.report import ManagementReport
from orchestrator.texts import _

TEMPLATES = Path(__file__).parent / "templates"
BAR_UNITS = 1000
LEAST_UNITS = 8
"""So wide is the narrowest part of a bar: one machine of a thousand can still be seen."""
ROWS = 60
"""Machines listed by name at most, a group; the count above them is always that of all."""
NAMES = 8
_QUOTED = re.compile("`([^`]{1,200})`")
SIGNS = {
    Place.MOVED: "✓",
    Place.RETIRED: "■",
    Place.IN_MOTION: "▸",
    Place.NEEDS_PERSON: "!",
    Place.UNKNOWN: "?",
    Place.HELD: "‖",
    Place.ROLLED_BACK: "↩",
    Place.APPROVED: "●",
    Place.PROPOSED: "○",
    Place.UNPLANNED: "–",
    Place.STAYS: "·",
}
"""One sign a place, in the order of the bars."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BarPart:
    """One part of a bar. ``x`` and ``width`` in units of which the whole bar has ``BAR_UNITS``."""

    place: Place
    count: int
    x: float
    width: float


def bar_parts(tally: Tally) -> tuple[BarPart, ...]:
    """The parts of a bar, side by side and together exactly as long as it; what is there is seen, however few."""
    counts = [(place, tally.of(place)) for place in SIGNS if place in TO_MOVE and tally.of(place)]
    if not counts:
        return ()
    widths = [max(LEAST_UNITS, count * BAR_UNITS / tally.to_move) for _place, count in counts]
    scale, x, parts = BAR_UNITS / sum(widths), 0.0, []
    for (place, count), width in zip(counts, widths, strict=True):
        parts.append(BarPart(place=place, count=count, x=round(x, 2), width=round(width * scale, 2)))
        x += width * scale
    return tuple(parts)


def bar_words(tally: Tally) -> str:
    """The bar in words."""
    parts = [
        _("{count} {word}").format(count=part.count, word=spoken.place_word(part.place)) for part in bar_parts(tally)
    ]
    total = _("of {total}").format(total=tally.to_move)
    return f"{', '.join(parts)} {total}" if parts else _("nothing to move")


def occupied(tally: Tally) -> tuple[Place, ...]:
    """Places beside *moved* in which anything is, in the order of the bars."""
    return tuple(place for place in SIGNS if place in TO_MOVE and place is not Place.MOVED and tally.of(place))


def management_page(report: ManagementReport) -> str:
    """The whole page in the chosen language."""
    page = _environment().get_template("management.html")
    return page.render(report=report, style=Markup(_style()), style_hash=_style_hash())


@cache
def _style() -> str:
    return (TEMPLATES / "management.css").read_text(encoding="utf-8")


def _style_hash() -> str:
    """The one style sheet that the page's content security policy lets in."""
    return base64.b64encode(hashlib.sha256(_style().encode()).digest()).decode()


@cache
def _environment() -> Environment:
    made = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_shown,
    )
    made.globals.update(
        _=_,
        Place=Place,
        definitions=DEFINITIONS,
        signs=SIGNS,
        language=spoken.language,
        bar_parts=bar_parts,
        bar_words=bar_words,
        occupied=occupied,
        first=_first,
        rows=ROWS,
        names=NAMES,
    )
    made.filters.update(
        spoken=spoken.spoken,
        joined=spoken.joined,
        moment=spoken.moment,
        place=spoken.place_word,
        move_state=spoken.state_word,
        wave_state=spoken.wave_word,
        age=spoken.age,
        line=spoken.one_line,
        capitalize_first=spoken.capitalised,
        with_code=_with_code,
    )
    made.globals["span"] = spoken.span
    return made


def _shown(value: object) -> object:
    """Every text that goes into the page: control characters become visible; escaping follows after it."""
    return spoken.visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _with_code(text: str) -> Markup:
    """The text with what stands between backquotes set as code. Everything in it is escaped first."""
    return Markup(_QUOTED.sub(r"<code>\1</code>", str(escape(spoken.visible(text)))))


def _first(names: Sequence[str], most: int) -> str:
    """The first names, and how many more there are."""
    shown = ", ".join(spoken.one_line(name, longest=60) for name in names[:most])
    more = len(names) - most
    return shown if more <= 0 else _("{names} and {count} more").format(names=shown, count=more)
