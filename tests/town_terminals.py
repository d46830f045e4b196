"""A terminal in a town: the Context of a command on a copied town, with simulated hosts and the town's clock."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path

from orchestrator.actions.desk import no_trouble
from orchestrator.adapters.runbooks import find_runbook, load_runbook
from orchestrator.cli.context import Context
from orchestrator.core.runbook import Runbook
from orchestrator.settings import CONFIG_NAME, example_config
from orchestrator.wiring import open_world
from tests.copied_towns import a_town, well
from tests.simulated_runs import Fault
from tests.towns import STADT, Town


@cache
def shipped_runbook() -> Runbook:
    """The runbook that comes with Kahn, so that its tree can be kept at approval."""
    found = load_runbook(find_runbook("replace-workstation", state_dir=Path("/nonexistent")))
    return found.for_tenant(has_domain=False)


def a_terminal(folder: Path, stage: str = "proposed", *, fault: Fault = well, **options: bool) -> tuple[Context, Town]:
    """A state directory with a town at that stage, and somebody who sits there."""
    town = a_town(folder, stage, fault=fault, runbook=shipped_runbook())
    (folder / CONFIG_NAME).write_text(example_config())
    context = sitting_down(town, **options)
    if stage != "proposed":
        context.world.freeze(town.runbook)
    return context, town


def sitting_down(town: Town, **options: bool) -> Context:
    """One more terminal in the same town."""
    context = Context(home=town.folder, tenant_name=STADT, **{"plain": True, "yes": True, **options})  # type: ignore[arg-type]
    outside = {"store": town.store, "runs": town.runs, "clock": town.clock, "key_trouble": no_trouble}
    outside |= {"signatures": town.signatures}
    world = replace(open_world(context.settings), **outside)  # type: ignore[arg-type]
    context.__dict__["world"] = world
    return context
