"""Runs lock their assets and machines, and their spool is taken in once. On both databases."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from inventory.model import AssetId, TenantId
from inventory.tables import UnstorableText
from orchestrator.adapters.database import engine_for, parsed
from orchestrator.adapters.runs_book import RunsBook
from orchestrator.adapters.store import DatabaseStore
from orchestrator.core.lifecycle import WaveState
from orchestrator.core.refusals import AssetBusy, Overtaken, StaleDriver, UnknownRun, UnknownWave
from orchestrator.core.wave import RunId
from orchestrator.run_ports import RunRow, SpoolLine
from tests.orchestrator.adapters.builders import NOW, TOWN, Town, a_content, a_run, a_town

OTHER = TenantId("other")


@pytest.fixture
def town(store: DatabaseStore) -> Town:
    with store.transaction() as books:
        return a_town(books)


def _intend(store: DatabaseStore, *runs: RunRow) -> None:
    with store.transaction() as books:
        for run in runs:
            books.runs.intend(run, at=NOW)


def _end(store: DatabaseStore, run: RunRow, outcome: str) -> None:
    with store.transaction() as books:
        for attempt in run.attempts:
            books.runs.end_attempt(run.id, attempt.asset, outcome=outcome, cause="why", at=NOW)


def _release(store: DatabaseStore, asset: str, *, tenant: TenantId = TOWN, wave: str = "W01") -> None:
    with store.transaction() as books:
        books.runs.release(tenant, AssetId(asset), wave=wave)


def a_line(seq: int, **fields: object) -> SpoolLine:
    return SpoolLine(seq=seq, wall_us=seq * 10, kind="ok", host="a0", fields=fields)


# --------------------------------------------------------------------------- intent and state


def test_an_intent_comes_back_as_it_was_written(store: DatabaseStore, town: Town) -> None:
    run = a_run(town.wave, 1, "a1", "a0", machines=("pc-old", "PC-new"))
    run = replace(run, attempts=(run.attempts[0], replace(run.attempts[1], machines=("z", "b"))))
    _intend(store, run)
    with store.reading() as books:
        assert books.runs.live() == (run,)
        assert books.runs.of_wave(TOWN, "W01") == (run,)


def test_a_run_goes_from_intended_to_running_to_ended_and_never_back(store: DatabaseStore, town: Town) -> None:
    run = a_run(town.wave, 1, "a0")
    _intend(store, run)
    for to in ("running", "ended"):
        with store.transaction() as books:
            books.runs.set_run_state(run.id, to=to, at=NOW)
    for to in ("running", "ended"):
        with pytest.raises(Overtaken), store.transaction() as books:
            books.runs.set_run_state(run.id, to=to, at=NOW)
    with store.reading() as books:
        assert (books.runs.live(), books.runs.of_wave(TOWN, "W01")[0].state) == ((), "ended")


def test_live_runs_are_those_of_all_tenants_oldest_first(store: DatabaseStore, town: Town) -> None:
    with store.transaction() as books:
        other = a_town(books, OTHER).wave
    later = replace(a_run(town.wave, 1, "a0"), intended_at=NOW + timedelta(seconds=1))
    _intend(store, later, a_run(other, 2, "a0"))
    with store.reading() as books:
        assert [run.id for run in books.runs.live()] == ["r2", "r1"]


def test_runs_of_an_earlier_revision_do_not_count_for_the_present_one(store: DatabaseStore, town: Town) -> None:
    run = a_run(town.wave, 1, "a0")
    _intend(store, run)
    with store.transaction() as books:
        books.waves.put(a_content(town.plan), plan=town.plan.fingerprint, at=NOW)
        assert books.runs.of_wave(TOWN, "W01") == ()
        assert len(books.runs.live()) == 1
    with pytest.raises(Overtaken):
        _intend(store, a_run(town.wave, 2, "a1"))


def test_a_run_of_an_unknown_wave_or_with_a_known_id_is_refused(store: DatabaseStore, town: Town) -> None:
    _intend(store, a_run(town.wave, 1, "a0"))
    with pytest.raises(UnknownWave):
        _intend(store, replace(a_run(town.wave, 2, "a1"), wave="W99"))
    with pytest.raises(Overtaken, match="run r1"):
        _intend(store, a_run(town.wave, 1, "a1"))


def test_a_driver_whose_epoch_is_over_starts_nothing(store: DatabaseStore, town: Town) -> None:
    with store.transaction() as books:
        books.raise_epoch()
        books.raise_epoch()
    with pytest.raises(StaleDriver, match="epoch 1 is over; the present one is 2"):
        _intend(store, a_run(town.wave, 1, "a0"))
    _intend(store, replace(a_run(town.wave, 2, "a0"), epoch=2))


# --------------------------------------------------------------------------- locks


def test_an_asset_has_one_live_attempt(store: DatabaseStore, town: Town) -> None:
    _intend(store, a_run(town.wave, 1, "a0", "a1"))
    with pytest.raises(AssetBusy, match="asset a1 is in use by run r1"):
        _intend(store, a_run(town.wave, 2, "a1", machines=("elsewhere",)))


def test_a_machine_has_one_live_user_however_its_name_is_written(store: DatabaseStore, town: Town) -> None:
    _intend(store, a_run(town.wave, 1, "a0", machines=("Büro-PC",)))
    with pytest.raises(AssetBusy, match="machine Büro-PC is in use by run r1"):
        _intend(store, a_run(town.wave, 2, "a1", machines=("BÜRO-pc",)))


def test_two_assets_of_one_run_cannot_use_one_machine(store: DatabaseStore, town: Town) -> None:
    with pytest.raises(AssetBusy, match="STO-013"):
        _intend(store, a_run(town.wave, 1, "a0", "a1", machines=("gateway",)))
    with store.reading() as books:
        assert books.runs.live() == ()


def test_a_refused_run_leaves_none_of_its_locks(store: DatabaseStore, town: Town) -> None:
    _intend(store, a_run(town.wave, 1, "a1"))
    with pytest.raises(AssetBusy):
        _intend(store, a_run(town.wave, 2, "a0", "a1"))
    _intend(store, a_run(town.wave, 3, "a0"))


@pytest.mark.parametrize("outcome", ["done", "failed", "not_started"])
def test_a_known_outcome_frees_asset_and_machine(store: DatabaseStore, town: Town, outcome: str) -> None:
    run = a_run(town.wave, 1, "a0")
    _intend(store, run)
    _end(store, run, outcome)
    _intend(store, a_run(town.wave, 2, "a0"))


def test_an_unknown_outcome_keeps_asset_and_machine_locked_until_released(store: DatabaseStore, town: Town) -> None:
    run = a_run(town.wave, 1, "a0", machines=("pc",))
    _intend(store, run)
    _end(store, run, "unknown")
    with store.transaction() as books:
        books.runs.set_run_state(run.id, to="ended", at=NOW)
    for asset, machine in (("a0", "other"), ("a1", "pc")):
        with pytest.raises(AssetBusy):
            _intend(store, a_run(town.wave, 2, asset, machines=(machine,)))
    _release(store, "a0")
    _intend(store, a_run(town.wave, 3, "a0", machines=("pc",)))


def test_releasing_frees_no_living_attempt(store: DatabaseStore, town: Town) -> None:
    _intend(store, a_run(town.wave, 1, "a0"))
    _release(store, "a0")
    with pytest.raises(AssetBusy):
        _intend(store, a_run(town.wave, 2, "a0"))


def test_releasing_frees_nothing_of_another_wave_asset_or_tenant(store: DatabaseStore, town: Town) -> None:
    run = a_run(town.wave, 1, "a0")
    _intend(store, run)
    _end(store, run, "unknown")
    _release(store, "a0", wave="W02")
    _release(store, "a1")
    _release(store, "a0", tenant=OTHER)
    with pytest.raises(AssetBusy):
        _intend(store, a_run(town.wave, 2, "a0"))


def test_equal_assets_and_machines_of_two_tenants_do_not_meet(store: DatabaseStore, town: Town) -> None:
    with store.transaction() as books:
        other = a_town(books, OTHER).wave
    _intend(store, a_run(town.wave, 1, "a0"), a_run(other, 2, "a0"))


def test_an_attempt_ends_once_and_is_remembered(store: DatabaseStore, town: Town) -> None:
    run = a_run(town.wave, 1, "a0", "a1")
    _intend(store, run)
    with store.transaction() as books:
        books.runs.end_attempt(run.id, AssetId("a0"), outcome="unknown", cause="", at=NOW)
        assert isinstance(books.runs, RunsBook)
        assert books.runs.outcomes(run.id) == {"a0": "unknown", "a1": ""}
    with pytest.raises(Overtaken), store.transaction() as books:
        books.runs.end_attempt(run.id, AssetId("a0"), outcome="done", cause="", at=NOW)
    with pytest.raises(UnknownRun, match="attempt of a2"), store.transaction() as books:
        books.runs.end_attempt(run.id, AssetId("a2"), outcome="done", cause="", at=NOW)


def test_of_eight_drivers_that_want_one_asset_at_once_one_gets_it(
    store: DatabaseStore, town: Town, database_url: str
) -> None:
    start = threading.Barrier(8)

    def intend(number: int) -> str:
        own = DatabaseStore.open(database_url)
        start.wait(timeout=120)
        try:
            _intend(own, a_run(town.wave, number, "a0", machines=(f"m{number}",)))
        except AssetBusy:
            return "busy"
        finally:
            own.close()
        return "mine"

    with ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(intend, range(8))) == ["busy"] * 7 + ["mine"]


def test_of_two_waves_that_claim_one_machine_at_once_one_gets_it(
    store: DatabaseStore, town: Town, database_url: str
) -> None:
    with store.transaction() as books:
        content = a_content(town.plan, key="W02")
        second = books.waves.put(content, plan=town.plan.fingerprint, at=NOW)
    start = threading.Barrier(2)

    def claim(run: RunRow) -> str:
        own = DatabaseStore.open(database_url)
        start.wait(timeout=120)
        try:
            with own.transaction() as books:
                books.waves.set_state(books.waves.get(TOWN, run.wave), to=WaveState.PROPOSED, cause="", at=NOW)
                books.runs.intend(run, at=NOW)
        except AssetBusy:
            return "busy"
        finally:
            own.close()
        return "mine"

    runs = (a_run(town.wave, 1, "a0", machines=("gw",)), a_run(second, 2, "a1", machines=("gw",)))
    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(claim, runs)) == ["busy", "mine"]
    with store.reading() as books:
        assert sorted(wave.state for wave in books.waves.all(TOWN)) == ["draft", "proposed"]


# --------------------------------------------------------------------------- taking in the spool


@pytest.fixture
def run(store: DatabaseStore, town: Town) -> RunRow:
    run = a_run(town.wave, 1, "a0")
    _intend(store, run)
    return run


def _ingest(store: DatabaseStore, run: RunRow, *lines: SpoolLine, offset: int) -> int:
    with store.transaction() as books:
        return books.runs.ingest(run.id, lines, offset=offset)


def _mark(store: DatabaseStore) -> tuple[int, int]:
    with store.reading() as books:
        return books.runs.live()[0].ingested_seq, books.runs.live()[0].ingested_offset


def test_lines_come_back_by_number_and_the_mark_moves(store: DatabaseStore, run: RunRow) -> None:
    lines = (a_line(1), a_line(2, msg="x", changed=True, rc=0, kahn={"state": ["a"]}))
    assert _ingest(store, run, *lines, offset=200) == 2
    with store.reading() as books:
        assert books.runs.events(run.id) == lines
    assert _mark(store) == (2, 200)


def test_a_replay_stores_nothing_twice_and_moves_no_mark_back(store: DatabaseStore, run: RunRow) -> None:
    _ingest(store, run, a_line(1), a_line(2), a_line(3), offset=300)
    assert _ingest(store, run, a_line(1), a_line(2), offset=200) == 0
    assert _ingest(store, run, a_line(3), a_line(4), offset=400) == 1
    assert _mark(store) == (4, 400)


def test_a_line_that_stands_twice_in_one_reading_is_stored_once(store: DatabaseStore, run: RunRow) -> None:
    assert _ingest(store, run, a_line(1, msg="first"), a_line(1, msg="second"), offset=100) == 1
    with store.reading() as books:
        assert books.runs.events(run.id) == (a_line(1, msg="first"),)


def test_a_known_number_with_another_content_changes_nothing(store: DatabaseStore, run: RunRow) -> None:
    _ingest(store, run, a_line(1, msg="first"), offset=100)
    assert _ingest(store, run, a_line(1, msg="forged"), offset=100) == 0
    with store.reading() as books:
        assert books.runs.events(run.id) == (a_line(1, msg="first"),)


def test_no_lines_at_all_only_move_the_offset(store: DatabaseStore, run: RunRow) -> None:
    assert _ingest(store, run, offset=50) == 0
    assert _mark(store) == (0, 50)


def test_an_exception_after_ingesting_leaves_lines_and_mark_as_they_were(store: DatabaseStore, run: RunRow) -> None:
    with pytest.raises(ZeroDivisionError), store.transaction() as books:
        books.runs.ingest(run.id, [a_line(1)], offset=100)
        _ = 1 // 0
    assert _mark(store) == (0, 0)
    assert _ingest(store, run, a_line(1), offset=100) == 1


def test_two_that_ingest_the_same_lines_at_once_store_them_once(
    store: DatabaseStore, run: RunRow, database_url: str
) -> None:
    lines = [a_line(seq) for seq in range(1, 301)]

    def ingest(_: int) -> int:
        own = DatabaseStore.open(database_url)
        stored = sum(_ingest(own, run, *lines[at : at + 20], offset=at + 20) for at in range(0, 300, 20))
        own.close()
        return stored

    with ThreadPoolExecutor(2) as pool:
        assert sum(pool.map(ingest, range(2))) == 300
    assert _mark(store) == (300, 300)


def test_an_unknown_run_takes_nothing_in(store: DatabaseStore, town: Town) -> None:
    with pytest.raises(UnknownRun, match="run r9"), store.transaction() as books:
        books.runs.ingest(RunId("r9"), [a_line(1)], offset=1)


HOSTILE = [
    "\0",
    "\ud800",
    "🚢" * 999,
    "x" * 1_000_000,
    "'; DROP TABLE run; --",
    "\x1b]0;title\x07",
    "{{ lookup('pipe','id') }}",
]


@pytest.mark.parametrize("hostile", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_output_comes_back_unchanged(store: DatabaseStore, run: RunRow, hostile: str) -> None:
    assert _ingest(store, run, a_line(1, msg=hostile), offset=1) == 1
    with store.reading() as books:
        assert books.runs.events(run.id)[0].fields == {"msg": hostile}


def test_a_host_name_that_no_database_can_hold_is_refused(store: DatabaseStore, run: RunRow) -> None:
    with pytest.raises(UnstorableText):
        _ingest(store, run, replace(a_line(1), host="a\0b"), offset=1)


@pytest.mark.parametrize("act", ["UPDATE run_event SET kind = 'failed'", "DELETE FROM run_event"])
def test_the_database_itself_keeps_events(store: DatabaseStore, run: RunRow, database_url: str, act: str) -> None:
    _ingest(store, run, a_line(1), offset=1)
    with pytest.raises(DBAPIError, match="append-only"), engine_for(parsed(database_url)).begin() as connection:
        connection.execute(text(act))
