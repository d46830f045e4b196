"""Runbooks as values."""

from __future__ import annotations

import pytest

from orchestrator.core.runbook import Baseline, Effect, Role, RoleSource, Runbook, Step


def a_runbook() -> Runbook:
    steps = tuple(
        Step(name=name, title=name, on="source", effect=Effect.IDEMPOTENT, playbook=f"{name}.yml")
        for name in ("save", "restore")
    )
    return Runbook(
        name="replace",
        title="Replace",
        ansible="modern",
        roles=(Role(name="source", machine=RoleSource.ASSET),),
        baseline=Baseline(on="source", take="take.yml", compare="compare.yml"),
        steps=steps,
    )


def test_steps_keep_their_order_and_are_found_by_name() -> None:
    runbook = a_runbook()
    assert runbook.step_names == ("save", "restore")
    assert runbook.step("restore").playbook == "restore.yml"


def test_an_unknown_step_is_an_error_never_a_guess() -> None:
    with pytest.raises(KeyError):
        a_runbook().step("sav")
