"""Waves whose work is done by people, on a real store with real signatures."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from inventory.model import AssetId
from orchestrator.actions.call_people import look_at_notices
from orchestrator.actions.control_wave import StillAtWork, change_course
from orchestrator.actions.sign import Intent, Keyboard
from orchestrator.actions.take_back import ReasonMissing
from orchestrator.actions.work_by_hand import say_how_it_went
from orchestrator.adapters.runbooks import SHIPPED, load_runbook
from orchestrator.core.by_hand import NotAtTheDesk, NotTheSame, desk_works
from orchestrator.core.estimates import Estimates
from orchestrator.core.lifecycle import WaveState
from orchestrator.core.notices import NoticeKind
from orchestrator.core.surroundings import CALM
from orchestrator.core.wave import ActKind
from orchestrator.ports import Store
from tests.databases import database_url, store
from tests.fresh_stores import fresh_store
from tests.orchestrator.actions.test_switchboard import MAIL
from tests.orchestrator.core.test_by_hand import AT_DESKS
from tests.simulated_runs import SimulatedRuns
from tests.towns import STADT, Town

__all__ = ["database_url", "store"]


def a_town(store: Store, folder: Path) -> Town:
    """Two seats whose exchange people do; the wave runs. No run may ever reach the machines."""
    town = Town(store=store, runs=SimulatedRuns(), folder=folder, seats=2, runbook=AT_DESKS)
    town.propose()
    town.approve()
    town.start()
    return town


def step(town: Town) -> None:
    """Let the driver do what it can without the clock."""
    driver = town.driver()
    for _ in range(20):
        driver.tick()


def waiting(town: Town) -> dict[str, set[str]]:
    """Names of assets by what they wait for."""
    wave, progress = town.wave()
    found = desk_works(wave.content, progress)
    return {one.about: {wave.content.move(asset).name for asset in one.assets} for one in found}


def say(town: Town, about: str, *names: str, done: bool = True, reason: str = "", who: Keyboard | None = None) -> None:
    kind = ActKind.DID if done else ActKind.DID_NOT
    assets = tuple(AssetId(f"{name}-id") for name in names)
    intent = Intent(kind=kind, reason=reason, assets=assets, about=about)
    with town.outside().desk() as desk:
        say_how_it_went(desk, desk.books.waves.get(STADT, "W01"), keyboard=who or town.bert, intent=intent)


def test_each_asset_goes_on_when_a_person_has_signed_for_it_and_no_run_is_started(store: Store, tmp_path: Path) -> None:
    town = a_town(store, tmp_path)
    step(town)
    assert waiting(town) == {"baseline:": {"apc-001", "apc-002"}}
    say(town, "baseline:", "apc-001")
    step(town)
    assert waiting(town) == {"baseline:": {"apc-002"}, "do:exchange": {"apc-001"}}
    say(town, "do:exchange", "apc-001")
    say(town, "baseline:", "apc-002")
    step(town)
    say(town, "do:exchange", "apc-002")
    town.drive()
    assert town.wave()[0].state is WaveState.CLOSED and set(town.states().values()) == {"moved"}
    assert isinstance(town.runs, SimulatedRuns) and not town.runs.ledger
    with town.outside().look() as desk:
        acts = [one.act for one in desk.books.waves.acts(STADT, "W01") if one.act.kind is ActKind.DID]
        assert desk.books.runs.live() == ()
    assert [act.about for act in acts] == ["baseline:", "do:exchange", "baseline:", "do:exchange"]


def test_what_could_not_be_done_is_taken_back_by_hand_and_compared_by_hand(store: Store, tmp_path: Path) -> None:
    town = a_town(store, tmp_path)
    step(town)
    say(town, "baseline:", "apc-001", "apc-002")
    step(town)
    with pytest.raises(ReasonMissing):
        say(town, "do:exchange", "apc-001", done=False)
    say(town, "do:exchange", "apc-001", done=False, reason="the new machine does not start")
    say(town, "do:exchange", "apc-002")
    step(town)
    assert waiting(town) == {"undo:exchange": {"apc-001"}}
    say(town, "undo:exchange", "apc-001")
    step(town)
    assert waiting(town) == {"compare:": {"apc-001"}}
    say(town, "compare:", "apc-001")
    town.drive()
    assert town.states() == {"apc-001": "rolled_back", "apc-002": "moved"}


def test_a_word_about_something_else_or_nothing_changes_nothing(store: Store, tmp_path: Path) -> None:
    town = a_town(store, tmp_path)
    with pytest.raises(NotAtTheDesk):
        say(town, "baseline:", "apc-001")
    step(town)
    with pytest.raises(NotTheSame):
        say(town, "do:exchange", "apc-001")
    assert waiting(town) == {"baseline:": {"apc-001", "apc-002"}}
    say(town, "baseline:", "apc-001")
    with pytest.raises(NotAtTheDesk):
        say(town, "baseline:", "apc-001")


def test_of_whom_nobody_speaks_in_time_is_asked_once_more_and_then_needs_a_person(tmp_path: Path, store: Store) -> None:
    town = a_town(store, tmp_path)
    step(town)
    say(town, "baseline:", "apc-001", "apc-002")
    step(town)
    say(town, "do:exchange", "apc-001")
    begun = town.clock.moment
    town.drive()
    assert town.states() == {"apc-001": "moved", "apc-002": "needs_person"}
    assert (town.clock.moment - begun).total_seconds() > 2 * AT_DESKS.steps[0].deadline_s
    move = town.wave()[1].moves[AssetId("apc-002-id")]
    assert (move.cause, move.begun) == ("not_confirmed", ("exchange",))


def test_an_abort_asks_for_what_is_half_way_to_be_taken_back(tmp_path: Path, store: Store) -> None:
    town = a_town(store, tmp_path)
    step(town)
    say(town, "baseline:", "apc-001", "apc-002")
    step(town)
    with town.outside().desk() as desk:
        wave = desk.books.waves.get(STADT, "W01")
        change_course(desk, wave, keyboard=town.anna, intent=Intent(kind=ActKind.ABORT, reason="fire alarm"))
    step(town)
    assert waiting(town) == {"undo:exchange": {"apc-001", "apc-002"}}
    say(town, "undo:exchange", "apc-001", "apc-002")
    step(town)
    say(town, "compare:", "apc-001", "apc-002")
    town.drive()
    assert set(town.states().values()) == {"rolled_back"}


def test_a_difference_that_a_person_signed_is_never_called_as_before(tmp_path: Path, store: Store) -> None:
    town = a_town(store, tmp_path)
    step(town)
    say(town, "baseline:", "apc-001", "apc-002")
    step(town)
    say(town, "do:exchange", "apc-001", "apc-002", done=False, reason="no power")
    step(town)
    say(town, "undo:exchange", "apc-001", "apc-002")
    step(town)
    say(town, "compare:", "apc-001", done=False, reason="the printer is missing")
    say(town, "compare:", "apc-002")
    town.drive()
    assert town.states() == {"apc-001": "needs_person", "apc-002": "rolled_back"}
    assert town.wave()[1].moves[AssetId("apc-001-id")].cause == "differs_from_before"


def test_a_wave_is_not_ended_while_people_work_for_it(tmp_path: Path, store: Store) -> None:
    town = a_town(store, tmp_path)
    step(town)

    def change(kind: ActKind) -> None:
        with town.outside().desk() as desk:
            wave = desk.books.waves.get(STADT, "W01")
            change_course(desk, wave, keyboard=town.anna, intent=Intent(kind=kind, reason="a reason"))

    change(ActKind.PAUSE)
    with pytest.raises(StillAtWork, match="2 assets"):
        change(ActKind.CLOSE)
    assert town.wave()[0].state is WaveState.PAUSED


def test_the_shipped_runbook_reaches_its_first_desk_in_a_night_of_the_example(tmp_path: Path, store: Store) -> None:
    shipped = load_runbook(SHIPPED / "replace-seat-by-hand")
    town = Town(store=store, runs=SimulatedRuns(), folder=tmp_path, seats=2, runbook=shipped)
    town.propose()
    town.approve()
    content = town.wave()[0].content
    needed = content.window.closes - Estimates(content=content, around=CALM).batch_fits_until("canary")
    assert needed < timedelta(hours=6, minutes=30) / 1.5
    town.start()
    step(town)
    assert town.wave()[0].state is WaveState.RUNNING and list(waiting(town)) == ["baseline:"]


def test_somebody_is_told_when_work_at_the_desk_opens_once_for_each_kind_of_work(tmp_path: Path) -> None:
    town = a_town(fresh_store(tmp_path / "kahn.sqlite"), tmp_path)
    step(town)
    with town.store.reading() as books:
        opened = [one for one in books.notices.open() if one.kind is NoticeKind.AT_DESK]
    assert [one.cause for one in opened] == ["before"]
    with town.outside().look() as desk:
        (errand,) = look_at_notices(desk, lambda _tenant: (replace(MAIL, language="en"),)).errands
    assert "work at the desk waits: before" in errand.letter.subject
    assert "kahn status --needs-me" in errand.letter.text and "IF NOBODY ACTS" not in errand.letter.text
