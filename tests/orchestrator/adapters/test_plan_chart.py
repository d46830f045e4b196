"""The picture of a plan: well-formed, titled, harmless whatever stands in the inventory, in both languages."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from xml.etree import ElementTree

import pytest

from orchestrator.adapters.plan_chart import chart_svg
from orchestrator.core.plan_chart import Chart, Closed, PlaceRow
from orchestrator.texts import use_language
from tests.orchestrator.core.test_plan_chart import a_chart

SVG = "{http://www.w3.org/2000/svg}"
EVIL = '</text><script>alert(1)</script><text x="&{7*7}" \u202e\x07'


@pytest.fixture(autouse=True)
def in_english() -> Iterator[None]:
    use_language("en")
    yield
    use_language("en")


def drawn(chart: Chart, **more: object) -> ElementTree.Element:
    return ElementTree.fromstring(chart_svg(chart, **more))  # type: ignore[arg-type]


def texts(picture: ElementTree.Element) -> list[str]:
    return ["".join(one.itertext()) for one in picture.iter(f"{SVG}text")]


def test_the_picture_has_a_title_and_a_description_that_tell_what_it_shows() -> None:
    chart, _plan = a_chart(9)
    picture = drawn(chart)
    assert picture.get("role") == "img" and picture.get("aria-labelledby") == "kahn-title kahn-desc"
    title, description = picture.findtext(f"{SVG}title"), picture.findtext(f"{SVG}desc")
    assert title == "Migration plan of stadt"
    assert description is not None and "9 assets in 3 waves, 1 left over" in description and "W03: " in description


def test_every_number_stands_as_text_so_that_no_colour_is_needed() -> None:
    chart, _plan = a_chart(9, states={"W01": "approved"})
    shown = texts(drawn(chart))
    cells = [str(count) for row in (*chart.sites, *chart.departments) for count in row.counts if count]
    for word in (*cells, "W01 · approved", "W02"):
        assert word in shown
    assert "Mon 23 Nov 2026, 22:00–04:30" in shown


def test_approved_waves_are_filled_and_others_are_frames() -> None:
    chart, _plan = a_chart(9, states={"W01": "approved", "W02": "proposed"})
    bars = [one for one in drawn(chart).iter(f"{SVG}rect") if one.get("height") == "14"]
    assert [one.get("class") for one in bars] == ["bar", "open", "open"]


def test_names_cannot_break_out_of_their_text() -> None:
    chart, _plan = a_chart(4)
    evil = replace(
        chart,
        tenant=EVIL,
        sites=(PlaceRow(name=EVIL, counts=(4,)),),
        closed=(Closed(name=EVIL, first=date(2026, 11, 24), last=date(2026, 11, 25)),),
    )
    picture = drawn(evil)
    assert not list(picture.iter(f"{SVG}script"))
    assert {one.tag.removeprefix(SVG) for one in picture.iter()} <= {
        *("svg", "title", "desc", "style", "defs", "pattern", "rect", "line", "g", "text"),
    }
    assert "\x07" not in chart_svg(evil) and "\u202e" not in chart_svg(evil)


def test_the_same_in_german() -> None:
    use_language("de")
    chart, _plan = a_chart(9, states={"W01": "approved"})
    picture = drawn(chart)
    assert picture.get("lang") == "de"
    assert picture.findtext(f"{SVG}title") == "Migrationsplan von stadt"
    assert {"Wellen", "Standorte", "Fachbereiche", "W01 · freigegeben"} <= set(texts(picture))


def test_today_is_a_line_with_a_word_only_where_the_plan_has_time() -> None:
    chart, _plan = a_chart(9)
    inside = chart.waves[0].opens
    assert "today" in texts(drawn(chart, now=inside))
    assert "today" not in texts(drawn(chart, now=inside - timedelta(days=300)))


def test_an_empty_plan_is_a_picture_too() -> None:
    chart, _plan = a_chart(4)
    empty = replace(chart, planned=0, periods=(), waves=(), sites=(), departments=(), closed=())
    assert "0 assets in 0 waves, 1 left over" in texts(drawn(empty))
