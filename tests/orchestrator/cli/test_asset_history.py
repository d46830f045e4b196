"""What became of an asset: its record and its way through waves, in one row of time, on a real store."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from orchestrator.cli.asset_history import history_of, history_row
from orchestrator.core.plan import Plan, PlannedBatch, PlannedWave
from orchestrator.core.policy import Policy
from orchestrator.ports import Store
from orchestrator.texts import use_language
from tests.databases import database_url, store
from tests.simulated_runs import SimulatedRuns
from tests.towns import STADT, Town

__all__ = ["database_url", "store"]
GENEROUS = Policy(batch_budget=1.0, wave_budget=1.0, canary_size=1, batch_size=3)
BROKEN = SimulatedRuns(fault=lambda a, s, d: "failed" if a == "apc-002-id" and s == "switch" and d == "do" else "")


@pytest.fixture
def town(store: Store, tmp_path: Path) -> Town:
    return Town(store=store, runs=BROKEN, folder=tmp_path, policy=GENEROUS)


def past(town: Town, *names: str) -> list[dict[str, Any]]:
    with town.store.reading() as books:
        assets = [one for one in books.assets.snapshot(STADT).assets if one.name in names]
        return list(history_of(books, STADT, assets))


def way(town: Town, name: str) -> list[tuple[str, str | None]]:
    return [(one["source"], one["after"]) for one in past(town, name) if one["field"] == "move"]


def test_a_history_tells_the_record_and_then_the_way_through_the_wave(town: Town) -> None:
    town.propose()
    town.approve()
    town.start()
    town.drive()
    told = past(town, "apc-002")
    assert [one["at_us"] for one in told] == sorted(one["at_us"] for one in told)
    assert {one["field"] for one in told} >= {"name", "address", "move"}
    states = [state for _wave, state in way(town, "apc-002")]
    assert (states[:2], states[-1]) == (["planned", "running"], "rolled_back")
    assert way(town, "apc-001")[-1] == ("wave:W01", "moved")
    assert way(town, "vault") == way(town, "neu-001") == []


def test_each_change_of_state_has_its_time_step_and_cause(town: Town) -> None:
    town.propose()
    town.approve()
    town.clock.moment += timedelta(minutes=1)
    town.start()
    town.drive()
    failed = next(one for one in past(town, "apc-002") if one["after"] == "failed")
    assert (failed["before"], failed["step"], failed["cause"]) == ("running", "switch", "made_up")
    assert history_row(failed)[1:] == ["apc-002", "wave W01", "running -> FAILED: made_up", "switch"]
    assert history_row(failed)[0].startswith("2026-12-01 21:01")


def without(plan: Plan, name: str) -> Plan:
    """The next plan, in which the first wave does not have that asset."""

    def left(batch: PlannedBatch) -> PlannedBatch:
        return replace(batch, assets=tuple(one for one in batch.assets if one != f"{name}-id"))

    def wave(one: PlannedWave) -> PlannedWave:
        batches = tuple(batch for batch in map(left, one.batches) if batch.assets)
        groups = tuple(group for group in one.groups if f"{name}-id" not in group.assets)
        return replace(one, batches=batches, groups=groups)

    return replace(plan, parent=plan.fingerprint, waves=tuple(wave(one) for one in plan.waves))


@pytest.mark.parametrize(
    "next_plan", [lambda plan: without(plan, "apc-006"), lambda plan: replace(plan, parent=plan.fingerprint, waves=())]
)
def test_an_asset_that_a_later_plan_leaves_out_says_so(town: Town, next_plan: Callable[[Plan], Plan]) -> None:
    first = town.plan()
    town.propose(first)
    town.clock.moment += timedelta(minutes=1)
    town.propose(next_plan(first))
    assert way(town, "apc-006") == [("wave:W01", "planned"), ("wave:W01", None)]
    last = [one for one in past(town, "apc-006") if one["field"] == "move"][-1]
    assert history_row(last)[3].startswith("planned -> not in it")


def test_an_asset_that_was_never_planned_has_only_its_record(town: Town) -> None:
    told = past(town, "vault")
    assert told and all(one["field"] != "move" for one in told)
    assert past(town) == []


def test_states_and_causes_are_told_in_the_chosen_language(town: Town) -> None:
    town.propose()
    town.approve()
    town.start()
    town.drive()
    try:
        use_language("de")
        assert "fehlgeschlagen" in history_row(
            next(one for one in past(town, "apc-002") if one["after"] == "failed")
        )[3].casefold()  # fmt: skip
    finally:
        use_language("en")


def test_a_list_in_a_record_is_told_as_words() -> None:
    row = {"at_us": 0, "asset": "pc", "field": "procedures", "before": None, "after": ("a", "b"), "source": "x"}
    assert history_row(row) == ["1970-01-01 00:00:00Z", "pc", "procedures", "? -> a, b", "x"]
