"""Writing down: the table and the journal change together, or neither does."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.actions.record import change_move, change_wave, keep_act, progress_in, subject_of, wave_at
from orchestrator.actions.sign import Intent, sign_act
from orchestrator.core.decide import ChangeMove
from orchestrator.core.lifecycle import IllegalTransition, MoveEvent, WaveEvent, WaveState
from orchestrator.core.refusals import Overtaken, UnknownWave
from orchestrator.core.wave import ActKind
from tests.copied_towns import a_town
from tests.towns import STADT, Town


def journal(town: Town) -> list[tuple[str, object]]:
    with town.store.reading() as books:
        return [(one.entry.kind, one.entry.body) for one in books.journal.read(STADT)]


def test_a_change_of_a_wave_stands_in_its_table_and_in_the_journal(tmp_path: Path) -> None:
    town = a_town(tmp_path, "approved")
    with town.outside().desk() as desk:
        change_wave(desk, desk.books.waves.get(STADT, "W01"), WaveEvent.SCHEDULE, cause="due")
    wave, progress = town.wave()
    assert (wave.state, wave.cause) == (progress.state, progress.cause) == (WaveState.SCHEDULED, "due")


def test_an_illegal_event_changes_nothing(tmp_path: Path) -> None:
    town = a_town(tmp_path, "approved")
    before = (journal(town), town.wave()[0], town.states())
    with pytest.raises(IllegalTransition, match="W01 is approved; close"), town.outside().desk() as desk:
        change_wave(desk, before[1], WaveEvent.CLOSE)
    with pytest.raises(IllegalTransition, match="apc-001 is planned; prove"), town.outside().desk() as desk:
        move = desk.books.waves.moves(STADT, "W01")[0]
        change_move(desk, before[1], move, ChangeMove(asset=move.asset, event=MoveEvent.PROVE))
    assert (journal(town), town.wave()[0], town.states()) == before


def test_of_two_who_saw_the_same_state_only_the_first_changes_it(tmp_path: Path) -> None:
    town = a_town(tmp_path, "approved")
    seen = town.wave()[0]
    with town.outside().desk() as desk:
        change_wave(desk, seen, WaveEvent.SCHEDULE)
    with pytest.raises(Overtaken), town.outside().desk() as desk:
        change_wave(desk, seen, WaveEvent.SCHEDULE)
    assert [kind for kind, body in journal(town) if "schedule" in str(body)] == ["wave.state"]


def test_free_texts_of_an_act_can_be_erased_and_are_not_in_the_chained_bytes(tmp_path: Path) -> None:
    town = a_town(tmp_path)
    with town.outside().desk() as desk:
        wave = desk.books.waves.get(STADT, "W01")
        intent = Intent(kind=ActKind.REFUSE, reason="Frau Lehmann ist krank")
        keep_act(desk, wave, sign_act(desk, wave, keyboard=town.bert, intent=intent))
    with town.store.transaction() as books:
        entry = books.journal.read(STADT, subject="wave:W01")[-1]
        assert entry.entry.texts == {"reason": "Frau Lehmann ist krank"}
        assert "Lehmann" not in str(entry.entry.body)
        books.journal.redact(STADT, seq=entry.seq, name="reason")
        assert books.journal.verify(STADT).broken_at == 0


def test_a_wave_is_read_with_how_far_it_has_come(tmp_path: Path) -> None:
    town = a_town(tmp_path, "started")
    with town.store.reading() as books:
        wave, progress = wave_at(books, STADT, "W01")
        assert subject_of(wave) == "wave:W01"
        assert progress == progress_in(books, wave)
        with pytest.raises(UnknownWave):
            wave_at(books, STADT, "W99")


def test_a_kept_fold_is_not_used_for_a_journal_whose_entries_were_undone_or_replaced(tmp_path: Path) -> None:
    town = a_town(tmp_path, "approved")
    with pytest.raises(KeyError), town.outside().desk() as desk:
        undone = change_wave(desk, desk.books.waves.get(STADT, "W01"), WaveEvent.SCHEDULE, cause="undone")
        assert progress_in(desk.books, undone).cause == "undone"
        raise KeyError
    assert town.wave()[1].state is WaveState.APPROVED
    with town.outside().desk() as desk:
        kept = change_wave(desk, desk.books.waves.get(STADT, "W01"), WaveEvent.SCHEDULE, cause="kept")
        assert progress_in(desk.books, kept).cause == "kept"
    assert town.wave()[1].cause == "kept"
