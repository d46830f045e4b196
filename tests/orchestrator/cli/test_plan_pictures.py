"""``kahn plan chart`` and ``kahn plan calendar`` on a real store."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import pytest
from icalendar import Calendar

from orchestrator.adapters.plan_file import PlanFileNotWritten
from orchestrator.cli import plan_pictures
from orchestrator.cli.context import Context
from orchestrator.cli.plan import NoPlan
from tests.estates import a_policy, an_estate
from tests.orchestrator.cli.test_plan_edit import called, document, said
from tests.planning_town import AROUND_THE_CLOCK, a_home


@pytest.fixture
def town(tmp_path: Path) -> Context:
    """Three days with two assets each."""
    assert plan_pictures.__doc__
    policy = a_policy(weekly=(AROUND_THE_CLOCK,), holidays="", assets_per_window=2, canary_size=1)
    return a_home(tmp_path, estate=an_estate(6), policy=policy)


def test_picture_and_calendar_of_the_plan_in_force_are_written(town: Context, tmp_path: Path) -> None:
    said(town, "propose")
    picture, calendar = tmp_path / "plan.svg", tmp_path / "plan.ics"
    assert "The picture is" in said(town, "chart", "-o", str(picture))
    assert "3 waves are in" in said(town, "calendar", "-o", str(calendar))
    assert "6 assets in 3 waves" in (
        ElementTree.parse(picture).getroot().findtext("{http://www.w3.org/2000/svg}desc") or ""
    )
    events = Calendar.from_ical(calendar.read_bytes()).walk("VEVENT")
    assert [str(one["status"]) for one in events] == ["TENTATIVE"] * 3
    assert [wave["state"] for wave in document(town, "chart", "-o", str(picture))["chart"]["waves"]] == ["proposed"] * 3


def test_without_a_plan_or_a_place_nothing_is_written(town: Context, tmp_path: Path) -> None:
    assert isinstance(called(town, "chart", "-o", str(tmp_path / "x.svg")).exception, NoPlan)
    said(town, "propose")
    for word in ("chart", "calendar"):
        assert isinstance(called(town, word, "-o", str(tmp_path / "nowhere" / "x")).exception, PlanFileNotWritten)
