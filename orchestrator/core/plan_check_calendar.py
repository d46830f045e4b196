"""The plan check's own calendar: it only ever turns UTC into local time, the opposite way of the planner's.

Public holidays come from the rules themselves (Gauss's Easter, fixed dates by state), not from a library.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from orchestrator.core.plan import PlannedWindow
from orchestrator.core.policy import Policy, WeeklyWindow

MOMENT = timedelta(seconds=1)
DAY_NAMES = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_DAY, _CLOCK, _OFFSET = r"[A-Z][a-z]{2} \d{4}-\d\d-\d\d", r"\d\d:\d\d", r"(?:[+-]\d\d:\d\d)?"
WINDOW_TEXT = re.compile(
    rf"(?P<day>{_DAY}) (?P<begin>{_CLOCK}){_OFFSET}-(?:(?P<end_day>{_DAY}) )?(?P<end>{_CLOCK}){_OFFSET}"
)
MONDAY = date(2024, 1, 1).toordinal()

FIXED = ((1, 1), (5, 1), (10, 3), (12, 25), (12, 26))
EASTER_DAYS = (-2, 1, 39, 50)
"""Good Friday, Easter Monday, Ascension, Whit Monday: days after Easter Sunday, in all states."""
STATE_FIXED: dict[tuple[int, int], frozenset[str]] = {
    (1, 6): frozenset({"BW", "BY", "ST"}),
    (3, 8): frozenset({"BE", "MV"}),
    (8, 15): frozenset({"SL"}),
    (9, 20): frozenset({"TH"}),
    (10, 31): frozenset({"BB", "HB", "HH", "MV", "NI", "SH", "SN", "ST", "TH"}),
    (11, 1): frozenset({"BW", "BY", "NW", "RP", "SL"}),
}
STATE_EASTER: dict[int, frozenset[str]] = {
    0: frozenset({"BB"}),
    49: frozenset({"BB"}),
    60: frozenset({"BW", "BY", "HE", "NW", "RP", "SL"}),
}
ONCE = {("BE", date(2025, 5, 8)), ("BE", date(2028, 6, 17))}


def window_faults(window: PlannedWindow, policy: Policy) -> Iterator[tuple[str, str]]:
    """(rule, what is wrong) for one planned window, by the policy alone."""
    if window.opens.tzinfo is None or window.closes.tzinfo is None:
        yield "window_zone", "its times have no time zone"
        return
    if window.closes <= window.opens:
        yield "window_inverted", f"it closes at {window.closes} but opens at {window.opens}"
        return
    zone = ZoneInfo(policy.zone)
    opens, last = window.opens.astimezone(zone), (window.closes.astimezone(UTC) - MOMENT).astimezone(zone)
    yield from _freeze_faults(policy, opens.date(), last.date())
    if not _is_single(window, policy):
        yield from _weekly_faults(policy, opens, last)
    yield from _text_faults(window, policy, opens)


def _is_single(window: PlannedWindow, policy: Policy) -> bool:
    return any(one.opens <= window.opens and window.closes <= one.closes for one in policy.windows)


def _freeze_faults(policy: Policy, first: date, last: date) -> Iterator[tuple[str, str]]:
    for freeze in policy.freezes:
        if freeze.scope.is_all and freeze.first <= freeze.last and first <= freeze.last and freeze.first <= last:
            yield "window_frozen", f"it touches the freeze {freeze.name!r} from {freeze.first} to {freeze.last}"


def _weekly_faults(policy: Policy, opens: datetime, last: datetime) -> Iterator[tuple[str, str]]:
    days = [day for weekly in policy.weekly for day in _evenings(weekly, opens, last)]
    if not days:
        yield "window_not_allowed", "no weekly or single window of the policy covers it"
    elif all(is_free_day(policy.holidays, day) for day in days):
        yield "window_holiday", f"{days[0]} is a public holiday or a free day in {policy.holidays}"


def _evenings(weekly: WeeklyWindow, opens: datetime, last: datetime) -> Iterator[date]:
    """Days on which this weekly window begins and then covers everything from ``opens`` to ``last``."""
    wanted = {str(day) for day in weekly.days}
    for day in (opens.date(), opens.date() - timedelta(days=1)):
        if DAY_NAMES[(day.toordinal() - MONDAY) % 7] not in wanted:
            continue
        end = day + timedelta(days=1) if weekly.closes <= weekly.opens else day
        begin = datetime.combine(day, weekly.opens, tzinfo=opens.tzinfo)
        after = datetime.combine(end, weekly.closes, tzinfo=opens.tzinfo)
        if _reaches(begin, opens) and _ends_before(last, after):
            yield day


def _wall(moment: datetime) -> datetime:
    return moment.replace(tzinfo=None)


def _is_doubled(wall: datetime) -> bool:
    """Whether the clock shows this time twice: the second showing has the smaller offset."""
    first, second = wall.replace(fold=0).utcoffset(), wall.replace(fold=1).utcoffset()
    return first is not None and second is not None and second < first


def _reaches(begin: datetime, opens: datetime) -> bool:
    return _wall(opens) >= _wall(begin) or (opens.fold == 1 and _is_doubled(begin))


def _ends_before(last: datetime, after: datetime) -> bool:
    return _wall(last) < _wall(after) and not (last.fold == 1 and _is_doubled(after))


def _text_faults(window: PlannedWindow, policy: Policy, opens: datetime) -> Iterator[tuple[str, str]]:
    """What people read must be what the instants say."""
    if window.zone != policy.zone:
        yield "window_text", f"its zone is {window.zone}, the policy's is {policy.zone}"
    closes = window.closes.astimezone(opens.tzinfo)
    read = WINDOW_TEXT.fullmatch(window.local)
    is_true = read is not None and (read["day"], read["begin"]) == (_spelled(opens), f"{opens:%H:%M}")
    if read is not None and is_true:
        is_long = _wall(closes) - _wall(opens) >= timedelta(days=1)
        is_true = (read["end_day"], read["end"]) == (_spelled(closes) if is_long else None, f"{closes:%H:%M}")
    if not is_true:
        yield "window_text", f"it reads {window.local!r}, which is not what its times say"


def _spelled(moment: datetime) -> str:
    name = DAY_NAMES[(moment.toordinal() - MONDAY) % 7].title()
    return f"{name} {moment.year:04}-{moment.month:02}-{moment.day:02}"


# --------------------------------------------------------------------------- holidays


def is_free_day(state: str, day: date) -> bool:
    """Whether that German state rests on that day; 24 and 31 December count, an empty state never rests."""
    if not state:
        return False
    fixed = (day.month, day.day)
    if fixed in FIXED or fixed in ((12, 24), (12, 31)) or state in STATE_FIXED.get(fixed, ()):
        return True
    after_easter = (day - easter(day.year)).days
    if after_easter in EASTER_DAYS or state in STATE_EASTER.get(after_easter, ()):
        return True
    return (state, day) in ONCE or (state == "SN" and day == repentance_day(day.year))


def easter(year: int) -> date:
    """Easter Sunday, Gregorian, by the anonymous algorithm of 1876 (Meeus, Astronomical Algorithms, chapter 8)."""
    century, rest = divmod(year, 100)
    moon = (19 * (year % 19) + century - century // 4 - (century - (century + 8) // 25 + 1) // 3 + 15) % 30
    week = (32 + 2 * (century % 4) + 2 * (rest // 4) - moon - rest % 4) % 7
    shift = (year % 19 + 11 * moon + 22 * week) // 451
    month, day = divmod(moon + week - 7 * shift + 114, 31)
    return date(year, month, day + 1)


def repentance_day(year: int) -> date:
    """Buss- und Bettag: the Wednesday before 23 November."""
    day = date(year, 11, 22)
    return day - timedelta(days=(day.toordinal() - MONDAY - 2) % 7)
