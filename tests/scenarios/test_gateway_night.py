"""A bad night on real hosts, from beginning to end: what the screen says, what people do, how it ends.

A gateway is cut off in the middle of the switch of a procedure; the vault fills up; the wave holds itself by its
budget. People look, sign how the step stands, let the wave go on, and move in a second wave what was left behind.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from orchestrator.lab.lab import Lab
from tests.labs import lab
from tests.scenarios.gateway_night import EWO, USES_EWO, GatewayNight, a_gateway_night, large_files
from tests.scenarios.outside import Walked, differences, walked
from tests.scenarios.story import APPROVER, ENGINEER, Ended
from tests.scenarios.test_rollback_proof import ALLOWED

__all__ = ["lab"]
pytestmark = [pytest.mark.lab, pytest.mark.long]
LARGE = ("apc-0003", "apc-0004")
BATCHES = {
    "canary": ["apc-0002"],
    "b1": [USES_EWO, EWO, *LARGE, "apc-0005"],
    "b2": ["apc-0006", "apc-0007", "apc-0008"],
}


@dataclass
class Told:
    """What was seen in the night, point by point."""

    night: GatewayNight
    screens: dict[str, str] = field(default_factory=dict)
    states: dict[str, dict[str, str]] = field(default_factory=dict)
    ended: dict[str, Ended] = field(default_factory=dict)
    evidence: str = ""
    calls: str = ""
    trees: dict[str, list[str]] = field(default_factory=dict)

    def look(self, point: str, *, wave: str = "W01") -> None:
        """Note what the screen says now."""
        self.states[point] = {name: state for name, (state, _cause) in self.night.story.states(wave).items()}
        self.screens[point] = self.night.screen(wave=wave)


@pytest.fixture(scope="module")
def told(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    night = a_gateway_night(tmp_path_factory.mktemp("nacht") / "story", lab, tenant="nacht")
    assert night.batches() == BATCHES
    told = Told(night=night)
    try:
        _it_goes_wrong(told)
        _people_look_and_sign(told)
        _it_goes_on(told)
        _the_rest_moves_in_a_second_wave(told)
    finally:
        night.service_ends()
    yield told


def _it_goes_wrong(told: Told) -> None:
    """The canary moves; then the vault fills, and the gateway is cut off while it switches the procedure."""
    night = told.night
    large_files(night.story, *LARGE)
    before = {name: walked(night.story.host(name).root) for name in LARGE}
    night.gateway_is_slow()
    night.service_begins()
    night.waits_for(lambda: night.intended("prepare-successor", batch="b1"))
    night.vault_fills()
    night.waits_for(lambda: night.leads_to() == ("new", "old"))
    night.gateway_is_cut_off()
    night.waits_for(lambda: night.story.states()[EWO][0] == "unknown")
    told.look("unknown")
    night.waits_for(lambda: night.story.wave()["view"]["state"] == "held")
    night.waits_for(lambda: "HELD" in night.calls())
    told.look("held")
    told.calls = night.calls()
    told.trees = {name: _changed(name, before[name], walked(night.story.host(name).root)) for name in LARGE}


def _changed(name: str, before: Walked, after: Walked) -> list[str]:
    return differences(before, after, allowed=ALLOWED[name.split("-")[0]])


def _people_look_and_sign(told: Told) -> None:
    """The switch had come to its end while nobody saw it. Both people look at the gateway and sign that it is done."""
    night = told.night
    told.evidence = night.story.kahn("wave", "show", "W01", "--evidence", EWO)
    told.ended["resumed too early"] = night.signed(ENGINEER, "wave", "resume", "W01")
    night.gateway_goes_on()
    night.waits_for(lambda: night.leads_to() == ("new", "new"))
    night.gateway_is_back()
    done = ("wave", "repaired", "W01", EWO, "--step", "done")
    told.ended["first"] = night.signed(ENGINEER, *done)
    told.look("one signature")
    told.ended["the same person"] = night.signed(ENGINEER, *done)
    told.ended["second"] = night.signed(APPROVER, *done)
    told.look("declared")


def _it_goes_on(told: Told) -> None:
    """Room is made in the vault first: before each batch its machines are looked at, and all of them need the vault."""
    told.night.vault_is_cleared()
    told.ended["resumed"] = told.night.signed(APPROVER, "wave", "resume", "W01")
    told.look("closed")


def _the_rest_moves_in_a_second_wave(told: Told) -> None:
    night = told.night
    night.story.kahn("plan", "propose", "--yes", person=ENGINEER)
    night.story.kahn("wave", "approve", "W02", "--yes", person=APPROVER)
    night.waits_for(lambda: night.story.wave("W02")["view"]["state"] == "closed")
    told.look("recovered", wave="W02")


# ---------------------------------------------------------------------- it goes wrong


def test_lost_sight_of_the_switch_is_unknown_and_the_screen_says_what_comes_of_it(told: Told) -> None:
    screen = told.screens["unknown"]
    assert (told.states["unknown"][EWO], told.states["unknown"]["apc-0002"]) == ("unknown", "moved")
    assert "Unknown (1): It is probed again at" in screen
    assert "after 3 probes without an answer a person is asked" in screen
    assert "users of this wave: 48; of assets in doubt: 40" in screen


def test_the_full_vault_takes_two_seats_back_and_both_are_as_before_when_seen_from_outside(told: Told) -> None:
    assert {name: told.states["unknown"][name] for name in LARGE} == dict.fromkeys(LARGE, "rolled_back")
    assert told.trees == {name: [] for name in LARGE}


def test_the_seat_that_uses_the_procedure_begins_nothing_while_nobody_knows_how_that_stands(told: Told) -> None:
    assert told.states["unknown"][USES_EWO] == "running"
    assert f"{USES_EWO} - waits 8/8 switch-off-old" in told.screens["unknown"]
    assert f"waits until it is known how {EWO} stands" in told.screens["unknown"]
    assert told.states["held"][USES_EWO] == "held"


def test_the_group_is_held_by_its_budget_and_the_next_one_never_begins(told: Told) -> None:
    screen = told.screens["held"]
    assert "HELD since" in screen and "more went wrong than was agreed" in screen
    assert "gate b1: not moved 4 of 5, allowed 2; wave: not moved 4 of 9, allowed 2" in screen
    assert {told.states["held"][name] for name in BATCHES["b2"]} == {"planned"}


def test_the_numbers_of_the_held_wave_add_up(told: Told) -> None:
    rows = {row.split()[0]: row for row in told.night.story.kahn("--plain", "wave", "show", "W01").splitlines() if row}
    assert "wave" in rows
    counted = list(told.states["held"].values())
    found = {state: counted.count(state) for state in set(counted)}
    assert found == {"moved": 2, "rolled_back": 2, "needs_person": 1, "held": 1, "planned": 3}


def test_the_screen_asks_one_question_a_cause_and_says_how_the_step_stands(told: Told) -> None:
    screen = told.screens["held"]
    assert "NEEDS YOU (2)" in screen
    assert f"{EWO} (users: 40)" in screen
    assert "7/8 switch-gateway: begun, not finished" in screen
    assert "point of no return: not reached" in screen
    assert f"kahn wave repaired W01 --step not-done --reason REASON -- {EWO}" in screen
    assert "WENT BACK OR STAYED BEHIND (1)" in screen and "the vault is full: 2" in screen


def test_the_people_on_duty_hear_the_same_sentence_as_the_screen_says(told: Told) -> None:
    sentence = "Needs a person (1): Nothing happens: it stays exactly as it is until a person acts."
    assert sentence in told.screens["held"] and sentence in told.calls
    assert "assets NEED A PERSON: the machine did not answer" in told.calls


# ---------------------------------------------------------------------- people act


def test_the_evidence_page_tells_what_was_seen_and_how_many_must_sign(told: Told) -> None:
    page = " ".join(told.evidence.split())
    assert "switch-gateway BEGUN, NOT FINISHED happens only once" in page
    assert page.count("probe switch-gateway: UNKNOWN: the machine did not answer") == 3
    assert f"stands with it: {USES_EWO}" in page
    assert "signatures needed: 2" in page


def test_one_person_alone_can_neither_let_the_wave_go_on_nor_say_how_the_step_stands(told: Told) -> None:
    early, first, twice = (told.ended[one] for one in ("resumed too early", "first", "the same person"))
    assert (early.code, first.code) == (4, 4), (early, first)
    assert "Signed by 1 of 2" in first.out
    assert (twice.code, "RUN-012" in twice.err) == (3, True), twice
    assert told.states["one signature"] == told.states["held"]
    assert f"Signed that the step is done ({EWO}): 1 of 2." in told.screens["one signature"]


def test_two_people_declare_the_step_done_and_nothing_moves_until_the_wave_goes_on(told: Told) -> None:
    assert told.ended["second"].code == 0, told.ended["second"]
    assert told.states["declared"][EWO] == "held"


# ---------------------------------------------------------------------- how it ends


def test_the_wave_goes_on_to_its_end_and_the_switch_was_done_once(told: Told) -> None:
    assert told.ended["resumed"].code == 1, told.ended["resumed"]
    left = {name for name, state in told.states["closed"].items() if state != "moved"}
    assert (left, "CLOSED" in told.screens["closed"]) == (set(LARGE), True)
    intents = (fact for fact in told.night.story.facts() if fact["kind"] == "run.intended")
    switched = [fact for fact in intents if (fact["step"], fact["direction"]) == ("switch-gateway", "do")]
    ids = {move["name"]: move["asset"] for move in told.night.story.wave()["content"]["moves"]}
    assert [ids[EWO] in fact["attempts"] for fact in switched].count(True) == 1
    assert told.night.leads_to() == ("new", "new")


def test_what_was_left_behind_moves_in_the_same_night_by_a_plan_and_an_approval_of_its_own(told: Told) -> None:
    assert told.states["recovered"] == dict.fromkeys(LARGE, "moved")


def test_every_old_machine_is_off_and_every_user_has_all_files_on_the_new_one(told: Told) -> None:
    story = told.night.story
    for name in (name for batch in BATCHES.values() for name in batch):
        new = f"{EWO}-neu" if name == EWO else f"neu-{name.removeprefix('apc-')}"
        assert not story.host(name).running
        old_home, new_home = (_files(walked(story.host(one).upper / "home")) for one in (name, new))
        assert (name, new_home) == (name, old_home)


def _files(tree: Walked) -> dict[str, tuple[str, int, int]]:
    return {path: (seen.sha256, seen.uid, seen.mode) for path, seen in tree.items() if path != "/"}
