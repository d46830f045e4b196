"""The emergency brake."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from orchestrator.actions.sign import Keyboard, WrongKey
from orchestrator.actions.start_wave import AllStopped, KeyUsed, launched_before
from orchestrator.actions.stop_all import (
    NotStopped,
    StoppedAlready,
    lift_stop,
    lifting,
    running_steps,
    stop_all,
)
from orchestrator.actions.take_back import ReasonMissing
from orchestrator.core.lifecycle import WaveState
from orchestrator.core.refusals import UnknownPerson
from orchestrator.ports import Store
from tests.copied_towns import a_town
from tests.databases import database_url, store
from tests.orchestrator.actions.test_drive_wave import an_approved_town
from tests.orchestrator.actions.test_store_plan import two_waves
from tests.simulated_runs import SimulatedRuns
from tests.towns import STADT, Town

__all__ = ["database_url", "store"]


def stop(town: Town, reason: str = "smoke in the computer room") -> None:
    with town.outside().desk() as desk:
        stop_all(desk, by="anna", reason=reason)


def lift(town: Town, reason: str = "false alarm", *, keyboard: Keyboard | None = None) -> None:
    with town.outside().desk() as desk:
        lift_stop(desk, keyboard=keyboard or town.anna, reason=reason)


def test_nothing_begins_anywhere_while_all_is_stopped_and_everything_goes_on_afterwards(
    store: Store, tmp_path: Path
) -> None:
    runs = SimulatedRuns()
    town = an_approved_town(store, tmp_path, runs)
    town.start()
    town.driver().tick()
    played = len(runs.ledger)
    stop(town)
    driver = town.driver()
    for _ in range(5):
        driver.tick(appointments=True)
    assert len(runs.ledger) == played and town.wave()[0].state is WaveState.RUNNING
    lift(town)
    town.drive()
    assert town.wave()[0].state is WaveState.CLOSED


def test_no_wave_starts_by_hand_or_at_its_hour_while_all_is_stopped(tmp_path: Path) -> None:
    town = a_town(tmp_path, "approved")
    stop(town)
    with pytest.raises(AllStopped, match="smoke"):
        town.start()
    town.driver().tick(appointments=True)
    assert town.wave()[0].state is WaveState.APPROVED


def test_the_brake_is_pulled_once_and_lifted_once_each_with_a_reason(store: Store, tmp_path: Path) -> None:
    town = Town(store=store, runs=SimulatedRuns(), folder=tmp_path)
    with pytest.raises(NotStopped):
        lift(town)
    with pytest.raises(ReasonMissing):
        stop(town, reason="")
    stop(town)
    with pytest.raises(StoppedAlready) as known:
        stop(town)
    assert known.value.exit_code == 6
    with pytest.raises(ReasonMissing):
        lift(town, reason=" ")
    lift(town)
    with store.reading() as books:
        kinds = [one.entry.kind for one in books.journal.read(STADT, subject="dispatch")]
    assert kinds == ["dispatch.stopped", "dispatch.lifted"]


def test_only_a_person_with_a_registered_key_lifts_the_brake_and_the_signature_is_kept(tmp_path: Path) -> None:
    town = a_town(tmp_path, "approved")
    stop(town)
    with pytest.raises(WrongKey):
        lift(town, keyboard=replace(town.anna, key_file=town.bert.key_file))
    with pytest.raises(UnknownPerson, match="anybody"):
        lift(town, keyboard=replace(town.anna, person="anybody"))
    with town.outside().look() as desk:
        stopped = desk.books.launches.stopped()
        anna = desk.books.people.find(STADT, "anna")
    assert stopped is not None
    lift(town)
    with town.outside().look() as desk:
        entry = desk.books.journal.read(STADT, subject="dispatch")[-1].entry
        message = lifting(stopped, reason="false alarm")
        assert desk.signatures.holds(message, signature=entry.body["signature"], public_key=anna.public_key)
    assert entry.body["person"] == anna.id


def test_running_steps_are_listed(tmp_path: Path) -> None:
    town = a_town(tmp_path, "started")
    driver = town.driver()
    for _ in range(20):
        with town.outside().look() as desk:
            if running := running_steps(desk):
                break
        driver.tick()
    assert [(run.wave, run.step) for run in running] == [("W01", "")]


def test_a_launch_key_launches_one_wave_once(store: Store, tmp_path: Path) -> None:
    town = an_approved_town(store, tmp_path, SimulatedRuns())
    two_waves(town)
    with town.outside().desk() as desk:
        first, second = (desk.books.waves.get(STADT, key) for key in ("W01", "W02"))
        assert not launched_before(desk, first, key="k-1")
        assert launched_before(desk, first, key="k-1")
        with pytest.raises(KeyUsed) as used:
            launched_before(desk, second, key="k-1")
        assert used.value.exit_code == 6
