"""What people do to a wave under way, on a real store with real signatures."""

from __future__ import annotations

from pathlib import Path

import pytest

from inventory.model import AssetId
from orchestrator.actions.control_wave import (
    HalfWay,
    Handover,
    LeadTaken,
    SignedAlready,
    add_note,
    change_course,
    declare,
    notes_of,
    take_lead,
    unfinished_acts,
    wish,
)
from orchestrator.actions.record import progress_in
from orchestrator.actions.sign import Intent, Keyboard
from orchestrator.actions.take_back import ReasonMissing
from orchestrator.core.control import NotTheLead, Unfinished
from orchestrator.core.lifecycle import IllegalTransition, WaveState
from orchestrator.core.refusals import UnknownPerson
from orchestrator.core.runbook import Direction
from orchestrator.core.wave import ActKind
from orchestrator.ports import Store
from tests.copied_towns import a_town
from tests.databases import database_url, store
from tests.orchestrator.actions.test_drive_wave import an_approved_town
from tests.simulated_runs import SimulatedRuns
from tests.towns import STADT, Town

__all__ = ["database_url", "store"]


def course(town: Town, kind: ActKind, who: Keyboard, reason: str = "a reason") -> int:
    """How many signatures are missing afterwards."""
    with town.outside().desk() as desk:
        wave = desk.books.waves.get(STADT, "W01")
        return change_course(desk, wave, keyboard=who, intent=Intent(kind=kind, reason=reason))[1].missing


def ask(town: Town, kind: ActKind, *names: str, who: Keyboard | None = None) -> None:
    with town.outside().desk() as desk:
        wave = desk.books.waves.get(STADT, "W01")
        assets = tuple(AssetId(f"{name}-id") for name in names)
        wish(desk, wave, keyboard=who or town.anna, intent=Intent(kind=kind, reason="a reason", assets=assets))


def state(town: Town) -> tuple[WaveState, str]:
    wave, _progress = town.wave()
    return wave.state, wave.cause


def breaker(town: Town) -> None:
    """Hold the running wave as a spent budget does."""
    from orchestrator.actions.record import change_wave
    from orchestrator.core.lifecycle import WaveEvent

    with town.outside().desk() as desk:
        change_wave(desk, desk.books.waves.get(STADT, "W01"), WaveEvent.HOLD, cause="budget_spent")


def unfinished(town: Town) -> tuple[Unfinished, ...]:
    with town.outside().look() as desk:
        wave = desk.books.waves.get(STADT, "W01")
        return unfinished_acts(desk, wave, progress_in(desk.books, wave))


def test_a_paused_wave_begins_nothing_until_one_person_resumes_it(store: Store, tmp_path: Path) -> None:
    runs = SimulatedRuns()
    town = an_approved_town(store, tmp_path, runs)
    town.start()
    town.driver().tick()
    course(town, ActKind.PAUSE, town.anna)
    town.drive()
    played = len(runs.ledger)
    town.drive()
    assert (state(town), len(runs.ledger)) == ((WaveState.PAUSED, "paused"), played)
    assert course(town, ActKind.RESUME, town.bert) == 0
    town.drive()
    assert state(town)[0] is WaveState.CLOSED and set(town.states().values()) == {"moved"}


def test_after_a_breaker_two_different_people_must_sign(store: Store, tmp_path: Path) -> None:
    town = an_approved_town(store, tmp_path, SimulatedRuns())
    town.start()
    breaker(town)
    assert unfinished(town) == ()
    assert course(town, ActKind.RESUME, town.anna) == 1
    assert state(town) == (WaveState.HELD, "budget_spent")
    assert unfinished(town) == (Unfinished(kind=ActKind.RESUME, assets=frozenset(), there=1, needed=2),)
    with pytest.raises(SignedAlready):
        course(town, ActKind.RESUME, town.anna)
    assert course(town, ActKind.RESUME, town.bert) == 0
    assert state(town)[0] is WaveState.RUNNING


