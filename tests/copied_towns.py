"""Towns on SQLite, made once a test session and copied: the same people and keys, each copy its own database."""

from __future__ import annotations

import atexit
import shutil
import sqlite3
import tempfile
from copy import copy
from functools import cache
from pathlib import Path

from orchestrator.adapters.store import DatabaseStore
from orchestrator.core.policy import Policy
from orchestrator.core.runbook import Runbook
from tests.fresh_stores import fresh_store
from tests.orchestrator.core.builders import a_runbook
from tests.simulated_runs import Fault, SimulatedRuns
from tests.towns import TestClock, Town

GENEROUS = Policy(batch_budget=1.0, wave_budget=1.0, canary_size=1, batch_size=3)
SMALL = a_runbook()
STAGES = ("proposed", "approved", "started")


def well(_asset: str, _step: str, _direction: object) -> str:
    """Everything ends well."""
    return ""


def a_town(
    folder: Path, stage: str = "proposed", *, seats: int = 2, fault: Fault = well, runbook: Runbook = SMALL
) -> Town:
    """A copy of the town at that stage, in its own folder, with hosts of its own."""
    original = _original(stage, seats, runbook)
    town = copy(original)
    folder.mkdir(exist_ok=True)
    shutil.copy(original.folder / "kahn.sqlite", folder / "kahn.sqlite")
    town.store, town.folder = DatabaseStore.open(f"sqlite:///{folder}/kahn.sqlite"), folder
    town.runs, town.clock = SimulatedRuns(fault=fault), TestClock()
    return town


@cache
def _original(stage: str, seats: int, runbook: Runbook) -> Town:
    """The town that is copied; its store is closed, so that the file is whole."""
    folder = Path(tempfile.mkdtemp(prefix="kahn-town-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    before = STAGES.index(stage) - 1
    if before < 0:
        store = fresh_store(folder / "kahn.sqlite")
        town = Town(store=store, runs=SimulatedRuns(), folder=folder, seats=seats, policy=GENEROUS, runbook=runbook)
        town.propose()
    else:
        town = a_town(folder, STAGES[before], seats=seats, runbook=runbook)
        town.approve() if stage == "approved" else town.start()
    town.store.close()  # type: ignore[attr-defined]
    return town


def by_hand(town: Town, statement: str, *values: object) -> None:
    """What somebody with access to the database file can do without Kahn."""
    with sqlite3.connect(town.folder / "kahn.sqlite") as connection:
        connection.execute(statement, values)
    connection.close()
