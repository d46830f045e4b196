"""From a command to a run."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from inventory.model import AssetId
from orchestrator.core.decide import StartRun
from orchestrator.core.order import own_machines, play_for
from orchestrator.core.runbook import Direction, Role, RoleSource
from orchestrator.core.wave import WaveMachine
from tests.orchestrator.core.builders import KEY, STEPS, a_runbook, a_wave

VERIFIED = (STEPS[0], replace(STEPS[1], verify="copy-verify.yml", deadline_s=99), STEPS[2])
WAVE = a_wave(runbook=a_runbook(VERIFIED))


def command(step: str, direction: Direction) -> StartRun:
    return StartRun(batch="b1", step=step, direction=direction, assets=(AssetId("a01"),))


@pytest.mark.parametrize(
    ("step", "direction", "playbooks"),
    [
        ("look", Direction.DO, ("look.yml",)),
        ("copy", Direction.DO, ("copy.yml", "copy-verify.yml")),
        ("copy", Direction.UNDO, ("copy-undo.yml",)),
        ("switch", Direction.PROBE, ("switch-probe.yml",)),
        ("", Direction.BASELINE, ("take.yml",)),
        ("", Direction.COMPARE, ("compare.yml",)),
    ],
)
def test_each_direction_plays_its_own_playbooks(step: str, direction: Direction, playbooks: tuple[str, ...]) -> None:
    assert play_for(WAVE, command(step, direction)).playbooks == playbooks


def test_only_doing_a_once_step_leaves_receipts_on_the_target() -> None:
    once = [
        (step.name, direction)
        for step in VERIFIED
        for direction in (Direction.DO, Direction.UNDO, Direction.PROBE)
        if play_for(WAVE, command(step.name, direction)).once
    ]
    assert once == [("switch", Direction.DO)]


def test_a_run_has_the_deadline_of_its_step_or_of_the_baseline() -> None:
    assert play_for(WAVE, command("copy", Direction.DO)).limit == timedelta(seconds=99)
    assert play_for(WAVE, command("", Direction.COMPARE)).limit == timedelta(seconds=300)


def test_an_assets_own_machines_are_used_alone_whatever_their_roles_are_called_and_the_tenants_are_shared() -> None:
    sources = {
        "alt": RoleSource.ASSET, "neu": RoleSource.SUCCESSOR, "vault": RoleSource.VAULT, "jump": RoleSource.JUMP,
        "gateway": RoleSource.GATEWAY, "database": RoleSource.DATABASE, "tool": RoleSource.TOOL,
    }  # fmt: skip
    runbook = replace(WAVE.runbook, roles=tuple(Role(name=name, machine=source) for name, source in sources.items()))
    machines = tuple(
        WaveMachine(role=role, name=role.upper(), address="10.0.0.1", host_key=KEY, access="lab") for role in sources
    )
    wave = replace(WAVE, runbook=runbook, moves=(replace(WAVE.moves[0], machines=machines), *WAVE.moves[1:]))
    assert own_machines(wave, AssetId("a01")) == ("ALT", "NEU")


def test_a_machine_in_two_roles_of_one_asset_is_locked_once() -> None:
    roles = (Role(name="source", machine=RoleSource.ASSET), Role(name="same", machine=RoleSource.ASSET))
    machines = tuple(
        WaveMachine(role=role.name, name="ONE", address="10.0.0.1", host_key=KEY, access="lab") for role in roles
    )
    wave = replace(
        WAVE,
        runbook=replace(WAVE.runbook, roles=roles),
        moves=(replace(WAVE.moves[0], machines=machines), *WAVE.moves[1:]),
    )
    assert own_machines(wave, AssetId("a01")) == ("ONE",)
