"""From a command to a run."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from inventory.model import AssetId
from orchestrator.core.decide import StartRun
from orchestrator.core.order import own_machines, play_for
from orchestrator.core.runbook import Direction
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


def test_source_and_target_are_used_alone_and_the_vault_is_shared() -> None:
    machines = tuple(
        WaveMachine(role=role, name=role.upper(), address="10.0.0.1", host_key=KEY, access="lab")
        for role in ("source", "target", "vault", "jump")
    )
    wave = replace(WAVE, moves=(replace(WAVE.moves[0], machines=machines), *WAVE.moves[1:]))
    assert own_machines(wave, AssetId("a01")) == ("SOURCE", "TARGET")
