"""Local times and instants: they become UTC here, once, and are never guessed again; holidays and closed days."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from orchestrator.core.plan import PlannedWindow
from orchestrator.core.policy import Freeze, InvalidPolicy, Weekday

MAX_HORIZON_DAYS = 3_660
DAY = timedelta(days=1)
WEEKDAYS = tuple(Weekday)
SHORT_NAMES = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
"""English on purpose, never the machine's locale: the text is part of what is approved."""
CLOSED_DAYS = ((12, 24), (12, 31))
"""Christmas Eve and New Year's Eve: no public holidays, but nobody works in the public service."""
STATES = ("BB", "BE", "BW", "BY", "HB", "HE", "HH", "MV", "NI", "NW", "RP", "SH", "SL", "SN", "ST", "TH")
"""The German states, by their usual two letters."""

Span = tuple[datetime, datetime]


def zone_of(name: str) -> ZoneInfo:
    """The time zone of that name. Raises InvalidPolicy."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as cause:
        raise InvalidPolicy(field="zone", value=repr(name), why="there is no such time zone") from cause


def resolved(local: datetime, zone: ZoneInfo) -> datetime:
    """The UTC instant of a time on the wall: the first of two in autumn, the next that exists in spring."""
    naive = local.replace(tzinfo=None)
    instant = naive.replace(tzinfo=zone, fold=0).astimezone(UTC)
    if instant.astimezone(zone).replace(tzinfo=None) == naive:
        return instant
    return _end_of_gap(naive, zone)


def _end_of_gap(naive: datetime, zone: ZoneInfo) -> datetime:
    """The clock jumps between what the old and the new offset make of ``naive``: halve until the minute is found."""
    low = naive.replace(tzinfo=zone, fold=1).astimezone(UTC)
    high = naive.replace(tzinfo=zone, fold=0).astimezone(UTC)
    old = low.astimezone(zone).utcoffset()
    while high - low > timedelta(seconds=1):
        middle = low + timedelta(seconds=(high - low) // timedelta(seconds=2))
        low, high = (middle, high) if middle.astimezone(zone).utcoffset() == old else (low, middle)
    return high


def planned_window(span: Span, zone: ZoneInfo) -> PlannedWindow:
    """The span with the words for it on the wall in that zone."""
    return PlannedWindow(opens=span[0], closes=span[1], zone=zone.key, local=local_text(span, zone))


def local_text(span: Span, zone: ZoneInfo) -> str:
    """Such as ``Mon 2026-11-30 22:00-04:30``; a window of a day or more also says the day on which it ends."""
    opens, closes = (one.astimezone(zone) for one in span)
    long = closes.replace(tzinfo=None) - opens.replace(tzinfo=None) >= DAY
    return f"{_day(opens)} {_clock(opens)}-{_day(closes) + ' ' if long else ''}{_clock(closes)}"


def _day(local: datetime) -> str:
    return f"{SHORT_NAMES[local.weekday()]} {local.date().isoformat()}"


def _clock(local: datetime) -> str:
    """Hour and minute; the second turn of the doubled hour carries its offset, or nobody could tell it."""
    text = local.strftime("%H:%M")
    return f"{text}{local.isoformat()[-6:]}" if local.fold else text


# --------------------------------------------------------------------------- which days


def is_closed_day(state: str, day: date) -> bool:
    """Whether nobody works on that local date in that German state; an empty state has no such days."""
    if not state:
        return False
    return (day.month, day.day) in CLOSED_DAYS or day in public_holidays(state, day.year)


@lru_cache(maxsize=256)
def public_holidays(state: str, year: int) -> frozenset[date]:
    """Public holidays of one German state in one year. Raises InvalidPolicy."""
    if state not in STATES:
        raise InvalidPolicy(field="holidays", value=repr(state), why=f"it must be one of {', '.join(STATES)}")
    import holidays  # costs about 60 ms, and a lab's calendar has no use for it

    return frozenset(holidays.country_holidays("DE", subdiv=state, years=year))


# --------------------------------------------------------------------------- spans


def frozen_span(freeze: Freeze, zone: ZoneInfo) -> Span:
    """A freeze as instants: from the first day's midnight to the midnight after the last day."""
    after = min(freeze.last, date.max - DAY) + DAY
    return resolved(datetime.combine(freeze.first, time()), zone), resolved(datetime.combine(after, time()), zone)
