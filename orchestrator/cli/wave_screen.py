"""The screen of one wave, drawn from its view. Signs and words carry the meaning; colour only repeats it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from rich.console import Console, ConsoleOptions, Group, RenderableType
from rich.measure import Measurement
from rich.padding import Padding
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from orchestrator.cli.wave_soak import asker_lines, opening_lines
from orchestrator.core.decisions import Decision
from orchestrator.core.lifecycle import WAVE_GROUPS, MoveState
from orchestrator.core.wave_view import BatchLine, BehindLine, NotWellLine, Outage, WaveView
from orchestrator.spoken import moment, one_line, span, spoken, state_word, wave_word
from orchestrator.texts import _

SIGNS: Mapping[MoveState, str] = {
    MoveState.MOVED: "#",
    MoveState.RETIRED: "#",
    MoveState.ERASED: "#",
    MoveState.RUNNING: ">",
    MoveState.WAITING_TOOL: ">",
    MoveState.ROLLED_BACK: "x",
    MoveState.ROLLING_BACK: "<",
    MoveState.FAILED: "!",
    MoveState.UNKNOWN: "?",
    MoveState.PROBING: "?",
    MoveState.NEEDS_PERSON: "!",
    MoveState.HELD: "=",
    MoveState.PLANNED: ".",
}
"""One sign a state, in the order of the bar."""
_COLOURS: Mapping[MoveState, str] = {
    MoveState.MOVED: "green",
    MoveState.RETIRED: "green",
    MoveState.ERASED: "green",
    MoveState.RUNNING: "blue",
    MoveState.WAITING_TOOL: "blue",
    MoveState.ROLLED_BACK: "yellow",
    MoveState.ROLLING_BACK: "yellow",
    MoveState.HELD: "yellow",
    MoveState.PLANNED: "dim",
}
_LOUD = "bold red"
BAR = 12
ALL_COLUMNS = 500
ALL_ROWS = 200
NAMES = 4


def render(view: WaveView, *, last: Sequence[str] = (), rows: int = ALL_ROWS) -> RenderableType:
    """The whole screen. ``last``: newest lines of the journal; ``rows``: how many assets are listed at most."""
    parts: list[RenderableType] = [*_header(view)]
    if view.needs_you:
        parts.append(_rule(_("NEEDS YOU ({count})").format(count=len(view.needs_you))))
        for nth, decision in enumerate(view.needs_you, 1):
            parts += decision_lines(nth, decision)
    parts += [_rule(_("BATCHES")), _Batches(view), *_gates(view), *_compared(view)]
    parts += [*opening_lines(view, loud=_LOUD), *asker_lines(view)]
    if view.not_well:
        parts += [_rule(_("NOT WELL ({count})").format(count=len(view.not_well))), _NotWell(view.not_well[:rows])]
        more = len(view.not_well) - rows
        if more > 0:
            parts.append(Text(" " + _("... and {count} more").format(count=more)))
    if view.behind:
        parts.append(_rule(_("WENT BACK OR STAYED BEHIND ({count})").format(count=len(view.behind))))
        parts += [line for one in view.behind for line in _behind_lines(one)]
    if last:
        parts += [_rule(_("LAST")), *(Text(f" {one_line(line)}", overflow="ellipsis", no_wrap=True) for line in last)]
    return Group(*parts)


def _compared(view: WaveView) -> list[RenderableType]:
    """How before and after compare, in one line; nothing before the first comparison."""
    if view.compared is None:
        return []
    told = _("before and after: compared {count} of {size}").format(
        count=view.compared.compared, size=view.compared.size
    )
    lacking, accepted = view.compared.lacking, view.compared.accepted
    if not lacking and not accepted:
        return [Text(f" {told}, {_('nothing is lost')}")]
    line = Text(f" {told}")
    if lacking:
        less = _("LESS THAN BEFORE ({count})").format(count=len(lacking))
        line.append("; ").append(f"{less}: {_few(lacking)}", style=_LOUD)
    if accepted:
        line.append(f"; {_('a person signed that it may stay so')}: {_few(accepted)}")
    return [line]


def _few(names: Sequence[str]) -> str:
    return ", ".join(map(one_line, names[:NAMES])) + (" ..." if len(names) > NAMES else "")


def _rule(title: str) -> Rule:
    return Rule(Text(title), align="left", characters="-", style="dim")


# --------------------------------------------------------------------------- head


def _header(view: WaveView) -> list[RenderableType]:
    state = wave_word(view.state).upper()
    since = f" {_('since {time}').format(time=_hour(view.since))}" if view.since else ""
    head = Text(" ").append(one_line(view.key), style="bold").append(f"  {one_line(view.tenant)}  ")
    head.append(f"{state}{since}", style=_LOUD if view.state in WAVE_GROUPS["stuck"] else "bold")
    if view.cause is not None:
        head.append(f": {spoken(view.cause)}")
    if view.lead:
        head.append("  " + _("lead {person}").format(person=one_line(view.lead)))
    window = _("as of {time}   window {window} {zone}{left}").format(
        time=f"{view.as_of:%H:%M:%S}", window=span(view.opens, view.closes), zone=view.zone, left=_left(view)
    )
    users = _("users of this wave: {users}; of assets in doubt: {doubt}").format(
        users=view.users, doubt=view.users_in_doubt
    )
    countdowns = _countdowns(view)
    nobody = Text(_("IF NOBODY ACTS:"), style="bold")
    for sentence in view.if_nobody_acts:
        nobody.append(f" {spoken(sentence)}", style="not bold")
    outage = [_outage(view.outage, view.as_of)] if view.outage else []
    lines = [window, *([countdowns] if countdowns else []), users, *outage]
    return [head, *(Text(f" {line}") for line in lines), Padding(nobody, (0, 0, 0, 1))]


def _outage(outage: Outage, now: datetime) -> str:
    """Who may be unable to work, since when, and how long that was agreed to last."""
    minutes = int((now - outage.since).total_seconds()) // 60
    facts = {"users": outage.users, "since": _hour(outage.since), "minutes": minutes, "allowed": outage.allowed_s // 60}
    if not outage.allowed_s:
        return _("may be unable to work: {users}, the first since {since} ({minutes} min)").format(**facts)
    says = _("may be unable to work: {users}, the first since {since} ({minutes} min, allowed {allowed})")
    return says.format(**facts)


def _countdowns(view: WaveView) -> str:
    """Until when the next batch can begin, and until when all that was begun can still be taken back in time."""
    parts = []
    if view.last_start is not None:
        parts.append(_("last start {time}").format(time=_countdown(view.last_start, view)))
    if view.last_rollback is not None:
        parts.append(_("last rollback {time}").format(time=_countdown(view.last_rollback, view)))
    return "   ".join(parts)


def _countdown(when: datetime, view: WaveView) -> str:
    if when <= view.as_of:
        return _("{time} (passed)").format(time=_hour(when))
    return _("{time} ({left} left)").format(time=_hour(when), left=_duration(when - view.as_of))


def _hour(when: datetime) -> str:
    return f"{when:%H:%M}"


def _left(view: WaveView) -> str:
    """How long the window is still open, or until it opens."""
    if view.as_of < view.opens:
        return _(" (opens in {time})").format(time=_duration(view.opens - view.as_of))
    if view.as_of < view.closes:
        return _(" ({time} left)").format(time=_duration(view.closes - view.as_of))
    return _(" (closed)")


def _duration(long: timedelta) -> str:
    hours, minutes = divmod(int(long.total_seconds()) // 60, 60)
    days, hours = divmod(hours, 24)
    return f"{days}d{hours:02}h" if days else f"{hours}h{minutes:02}"


# --------------------------------------------------------------------------- decisions


def decision_lines(nth: int, decision: Decision) -> list[RenderableType]:
    """One decision: what, since when, which assets, what helps, and the commands for it."""
    first = Text(spoken(decision.what), style="bold")
    if decision.since:
        first.append(f" ({_('since {time}').format(time=moment(decision.since))})", style="not bold")
    head = Table.grid(padding=(0, 1, 0, 0))
    head.add_row(f" [{nth}]", first)
    lines: list[RenderableType] = [head]
    if decision.names:
        shown = ", ".join(one_line(name, longest=40) for name in decision.names[:NAMES])
        more = f" +{len(decision.names) - NAMES}" if len(decision.names) > NAMES else ""
        lines.append(_indented(f"{shown}{more} ({_('users: {count}').format(count=decision.users)})"))
    lines += [_indented(spoken(sentence)) for sentence in decision.stands]
    if decision.helps:
        lines.append(_indented(spoken(decision.helps)))
    lines += [_indented(spoken(sentence), style="bold") for sentence in decision.signed]
    lines += [_indented(one_line(command), style="cyan") for command in decision.commands]
    return lines


def _indented(text: str, *, style: str = "") -> Padding:
    return Padding(Text(text, style=style), (0, 0, 0, 5))


# --------------------------------------------------------------------------- batches


Column = tuple[str, tuple[MoveState, ...]]


def _columns(view: WaveView) -> list[Column]:
    """Headings and the states they count. States that pass are left out while nothing is in them: sums stay whole."""
    columns: list[Column] = [
        (_("moved"), (MoveState.MOVED,)),
        (_("retired"), (MoveState.RETIRED,)),
        (_("erased"), (MoveState.ERASED,)),
        (_("running"), (MoveState.RUNNING, MoveState.WAITING_TOOL)),
        (_("rolled back"), (MoveState.ROLLED_BACK,)),
        (_("rolling back"), (MoveState.ROLLING_BACK,)),
        (_("unknown"), (MoveState.UNKNOWN, MoveState.PROBING)),
        (_("needs a person"), (MoveState.NEEDS_PERSON, MoveState.FAILED)),
        (_("held"), (MoveState.HELD,)),
        (_("waiting"), (MoveState.PLANNED,)),
    ]
    passing = (MoveState.RETIRED, MoveState.ERASED, MoveState.RUNNING, MoveState.ROLLING_BACK, MoveState.HELD)
    return [one for one in columns if one[1][0] not in passing or any(view.total.counts[state] for state in one[1])]


class _Batches:
    """The batches: a table where its headings fit as whole words, else the counts in words."""

    def __init__(self, view: WaveView) -> None:
        self._view = view

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[RenderableType]:
        forms = (_batches(self._view, close=False), _batches(self._view, close=True))
        room = options.update_width(ALL_COLUMNS)
        fits = (one for one in forms if Measurement.get(console, room, one).minimum <= options.max_width)
        yield next(fits, None) or _batches_in_words(self._view)


def _lines(view: WaveView) -> Iterator[tuple[BatchLine, Text, Text]]:
    """Each batch with its name and its gate, then the wave."""
    for line in view.batches:
        yield line, Text(one_line(line.name, longest=12)), _gate(line)
    if view.total.size:
        yield view.total, Text(_("wave"), style="bold"), Text()


def _batches(view: WaveView, *, close: bool) -> Table:
    table = Table(box=None, pad_edge=True, header_style="dim", collapse_padding=close)
    table.add_column(_("batch"))
    table.add_column("", no_wrap=True)
    columns = _columns(view)
    for heading, _states in columns:
        table.add_column(heading, justify="right", overflow="fold")
    table.add_column(_("all"), justify="right")
    table.add_column(_("gate"))
    for line, name, gate in _lines(view):
        table.add_row(name, bar(line), *_numbers(line, columns), Text(str(line.size)), gate)
    return table


def _batches_in_words(view: WaveView) -> Table:
    """For narrow screens and long words: only what there is, counted in words; it adds up to the size before it."""
    table = Table(box=None, pad_edge=True, show_header=False)
    for no_wrap in (False, True, False, False):
        table.add_column(no_wrap=no_wrap)
    columns = _columns(view)
    for line, name, gate in _lines(view):
        counts = [(sum(line.counts[state] for state in states), heading) for heading, states in columns]
        words = ", ".join(f"{count} {heading}" for count, heading in counts if count)
        table.add_row(name, bar(line), f"{line.size}: {words}", gate)
    return table


def _numbers(line: BatchLine, columns: Sequence[Column]) -> list[Text]:
    counts = [sum(line.counts[state] for state in states) for _heading, states in columns]
    return [Text(str(count), style="bold") if count else Text(".", style="dim") for count in counts]


def bar(line: BatchLine, *, width: int = BAR) -> Text:
    """The states of a batch as signs: one an asset where there is room, else in proportion; none is left out."""
    text = Text()
    for state, cells in zip(SIGNS, _cells(line, width=min(width, line.size)), strict=True):
        text.append(SIGNS[state] * cells, style=_COLOURS.get(state, _LOUD))
    return text


def _cells(line: BatchLine, *, width: int) -> list[int]:
    """Cells for each state: at least one where the count is not 0, the rest by largest remainder."""
    counts = [line.counts[state] for state in SIGNS]
    size = sum(counts)
    if not size:
        return counts
    cells = [max(1, count * width // size) if count else 0 for count in counts]
    while sum(cells) > width and max(cells) > 1:
        cells[cells.index(max(cells))] -= 1
    while sum(cells) < width:
        lacking = [count * width / size - cell if count else -width for count, cell in zip(counts, cells, strict=True)]
        cells[lacking.index(max(lacking))] += 1
    return cells


def _gate(line: BatchLine) -> Text:
    if line.gate is None:
        return Text("...") if line.begun else Text(".", style="dim")
    if line.gate.verdict == "ok":
        return Text(_("OK"), style="green")
    return Text(_("RED, overruled") if line.gate.overruled else _("RED"), style=_LOUD)


def _gates(view: WaveView) -> list[RenderableType]:
    """What each red gate has seen."""
    lines: list[RenderableType] = []
    for line in view.batches:
        gate = line.gate
        if gate is None or gate.verdict == "ok":
            continue
        text = _(
            "gate {batch}: not moved {bad} of {size}, allowed {allowed}; wave: not moved {wave_bad} of {wave_size}, "
            "allowed {wave_allowed}"
        ).format(
            batch=one_line(gate.batch), bad=gate.bad, size=gate.size, allowed=gate.allowed, wave_bad=gate.wave_bad,
            wave_size=gate.wave_size, wave_allowed=gate.wave_allowed,
        )  # fmt: skip
        lines.append(Text(f" {text}"))
    return lines


# --------------------------------------------------------------------------- not well


def _behind_lines(line: BehindLine) -> list[RenderableType]:
    """One cause: how many it hit, whom, and what helps."""
    shown = ", ".join(one_line(name, longest=40) for name in line.names[:NAMES])
    more = f" +{len(line.names) - NAMES}" if len(line.names) > NAMES else ""
    head = Text(f" {spoken(line.cause)}: {len(line.names)}", style="bold")
    head.append(f" ({shown}{more}; {_('users: {count}').format(count=line.users)})", style="not bold")
    return [head, _indented(spoken(line.remedy))]


class _NotWell:
    """The assets that are not well; where the headings would be broken inside a word they and the department go."""

    def __init__(self, lines: Sequence[NotWellLine]) -> None:
        self._lines = lines

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[RenderableType]:
        whole = _not_well(self._lines, wide=True)
        unbroken = Measurement.get(console, options.update_width(ALL_COLUMNS), whole).minimum
        yield whole if unbroken <= options.max_width else _not_well(self._lines, wide=False)


def _not_well(lines: Sequence[NotWellLine], *, wide: bool) -> Table:
    table = Table(box=None, pad_edge=True, header_style="dim", show_header=wide)
    table.add_column("", no_wrap=True)
    headings = (_("asset"), *([_("department")] if wide else []), _("state"), _("step"), _("since"), _("cause"))
    for heading in headings:
        table.add_column(heading, overflow="fold")
    for line in lines:
        style = _COLOURS.get(line.state, _LOUD)
        see = _(", see [{number}]").format(number=line.decision) if line.decision else ""
        table.add_row(
            Text(SIGNS[MoveState.HELD] if line.waits_for else SIGNS[line.state], style=style),
            Text(one_line(line.name, longest=40)),
            *([Text(one_line(line.department or "-", longest=30))] if wide else []),
            Text(_state_of(line), style=style),
            Text(one_line(line.step or "-", longest=40)),
            _hour(line.since) if line.since else "-",
            Text(f"{spoken(line.cause)}{see}"),
        )
    return table


def _state_of(line: NotWellLine) -> str:
    if line.waits_for:
        return _("waits")
    return _("trying again") if line.state is MoveState.RUNNING else state_word(line.state)
