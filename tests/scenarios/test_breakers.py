"""Two breakers go off on real hosts: one error on several assets, and many machines that fall silent at once.

A wave that meets a sign of a common cause holds itself before it judges single machines, and calls people. What the
screen says, who is called, who must sign, and how the wave goes on.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from orchestrator.lab.lab import Lab
from tests.faults.kills import a_counting_story, enough, receipts
from tests.labs import lab
from tests.scenarios.gateway_night import CONTACTS, GatewayNight, large_files
from tests.scenarios.outside import Walked, differences, walked
from tests.scenarios.story import APPROVER, ENGINEER, Ended, Story, a_story
from tests.scenarios.test_rollback_proof import ALLOWED

__all__ = ["lab"]
pytestmark = [pytest.mark.lab, pytest.mark.long]
LIMITS: dict[str, Any] = {
    "canary_size": 1, "batch_size": 4, "batch_budget": 1.0, "wave_budget": 1.0, "auto_rollback_max": 3,
    "same_error_max": 3, "unreachable_share": 0.5, "probe_tries": 2, "probe_gap_s": 2,
}  # fmt: skip
"""Only the breakers can hold this wave: budgets are as wide as they go."""


@dataclass
class Told:
    """What was seen in the night, point by point."""

    night: GatewayNight
    screens: dict[str, str] = field(default_factory=dict)
    states: dict[str, dict[str, str]] = field(default_factory=dict)
    ended: dict[str, Ended] = field(default_factory=dict)
    calls: str = ""

    def look(self, point: str, *, wave: str = "W01") -> None:
        """Note what the screen says now."""
        self.states[point] = {name: state for name, (state, _cause) in self.night.story.states(wave).items()}
        self.screens[point] = self.night.screen(wave=wave)

    def held_and_called(self) -> None:
        """The wave holds itself, and somebody is called."""
        self.night.waits_for(lambda: self.night.story.wave()["view"]["state"] == "held")
        self.night.waits_for(lambda: "HELD" in self.night.calls())
        self.calls = " ".join(self.night.calls().split())


@contextmanager
def a_night(story: Story) -> Iterator[Told]:
    """The service drives the approved wave; whoever is on duty has a page command."""
    notices = story.home / "notices.toml"
    notices.write_text(CONTACTS.format(place=story.place, tenant=story.tenant))
    notices.chmod(0o600)
    night = GatewayNight(story=story)
    try:
        night.service_begins()
        yield Told(night=night)
    finally:
        night.service_ends()


# ---------------------------------------------------------------------- the same error on several assets

LARGE = ("apc-0002", "apc-0003", "apc-0004")


@pytest.fixture(scope="module")
def full_vault(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    """The canary moves; then the vault fills up, and three of the four seats after it do not fit into it."""
    story = a_story(tmp_path_factory.mktemp("voll") / "story", lab, tenant="voll", seats=6, **LIMITS)
    large_files(story, *LARGE)
    before = {name: walked(story.host(name).root) for name in LARGE}
    with a_night(story) as told:
        told.night.waits_for(lambda: told.night.intended("prepare-successor", batch="b1"))
        told.night.vault_fills()
        told.held_and_called()
        told.night.waits_for(lambda: {story.states()[name][0] for name in LARGE} == {"rolled_back"})
        told.look("held")
        _as_before(story, before)
        told.night.vault_is_cleared()
        _both_let_it_go_on(told)
        told.night.waits_for(lambda: story.wave()["view"]["state"] == "closed")
        told.look("closed")
        _the_rest_in_a_second_wave(told)
    yield told


def _as_before(story: Story, before: dict[str, Walked]) -> None:
    left = {name: differences(before[name], walked(story.host(name).root), allowed=ALLOWED["apc"]) for name in LARGE}
    assert left == {name: [] for name in LARGE}


def _both_let_it_go_on(told: Told) -> None:
    told.ended["one"] = told.night.signed(ENGINEER, "wave", "resume", "W01")
    told.look("one signature")
    told.ended["same"] = told.night.signed(ENGINEER, "wave", "resume", "W01")
    told.ended["two"] = told.night.story.tried(
        "wave", "resume", "W01", "--yes", "--reason", "As we saw", person=APPROVER, within_s=1800
    )


def _the_rest_in_a_second_wave(told: Told) -> None:
    story = told.night.story
    story.kahn("plan", "propose", "--yes", person=ENGINEER)
    story.kahn("wave", "approve", "W02", "--yes", person=APPROVER)
    told.night.waits_for(lambda: story.wave("W02")["view"]["state"] == "closed")
    told.look("recovered", wave="W02")


def test_one_error_on_three_seats_holds_the_wave_before_the_next_batch_though_its_budget_is_not_spent(
    full_vault: Told,
) -> None:
    screen, states = full_vault.screens["held"], full_vault.states["held"]
    assert "HELD since" in screen and "several assets met the same error" in screen
    assert (states["apc-0001"], states["apc-0006"]) == ("moved", "planned")


def test_the_screen_groups_the_three_under_their_one_cause(full_vault: Told) -> None:
    assert "the vault is full: 3" in full_vault.screens["held"]


def test_who_is_called_hears_of_the_common_cause(full_vault: Told) -> None:
    assert "HELD" in full_vault.calls and "several assets met the same error" in full_vault.calls


def test_after_this_breaker_two_different_people_must_sign(full_vault: Told) -> None:
    one, same, two = (full_vault.ended[name] for name in ("one", "same", "two"))
    assert (one.code, "Signed by 1 of 2" in one.out) == (4, True), one
    assert (same.code, "RUN-012" in same.err) == (3, True), same
    assert "HELD" in full_vault.screens["one signature"]
    assert two.code in (0, 1), two


def test_with_the_cause_mended_the_wave_goes_on_and_a_second_one_moves_what_went_back(full_vault: Told) -> None:
    left = {name for name, state in full_vault.states["closed"].items() if state != "moved"}
    assert left == set(LARGE)
    assert full_vault.states["recovered"] == dict.fromkeys(LARGE, "moved")


# ---------------------------------------------------------------------- many machines silent at once

SILENT = ("apc-0002", "apc-0003", "apc-0004")


@pytest.fixture(scope="module")
def silence(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    """A cable is pulled behind which three of four machines work, in the middle of a step that must happen once."""
    story = _a_quiet_canary(tmp_path_factory.mktemp("stille") / "story", lab)
    with a_night(story) as told:
        told.night.waits_for(lambda: all(receipts(story)[name] for name in (*SILENT, "apc-0005")))
        for name in SILENT:
            lab.fault(story.host(name), "cut")
        enough(story)
        told.held_and_called()
        told.look("held")
        told.night.waits_for(lambda: {story.states()[name][0] for name in SILENT} == {"needs_person"})
        told.look("unanswered")
        for name in SILENT:
            lab.fault(story.host(name), "join")
        told.ended["asked"] = told.night.signed(APPROVER, "wave", "probe", "W01", *SILENT)
        told.look("line is back")
        _both_let_it_go_on(told)
        told.night.waits_for(lambda: story.wave()["view"]["state"] == "closed")
        told.look("closed")
    yield told


def _a_quiet_canary(place: Path, lab: Lab) -> Story:
    """Six machines with a step that works until it is told that it is enough; on the canary it is short."""
    story = a_counting_story(place, lab, tenant="stille", seats=6, **LIMITS)
    (story.host("apc-0001").root / "etc/kahn-test-seconds").write_text("0\n")
    return story


def test_three_of_four_silent_at_once_hold_the_wave_and_none_is_called_failed(silence: Told) -> None:
    screen, states = silence.screens["held"], silence.states["held"]
    assert "HELD since" in screen and "many machines fell silent at once" in screen
    assert {states[name] for name in SILENT} <= {"unknown", "probing", "needs_person"}
    assert (states["apc-0001"], states["apc-0006"]) == ("moved", "planned")


def test_nothing_is_taken_back_from_machines_that_nobody_can_see(silence: Told) -> None:
    runs = [fact for fact in silence.night.story.facts() if fact["kind"] == "run.intended"]
    assert "undo" not in {fact["direction"] for fact in runs}


def test_who_is_called_hears_of_the_line_and_not_of_three_machines(silence: Told) -> None:
    assert "many machines fell silent at once" in silence.calls


def test_machines_that_answer_no_probe_need_a_person_who_is_told_to_mend_the_line_and_ask_again(silence: Told) -> None:
    screen = silence.screens["unanswered"]
    assert "Mend the line and let the machine be asked again" in screen
    assert f"kahn wave probe W01 --reason REASON -- {' '.join(SILENT)}" in screen


def test_once_the_line_is_back_the_machines_are_asked_again_and_say_themselves_how_far_they_are(silence: Told) -> None:
    assert "Signed." in silence.ended["asked"].out, silence.ended["asked"]
    states = silence.states["line is back"]
    assert [states[name] for name in (*SILENT, "apc-0006")] == ["moved", "moved", "moved", "planned"]
    assert "HELD since" in silence.screens["line is back"]


def test_two_people_let_it_go_on_and_the_step_was_done_once_on_every_machine(silence: Told) -> None:
    assert silence.ended["one"].code == 4 and silence.ended["two"].code == 0, silence.ended
    assert set(silence.states["closed"].values()) == {"moved"}
    assert {len(lines) for lines in receipts(silence.night.story).values()} == {1}
