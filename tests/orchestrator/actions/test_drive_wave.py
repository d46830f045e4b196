"""A wave driven on a real store with simulated hosts: faults, crashes between any two commits, and claims."""

from __future__ import annotations

from collections import Counter
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from inventory.errors import ExpectedError
from orchestrator.actions import drive_wave
from orchestrator.actions.record import change_wave
from orchestrator.core.lifecycle import IllegalTransition, WaveEvent, WaveState
from orchestrator.core.policy import Policy
from orchestrator.core.ready import NotReady
from orchestrator.core.refusals import Overtaken, StaleDriver, StoreDamaged
from orchestrator.core.runbook import Direction
from orchestrator.core.surroundings import Room
from orchestrator.ports import Store
from tests.copied_towns import a_town, by_hand
from tests.databases import database_url, store
from tests.orchestrator.actions.test_store_plan import two_waves
from tests.simulated_runs import SimulatedRuns
from tests.towns import STADT, Town

__all__ = ["database_url", "store"]

GENEROUS = Policy(batch_budget=1.0, wave_budget=1.0, canary_size=1, batch_size=3)


def an_approved_town(store: Store, folder: Path, runs: SimulatedRuns, policy: Policy = GENEROUS) -> Town:
    town = Town(store=store, runs=runs, folder=folder, policy=policy)
    town.propose()
    town.approve()
    return town


def test_a_wave_runs_from_approval_to_closed(store: Store, tmp_path: Path) -> None:
    town = an_approved_town(store, tmp_path, SimulatedRuns())
    town.start()
    town.drive()
    assert town.wave()[0].state is WaveState.CLOSED
    assert set(town.states().values()) == {"moved"}


def test_the_tables_always_agree_with_the_fold_of_the_journal(store: Store, tmp_path: Path) -> None:
    runs = SimulatedRuns(fault=lambda a, s, d: "failed" if a == "apc-002-id" and s == "switch" and d == "do" else "")
    town = an_approved_town(store, tmp_path, runs)
    town.start()
    town.drive()
    wave, progress = town.wave()
    with store.reading() as books:
        rows = {move.asset: (move.state, move.cause) for move in books.waves.moves(STADT, "W01")}
        assert books.journal.verify(STADT).broken_at == 0
    assert rows == {asset: (move.state, move.cause) for asset, move in progress.moves.items()}
    assert wave.state is progress.state


def test_each_fault_leads_to_its_state(store: Store, tmp_path: Path) -> None:
    faults = {
        ("apc-001-id", "look", Direction.DO): "unreachable",
        ("apc-002-id", "switch", Direction.DO): "failed",
        ("apc-003-id", "switch", Direction.DO): "lost",
    }
    runs = SimulatedRuns(fault=lambda asset, step, direction: faults.get((asset, step, direction), ""))
    town = an_approved_town(store, tmp_path, runs)
    town.start()
    town.drive()
    expected = {"apc-001": "held", "apc-002": "rolled_back", "apc-004": "moved", "apc-005": "moved", "apc-006": "moved"}
    states = town.states()
    assert {name: state for name, state in states.items() if name != "apc-003"} == expected
    assert sum(Counter(states.values()).values()) == 6


class Crash(BaseException):
    """The driver dies here."""


class DyingStore:
    """The real store, at every nth commit of which the driver dies: before it (nothing is written) or after it."""

    def __init__(self, store: Store, *, every: int, first: int, after: bool) -> None:
        self._store, self._every, self._first, self._after = store, every, first, after
        self.commits = self.deaths = 0

    @contextmanager
    def transaction(self) -> Any:
        self.commits += 1
        dies = self.commits % self._every == self._first
        self.deaths += dies
        with self._store.transaction() as books:
            yield books
            if dies and not self._after:
                raise Crash
        if dies:
            raise Crash

    def reading(self) -> Any:
        return self._store.reading()


def one_switch_fails(asset: str, step: str, direction: Direction) -> str:
    return "failed" if (asset, step, direction) == ("apc-002-id", "switch", Direction.DO) else ""


