"""A plan's waves as an iCalendar file, for the calendars of departments and technicians.

Times stand in the window's own zone with that zone's rules in the file. A window that touches the hour which the autumn
clock change repeats stands in UTC: a local time would mean the first of the two (RFC 5545, 3.3.5), and the second could
not be written down.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from icalendar import Calendar, Event, Timezone, TimezoneDaylight, TimezoneStandard

from orchestrator.core.lifecycle import WaveState
from orchestrator.core.plan_chart import TENTATIVE
from orchestrator.core.wave_calendar import CalendarEntry, TaskEntry
from orchestrator.spoken import one_line, wave_word
from orchestrator.texts import _

DAY, SECOND, ZERO = timedelta(days=1), timedelta(seconds=1), timedelta()
HALF_A_YEAR = timedelta(days=183)
PLACES = 12
"""Departments and sites named in an entry, at most."""


def plan_calendar(
    entries: Iterable[CalendarEntry], *, tenant: str, now: datetime, tasks: Iterable[TaskEntry] = ()
) -> bytes:
    """The file: waves, then whole days for what is due ahead of them.

    ``now`` is only its time stamp: the same plan and time give the same bytes.
    """
    calendar = Calendar()
    calendar.add("prodid", "-//Kahn//spreekahn//DE")
    calendar.add("version", "2.0")
    calendar.add("calscale", "GREGORIAN")
    calendar.add("method", "PUBLISH")
    calendar.add("x-wr-calname", _("Migration plan of {tenant}").format(tenant=one_line(tenant)))
    found = tuple(entries)
    for zone in sorted({entry.window.zone for entry in found}):
        moments = [
            moment for one in found if one.window.zone == zone for moment in (one.window.opens, one.window.closes)
        ]
        calendar.add_component(_zone_rules(zone, first=min(moments), last=max(moments)))
    for entry in found:
        calendar.add_component(_event(entry, now))
    for one in tasks:
        calendar.add_component(_task_day(one, now))
    return bytes(calendar.to_ical())


def _zone_rules(name: str, *, first: datetime, last: datetime) -> Timezone:
    """What the clocks of that zone do from half a year before the first window to half a year after the last.

    Written out change by change: rules for ever would be guessed, and no rule of ours needs them.
    """
    zone = ZoneInfo(name)
    rules = Timezone()
    rules.add("tzid", name)
    begin = first.astimezone(UTC).replace(microsecond=0) - HALF_A_YEAR
    for moment in (begin, *_clock_changes(zone, begin, last.astimezone(UTC) + HALF_A_YEAR)):
        before, after = (moment - SECOND).astimezone(zone), moment.astimezone(zone)
        offset_before = before.utcoffset() if moment is not begin else after.utcoffset()
        part = TimezoneDaylight() if after.dst() else TimezoneStandard()
        part.add("dtstart", (moment + (offset_before or ZERO)).replace(tzinfo=None))
        part.add("tzoffsetfrom", offset_before or ZERO)
        part.add("tzoffsetto", after.utcoffset() or ZERO)
        part.add("tzname", after.tzname() or name)
        rules.add_component(part)
    return rules


def _clock_changes(zone: ZoneInfo, begin: datetime, end: datetime) -> Iterator[datetime]:
    """The instants (UTC) at which the zone's clocks jump, to the second."""
    day = begin
    while day < end:
        low, high = day, day + DAY
        if low.astimezone(zone).utcoffset() != high.astimezone(zone).utcoffset():
            while high - low > SECOND:
                middle = low + timedelta(seconds=(high - low) // timedelta(seconds=2))
                is_after = middle.astimezone(zone).utcoffset() == high.astimezone(zone).utcoffset()
                low, high = (low, middle) if is_after else (middle, high)
            yield high
        day += DAY


def _event(entry: CalendarEntry, now: datetime) -> Event:
    opens, closes = _moments(entry)
    event = Event()
    event.add("uid", entry.uid)
    event.add("dtstamp", now.astimezone(UTC))
    event.add("dtstart", opens)
    event.add("dtend", closes)
    event.add("sequence", entry.revision - 1)
    if entry.since is not None:
        event.add("last-modified", entry.since.astimezone(UTC))
    event.add("summary", _("{wave}: {count} assets move").format(wave=entry.wave, count=entry.assets))
    event.add("description", _description(entry))
    if places := [one_line(name) for name, _count in entry.sites if name]:
        event.add("location", ", ".join(places[:PLACES]))
    event.add("status", "TENTATIVE" if entry.state in TENTATIVE else "CONFIRMED")
    event.add("categories", ["Kahn"])
    return event


def _task_day(entry: TaskEntry, now: datetime) -> Event:
    """A whole day that keeps nobody busy: its last to begin the task."""
    task, event = entry.task, Event()
    event.add("uid", entry.uid)
    event.add("dtstamp", now.astimezone(UTC))
    event.add("dtstart", task.due)
    event.add("dtend", task.due + DAY)
    event.add("transp", "TRANSPARENT")
    event.add("sequence", entry.revision - 1)
    if entry.since is not None:
        event.add("last-modified", entry.since.astimezone(UTC))
    facts = {"name": one_line(task.name), "wave": task.wave, "days": task.days_before, "day": task.moves_on.isoformat()}
    event.add("summary", _("Begin by today: {name} for {wave}").format(**facts))
    lines = [_("{wave} moves on {day}; this must be begun {days} days before.").format(**facts)]
    lines.append(_("{count} assets").format(count=task.assets))
    if task.owner:
        lines.append(_("whose: {owner}").format(owner=one_line(task.owner)))
    event.add("description", "\n".join(lines))
    event.add("categories", ["Kahn"])
    return event


def _moments(entry: CalendarEntry) -> tuple[datetime, datetime]:
    zone = ZoneInfo(entry.window.zone)
    opens, closes = entry.window.opens.astimezone(zone), entry.window.closes.astimezone(zone)
    if any(_is_repeated(moment) for moment in (opens, closes)):
        return entry.window.opens.astimezone(UTC), entry.window.closes.astimezone(UTC)
    return opens, closes


def _is_repeated(local: datetime) -> bool:
    """Whether the clock shows this time twice that night."""
    return local.replace(fold=0).utcoffset() != local.replace(fold=1).utcoffset()


def _description(entry: CalendarEntry) -> str:
    lines = [entry.window.local + " " + entry.window.zone, _("runbook {name}").format(name=one_line(entry.runbook))]
    if entry.state:
        lines.append(_("state: {state}").format(state=wave_word(WaveState(entry.state))))
    lines += [f"{one_line(name) or _('unknown')}: {count}" for name, count in entry.departments[:PLACES]]
    if len(entry.departments) > PLACES:
        lines.append(_("{count} more").format(count=len(entry.departments) - PLACES))
    return "\n".join(lines)
