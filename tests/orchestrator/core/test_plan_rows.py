"""A plan as rows and back: what a person changed is understood, and every other change is named where it stands."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from inventory.model import AssetKind, DependencyKind, Snapshot
from orchestrator.core.plan import Plan, WaveKey
from orchestrator.core.plan_edit import Wish
from orchestrator.core.plan_rows import FileRow, RowsRead, plan_rows, rows_read
from orchestrator.core.planner.first_fit import FirstFitPlanner
from tests.estates import a_pair, a_policy, a_request, an_asset, an_estate, needs, old

Row = dict[str, str]


def a_plan() -> tuple[Plan, Snapshot]:
    """Two waves; old-0003 and old-0004 move together; old-0090 is left over."""
    bound = needs("old-0003", "old-0004", DependencyKind.HARD)
    estate = an_estate(9, edges=(bound,), also=a_pair(90, address=""))
    return FirstFitPlanner().propose(a_request(estate, policy=a_policy(assets_per_window=6))), estate


def read(change: Callable[[dict[str, Row]], object], *, fixed: str = "", extra: tuple[Row, ...] = ()) -> RowsRead:
    """The plan's rows, changed by a person who sees them by name."""
    plan, estate = a_plan()
    rows = {row["asset"]: dict(row) for row in plan_rows(plan, estate)}
    change(rows)
    table = [FileRow(number=number, cells=cells) for number, cells in enumerate((*rows.values(), *extra), start=2)]
    return rows_read(table, plan, estate, fixed=frozenset({WaveKey(fixed)} if fixed else ()))


def faults(found: RowsRead) -> list[tuple[int, str]]:
    return [(one.row, one.column) for one in found.faults]


def test_untouched_rows_wish_nothing() -> None:
    found = read(lambda rows: None)
    assert found == RowsRead(wishes=(), faults=(), not_mentioned=0)


def test_a_changed_wave_is_a_wish_and_a_missing_row_says_nothing() -> None:
    def change(rows: dict[str, Row]) -> None:
        rows["old-0000"]["wave"] = "W02"
        del rows["old-0001"]

    found = read(change)
    assert found == RowsRead(wishes=(Wish(asset=old(0), wave=WaveKey("W02")),), faults=(), not_mentioned=1)


def test_a_leftover_may_be_given_a_wave() -> None:
    found = read(lambda rows: rows["old-0090"].update(wave="W02"))
    assert (found.wishes, found.faults) == ((Wish(asset=old(90), wave=WaveKey("W02")),), ())


def test_a_file_with_two_columns_is_enough() -> None:
    plan, estate = a_plan()
    found = rows_read([FileRow(number=2, cells={"asset": "OLD-0000", "wave": "W02"})], plan, estate)
    assert [wish.asset for wish in found.wishes] == [old(0)]


@pytest.mark.parametrize(
    ("change", "row", "column", "says"),
    [
        (lambda rows: rows["old-0000"].update(wave="W09"), 4, "wave", "no wave 'W09'; it has W01, W02"),
        (lambda rows: rows["old-0000"].update(wave=""), 4, "wave", "the cell is empty"),
        (lambda rows: rows["old-0000"].update(asset="", id=""), 4, "asset", "names no asset"),
        (lambda rows: rows["old-0000"].update(asset="nobody", id=""), 4, "asset", "no asset named 'nobody'"),
        (lambda rows: rows["old-0000"].update(asset="old-0001"), 4, "asset", "that of 'old-0000', not of 'old-0001'"),
        (lambda rows: rows["old-0000"].update(id="x-1"), 4, "id", "no asset with the id 'x-1'"),
        (lambda rows: rows["old-0000"].update(window="Sunday"), 4, "window", "Only the wave can be changed"),
        (lambda rows: rows["old-0000"].update(batch="b9"), 4, "batch", "Only the wave can be changed"),
        (lambda rows: rows["old-0003"].update(wave="W02"), 2, "wave", "moves together with 'old-0004' (hard)"),
        (lambda rows: rows["old-0000"].update(plan="0" * 16), 4, "plan", "export that one again"),
    ],
)
def test_what_cannot_be_taken_is_named_with_row_and_column(
    change: Callable[[dict[str, Row]], object], row: int, column: str, says: str
) -> None:
    found = read(change)
    assert faults(found) == [(row, column)]
    assert says in found.faults[0].says.text


def test_the_window_of_the_new_wave_may_stand_beside_it() -> None:
    def change(rows: dict[str, Row]) -> None:
        rows["old-0000"].update(wave="W02", window=rows["old-0005"]["window"])

    assert read(change).faults == ()


def test_an_asset_in_two_rows_is_named_whether_the_rows_agree_or_not() -> None:
    same = read(lambda rows: None, extra=({"asset": "old-0000", "wave": "W01"},))
    other = read(lambda rows: None, extra=({"asset": "old-0000", "wave": "W02"},))
    assert faults(same) == [(12, "asset")] and "row 4 already" in same.faults[0].says.text
    assert faults(other) == [(12, "wave")] and "with the wave 'W01'" in other.faults[0].says.text


def test_nothing_comes_into_or_out_of_a_wave_that_is_under_way() -> None:
    out = read(lambda rows: rows["old-0000"].update(wave="W02"), fixed="W01")
    into = read(lambda rows: rows["old-0000"].update(wave="W02"), fixed="W02")
    assert [one.says.text.split()[0] for one in (*out.faults, *into.faults)] == ["W01", "W02"]


def test_rows_of_another_plan_are_named_once_and_nothing_else_is_read() -> None:
    def change(rows: dict[str, Row]) -> None:
        for row in rows.values():
            row.update(plan="0" * 16, wave="W99")

    assert faults(read(change)) == [(2, "plan")]


def test_assets_of_one_name_need_their_id() -> None:
    plan, estate = a_plan()
    twin = replace(an_asset("twin", kind=AssetKind.SERVER), name="old-0000")
    planned = replace(plan, why_not=(*plan.why_not, replace(plan.why_not[0], assets=(twin.id,))))
    both = replace(estate, assets=(*estate.assets, twin))
    found = rows_read([FileRow(number=2, cells={"asset": "old-0000", "wave": "W02"})], planned, both)
    assert "give the id" in found.faults[0].says.text