def driven_through_deaths(town: Town, *, every: int, first: int, after: bool) -> DyingStore:
    """Each driver dies at its time and a fresh one takes over, until the wave rests."""
    dying = DyingStore(town.store, every=every, first=first, after=after)
    for _ in range(200):
        try:
            town.drive(town.driver(store=dying))
        except Crash:
            continue
        return dying
    raise AssertionError("the wave never rested")


def nothing_was_lost_or_doubled(town: Town) -> None:
    """The end state equals that of an uninterrupted run; no step was played twice on any asset."""
    assert isinstance(town.runs, SimulatedRuns)
    assert town.states() == {name: "rolled_back" if name == "apc-002" else "moved" for name in town.states()}
    played = Counter(entry[:3] for entry in town.runs.ledger)
    assert {entry for entry, count in played.items() if count > 1} == set()
    assert not town.wave()[1].live


@pytest.mark.parametrize("after", [False, True])
def test_a_driver_that_dies_at_any_commit_loses_and_doubles_nothing(tmp_path: Path, after: bool) -> None:
    """Seven towns, in each of which drivers die at every seventh commit: together at every commit there is."""
    deaths = 0
    for first in range(7):
        town = a_town(tmp_path / str(first), "started", fault=one_switch_fails)
        deaths += driven_through_deaths(town, every=7, first=first, after=after).deaths
        nothing_was_lost_or_doubled(town)
    assert deaths >= 43


def test_a_driver_that_dies_now_and_then_loses_and_doubles_nothing_on_any_database(
    store: Store, tmp_path: Path
) -> None:
    town = an_approved_town(store, tmp_path, SimulatedRuns(fault=one_switch_fails))
    town.start()
    driven_through_deaths(town, every=5, first=3, after=True)
    nothing_was_lost_or_doubled(town)


def test_a_wave_without_approval_does_not_start(store: Store, tmp_path: Path) -> None:
    town = Town(store=store, runs=SimulatedRuns(), folder=tmp_path)
    town.propose()
    with pytest.raises(NotReady, match="0 of 1 approvals"):
        town.start()
    assert town.wave()[0].state is WaveState.PROPOSED


def test_a_wave_outside_its_window_does_not_start(store: Store, tmp_path: Path) -> None:
    town = an_approved_town(store, tmp_path, SimulatedRuns())
    town.clock.moment = town.wave()[0].content.window.closes
    with pytest.raises(NotReady, match="closed"):
        town.start()


def test_a_wave_starts_only_once(store: Store, tmp_path: Path) -> None:
    town = an_approved_town(store, tmp_path, SimulatedRuns())
    town.start()
    with pytest.raises((IllegalTransition, NotReady)):
        town.start()


def test_an_asset_whose_record_changed_since_the_proposal_stays_behind(store: Store, tmp_path: Path) -> None:
    from inventory.changes import Changed, ChangeSet, FieldChange
    from inventory.model import Asset

    town = an_approved_town(store, tmp_path, SimulatedRuns())
    with store.transaction() as books:
        old = next(asset for asset in books.assets.snapshot(STADT).assets if asset.name == "apc-002")
        new = Asset(
            id=old.id, tenant=old.tenant, kind=old.kind, name=old.name, values={**old.values, "address": "10.9.9.9"}
        )
        change = FieldChange(field="address", before=old.values["address"], after="10.9.9.9", source="test")
        books.assets.apply(ChangeSet(tenant=STADT, changed=(Changed(asset=new, changes=(change,)),)))
    town.start()
    town.drive()
    states = town.states()
    assert (states["apc-001"], states["apc-002"]) == ("moved", "held")


def test_a_damaged_wave_is_told_of_and_holds_no_other_wave_up(tmp_path: Path) -> None:
    town = a_town(tmp_path)
    two_waves(town)
    town.approve()
    town.approve(wave="W02")
    by_hand(
        town,
        "INSERT INTO wave_act SELECT tenant, wave, revision, 77, fingerprint, 'resume', NULL, person, for_person, "
        "canonical, signature, public_key FROM wave_act WHERE wave = 'W01' AND kind = 'approve'",
    )
    told: list[ExpectedError] = []
    driver = town.driver(tell=told.append)
    while driver.tick(appointments=True):
        pass
    assert {error.code for error in told} == {"STO-020"}
    with town.store.reading() as books:
        states = {wave.key: wave.state for wave in books.waves.all(STADT)}
    assert states == {"W01": WaveState.SCHEDULED, "W02": WaveState.CLOSED}
    with pytest.raises(StoreDamaged):
        town.start()


