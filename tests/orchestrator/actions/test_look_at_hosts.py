"""The fleet preflight in a wave: who cannot work stays behind, the look is written down, and nothing else waits."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

from orchestrator.actions.control_wave import change_course
from orchestrator.actions.sign import Intent
from orchestrator.core.explain import Sentence
from orchestrator.core.fleet import HostAnswer
from orchestrator.core.host_keys import Door, Trouble
from orchestrator.core.lifecycle import WaveState
from orchestrator.core.policy import Policy
from orchestrator.core.wave import ActKind
from tests.copied_towns import a_town
from tests.databases import database_url, store
from tests.orchestrator.actions.test_store_plan import states as wave_states
from tests.orchestrator.actions.test_store_plan import two_waves
from tests.simulated_runs import SimulatedRuns
from tests.towns import STADT, Town

__all__ = ["database_url", "store"]
ONE_BATCH = Policy(batch_budget=1.0, wave_budget=1.0, canary_size=0, batch_size=6, unreachable_share=1.0)


class Answered:
    """A look whose answers are there at once, or when the test says so."""

    def __init__(self, answers: tuple[HostAnswer, ...]) -> None:
        self.found, self.slow, self.dropped = answers, False, False

    def answers(self) -> tuple[HostAnswer, ...] | None:
        return None if self.slow else self.found

    def wait(self) -> tuple[HostAnswer, ...]:
        return self.found

    def drop(self) -> None:
        self.dropped = True


class SlowMachines:
    """Machines that take their time: no answer until the test lets them."""

    def __init__(self, machines: Machines) -> None:
        self.machines = machines

    def __call__(self, doors: Sequence[Door]) -> Answered:
        look = self.machines(doors)
        look.slow = True
        return look


class Machines:
    """Answers for every machine: well, but for those that are named with their trouble."""

    def __init__(self, **troubles: str) -> None:
        self.troubles = troubles
        self.asked = list[str]()
        self.looks = list[Answered]()

    def __call__(self, doors: Sequence[Door]) -> Answered:
        self.asked += [str(door.asset) for door in doors]
        look = Answered(tuple(self._answer(str(door.asset)) for door in doors))
        self.looks.append(look)
        return look

    def _answer(self, asset: str) -> HostAnswer:
        code = self.troubles.get(asset.removesuffix("-id").replace("-", "_"))
        if code:
            return HostAnswer(trouble=Trouble(code=code, told=Sentence(says="told\x1b[2J")))
        text = "become 1\ntime 1\nfree_kib 9000000\nroot rw\nload_percent 1\ncores 1\npackages free\n"
        return HostAnswer(text=text, at=datetime.fromtimestamp(1, UTC))


@pytest.fixture
def town(tmp_path: Path, store: object) -> Town:
    made = Town(store=store, runs=SimulatedRuns(), folder=tmp_path, policy=ONE_BATCH)  # type: ignore[arg-type]
    made.propose()
    made.approve()
    made.start()
    return made


def looks(town: Town) -> list[dict[str, object]]:
    with town.store.reading() as books:
        entries = books.journal.read(STADT, subject="wave:W01")
        return [dict(one.entry.body) for one in entries if one.entry.kind == "hosts.looked"]


def test_a_machine_that_cannot_work_keeps_its_asset_back_and_the_others_move(town: Town) -> None:
    machines = Machines(apc_002="refused")
    town.drive(town.driver(hosts=machines))
    states = town.states()
    assert states.pop("apc-002") == "held"
    assert set(states.values()) == {"moved"}
    with town.store.reading() as books:
        row = next(move for move in books.waves.moves(STADT, "W01") if move.name == "apc-002")
    assert row.cause == "connection_refused"
    (look,) = looks(town)
    assert look["machines"] == 6
    assert look["findings"] == [{"machine": "apc-002", "cause": "connection_refused", "says": "told\x1b[2J"}]


def test_a_closed_way_holds_the_wave_before_anything_is_begun_and_a_resumed_one_looks_again(town: Town) -> None:
    town.drive(town.driver(hosts=Machines(apc_001="jump_login")))
    wave, progress = town.wave()
    assert (wave.state, progress.begun) == (WaveState.HELD, ())
    assert set(town.states().values()) == {"planned"}


def test_nobody_is_looked_at_twice_for_one_batch(town: Town) -> None:
    machines = Machines()
    town.drive(town.driver(hosts=machines))
    assert len(machines.asked) == 6
    assert set(town.states().values()) == {"moved"}


@pytest.fixture
def quick(tmp_path: Path) -> Town:
    """A wave that was started, with its canary as the first batch."""
    return a_town(tmp_path, "started")


def test_a_look_that_takes_its_time_keeps_no_driver_waiting_and_is_begun_only_once(quick: Town) -> None:
    machines = Machines()
    driver = quick.driver(hosts=SlowMachines(machines))
    for _ in range(5):
        driver.tick()
    assert len(machines.looks) == 1 and looks(quick) == []
    assert set(quick.states().values()) == {"planned"}
    machines.looks[0].slow = False
    driver.tick()
    assert len(machines.looks) == len(looks(quick)) == 1
    assert "running" in quick.states().values()


def test_while_one_wave_looks_another_runs_to_its_end(tmp_path: Path) -> None:
    town = a_town(tmp_path)
    two_waves(town)
    town.approve()
    town.approve(wave="W02")
    quick, slow = Machines(), SlowMachines(Machines())
    driver = town.driver(hosts=lambda doors: (slow if doors[0].asset == "apc-001-id" else quick)(doors))
    for _ in range(200):
        driver.tick(appointments=True)
        if (states := wave_states(town))["W02"] is WaveState.CLOSED:
            break
    assert states == {"W01": WaveState.RUNNING, "W02": WaveState.CLOSED}
    assert len(slow.machines.looks) == 1


def test_a_driver_that_dies_while_it_looks_costs_a_second_look_and_nothing_else(quick: Town) -> None:
    machines = Machines()
    quick.driver(hosts=SlowMachines(machines)).tick()
    quick.drive(quick.driver(hosts=machines))
    assert set(quick.states().values()) == {"moved"}
    assert len(machines.looks) == 1 + len(looks(quick))


def course(town: Town, kind: ActKind) -> None:
    with town.outside().desk() as desk:
        wave = desk.books.waves.get(STADT, "W01")
        change_course(desk, wave, keyboard=town.anna, intent=Intent(kind=kind, reason="a reason"))


def test_a_wave_that_is_paused_meanwhile_begins_nothing_and_looks_again_when_it_goes_on(quick: Town) -> None:
    machines = Machines()
    driver = quick.driver(hosts=SlowMachines(machines))
    driver.tick()
    course(quick, ActKind.PAUSE)
    machines.looks[0].slow = False
    driver.tick()
    assert quick.wave()[1].begun == ()
    course(quick, ActKind.RESUME)
    driver.tick()
    assert len(machines.looks) == 2 and quick.wave()[1].begun == ()


def test_a_driver_that_goes_drops_the_look_that_nobody_waits_for(quick: Town) -> None:
    machines = Machines()
    driver = quick.driver(hosts=SlowMachines(machines))
    driver.tick()
    driver.leave()
    assert machines.looks[0].dropped
