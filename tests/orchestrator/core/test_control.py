"""What people may do to a wave under way."""

from __future__ import annotations

from dataclasses import replace

import pytest

from inventory.model import AssetId
from orchestrator.core.causes import CAUSES
from orchestrator.core.control import (
    BREAKERS,
    DECLARATIONS,
    AssetNotFit,
    Signatures,
    WaveNotUnderWay,
    check_fit,
    signatures_needed,
)
from orchestrator.core.lifecycle import MoveState, WaveState
from orchestrator.core.progress import Fact, MoveProgress, WaveProgress, progress_of
from orchestrator.core.wave import ActKind, PersonId
from tests.orchestrator.core.builders import OPENS, Game, a_wave

WAVE = a_wave()
ONE = AssetId("a01")


def standing(**move: object) -> WaveProgress:
    """A running wave whose first asset stands so."""
    progress = Game(WAVE).progress
    return replace(progress, moves={**progress.moves, ONE: replace(progress.moves[ONE], **move)})  # type: ignore[arg-type]


def test_two_people_must_want_a_wave_to_go_on_after_a_breaker_and_one_otherwise() -> None:
    for cause, needed in (("budget_spent", 2), ("rollback_limit", 2), ("window_ended", 1), ("paused", 1), ("", 1)):
        held = replace(Game(WAVE).progress, state=WaveState.HELD, cause=cause)
        assert signatures_needed(ActKind.RESUME, WAVE, held) == needed
    assert set(CAUSES) >= BREAKERS


def test_taking_some_assets_back_after_a_breaker_does_not_turn_two_signatures_into_one() -> None:
    def waved(event: str, to: str, before: str, cause: str = "") -> Fact:
        return Fact(at=OPENS, kind="wave.state", body={"event": event, "to": to, "from": before, "cause": cause})

    broken = [waved("hold", "held", "running", "budget_spent")]
    back = [waved("roll_back", "rolling_back", "held", "asked")]
    for end in (
        waved("hold", "held", "rolling_back", "partly_rolled_back"),
        waved("give_up", "needs_person", "rolling_back", "rollback_incomplete"),
    ):
        after = progress_of(WAVE, [*broken, *back, end])
        assert signatures_needed(ActKind.RESUME, WAVE, after) == 2
    resumed = [*broken, waved("resume", "running", "held"), waved("hold", "held", "running", "window_ended")]
    assert signatures_needed(ActKind.RESUME, WAVE, progress_of(WAVE, resumed)) == 1


def test_what_happens_only_once_is_declared_by_two_people() -> None:
    stuck = {"state": MoveState.NEEDS_PERSON, "begun": ("copy", "switch")}
    kinds = (ActKind.DECLARE_DONE, ActKind.DECLARE_NOT_DONE)
    assert [signatures_needed(kind, WAVE, standing(**stuck, step="switch"), [ONE]) for kind in kinds] == [2, 2]
    assert [signatures_needed(kind, WAVE, standing(**stuck, step="copy"), [ONE]) for kind in kinds] == [1, 1]
    undone = ActKind.DECLARE_UNDONE
    assert signatures_needed(undone, WAVE, standing(**stuck, step="copy"), [ONE]) == 2
    assert signatures_needed(undone, WAVE, standing(state=MoveState.NEEDS_PERSON, begun=("copy",)), [ONE]) == 1


def test_the_lead_must_be_among_those_who_sign() -> None:
    anna, bert = PersonId("p-anna"), PersonId("p-bert")
    assert Signatures(by=frozenset({anna}), needed=1).missing == 0
    assert Signatures(by=frozenset({anna}), needed=1, lead="p-bert").missing == 1
    assert Signatures(by=frozenset({anna}), needed=2, lead="p-anna").missing == 1
    assert Signatures(by=frozenset({anna, bert}), needed=2, lead="p-anna").missing == 0
    assert Signatures(by=frozenset({anna, bert}), needed=2, lead="p-carl").missing == 1


@pytest.mark.parametrize("state", list(MoveState))
def test_each_act_fits_some_states_and_is_refused_by_name_in_all_others(state: MoveState) -> None:
    stops = {MoveState.PLANNED, MoveState.RUNNING, MoveState.WAITING_TOOL, MoveState.HELD}
    fits = {ActKind.HOLD: stops, ActKind.SKIP: stops, ActKind.RETRY: {MoveState.HELD}}
    fits |= {kind: {MoveState.NEEDS_PERSON} for kind in DECLARATIONS}
    progress = standing(state=state, step="copy", begun=("copy",))
    for kind, states in fits.items():
        if state in states:
            check_fit(kind, WAVE, progress, [ONE])
        else:
            with pytest.raises(AssetNotFit, match=f"apc-a01 is {state.value}: {kind.value}"):
                check_fit(kind, WAVE, progress, [ONE])


@pytest.mark.parametrize("state", [WaveState.APPROVED, WaveState.CLOSED, WaveState.ABORTING, WaveState.ROLLED_BACK])
def test_assets_of_a_wave_that_is_not_under_way_are_left_alone(state: WaveState) -> None:
    with pytest.raises(WaveNotUnderWay, match=state.value):
        check_fit(ActKind.HOLD, WAVE, replace(Game(WAVE).progress, state=state), [ONE])


def test_what_is_stuck_on_its_way_back_is_not_declared_done() -> None:
    from orchestrator.core.results import Result
    from orchestrator.core.runbook import Direction
    from tests.orchestrator.core.builders import OPENS

    last = Result(step="copy", direction=Direction.UNDO, outcome="failed", cause="x", evidence={}, at=OPENS)
    progress = standing(state=MoveState.NEEDS_PERSON, step="copy", begun=("copy",), last=last)
    with pytest.raises(AssetNotFit, match="on its way back"):
        check_fit(ActKind.DECLARE_DONE, WAVE, progress, [ONE])
    check_fit(ActKind.DECLARE_UNDONE, WAVE, progress, [ONE])


def test_nothing_that_was_not_changed_can_be_declared_undone() -> None:
    assert isinstance(standing().moves[ONE], MoveProgress)
    with pytest.raises(AssetNotFit, match="nothing of it was changed"):
        check_fit(ActKind.DECLARE_UNDONE, WAVE, standing(state=MoveState.NEEDS_PERSON, begun=("look",)), [ONE])
