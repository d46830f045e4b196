"""Each fault leads to the state and the cause that a person wrote down beforehand, and the numbers add up."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from orchestrator.lab.lab import Lab
from tests.labs import lab
from tests.scenarios.outside import Walked, differences, walked
from tests.scenarios.story import PATIENCE_S, Ended, Story, a_story, wait_until

__all__ = ["lab"]
pytestmark = pytest.mark.lab

TABLE = {
    "apc-0001": ("nothing", "moved", ""),
    "apc-0002": ("the old machine's cable is pulled", "held", "unreachable"),
    "apc-0003": ("the successor's disk is full from the start", "held", "disk_full"),
    "apc-0004": ("the successor's disk fills up once the files are saved", "rolled_back", "disk_full"),
    "apc-0005": ("somebody writes into files on the successor", "rolled_back", "manifest_differs"),
    "apc-0006": ("the old machine shows another host key", "held", "host_key_changed"),
    "apc-0007": ("the old machine hangs", "held", "does_not_speak"),
    "apc-0008": ("the old machine is off", "held", "unreachable"),
}
UNTOUCHED = ("apc-0002", "apc-0006", "apc-0007")
ROLLED_BACK = ("apc-0004", "apc-0005")
ALLOWED_AFTER_ROLLBACK = (
    "new /var/lib/kahn",
    "new /var/lib/kahn/*",
    "mtime_ns /var/lib",
    "mtime_ns /etc",
    "size /var/log/lastlog",
    "mtime_ns /var/log/lastlog",
    "sha256 /var/log/lastlog",
    "size /var/log/wtmp",
    "mtime_ns /var/log/wtmp",
    "sha256 /var/log/wtmp",
)


@dataclass
class Played:
    """The wave after its end, and what the hosts held before it."""

    story: Story
    ended: Ended
    wave: Any
    before: dict[str, Walked]


@pytest.fixture(scope="module")
def played(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Played]:
    story = a_story(tmp_path_factory.mktemp("stoerung") / "story", lab, tenant="stoerung", seats=len(TABLE))
    for name, fault in (
        ("apc-0002", "cut"), ("neu-0003", "fill"), ("neu-0005", "meddle"), ("apc-0006", "rekey"), ("apc-0007", "hang"),
        ("apc-0008", "power-off"),
    ):  # fmt: skip
        lab.fault(story.host(name), fault)
    before = {name: walked(story.host(name).root) for name in (*UNTOUCHED, *ROLLED_BACK)}
    filler = threading.Thread(target=fill_after_save, args=(story, "neu-0004"))
    filler.start()
    ended = story.tried("wave", "run", "W01")
    filler.join()
    yield Played(story=story, ended=ended, wave=story.wave(), before=before)
    lab.fault(story.host("apc-0007"), "thaw")


def fill_after_save(story: Story, name: str) -> None:
    """Fill a disk as soon as the step after `save` is meant to begin."""
    wait_until(lambda: any(fact.get("step") == "lock-old" for fact in story.facts()), within_s=PATIENCE_S)
    story.lab.fault(story.host(name), "fill")


def test_every_fault_ends_in_the_state_and_with_the_cause_written_down_beforehand(played: Played) -> None:
    found = {row["name"]: (TABLE[row["name"]][0], row["state"], row["cause"]) for row in played.wave["moves"]}
    assert found == TABLE


def test_the_numbers_add_up_to_the_size_of_the_wave(played: Played) -> None:
    total = played.wave["view"]["total"]
    counts = {state: count for state, count in total["counts"].items() if count}
    assert (total["size"], counts) == (len(TABLE), dict(Counter(state for _, state, _ in TABLE.values())))


def test_the_wave_is_over_and_says_that_not_everything_was_moved(played: Played) -> None:
    assert (played.ended.code, played.wave["view"]["state"]) == (1, "closed"), played.ended


@pytest.mark.parametrize("name", UNTOUCHED)
def test_nothing_was_written_on_a_machine_that_could_not_be_reached(played: Played, name: str) -> None:
    after = walked(played.story.host(name).root)
    assert differences(played.before[name], after, allowed=()) == []


@pytest.mark.parametrize("name", ROLLED_BACK)
def test_an_old_machine_that_went_back_is_as_before_when_seen_from_outside(played: Played, name: str) -> None:
    after = walked(played.story.host(name).root)
    assert differences(played.before[name], after, allowed=ALLOWED_AFTER_ROLLBACK) == []
