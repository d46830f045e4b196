"""Waves played by chance: any mixture of outcomes, stopped after any number of commands."""

from __future__ import annotations

from copy import copy
from dataclasses import replace
from datetime import datetime, timedelta

from hypothesis import settings
from hypothesis import strategies as st

from inventory.model import Asset, AssetId, AssetKind, Snapshot, TenantId
from orchestrator.core.decide import next_commands
from orchestrator.core.places import WaveCase
from orchestrator.core.plan import WaveKey
from orchestrator.core.report import Freshness, Grounds
from orchestrator.core.runbook import Direction, Effect, Step
from orchestrator.core.wave import WaveContent
from tests.orchestrator.core.builders import OPENS, STEPS, Answer, Game, a_runbook, a_wave, all_good

briefly = settings(max_examples=25)
"""Enough for each test; together they play some hundred waves."""
OUTCOMES = ("done", "done", "done", "failed", "unreachable", "not_started", "unknown")
FAULTS = st.dictionaries(
    st.tuples(st.sampled_from([f"a{n:02}" for n in range(1, 9)]), st.sampled_from(["", "look", "copy", "switch"])),
    st.sampled_from(OUTCOMES),
    max_size=8,
)


@st.composite
def games(draw: st.DrawFn) -> Game:
    """A wave of seven assets, somewhere on its way."""
    faults = draw(FAULTS)
    back = draw(st.sampled_from(["done", "done", "failed"]))

    def choose(asset: AssetId, step: str, direction: Direction, nth: int) -> Answer:
        outcome = faults.get((asset, step), "done") if direction is not Direction.UNDO else back
        return all_good(asset, step, direction, nth) if outcome == "done" else (outcome, {})

    game = Game(a_wave(batches={"canary": 1, "b1": 3, "b2": 3}, auto_rollback_max=2), choose=choose)
    for _ in range(draw(st.integers(0, 60))):
        commands = next_commands(game.content, game.progress, game.now)
        for command in commands:
            game.carry_out(command)
        if not commands:
            game.now += timedelta(seconds=30)
    return game


def a_case(game: Game, **content: object) -> WaveCase:
    """The game's wave as a case; parts of its content may be replaced."""
    return WaveCase(content=replace(game.content, **content), progress=game.progress)  # type: ignore[arg-type]


def before_start(game: Game, *, acts: int) -> Game:
    """The same wave after only its first acts: 0 draft, 1 proposed, 2 approved."""
    earlier = copy(game)
    earlier.facts = game.facts[:acts]
    return earlier


def inventory_of(content: WaveContent, *, more: int = 0) -> Snapshot:
    """The machines of a wave, and some that are in none."""
    assets = [a_machine(move.asset, move.name, move.department, content.tenant) for move in content.moves]
    assets += [a_machine(AssetId(f"z{n:02}"), f"alt-{n:02}", "", content.tenant) for n in range(more)]
    return Snapshot(tenant=content.tenant, assets=tuple(assets), dependencies=())


def a_machine(asset: AssetId, name: str, department: str, tenant: TenantId) -> Asset:
    """A workstation in a department, or in none."""
    values = {"department": department} if department else {}
    return Asset(id=asset, tenant=tenant, kind=AssetKind.WORKSTATION, name=name, values=values)


def grounds(*cases: WaveCase, now: datetime = OPENS, more: int = 0, **other: object) -> Grounds:
    """Grounds of a report about these waves; the inventory is that of the first."""
    tenant = cases[0].content.tenant if cases else TenantId("stadt")
    given = {
        "tenant": tenant,
        "cases": cases,
        "plan": None,
        "zone": "Europe/Berlin",
        "freshness": Freshness(as_of=now, entries=7, head="ab" * 32, whole=True, last_fact=now),
        **other,
    }
    if "snapshot" not in given:
        nothing = Snapshot(tenant=tenant, assets=(), dependencies=())
        given["snapshot"] = inventory_of(cases[0].content, more=more) if cases else nothing
    return Grounds(**given)  # type: ignore[arg-type]


def key(name: str) -> WaveKey:
    """A wave key."""
    return WaveKey(name)


def lost_at_the_switch() -> Game:
    """The first of three that lean on each other is lost sight of in the step that happens once."""

    def choose(asset: AssetId, step: str, direction: Direction, nth: int) -> Answer:
        lost = asset == "a01" and (step == "switch" or direction is Direction.PROBE)
        return ("unknown", {}) if lost else all_good(asset, step, direction, nth)

    serve = Step(name="serve", title="Serve", on="source", effect=Effect.NONE, playbook="serve.yml")
    wave = a_wave(batches={"b1": 3}, groups=(("a01", "a02"),), runbook=a_runbook((*STEPS, serve)))
    return Game(wave, choose=choose)