def test_a_driver_that_lost_its_seat_does_nothing_any_more_and_says_so(tmp_path: Path) -> None:
    town = a_town(tmp_path, "approved")
    unseated = town.driver()
    town.driver()
    with pytest.raises(StaleDriver):
        unseated.tick(appointments=True)
    assert town.wave()[0].state is WaveState.APPROVED


def test_why_a_wave_does_not_start_at_its_hour_is_told_once(tmp_path: Path) -> None:
    town = a_town(tmp_path, "approved")
    told: list[ExpectedError] = []
    driver = town.driver(tree_there=lambda _runbook: False, tell=told.append)
    for _ in range(4):
        driver.tick(appointments=True)
    assert [error.code for error in told] == ["RUN-002"]
    assert "missing or was changed on disk" in str(told[0])


def test_any_number_of_failures_at_once_is_judged_to_the_end(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drive_wave, "MAX_ROUNDS", 8)
    policy = Policy(batch_budget=1.0, wave_budget=1.0, canary_size=0, batch_size=12)
    runs = SimulatedRuns(fault=lambda _asset, step, _direction: "failed" if step == "look" else "")
    town = Town(store=store, runs=runs, folder=tmp_path, seats=12, policy=policy)
    town.propose()
    town.approve()
    town.start()
    town.drive()
    assert set(town.states().values()) == {"held"}


class OvertakenStore:
    """The real store, in which a person was quicker at the nth transaction."""

    def __init__(self, store: Store, *, nth: int) -> None:
        self._store, self._left = store, nth
        self.reading = store.reading

    @contextmanager
    def transaction(self) -> Any:
        self._left -= 1
        with self._store.transaction() as books:
            yield books
            if not self._left:
                raise Overtaken(subject="wave W01")


def test_a_driver_that_was_overtaken_looks_again_and_goes_on(tmp_path: Path) -> None:
    town = a_town(tmp_path, "started")
    driver = town.driver(store=OvertakenStore(town.store, nth=4))
    for _ in range(60):
        driver.tick(only=(STADT, "W01"))
    assert town.wave()[0].state is WaveState.CLOSED


def test_a_tree_that_was_changed_after_the_claim_is_not_played(tmp_path: Path) -> None:
    """It is looked at before every run, not only at the start of the wave; the wave is held and nothing goes back."""
    town = a_town(tmp_path, "started")
    assert isinstance(town.runs, SimulatedRuns)
    runs = town.runs
    town.drive(town.driver(tree_there=lambda _runbook: len(runs.ledger) < 3))
    wave, _progress = town.wave()
    assert (wave.state, wave.cause) == (WaveState.HELD, "never_started")
    assert len(runs.ledger) == 3


def test_a_wave_that_was_made_to_run_by_writing_into_the_journal_touches_nothing(store: Store, tmp_path: Path) -> None:
    """Whoever can write to the database can append entries; without genuine signatures no machine is touched."""
    runs = SimulatedRuns()
    town = Town(store=store, runs=runs, folder=tmp_path)
    town.propose()
    with town.outside().desk() as desk:
        for event in (WaveEvent.APPROVE, WaveEvent.CLAIM, WaveEvent.START):
            change_wave(desk, desk.books.waves.get(STADT, "W01"), event)
    town.drive()
    wave, _progress = town.wave()
    assert (wave.state, wave.cause) == (WaveState.HELD, "not_approved")
    assert runs.ledger == []


def a_driver_with_clocks(town: Town, steady: list[float], told: list[ExpectedError]) -> drive_wave.Driver:
    """A driver whose steady clock shows what the list ends with."""
    with town.store.transaction() as books:
        epoch = books.raise_epoch()
    return drive_wave.Driver(town.outside(tell=told.append), epoch=epoch, steady=lambda: steady[-1])


