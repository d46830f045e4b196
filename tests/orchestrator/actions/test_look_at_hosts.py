"""The fleet preflight in a wave: who cannot work stays behind, the look is written down, and nothing else waits."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

from orchestrator.core.explain import Sentence
from orchestrator.core.fleet import HostAnswer
from orchestrator.core.host_keys import Door, Trouble
from orchestrator.core.lifecycle import WaveState
from orchestrator.core.policy import Policy
from tests.databases import database_url, store
from tests.simulated_runs import SimulatedRuns
from tests.towns import STADT, Town

__all__ = ["database_url", "store"]
ONE_BATCH = Policy(batch_budget=1.0, wave_budget=1.0, canary_size=0, batch_size=6, unreachable_share=1.0)


class Machines:
    """Answers for every machine: well, but for those that are named with their trouble."""

    def __init__(self, **troubles: str) -> None:
        self.troubles = troubles
        self.asked = list[str]()

    def __call__(self, doors: Sequence[Door]) -> tuple[HostAnswer, ...]:
        self.asked += [str(door.asset) for door in doors]
        return tuple(self._answer(str(door.asset)) for door in doors)

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
