"""An asset and its neighbours as a picture (SVG): what it needs to the right, what needs it to the left."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape

from inventory.model import Asset, AssetId, Snapshot, name_key
from inventory.neighbours import Tie

MOST_ROWS = 24
"""So many neighbours are drawn on each side; the rest is one box with their number."""
BOX_WIDTH, BOX_HEIGHT, ROW, MARGIN, LANE = 240, 46, 60, 24, 190
_LONGEST = 30
_COLOURS = {
    "procedure": "#c9d8e8",
    "seat": "#e6e8eb",
    "server": "#d5e8dc",
    "vm": "#d5e8dc",
    "workstation": "#f3e7cf",
    "notebook": "#f3e7cf",
    "thin_client": "#f3e7cf",
}
_BINDING = frozenset({"hard", "licence", "runs on"})


@dataclass(frozen=True, slots=True, kw_only=True)
class _Side:
    """One neighbour: how it is tied (several words where there are several ties), or how many more there are."""

    name: str
    kind: str
    words: tuple[str, ...]


def picture(snapshot: Snapshot, asset: Asset, ties: Iterable[Tie]) -> str:
    """The SVG document. Whatever stands in the inventory is only text in it."""
    mine = [tie for tie in ties if asset.id in (tie.asset, tie.needs)]
    known = snapshot.by_id()
    left = _side(known, [(tie.asset, tie.word) for tie in mine if tie.needs == asset.id])
    right = _side(known, [(tie.needs, tie.word) for tie in mine if tie.asset == asset.id])
    rows = max(len(left), len(right), 1)
    height = rows * ROW + 2 * MARGIN + 24
    width = 3 * BOX_WIDTH + 2 * LANE + 2 * MARGIN
    middle = MARGIN + 24 + (rows * ROW - (ROW - BOX_HEIGHT)) / 2
    centre = MARGIN + BOX_WIDTH + LANE
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" '
        'font-family="sans-serif" font-size="13" role="img">',
        f"<title>{escape(asset.name)}</title>",
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="8" markerHeight="8" orient="auto">'
        '<path d="M0 0L8 4L0 8z" fill="#55606c"/></marker></defs>',
        f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
        _heading(MARGIN, "needed by"),
        _heading(centre + BOX_WIDTH + LANE, "needs"),
    ]
    parts += _column(left, rows, x=MARGIN, centre=(centre, middle), incoming=True)
    parts += _column(right, rows, x=centre + BOX_WIDTH + LANE, centre=(centre, middle), incoming=False)
    parts.append(
        _box(centre, middle - BOX_HEIGHT / 2, _Side(name=asset.name, kind=asset.kind.value, words=()), thick=True)
    )
    return "\n".join([*parts, "</svg>"]) + "\n"


def _side(known: dict[AssetId, Asset], tied: Sequence[tuple[AssetId, str]]) -> list[_Side]:
    words: dict[AssetId, list[str]] = {}
    for id_, word in tied:
        words.setdefault(id_, []).append(word)
    found = sorted((known[id_] for id_ in words if id_ in known), key=lambda one: (one.kind.value, name_key(one.name)))
    sides = [_Side(name=one.name, kind=one.kind.value, words=tuple(sorted(set(words[one.id])))) for one in found]
    if len(sides) <= MOST_ROWS:
        return sides
    return [*sides[: MOST_ROWS - 1], _Side(name=f"+ {len(sides) - MOST_ROWS + 1}", kind="", words=())]


def _column(sides: Sequence[_Side], rows: int, *, x: float, centre: tuple[float, float], incoming: bool) -> list[str]:
    parts: list[str] = []
    top = MARGIN + 24 + (rows - len(sides)) * ROW / 2
    for number, side in enumerate(sides):
        y = top + number * ROW
        parts.append(_box(x, y, side))
        near = (x + BOX_WIDTH if incoming else x, y + BOX_HEIGHT / 2)
        far = (centre[0] if incoming else centre[0] + BOX_WIDTH, centre[1])
        start, end = (near, far) if incoming else (far, near)
        parts.append(_arrow(start, end, near=near, side=side, incoming=incoming))
    return parts


def _arrow(
    start: tuple[float, float], end: tuple[float, float], *, near: tuple[float, float], side: _Side, incoming: bool
) -> str:
    half = (start[0] + end[0]) / 2
    dash = "" if _BINDING.intersection(side.words) or not side.words else ' stroke-dasharray="5 4"'
    line = (
        f'<path d="M{start[0]:g} {start[1]:g}C{half:g} {start[1]:g} {half:g} {end[1]:g} {end[0]:g} {end[1]:g}" '
        f'fill="none" stroke="#55606c" stroke-width="1.4"{dash} marker-end="url(#tip)"/>'
    )
    x, anchor = (near[0] + 8, "start") if incoming else (near[0] - 12, "end")
    label = escape(", ".join(side.words))
    height = near[1] - 5 if near[1] <= min(start[1], end[1]) else near[1] + 15  # away from its line
    return line + f'<text x="{x:g}" y="{height:g}" text-anchor="{anchor}" font-size="11" fill="#55606c">{label}</text>'


def _box(x: float, y: float, side: _Side, *, thick: bool = False) -> str:
    fill = _COLOURS.get(side.kind, "#f5f6f8")
    stroke = 'stroke="#1c2530" stroke-width="2.4"' if thick else 'stroke="#55606c" stroke-width="1"'
    name = side.name if len(side.name) <= _LONGEST else side.name[: _LONGEST - 1] + "…"
    return (
        f"<g><title>{escape(side.name)}</title>"
        f'<rect x="{x:g}" y="{y:g}" width="{BOX_WIDTH}" height="{BOX_HEIGHT}" rx="6" fill="{fill}" {stroke}/>'
        f'<text x="{x + 10:g}" y="{y + 19:g}" fill="#1c2530">{escape(name)}</text>'
        f'<text x="{x + 10:g}" y="{y + 36:g}" font-size="11" fill="#55606c">{escape(side.kind)}</text></g>'
    )


def _heading(x: float, text: str) -> str:
    return f'<text x="{x:g}" y="{MARGIN + 4:g}" font-size="12" font-weight="bold" fill="#55606c">{text}</text>'
