"""Two tenants of one store with equal host names and addresses: each wave touches its own machines only."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from orchestrator.lab.lab import Lab
from tests.faults.kills import a_counting_story, old_hosts, receipts, runs_of_the_step, wait_for_mid_step
from tests.labs import lab
from tests.scenarios.outside import Walked, differences, walked
from tests.scenarios.story import PATIENCE_S, Story, a_second_tenant

__all__ = ["lab"]
pytestmark = pytest.mark.lab
EACH = ("haben", "soll")
"""Both tenants have apc-0001 and apc-0002, at the same addresses."""


@dataclass
class Seen:
    """Both tenants' stories after both waves, and the second's machines while the first's step was at work."""

    first: Story
    second: Story
    untouched: dict[str, list[str]]
    codes: list[int]


@pytest.fixture(scope="module")
def both(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seen]:
    """Two terminals, one for each tenant; the second is opened while the first drives."""
    first = a_counting_story(tmp_path_factory.mktemp("zwei") / "story", lab, tenant=EACH[0], seconds=10)
    second = a_second_tenant(first, tenant=EACH[1], seats=2, runbook="append-once")
    before = pictures(second)
    terminals = [first.begin("wave", "run", "W01")]
    wait_for_mid_step(first)
    after = pictures(second)
    terminals.append(second.begin("wave", "run", "W01"))
    yield Seen(
        first=first,
        second=second,
        untouched={name: differences(before[name], after[name], allowed=()) for name in before},
        codes=[one.wait(timeout=PATIENCE_S) for one in terminals],
    )


def pictures(story: Story) -> dict[str, Walked]:
    return {host.name: walked(host.root) for host in old_hosts(story)}


def test_both_tenants_have_the_same_names_and_addresses(both: Seen) -> None:
    first, second = ([(host.name, host.address) for host in old_hosts(one)] for one in (both.first, both.second))
    assert first == second


def test_a_wave_of_one_tenant_leaves_the_other_tenants_machines_as_they_are(both: Seen) -> None:
    assert both.untouched == {"apc-0001": [], "apc-0002": []}


def test_each_machine_has_one_receipt_and_it_is_of_its_own_tenants_wave(both: Seen) -> None:
    for story in (both.first, both.second):
        (run,) = runs_of_the_step(story)
        attempts = next(fact["attempts"] for fact in story.facts() if fact.get("run") == run)
        found = receipts(story)
        assert sorted(line for lines in found.values() for line in lines) == sorted(attempts.values())
        assert [len(lines) for lines in found.values()] == [1, 1]


def test_a_terminal_that_finds_another_wave_driven_drives_its_own_as_soon_as_nobody_does(both: Seen) -> None:
    assert both.codes == [0, 0], (both.first.place / "begun.log").read_text()
    assert {state for story in (both.first, both.second) for state in story.states().values()} == {("moved", "")}