@pytest.mark.parametrize("jump_s", [3600, -3600, 61])
def test_a_clock_that_jumps_holds_what_runs_and_starts_nothing(tmp_path: Path, jump_s: int) -> None:
    town, steady, told = a_town(tmp_path, "started"), [100.0], list[ExpectedError]()
    driver = a_driver_with_clocks(town, steady, told)
    driver.tick()
    town.clock.moment += timedelta(seconds=jump_s + 10)
    steady.append(110.0)
    driver.tick(appointments=True)
    wave, _progress = town.wave()
    assert (wave.state, wave.cause) == (WaveState.HELD, "clock_jumped")
    assert [error.code for error in told] == ["RUN-019"]


def test_a_clock_that_is_corrected_by_a_little_or_a_driver_that_slept_holds_nothing(tmp_path: Path) -> None:
    town, steady, told = a_town(tmp_path, "started"), [100.0], list[ExpectedError]()
    driver = a_driver_with_clocks(town, steady, told)
    driver.tick()
    for wall_s, steady_s in ((59, 0), (600, 600)):
        town.clock.moment += timedelta(seconds=wall_s)
        steady.append(steady[-1] + steady_s)
        driver.tick()
    assert town.wave()[0].state is not WaveState.HELD and told == []


@pytest.mark.parametrize(("ago_s", "held"), [(3_600.0, False), (10.0, True)])
def test_a_jump_that_came_while_nobody_drove_is_noticed_by_the_next_driver(
    tmp_path: Path, ago_s: float, held: bool
) -> None:
    """The wall says that an hour has passed since somebody drove; so does the clock of the boot, or it says 10 s."""
    town, told = a_town(tmp_path, "started"), list[ExpectedError]()
    before = (town.clock.now() - timedelta(hours=1), 5_000.0 - ago_s)
    with town.store.transaction() as books:
        epoch = books.raise_epoch()
    outside = town.outside(tell=told.append)
    drive_wave.Driver(outside, epoch=epoch, steady=lambda: 5_000.0, before=before).tick()
    assert (town.wave()[0].cause == "clock_jumped") is held
    assert [error.code for error in told] == (["RUN-019"] if held else [])


def test_a_clock_that_was_set_right_while_nobody_drove_keeps_no_wave_from_its_hour(tmp_path: Path) -> None:
    town, told = a_town(tmp_path, "approved"), list[ExpectedError]()
    town.clock.moment = town.wave()[0].content.window.opens
    with town.store.transaction() as books:
        epoch = books.raise_epoch()
    before = (town.clock.now() - timedelta(hours=1), 4_990.0)
    outside = town.outside(tell=told.append)
    driver = drive_wave.Driver(outside, epoch=epoch, steady=lambda: 5_000.0, before=before)
    for _ in range(3):
        driver.tick(appointments=True)
    assert [error.code for error in told] == ["RUN-019"]
    assert town.wave()[0].state is WaveState.RUNNING


def test_no_wave_starts_at_an_hour_that_only_a_jump_brought(tmp_path: Path) -> None:
    town, steady, told = a_town(tmp_path, "approved"), [100.0], list[ExpectedError]()
    opens = town.wave()[0].content.window.opens
    town.clock.moment = opens - timedelta(hours=2)
    driver = a_driver_with_clocks(town, steady, told)
    driver.tick(appointments=True)
    town.clock.moment = opens
    driver.tick(appointments=True)
    assert town.wave()[0].state is WaveState.SCHEDULED and [error.code for error in told] == ["RUN-019"]


def test_a_full_disk_or_a_freeze_that_came_meanwhile_holds_before_the_next_step(tmp_path: Path) -> None:
    town = a_town(tmp_path, "started")
    room = [50.0]
    driver = town.driver(rooms=lambda: (Room(where="state", free_gib=room[-1]),))
    driver.tick()
    room.append(0.1)
    town.drive(driver)
    wave, _progress = town.wave()
    assert (wave.state, wave.cause) == (WaveState.HELD, "disk_low")
