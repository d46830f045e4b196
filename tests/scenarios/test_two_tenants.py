"""Two tenants of one store with equal host names and addresses: each wave touches its own machines only."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from orchestrator.lab.lab import Lab
from tests.faults.kills import old_hosts, receipts, runs_of_the_step
from tests.labs import lab
from tests.scenarios.outside import Walked, differences, walked
from tests.scenarios.story import PATIENCE_S, Story, a_second_tenant, a_story

__all__ = ["lab"]
pytestmark = pytest.mark.lab
EACH = ("haben", "soll")
"""Both tenants have apc-0001 and apc-0002, at the same addresses."""


@dataclass
class Seen:
    """One tenant's machines before anything, after the other tenant's wave, and after both."""

    story: Story
    before: dict[str, Walked]
    receipts: list[dict[str, list[str]]]
    untouched: dict[str, list[str]]


@pytest.fixture(scope="module")
def both(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Seen, Seen]]:
    """The first tenant's wave runs alone; then the second's."""
    place = tmp_path_factory.mktemp("zwei") / "story"
    first = a_story(place, lab, tenant=EACH[0], seats=2, runbook="append-once")
    second = a_second_tenant(first, tenant=EACH[1], seats=2, runbook="append-once")
    seen = [Seen(story=one, before=pictures(one), receipts=[], untouched={}) for one in (first, second)]
    assert first.tried("wave", "run", "W01").code == 0
    seen[1].untouched = {
        host.name: differences(seen[1].before[host.name], walked(host.root), allowed=()) for host in old_hosts(second)
    }
    assert second.tried("wave", "run", "W01").code == 0
    for one in seen:
        one.receipts.append(receipts(one.story))
    yield seen[0], seen[1]


def pictures(story: Story) -> dict[str, Walked]:
    return {host.name: walked(host.root) for host in old_hosts(story)}


def test_both_tenants_have_the_same_names_and_addresses(both: tuple[Seen, Seen]) -> None:
    first, second = ([(host.name, host.address) for host in old_hosts(one.story)] for one in both)
    assert first == second


def test_a_wave_of_one_tenant_leaves_the_other_tenants_machines_as_they_are(both: tuple[Seen, Seen]) -> None:
    assert both[1].untouched == {"apc-0001": [], "apc-0002": []}


def test_each_machine_has_one_receipt_and_it_is_of_its_own_tenants_wave(both: tuple[Seen, Seen]) -> None:
    for seen in both:
        (run,) = runs_of_the_step(seen.story)
        attempts = next(fact["attempts"] for fact in seen.story.facts() if fact.get("run") == run)
        assert sorted(line for lines in seen.receipts[0].values() for line in lines) == sorted(attempts.values())
        assert [len(lines) for lines in seen.receipts[0].values()] == [1, 1]


def test_two_terminals_drive_waves_of_two_tenants_at_the_same_time(tmp_path: Path, lab: Lab) -> None:
    first = a_story(tmp_path / "story", lab, tenant="eins", seats=1, runbook="append-once")
    second = a_second_tenant(first, tenant="andere", seats=1, runbook="append-once")
    both = [one.begin("wave", "run", "W01") for one in (first, second)]
    assert [one.wait(timeout=PATIENCE_S) for one in both] == [0, 0], (first.place / "begun.log").read_text()
    assert [list(one.states().values()) for one in (first, second)] == [[("moved", "")], [("moved", "")]]