def test_a_signature_for_one_halt_does_not_count_for_the_next(tmp_path: Path) -> None:
    town = a_town(tmp_path, "started")
    breaker(town)
    course(town, ActKind.RESUME, town.anna)
    town.clock.moment = town.clock.moment.replace(minute=1)
    course(town, ActKind.RESUME, town.bert)
    town.clock.moment = town.clock.moment.replace(minute=2)
    breaker(town)
    assert unfinished(town) == ()
    assert course(town, ActKind.RESUME, town.bert) == 1


def test_without_a_reason_or_where_the_state_forbids_it_nothing_is_signed(tmp_path: Path) -> None:
    town = a_town(tmp_path, "started")
    with pytest.raises(ReasonMissing):
        course(town, ActKind.PAUSE, town.anna, reason=" ")
    with pytest.raises(IllegalTransition):
        course(town, ActKind.RESUME, town.anna)
    with town.store.reading() as books:
        assert {one.act.kind for one in books.waves.acts(STADT, "W01")} == {ActKind.PROPOSE, ActKind.APPROVE}


def test_an_abort_ends_with_nothing_half_way_and_what_is_left_can_be_planned_again(
    store: Store, tmp_path: Path
) -> None:
    town = an_approved_town(store, tmp_path, SimulatedRuns())
    town.start()
    driver = town.driver()
    while "switch" not in {entry[2] for entry in town.runs.ledger}:  # type: ignore[attr-defined]
        driver.tick()
    course(town, ActKind.ABORT, town.anna)
    town.drive()
    assert state(town)[0] in (WaveState.CLOSED, WaveState.ROLLED_BACK) and not town.wave()[1].live
    assert set(town.states().values()) <= {"moved", "rolled_back", "held"}
    left = {name for name, one in town.states().items() if one != "moved"}
    assert {town_asset.removesuffix("-id") for wave in town.plan().waves for town_asset in wave.assets} >= left


def test_a_wave_is_not_ended_over_what_stands_half_way(tmp_path: Path) -> None:
    town = a_town(tmp_path, "started")
    driver = town.driver()
    while "copy" not in {entry[2] for entry in town.runs.ledger}:  # type: ignore[attr-defined]
        driver.tick()
    course(town, ActKind.PAUSE, town.anna)
    town.drive()
    with pytest.raises(HalfWay):
        course(town, ActKind.CLOSE, town.anna)


def test_a_wave_that_stands_is_ended_and_its_rest_goes_into_a_recovery_wave(store: Store, tmp_path: Path) -> None:
    runs = SimulatedRuns(fault=lambda a, s, d: "failed" if s == "look" and a == "apc-002-id" else "")
    town = an_approved_town(store, tmp_path, runs)
    town.start()
    course(town, ActKind.PAUSE, town.anna)
    town.drive()
    course(town, ActKind.CLOSE, town.bert)
    assert state(town) == (WaveState.CLOSED, "given_up")
    town.propose(town.plan(first_number=2))
    with store.reading() as books:
        recovery = books.waves.get(STADT, "W02")
    assert len(recovery.content.moves) == 6 and recovery.state is WaveState.PROPOSED  # it waits for an approval


def test_single_assets_are_held_left_out_and_tried_again(store: Store, tmp_path: Path) -> None:
    town = an_approved_town(store, tmp_path, SimulatedRuns())
    town.start()
    ask(town, ActKind.HOLD, "apc-002")
    ask(town, ActKind.SKIP, "apc-003")
    town.drive()
    states = town.states()
    assert (states.pop("apc-002"), states.pop("apc-003")) == ("held", "held")
    assert set(states.values()) == {"moved"}


def lost_switch(asset: str, step: str, direction: Direction) -> str:
    if asset == "apc-001-id" and step == "switch" and direction is not Direction.UNDO:
        return "lost" if direction is Direction.DO else "unreachable"
    return ""


