"""A rehearsal is kept with its times, opens the gate for its runbook, and an earlier wave can be one."""

from __future__ import annotations

from copy import copy
from dataclasses import replace
from pathlib import Path

import pytest

from orchestrator.actions.confirm_gate import confirmations_in
from orchestrator.actions.look_around import earlier_times
from orchestrator.actions.read_times import rehearsals_in, times_of
from orchestrator.actions.rehearse_wave import Player, keep_rehearsal, played_as, read_rehearsal, stage_rehearsal
from orchestrator.actions.start_wave import check_wave
from orchestrator.core.demands import KNOWN
from orchestrator.core.lifecycle import WaveState
from orchestrator.core.plan import WaveKey
from orchestrator.core.rehearsal import SIMULATED, NotPlayed, Rehearsal, at_once
from orchestrator.ports import Entry, WaveRow
from tests.copied_towns import a_town, well
from tests.fresh_stores import fresh_store
from tests.known_town import fails_at
from tests.simulated_runs import Fault, SimulatedRuns
from tests.towns import STADT, Town, public_key


def wants_a_rehearsal(town: Town) -> None:
    with town.store.transaction() as books:
        policy = replace(books.tenants.policy(STADT), gates=(KNOWN["rehearsal"],))
        books.tenants.set_policy(STADT, policy)


def verdict(town: Town) -> str:
    with town.outside().look() as desk:
        lines = check_wave(desk, desk.books.waves.get(STADT, "W01"), tree_there=lambda _runbook: True)
    return next(line.verdict for line in lines if line.gate == "rehearsal")


def rehearsed_elsewhere(town: Town, folder: Path, *, fault: Fault = well) -> Rehearsal:
    """The town's wave staged and driven in an empty store, with the town's people as its players."""
    other = copy(town)
    other.store = fresh_store(folder / "rehearsal.sqlite")
    other.runs = SimulatedRuns(fault=fault)
    content = at_once(town.wave()[0].content, now=town.clock.now())
    anna, bert = (Player(keyboard=one, public_key=public_key(one)) for one in (town.anna, town.bert))
    with other.outside().desk() as desk:
        stage_rehearsal(desk, content, proposer=anna, approver=bert)
    other.drive()
    with other.outside().look() as desk:
        played = desk.books.waves.get(STADT, "W01")
        return read_rehearsal(desk, town.wave()[0].content, played, where="lab", with_way_back=False)


def keep(town: Town, rehearsal: Rehearsal) -> bool:
    with town.outside().desk() as desk:
        return keep_rehearsal(desk, desk.books.waves.get(STADT, "W01"), rehearsal)


def test_a_rehearsal_that_went_well_opens_the_gate_for_its_runbook_and_its_times_count(tmp_path: Path) -> None:
    town = a_town(tmp_path, "approved")
    wants_a_rehearsal(town)
    assert verdict(town) == "blocks"
    rehearsal = rehearsed_elsewhere(town, tmp_path)
    assert rehearsal.passed and keep(town, rehearsal) and verdict(town) == "ok"
    with town.outside().look() as desk:
        (opened,) = confirmations_in(desk.books, STADT)
        assert (opened.by, opened.runbook) == ("kahn", town.runbook.tree)
        assert rehearsals_in(desk.books, STADT) == (rehearsal,)
        assert times_of(desk.books, STADT, town.runbook.name) == rehearsal.times
        took = earlier_times(desk, desk.books.waves.get(STADT, "W01"))
        assert set(took) == {f"{one.direction}:{one.step}" for one in rehearsal.times}
        assert times_of(desk.books, STADT, "another") == ()


def test_a_rehearsal_in_which_one_asset_failed_or_nothing_was_real_is_kept_and_opens_nothing(tmp_path: Path) -> None:
    town = a_town(tmp_path, "approved")
    wants_a_rehearsal(town)
    failed = rehearsed_elsewhere(town, tmp_path, fault=fails_at("apc-001-id", "switch"))
    assert not failed.passed and not keep(town, failed)
    assert not keep(town, replace(failed, moved=failed.assets, where=SIMULATED))
    assert verdict(town) == "blocks"


def test_without_such_a_gate_only_the_times_are_kept(tmp_path: Path) -> None:
    town = a_town(tmp_path, "approved")
    assert not keep(town, rehearsed_elsewhere(town, tmp_path))
    with town.outside().look() as desk:
        assert confirmations_in(desk.books, STADT) == () and times_of(desk.books, STADT, town.runbook.name)


def other_wave(wave: WaveRow, *, tree: str = "", **changes: object) -> WaveRow:
    """A wave like that one, under another key."""
    runbook = replace(wave.content.runbook, tree=tree or wave.content.runbook.tree)
    content = replace(wave.content, key=WaveKey("W02"), runbook=runbook)
    return replace(wave, key="W02", content=content, **changes)  # type: ignore[arg-type]


def test_an_earlier_wave_that_is_over_can_be_the_rehearsal_and_its_times_do_not_count_twice(tmp_path: Path) -> None:
    town = a_town(tmp_path, "started")
    town.drive()
    wants_a_rehearsal(town)
    played = town.wave()[0]
    later = other_wave(played, state=WaveState.APPROVED)
    with town.outside().desk() as desk:
        found = played_as(desk, later, played)
        assert (found.where, found.wave, found.passed, found.times) == ("W01", "W02", True, ())
        assert not keep_rehearsal(desk, later, found)  # that its machines do not matter is for a person to say
        assert confirmations_in(desk.books, STADT) == ()
        for one, why in (
            (played, "that very wave"),
            (other_wave(played, tree="f" * 64), "another version"),
            (other_wave(played, state=WaveState.HELD), "it is held"),
        ):
            wave = played if one is played else replace(played, key="W01")
            with pytest.raises(NotPlayed, match=why):
                played_as(desk, wave, one)


def test_an_entry_that_cannot_be_read_counts_for_nothing(tmp_path: Path) -> None:
    town = a_town(tmp_path, "approved")
    with town.store.transaction() as books:
        broken = Entry(kind="rehearsal.ended", subject="rehearsals", body={"wave": "W01"})
        books.journal.append(STADT, [broken], at=town.clock.now())
        assert rehearsals_in(books, STADT) == ()
