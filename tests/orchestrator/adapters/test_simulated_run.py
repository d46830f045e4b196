"""What a simulated run plays, and when a simulated host refuses it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from inventory.model import AssetId
from orchestrator.adapters.simulated_hosts import SimulatedHost
from orchestrator.adapters.simulated_run import SimulatedRun, look_answer, part_of, receipt_refusal, tasks_of
from orchestrator.core.fleet import WAY_CLOSED, findings, posts_of
from tests.orchestrator.core.builders import OPENS, a_wave
from tests.run_orders import Field


def a_run(tmp_path: Path, *, settled: tuple[str, ...] = (), epoch: int = 3) -> SimulatedRun:
    order = Field(state=tmp_path).order("- ansible.builtin.ping:", once=True, epoch=epoch)
    attempts = tuple(replace(one, id="mine", settled=settled) for one in order.run.attempts)
    return SimulatedRun(order=replace(order, run=replace(order.run, attempts=attempts)))


def test_a_run_begins_with_a_contact_and_ends_with_its_proof(tmp_path: Path) -> None:
    order = Field(state=tmp_path).order("- ansible.builtin.ping:")
    assert tasks_of(order) == ("reach", "act", "done")
    assert tasks_of(replace(order, once=True, playbooks=("a", "b"))) == ("claim", "act", "verify", "end", "done")
    assert [part_of(task) for task in ("claim", "act", "end", "done")] == ["claim", "step", "end", "done"]


@pytest.mark.parametrize(
    ("host", "settled", "refusal"),
    [
        (SimulatedHost(name="pc-1"), (), 0),
        (SimulatedHost(name="pc-1", epoch=4), (), 75),
        (SimulatedHost(name="pc-1", begun="other"), (), 76),
        (SimulatedHost(name="pc-1", begun="other", ended="other"), (), 0),
        (SimulatedHost(name="pc-1", begun="other"), ("other",), 0),
        (SimulatedHost(name="pc-1", begun="other", at_work={"other": 9}), ("other",), 76),
        (SimulatedHost(name="pc-1", begun="mine"), (), 76),
    ],
)
def test_a_claim_is_refused_as_the_script_on_a_real_host_refuses_it(
    tmp_path: Path, host: SimulatedHost, settled: tuple[str, ...], refusal: int
) -> None:
    assert receipt_refusal(a_run(tmp_path, settled=settled), "claim", host) == refusal


def test_the_end_receipt_needs_its_own_beginning(tmp_path: Path) -> None:
    run = a_run(tmp_path)
    assert receipt_refusal(run, "end", SimulatedHost(name="pc-1", begun="mine")) == 0
    assert receipt_refusal(run, "end", SimulatedHost(name="pc-1", begun="other")) == 77


@pytest.mark.parametrize(
    ("trouble", "causes"), [("", []), ("unreachable", ["unreachable"]), ("jump_unreachable", [WAY_CLOSED])]
)
def test_a_simulated_host_answers_the_look_before_its_batch_as_a_real_one_does(trouble: str, causes: list[str]) -> None:
    posts = posts_of(a_wave(batches={"b1": 1}), [AssetId("a01")])
    answers = [look_answer(trouble, at=OPENS) for _post in posts]
    assert [one.cause for one in findings(posts, answers)] == causes