def test_what_happens_once_is_declared_by_two_people_before_it_goes_on(store: Store, tmp_path: Path) -> None:
    runs = SimulatedRuns(fault=lost_switch)
    town = an_approved_town(store, tmp_path, runs)
    town.start()
    for _ in range(12):
        town.drive()
        town.clock.moment = town.clock.moment.replace(hour=21, minute=town.clock.moment.minute + 4)
    assert town.states()["apc-001"] == "needs_person"
    runs.fault = lambda _a, _s, _d: ""
    intent = Intent(kind=ActKind.DECLARE_NOT_DONE, reason="looked at the console", assets=(AssetId("apc-001-id"),))

    def say(who: Keyboard) -> int:
        with town.outside().desk() as desk:
            return declare(desk, desk.books.waves.get(STADT, "W01"), keyboard=who, intent=intent).missing

    assert say(town.anna) == 1 and town.states()["apc-001"] == "needs_person"
    with pytest.raises(SignedAlready):
        say(town.anna)
    assert [(one.kind, one.assets) for one in unfinished(town)] == [(intent.kind, frozenset(intent.assets))]
    assert say(town.bert) == 0 and town.states()["apc-001"] == "held"
    assert unfinished(town) == ()
    course(town, ActKind.RESUME, town.anna)
    town.drive()
    assert town.states()["apc-001"] == "moved"


def lead(town: Town, who: Keyboard, **handover: object) -> str:
    with town.outside().desk() as desk:
        wave = desk.books.waves.get(STADT, "W01")
        return take_lead(desk, wave, keyboard=who, handover=Handover(**handover))  # type: ignore[arg-type]


def test_a_wave_has_one_lead_who_hands_it_on_or_is_taken_over_with_a_reason(store: Store, tmp_path: Path) -> None:
    town = an_approved_town(store, tmp_path, SimulatedRuns())
    with pytest.raises(IllegalTransition):
        lead(town, town.anna)
    town.start()
    anna = lead(town, town.anna)
    with pytest.raises(LeadTaken) as taken:
        lead(town, town.bert)
    assert taken.value.exit_code == 6
    with pytest.raises(ReasonMissing):
        lead(town, town.bert, over=True)
    bert = lead(town, town.bert, over=True, reason="Anna is ill")
    assert anna != bert and town.wave()[1].lead == bert
    assert lead(town, town.bert, to="anna") == anna == town.wave()[1].lead
    with pytest.raises(UnknownPerson):
        lead(town, town.anna, to="nobody")


def test_only_the_lead_lets_a_wave_go_on_and_everybody_may_stop_it(tmp_path: Path) -> None:
    town = a_town(tmp_path, "started")
    lead(town, town.anna)
    course(town, ActKind.PAUSE, town.bert)
    with pytest.raises(NotTheLead) as refused:
        course(town, ActKind.RESUME, town.bert)
    assert refused.value.exit_code == 6 and state(town)[0] is WaveState.PAUSED
    course(town, ActKind.RESUME, town.anna)
    assert state(town)[0] is WaveState.RUNNING


def test_notes_are_kept_for_whoever_comes_next_and_can_be_redacted(tmp_path: Path) -> None:
    town = a_town(tmp_path, "started")
    with town.outside().desk() as desk:
        wave = desk.books.waves.get(STADT, "W01")
        add_note(desk, wave, person="anna", text="gateway rebooted, wait 5 min")
        (note,) = notes_of(desk, wave)
        with pytest.raises(ReasonMissing):
            add_note(desk, wave, person="anna", text="  ")
    assert note.entry.texts == {"note": "gateway rebooted, wait 5 min"} and note.entry.body == {}
    with town.store.transaction() as books:
        books.journal.redact(STADT, seq=note.seq, name="note")
    with town.outside().look() as desk:
        assert notes_of(desk, desk.books.waves.get(STADT, "W01"))[0].entry.texts == {}
        assert desk.books.journal.verify(STADT).broken_at == 0
