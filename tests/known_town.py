"""A state directory whose tenant has a wave driven with simulated hosts: something to know about."""

from __future__ import annotations

import atexit
import json
import shutil
import tempfile
from copy import copy
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from typer import Typer
from typer.testing import CliRunner, Result

from orchestrator.cli.context import Context
from orchestrator.core.policy import Policy
from orchestrator.settings import CONFIG_NAME, example_config
from orchestrator.wiring import open_world
from tests.fresh_stores import fresh_store
from tests.simulated_runs import Fault, SimulatedRuns
from tests.towns import STADT, TestClock, Town

SMALL = Policy(batch_budget=0.5, wave_budget=0.5, canary_size=1, batch_size=3)


@cache
def fails_at(asset: str, step: str) -> Fault:
    """The asset fails at this step, every time."""
    return lambda one, at, toward: "failed" if (one, at, toward.value) == (asset, step, "do") else ""


def well(_asset: str, _step: str, _direction: object) -> str:
    """Everything ends well."""
    return ""


def a_known_town(folder: Path, *, fault: Fault = well, policy: Policy = SMALL) -> tuple[Context, Town]:
    """A proposed wave of six seats in a state directory, and the Context of a command on it, at the town's time."""
    home = folder / "home"
    home.mkdir()
    (home / CONFIG_NAME).write_text(example_config())
    store = fresh_store(home / "kahn.sqlite")
    town = Town(store=store, runs=SimulatedRuns(fault=fault), folder=folder, policy=policy)
    town.propose()
    return _context(home, town), town


def _context(home: Path, town: Town) -> Context:
    context = Context(home=home, tenant_name=STADT, plain=True, yes=True)
    context.__dict__["world"] = replace(open_world(context.settings), clock=town.clock, signatures=town.signatures)
    return context


def a_driven_town(folder: Path, *, fault: Fault = well, policy: Policy = SMALL) -> Context:
    """The same after its wave was approved and driven until it rests."""
    key = (fault, repr(policy))
    original = _DRIVEN[key] if key in _DRIVEN else _DRIVEN.setdefault(key, _driven(fault, policy))
    folder.mkdir(exist_ok=True)
    shutil.copytree(original.folder / "home", folder / "home")
    town = copy(original)
    town.clock = TestClock(moment=original.clock.moment)
    return _context(folder / "home", town)


_DRIVEN: dict[tuple[Fault, str], Town] = {}


def _driven(fault: Fault, policy: Policy) -> Town:
    """The town that is copied; its store is closed, so that the file is whole."""
    folder = Path(tempfile.mkdtemp(prefix="kahn-known-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    _, town = a_known_town(folder, fault=fault, policy=policy)
    town.approve()
    town.start()
    town.drive()
    town.store.close()  # type: ignore[attr-defined]
    return town


def call(app: Typer, context: Context, *words: str) -> Result:
    """Run one command as ``kahn`` would; expected errors are raised."""
    result = CliRunner().invoke(app, words, obj=context)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def document(app: Typer, context: Context, *words: str) -> Any:
    """The command's JSON answer."""
    asking = Context(home=context.home, tenant_name=context.tenant_name, json=True, plain=True, yes=True)
    if "world" in context.__dict__:  # with its clock
        asking.__dict__["world"] = context.world
    return json.loads(call(app, asking, *words).stdout)
