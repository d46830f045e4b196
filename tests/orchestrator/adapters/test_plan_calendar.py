"""The calendar file, read back by another reading of it: the right instants, also in the two odd nights of the year."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from icalendar import Calendar

from orchestrator.adapters.plan_calendar import plan_calendar
from orchestrator.core.calendar import planned_window
from orchestrator.core.wave_calendar import CalendarEntry

NOW = datetime(2026, 9, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
BERLIN = ZoneInfo("Europe/Berlin")


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def an_entry(opens: datetime, *, hours: float = 6, **changes: Any) -> CalendarEntry:
    values: dict[str, Any] = {
        "uid": "wave-w01.stadt@kahn",
        "wave": "W01",
        "window": planned_window((opens, opens + timedelta(hours=hours)), BERLIN),
        "state": "proposed",
        "revision": 2,
        "since": NOW,
        "runbook": "replace-workstation",
        "assets": 4,
        "departments": (("Bürgeramt", 3), ("", 1)),
        "sites": (("Rathaus, Haus 1; links", 4),),
    }
    return CalendarEntry(**{**values, **changes})


def written(*entries: CalendarEntry) -> Any:
    return Calendar.from_ical(plan_calendar(entries, tenant="stadt", now=NOW))


def events(calendar: Any) -> list[Any]:
    return list(calendar.walk("VEVENT"))


@pytest.mark.parametrize(
    "opens",
    [
        "2026-07-06 20:00",  # summer
        "2026-12-07 21:00",  # winter
        "2026-10-24 22:30",  # over the doubled hour
        "2026-10-25 00:10",  # begins in the first turn of 02:10
        "2026-10-25 01:10",  # begins in the second turn of 02:10
        "2027-03-27 22:00",  # over the missing hour
        "2027-03-28 01:00",  # begins when the clock jumps
    ],
)
@pytest.mark.parametrize("hours", [0.5, 2, 6])
def test_the_instants_are_those_of_the_window(opens: str, hours: float) -> None:
    (event,) = events(written(an_entry(utc(opens), hours=hours)))
    assert event["dtstart"].dt.astimezone(UTC) == utc(opens)
    assert event["dtend"].dt.astimezone(UTC) == utc(opens) + timedelta(hours=hours)


def test_a_time_that_the_clock_shows_twice_stands_in_utc_and_others_in_their_zone() -> None:
    raw = plan_calendar((an_entry(utc("2026-10-25 01:10")),), tenant="stadt", now=NOW).decode()
    assert "DTSTART:20261025T011000Z" in raw and "DTEND:20261025T071000Z" in raw
    raw = plan_calendar((an_entry(utc("2026-12-07 21:00")),), tenant="stadt", now=NOW).decode()
    assert "DTSTART;TZID=Europe/Berlin:20261207T220000" in raw


def test_the_rules_of_the_zone_stand_in_the_file_change_by_change() -> None:
    (zone,) = written(an_entry(utc("2026-12-07 21:00"))).walk("VTIMEZONE")
    changes = [
        (part.name, part["dtstart"].dt, part["tzoffsetfrom"].td, part["tzoffsetto"].td) for part in zone.subcomponents
    ]
    hours = [(name, f"{local:%Y-%m-%d %H:%M}", before // HOUR, after // HOUR) for name, local, before, after in changes]
    assert hours[1:] == [("STANDARD", "2026-10-25 03:00", 2, 1), ("DAYLIGHT", "2027-03-28 02:00", 1, 2)]


def test_identity_revision_state_and_places_are_told() -> None:
    (event,) = events(written(an_entry(utc("2026-12-07 21:00"))))
    assert (str(event["uid"]), event["sequence"], str(event["status"])) == ("wave-w01.stadt@kahn", 1, "TENTATIVE")
    assert str(event["location"]) == "Rathaus, Haus 1; links"
    assert "Bürgeramt: 3" in str(event["description"]) and str(event["summary"]) == "W01: 4 assets move"
    (firm,) = events(written(an_entry(utc("2026-12-07 21:00"), state="approved")))
    assert str(firm["status"]) == "CONFIRMED"


def test_the_same_plan_at_the_same_time_gives_the_same_bytes() -> None:
    entries = (an_entry(utc("2026-12-07 21:00")), an_entry(utc("2026-12-08 21:00"), uid="wave-w02.stadt@kahn"))
    assert plan_calendar(entries, tenant="x", now=NOW) == plan_calendar(entries, tenant="x", now=NOW)
    assert len(events(written(*entries))) == 2


def test_names_cannot_add_lines_or_entries() -> None:
    evil = "x\r\nEND:VEVENT\r\nBEGIN:VEVENT\r\nATTENDEE:mailto:a@b\x07\u202e"
    entry = an_entry(utc("2026-12-07 21:00"), departments=((evil, 4),), sites=((evil, 4),), runbook=evil)
    (event,) = events(written(entry))
    assert "attendee" not in event
    assert b"\x07" not in plan_calendar((entry,), tenant=evil, now=NOW)


def test_a_plan_without_waves_is_a_calendar_without_entries() -> None:
    assert events(written()) == []
