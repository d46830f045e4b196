"""What a chart shows: every asset once in each section, in the column of its local day."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

from orchestrator.core.plan import Plan
from orchestrator.core.plan_chart import MOST_PLACES, Chart, chart_of
from orchestrator.core.planner.first_fit import FirstFitPlanner
from orchestrator.core.policy import Freeze, Policy
from tests.estates import a_pair, a_policy, a_request, an_estate


def a_chart(pairs: int = 9, *, states: dict[str, str] | None = None, **policy: object) -> tuple[Chart, Plan]:
    rules: Policy = a_policy(**{"assets_per_window": 4, **policy})
    estate = an_estate(pairs, also=a_pair(90, address=""))
    plan = FirstFitPlanner().propose(a_request(estate, policy=rules))
    return chart_of(plan, estate, rules, states=states or {}), plan


def test_each_section_adds_up_to_all_planned_assets() -> None:
    chart, plan = a_chart(30)
    planned = sum(len(wave.assets) for wave in plan.waves)
    assert (chart.planned, chart.left) == (planned, 1)
    assert sum(bar.assets for bar in chart.waves) == planned
    assert sum(row.total for row in chart.departments) == planned
    assert sum(row.total for row in chart.sites) == planned


def test_columns_are_weeks_from_monday_and_cells_count_by_local_days() -> None:
    chart, _plan = a_chart(20)
    assert [period.first for period in chart.periods] == [date(2026, 11, 23), date(2026, 11, 30)]
    assert {sum(row.counts[0] for row in chart.departments), sum(row.counts[1] for row in chart.departments)} == {16, 4}


def test_a_plan_longer_than_a_year_is_drawn_by_months() -> None:
    chart, _plan = a_chart(6, assets_per_window=1, horizon_days=900, weekly=(), windows=_yearly(6))
    assert chart.by_months
    assert all(period.first.day == 1 for period in chart.periods)
    assert len(chart.waves) == 6


def _yearly(count: int) -> tuple[object, ...]:
    from orchestrator.core.policy import Window
    from tests.estates import MONDAY

    opens = [MONDAY + timedelta(days=100 * number + 1) for number in range(count)]
    return tuple(Window(opens=one, closes=one + timedelta(hours=6)) for one in opens)


def test_small_places_share_a_row_and_unknown_ones_stand_last() -> None:
    chart, plan = a_chart(60)
    estate = an_estate(60)
    many = replace(
        estate,
        assets=tuple(
            replace(one, values={**one.values, "site": f"Haus {number}"}) if number % 9 else one
            for number, one in enumerate(estate.assets)
        ),
    )
    drawn = chart_of(plan, many, a_policy(), states={})
    assert len(drawn.sites) == MOST_PLACES
    assert drawn.sites[-1].more > 1
    assert sum(row.total for row in drawn.sites) == chart.planned


def test_freezes_are_drawn_where_the_plan_has_time() -> None:
    inside = Freeze(name="council", first=date(2026, 11, 24), last=date(2026, 12, 31))
    outside = Freeze(name="long ago", first=date(2025, 1, 1), last=date(2025, 1, 2))
    chart, _plan = a_chart(4, freezes=(inside, outside))
    assert [(one.name, one.first, one.last) for one in chart.closed] == [
        ("council", date(2026, 11, 24), date(2026, 11, 29))
    ]


def test_states_stand_beside_their_waves_and_an_empty_plan_has_no_columns() -> None:
    chart, plan = a_chart(9, states={"W02": "approved"})
    assert [bar.state for bar in chart.waves] == ["", "approved", ""]
    empty = chart_of(replace(plan, waves=()), an_estate(1), a_policy(), states={})
    assert (empty.periods, empty.waves, empty.sites) == ((), (), ())
