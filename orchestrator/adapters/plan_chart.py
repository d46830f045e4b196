"""The chart of a plan as one SVG picture: readable on paper, by a screen reader and without colours."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta

from babel.dates import format_date
from markupsafe import Markup, escape

from orchestrator.core.lifecycle import WaveState
from orchestrator.core.plan_chart import TENTATIVE, Chart, Period, PlaceRow, WaveBar
from orchestrator.spoken import language, one_line, span, wave_word
from orchestrator.texts import _

LABEL, TOTAL, ROW, HEAD, GAP, MARGIN = 250, 64, 22, 46, 34, 24
LEAST_COLUMN, MOST_COLUMN, USUAL_WIDTH = 30, 88, 1_000
LEAST_BAR = 7
LONGEST_LABEL = 34
STYLE = """
text { font: 13px "Source Sans 3", "Segoe UI", "Helvetica Neue", Arial, "DejaVu Sans", sans-serif; fill: #1c2530;
  paint-order: stroke; stroke: #ffffff; stroke-width: 3px; stroke-linejoin: round; }
.number { stroke: none; }
.title { font-size: 20px; font-weight: 600; } .soft { fill: #4a5560; } .section { font-size: 15px; font-weight: 600; }
.number { text-anchor: middle; font-size: 12px; } .end { text-anchor: end; }
.total { text-anchor: end; font-weight: 600; }
.line { stroke: #d5dae0; stroke-width: 1; } .edge { stroke: #55606c; stroke-width: 1; } .stripe { fill: #f5f6f8; }
.bar { fill: #2264ab; stroke: #123a66; } .open { fill: #ffffff; stroke: #123a66; stroke-width: 1.5; }
.cell { fill: #2264ab; stroke: #ffffff; }
.closed { fill: url(#hatch); stroke: #8a6d1d; stroke-width: .75; stroke-dasharray: 3 2; }
.now { stroke: #a11616; stroke-width: 1.5; stroke-dasharray: 5 3; }
"""


def chart_svg(chart: Chart, *, now: datetime | None = None) -> str:
    """The whole picture in the chosen language; ``now`` draws the line of today."""
    return "".join(_Picture(chart, now).parts())


class _Picture:
    """Where everything stands."""

    def __init__(self, chart: Chart, now: datetime | None) -> None:
        self._chart = chart
        self._now = now
        count = max(1, len(chart.periods))
        self._column = max(LEAST_COLUMN, min(MOST_COLUMN, USUAL_WIDTH // count))
        self._left = MARGIN + LABEL
        self._right = self._left + count * self._column
        self._width = self._right + TOTAL + MARGIN
        self._top = 124
        self._y = self._top

    def parts(self) -> Iterator[Markup]:
        sections = list(self._sections())
        height = self._y + self._legend_height() + MARGIN
        yield from self._frame(height)
        yield from self._columns()
        yield from sections
        yield from self._today()
        yield from self._legend()
        yield Markup("</svg>\n")

    @property
    def _bottom(self) -> int:
        """Where the grid ends: above the word for today and the legend."""
        return self._y - GAP

    # -- frame

    def _frame(self, height: int) -> Iterator[Markup]:
        yield Markup(
            '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {w} {h}" width="{w}" height="{h}" role="img" '
            'lang="{lang}" aria-labelledby="kahn-title kahn-desc">\n<title id="kahn-title">{title}</title>\n'
            '<desc id="kahn-desc">{desc}</desc>\n<style>{style}</style>\n'
            '<defs><pattern id="hatch" width="7" height="7" patternUnits="userSpaceOnUse" '
            'patternTransform="rotate(45)">'
            '<rect width="7" height="7" fill="#fbf4dd"/><line x1="0" y1="0" x2="0" y2="7" stroke="#e3cf8f" '
            'stroke-width="2"/></pattern></defs>\n<rect width="{w}" height="{h}" fill="#ffffff"/>\n'
        ).format(w=self._width, h=height, lang=language(), title=self._title(), desc=self._desc(), style=Markup(STYLE))
        yield _text(MARGIN, 40, self._title(), "title")
        yield _text(MARGIN, 64, self._figures(), "soft")

    def _title(self) -> str:
        return _("Migration plan of {tenant}").format(tenant=one_line(self._chart.tenant))

    def _figures(self) -> str:
        chart = self._chart
        text = _("{planned} assets in {waves} waves, {left} left over")
        figures = text.format(planned=chart.planned, waves=sum(len(bar.keys) for bar in chart.waves), left=chart.left)
        if not chart.waves:
            return figures
        return (
            figures
            + "; "
            + _("from {first} to {last}").format(
                first=_long_day(chart.waves[0].opens.date()), last=_long_day(chart.waves[-1].opens.date())
            )
        )

    def _desc(self) -> str:
        """What the picture shows, for those who do not see it: the figures, then the waves one by one."""
        chart = self._chart
        waves = [f"{_keys(bar)}: {span(bar.opens, bar.closes)}, {bar.assets}" for bar in chart.waves[:30]]
        more = [_("{count} more").format(count=len(chart.waves) - 30)] if len(chart.waves) > 30 else []
        largest = [f"{_place(row)} {row.total}" for row in chart.departments[:5]]
        return ". ".join([self._figures(), "; ".join([*waves, *more]), _("Departments") + ": " + ", ".join(largest)])

    # -- time

    def _x(self, moment: datetime) -> float:
        """Where a local moment stands: periods are equally wide, whatever the length of a month."""
        day = moment.date()
        for number, period in enumerate(self._chart.periods):
            if period.first <= day <= period.last:
                days = (period.last - period.first).days + 1
                passed = (day - period.first).days + (moment.hour * 60 + moment.minute) / 1_440
                return self._left + (number + passed / days) * self._column
        return float(self._left if self._chart.periods and day < self._chart.periods[0].first else self._right)

    def _columns(self) -> Iterator[Markup]:
        """Freezes, then the grid with its dates."""
        bottom = self._bottom
        for number, closed in enumerate(self._chart.closed):
            x, end = self._x(_midnight(closed.first)), self._x(_midnight(closed.last + timedelta(days=1)))
            title = _("Nothing moves: {name}, {first} to {last}").format(
                name=one_line(closed.name), first=_long_day(closed.first), last=_long_day(closed.last)
            )
            yield Markup(
                '<g><title>{title}</title><rect class="closed" x="{x:.1f}" y="{y}" width="{w:.1f}" height="{h}"/></g>\n'
            ).format(title=title, x=x, y=self._top - 2, w=max(3.0, end - x), h=bottom - self._top)
            yield _text(x + 3, self._top + 10, str(number + 1), "soft")
        month = ""
        for number, period in enumerate(self._chart.periods):
            x = self._left + number * self._column
            yield _line(x, self._top - 20, x, bottom, "line")
            name = _month(period, by_months=self._chart.by_months)
            if name != month:
                yield _text(x + 3, self._top - 28, name, "soft")
                month = name
            if not self._chart.by_months:
                yield _text(x + 3, self._top - 8, _day(period.first), "soft")
        yield _line(self._right, self._top - 20, self._right, bottom, "line")

    def _today(self) -> Iterator[Markup]:
        chart = self._chart
        if self._now is None or not chart.periods:
            return
        if chart.periods[0].first <= self._now.date() <= chart.periods[-1].last:
            x = self._x(self._now)
            yield _line(x, self._top - 20, x, self._bottom, "now")
            yield _text(x + 3, self._bottom + 12, _("today"), "soft")

    # -- rows

    def _sections(self) -> Iterator[Markup]:
        yield from self._heading(_("Waves"))
        for bar in self._chart.waves:
            yield from self._wave(bar)
        for name, rows in ((_("Sites"), self._chart.sites), (_("Departments"), self._chart.departments)):
            self._y += GAP - ROW
            yield from self._heading(name)
            largest = max((count for row in rows for count in row.counts), default=1)
            for row in rows:
                yield from self._row(row, largest)
        self._y += GAP + ROW

    def _heading(self, name: str) -> Iterator[Markup]:
        yield _text(MARGIN, self._y + 16, name, "section")
        yield _text(self._right + TOTAL - 6, self._y + 16, _("assets"), "soft end")
        yield _line(MARGIN, self._y + ROW, self._right + TOTAL, self._y + ROW, "edge")
        self._y += ROW + 3

    def _wave(self, bar: WaveBar) -> Iterator[Markup]:
        state = wave_word(WaveState(bar.state)) if bar.state else ""
        when = span(bar.opens, bar.closes)
        label = f"{_keys(bar)} · {state}" if state else _keys(bar)
        x = self._x(bar.opens)
        width = max(LEAST_BAR, self._x(bar.closes) - x)
        shape = "open" if bar.state in TENTATIVE else "bar"
        yield Markup("<g><title>{title}</title>").format(title=f"{label}: {when}, {bar.assets}")
        yield _text(MARGIN, self._y + 15, label, "")
        yield Markup('<rect class="{shape}" x="{x:.1f}" y="{y}" width="{w:.1f}" height="14" rx="2"/>').format(
            shape=shape, x=x, y=self._y + 4, w=width
        )
        if x > (self._left + self._right) / 2:
            yield _text(x - 6, self._y + 15, when, "soft end")
        else:
            yield _text(x + width + 6, self._y + 15, when, "soft")
        yield _text(self._right + TOTAL - 6, self._y + 15, str(bar.assets), "total")
        yield Markup("</g>\n")
        self._y += ROW

    def _row(self, row: PlaceRow, largest: int) -> Iterator[Markup]:
        """A number in each cell; the deeper the shade, the larger it is, which only repeats the number."""
        yield Markup("<g><title>{title}</title>").format(title=f"{_place(row)}: {row.total}")
        yield _text(MARGIN, self._y + 15, one_line(_place(row), longest=LONGEST_LABEL), "")
        for number, count in enumerate(row.counts):
            if count:
                x = self._left + number * self._column
                shade = 0.12 + 0.33 * count / largest
                yield Markup(
                    '<rect class="cell" x="{x}" y="{y}" width="{w}" height="{h}" fill-opacity="{shade:.2f}"/>'
                ).format(x=x, y=self._y, w=self._column, h=ROW, shade=shade)
                yield _text(x + self._column / 2, self._y + 15, str(count), "number")
        yield _text(self._right + TOTAL - 6, self._y + 15, str(row.total), "total")
        yield Markup("</g>\n")
        self._y += ROW

    # -- legend

    def _legend_height(self) -> int:
        return ROW * (3 + len(self._chart.closed))

    def _legend(self) -> Iterator[Markup]:
        y = self._y
        yield Markup('<rect class="bar" x="{x}" y="{y}" width="16" height="12" rx="2"/>').format(x=MARGIN, y=y - 10)
        yield _text(MARGIN + 24, y, _("filled: approved, under way or closed"), "soft")
        y += ROW
        yield Markup('<rect class="open" x="{x}" y="{y}" width="16" height="12" rx="2"/>').format(x=MARGIN, y=y - 10)
        yield _text(MARGIN + 24, y, _("frame: not yet approved"), "soft")
        for number, closed in enumerate(self._chart.closed, start=1):
            y += ROW
            yield Markup('<rect class="closed" x="{x}" y="{y}" width="16" height="12"/>').format(x=MARGIN, y=y - 10)
            text = _("{number}: nothing moves, {name}, {first} to {last}").format(
                number=number,
                name=one_line(closed.name, longest=60),
                first=_long_day(closed.first),
                last=_long_day(closed.last),
            )
            yield _text(MARGIN + 24, y, text, "soft")


def _keys(bar: WaveBar) -> str:
    return bar.keys[0] if len(bar.keys) == 1 else f"{bar.keys[0]}–{bar.keys[-1]} ({len(bar.keys)})"


def _place(row: PlaceRow) -> str:
    if row.more:
        return _("{count} more").format(count=row.more)
    return one_line(row.name) or _("unknown")


def _text(x: float, y: float, text: str, style: str) -> Markup:
    return Markup('<text x="{x:.1f}" y="{y:.1f}" class="{style}">{text}</text>').format(
        x=float(x), y=float(y), style=style, text=escape(text)
    )


def _line(x: float, y: float, x2: float, y2: float, style: str) -> Markup:
    return Markup('<line x1="{x:.1f}" y1="{y:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" class="{style}"/>\n').format(
        x=float(x), y=float(y), x2=float(x2), y2=float(y2), style=style
    )


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day)  # noqa: DTZ001 - a place on the axis of local days, no instant


def _day(day: date) -> str:
    return str(format_date(day, _("d MMM"), locale=language()))


def _month(period: Period, *, by_months: bool) -> str:
    pattern = "MMM yy" if by_months else "MMMM y"
    return str(format_date(period.first, pattern, locale=language()))


def _long_day(day: date) -> str:
    return str(format_date(day, _("d MMMM y"), locale=language()))
