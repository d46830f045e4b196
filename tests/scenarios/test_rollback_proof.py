"""Rollback proven from outside: the hosts' own files before the wave and after its undo, walked without Kahn's code."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from orchestrator.lab.lab import Lab
from tests.labs import lab
from tests.scenarios.outside import Walked, differences, walked
from tests.scenarios.story import (
    ENGINEER,
    Ended,
    Story,
    a_place,
    a_policy,
    a_story,
    a_tenant,
    an_approved_wave,
    an_import,
    hosts_for,
)

__all__ = ["lab"]
pytestmark = pytest.mark.lab

KEPT_BY_KAHN = ("new /var/lib/kahn", "new /var/lib/kahn/*", "mtime_ns /var/lib")
LEFT_BY_LOGGING_IN = (
    "size /var/log/lastlog",
    "mtime_ns /var/log/lastlog",
    "sha256 /var/log/lastlog",
    "size /var/log/wtmp",
    "mtime_ns /var/log/wtmp",
    "sha256 /var/log/wtmp",
)
LOCKED_FOR_A_WHILE = ("mtime_ns /etc",)
ACCOUNTS_WRITTEN_TWICE = (
    "mtime_ns /etc/group",
    "mtime_ns /etc/gshadow",
    "mtime_ns /etc/passwd",
    "mtime_ns /etc/shadow",
)
ALLOWED = {
    "apc": (*KEPT_BY_KAHN, *LEFT_BY_LOGGING_IN, *LOCKED_FOR_A_WHILE),
    "neu": (*KEPT_BY_KAHN, *LEFT_BY_LOGGING_IN, *LOCKED_FOR_A_WHILE, *ACCOUNTS_WRITTEN_TWICE, "mtime_ns /home"),
    "vault": (*KEPT_BY_KAHN, *LEFT_BY_LOGGING_IN, "new /srv/kahn-vault", "mtime_ns /srv"),
}
"""What may differ afterwards; everything else is a failure. Contents, owners and modes differ nowhere but in logs."""
SHIPPED = Path(__file__).resolve().parents[2] / "playbooks" / "replace-workstation"
NOTHING_DONE = (
    "- name: Nothing\n  hosts: all\n  gather_facts: false\n  tasks:\n"
    "    - name: Say so\n      ansible.builtin.debug: {msg: Undone.}\n"
)
ALWAYS_FAILS = (
    "- name: Fail\n  hosts: all\n  gather_facts: false\n  tasks:\n"
    "    - name: Fail\n      ansible.builtin.fail: {msg: As the test wants it.}\n"
)
UNDO = ["switch-off-old", "restore", "lock-old", "save", "prepare-successor"]


def everything(story: Story, *names: str) -> dict[str, Walked]:
    return {name: walked(story.host(name).root) for name in names}


def changed(before: dict[str, Walked], after: dict[str, Walked]) -> dict[str, list[str]]:
    found = {name: differences(before[name], after[name], allowed=ALLOWED[name.split("-")[0]]) for name in after}
    return {name: lines for name, lines in found.items() if lines}


# ---------------------------------------------------------------------- by a person, after everything was moved


@dataclass
class Way:
    """What was seen on the way: everything moved, then one asset taken back, then all the rest."""

    story: Story
    before: dict[str, Walked]
    moved: Ended
    off: list[bool] = field(default_factory=list)
    preview: list[dict[str, Any]] = field(default_factory=list)
    one: list[Ended] = field(default_factory=list)
    states: list[dict[str, tuple[str, str]]] = field(default_factory=list)
    after_one: dict[str, Walked] = field(default_factory=dict)
    others_on: list[bool] = field(default_factory=list)
    after_all: dict[str, Walked] = field(default_factory=dict)


@pytest.fixture(scope="module")
def way(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Way]:
    story = a_story(tmp_path_factory.mktemp("rueckfall") / "story", lab, tenant="rueckfall", seats=2)
    names = ("apc-0001", "neu-0001", "apc-0002", "neu-0002", "vault")
    way = Way(story=story, before=everything(story, *names), moved=story.tried("wave", "run", "W01"))
    way.states.append(story.states())
    way.off = [story.host(f"apc-000{seat}").running for seat in (1, 2)]
    way.preview = story.answer("wave", "rollback", "W01", "apc-0001", "--preview")
    way.one.append(take_back(story, "apc-0001"))
    way.states.append(story.states())
    way.others_on = [story.host("apc-0002").running]
    way.after_one = everything(story, "apc-0001", "neu-0001")
    way.one.append(take_back(story))
    way.states.append(story.states())
    way.after_all = everything(story, *names)
    yield way


def take_back(story: Story, *names: str) -> Ended:
    return story.tried("wave", "rollback", "W01", *names, "--yes", "--reason", "Probe", person=ENGINEER)


def test_everything_was_moved_before_and_the_old_machines_were_off(way: Way) -> None:
    assert (way.moved.code, way.off) == (0, [False, False]), way.moved
    assert set(way.states[0].values()) == {("moved", "")}


def test_the_preview_names_each_step_to_undo_last_first_and_touches_nothing(way: Way) -> None:
    assert [(line["name"], line["undo"]) for line in way.preview] == [("apc-0001", UNDO)]


def test_one_asset_goes_back_and_the_other_stays_moved(way: Way) -> None:
    assert way.states[1] == {"apc-0001": ("rolled_back", "asked"), "apc-0002": ("moved", "")}, way.one[0]
    assert way.others_on == [False]


def test_the_woken_machine_and_its_successor_are_as_they_were_before(way: Way) -> None:
    assert changed(way.before, way.after_one) == {}


def test_the_rest_of_the_wave_goes_back_too(way: Way) -> None:
    assert way.states[2] == {"apc-0001": ("rolled_back", "asked"), "apc-0002": ("rolled_back", "asked")}, way.one[1]
    assert way.story.wave()["view"]["state"] == "rolled_back"


def test_after_the_whole_wave_went_back_every_machine_and_the_vault_are_as_before(way: Way) -> None:
    assert changed(way.before, way.after_all) == {}


# ---------------------------------------------------------------------- a mutant that skips undos


@pytest.fixture(scope="module")
def skipped(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Story, dict[str, list[str]]]]:
    """A wave that fails at its comparison, by a runbook whose undos of two steps, one on each machine, do nothing."""
    place = tmp_path_factory.mktemp("mutant") / "story"
    hosts_for(lab, tenant="mutant", seats=1)
    story = a_place(place, lab, tenant="mutant")
    runbook = story.home / "runbooks" / SHIPPED.name
    shutil.copytree(SHIPPED, runbook)
    (runbook / "compare.yml").write_text(ALWAYS_FAILS)
    for step in ("lock-old", "prepare-successor"):
        (runbook / f"undo-{step}.yml").write_text(NOTHING_DONE)
    a_tenant(story, policy=a_policy())
    an_import(story)
    an_approved_wave(story)
    before = everything(story, "apc-0001", "neu-0001")
    story.tried("wave", "run", "W01")
    yield story, changed(before, everything(story, "apc-0001", "neu-0001"))


def test_a_skipped_undo_on_the_old_host_is_seen_from_outside_and_by_the_comparison(
    skipped: tuple[Story, dict[str, list[str]]],
) -> None:
    story, found = skipped
    assert found["apc-0001"] == ["new /etc/nologin"]
    assert story.states() == {"apc-0001": ("needs_person", "differs_from_before")}


def test_a_skipped_undo_on_the_successor_is_seen_from_outside(skipped: tuple[Story, dict[str, list[str]]]) -> None:
    _story, found = skipped
    assert {"sha256 /etc/passwd", "sha256 /etc/shadow", "sha256 /etc/group"} <= set(found["neu-0001"])
