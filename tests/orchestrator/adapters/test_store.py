"""The store as a whole: opened only when it is safe and known, and each transaction all or nothing. Both databases."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import inspect, text

from inventory.errors import ExpectedError
from orchestrator.adapters import migrations
from orchestrator.adapters.database import engine_for, parsed
from orchestrator.adapters.store import DatabaseStore
from orchestrator.core.lifecycle import WaveState
from orchestrator.core.policy import Policy
from orchestrator.core.refusals import Overtaken, StoreBusy, StoreNewer, StoreNotReady, StoreUnavailable
from orchestrator.ports import Entry
from tests.databases import postgresql_url
from tests.orchestrator.adapters.builders import NOW, TOWN, a_town


def _by_hand(url: str, statement: str) -> None:
    with engine_for(parsed(url)).begin() as connection:
        connection.execute(text(statement))


def test_what_a_transaction_wrote_is_there_after_it(store: DatabaseStore) -> None:
    with store.transaction() as books:
        a_town(books)
    with store.transaction() as books:
        assert books.tenants.all() == (TOWN,)


def test_a_transaction_left_by_an_exception_leaves_nothing_behind(store: DatabaseStore) -> None:
    with pytest.raises(ZeroDivisionError), store.transaction() as books:
        a_town(books)
        books.journal.append(TOWN, [Entry(kind="k", subject="s", body={})], at=NOW)
        books.raise_epoch()
        _ = 1 // 0
    with store.transaction() as books:
        assert (books.tenants.all(), books.journal.read(TOWN), books.epoch()) == ((), (), 0)


def test_a_second_transaction_inside_the_first_is_a_bug_and_named_at_once(store: DatabaseStore) -> None:
    with store.transaction(), pytest.raises(RuntimeError, match="open in this thread"), store.transaction():
        raise AssertionError("never reached")
    with store.transaction() as books:
        assert books.epoch() == 0


def test_reading_sees_one_moment_and_does_not_hold_up_a_writer(store: DatabaseStore) -> None:
    def add_a_tenant() -> None:
        with store.transaction() as books:
            a_town(books)

    with store.reading() as books:
        assert books.tenants.all() == ()
        writer = threading.Thread(target=add_a_tenant)
        writer.start()
        writer.join(timeout=120)
        assert not writer.is_alive()
        assert books.tenants.all() == ()
    with store.reading() as books:
        assert books.tenants.all() == (TOWN,)


def test_nothing_can_be_written_while_reading(store: DatabaseStore) -> None:
    with pytest.raises(StoreUnavailable, match=r"(?i)read-?only"), store.reading() as books:
        books.tenants.add(TOWN, policy=Policy())
    with store.transaction() as books:
        assert books.tenants.all() == ()


def test_the_epoch_rises_by_one_each_time(store: DatabaseStore) -> None:
    with store.transaction() as books:
        assert (books.epoch(), books.raise_epoch(), books.raise_epoch(), books.epoch()) == (0, 1, 2, 2)


def test_eight_writers_at_once_lose_no_entry_and_break_no_chain(store: DatabaseStore) -> None:
    with store.transaction() as books:
        a_town(books)

    def write(number: int) -> None:
        for turn in range(5):
            with store.transaction() as books:
                books.journal.append(TOWN, [Entry(kind="k", subject=f"{number}", body={"turn": turn})] * 2, at=NOW)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, range(8)))
    with store.reading() as books:
        assert (books.journal.verify(TOWN).entries, books.journal.verify(TOWN).broken_at) == (80, 0)


def test_two_claims_of_one_wave_at_once_have_one_winner(store: DatabaseStore, database_url: str) -> None:
    with store.transaction() as books:
        wave = a_town(books).wave
    start = threading.Barrier(2)

    def claim(number: int) -> str:
        own = DatabaseStore.open(database_url)
        start.wait(timeout=120)
        try:
            with own.transaction() as books:
                books.waves.set_state(wave, to=WaveState.PROPOSED, cause=f"{number}", at=NOW)
        except Overtaken:
            return "overtaken"
        finally:
            own.close()
        return "claimed"

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(claim, range(2))) == ["claimed", "overtaken"]


def test_a_database_without_tables_is_refused_and_the_way_named(empty_url: str) -> None:
    if empty_url.startswith("sqlite"):
        Path(empty_url.removeprefix("sqlite:///")).touch()
    with pytest.raises(StoreNotReady, match=r"STO-023.*it has no tables.*kahn init"):
        DatabaseStore.open(empty_url)
    assert inspect(engine_for(parsed(empty_url))).get_table_names() == []


def test_a_database_of_an_older_release_is_refused_until_it_is_upgraded(database_url: str) -> None:
    _by_hand(database_url, "UPDATE alembic_version SET version_num = '0001'")
    with pytest.raises(StoreNotReady, match=r"STO-023.*revision 0001.*kahn init"):
        DatabaseStore.open(database_url)


def test_a_database_of_a_newer_release_is_refused_and_not_touched(database_url: str) -> None:
    _by_hand(database_url, "UPDATE alembic_version SET version_num = '9999'")
    for act in (DatabaseStore.open, DatabaseStore.create_or_upgrade):
        with pytest.raises(StoreNewer, match=r"STO-024.*9999"):
            act(database_url)


def test_making_the_tables_again_changes_nothing(store: DatabaseStore, database_url: str) -> None:
    with store.transaction() as books:
        a_town(books)
    again = DatabaseStore.create_or_upgrade(database_url)
    with again.transaction() as books:
        assert books.tenants.all() == (TOWN,)


def test_four_first_starts_at_once_make_the_tables_once(empty_url: str) -> None:
    with ThreadPoolExecutor(4) as pool:
        for store in pool.map(lambda _: DatabaseStore.create_or_upgrade(empty_url), range(4)):
            store.close()
    store = DatabaseStore.open(empty_url)
    with engine_for(parsed(empty_url)).connect() as connection:
        assert migrations.found(connection) == migrations.newest()
    store.close()


def test_an_interrupted_migration_leaves_no_table_behind(empty_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    upgrade = migrations.upgrade

    def upgrade_and_die(connection: object) -> None:
        upgrade(connection)  # type: ignore[arg-type]
        raise KeyboardInterrupt

    monkeypatch.setattr(migrations, "upgrade", upgrade_and_die)
    with pytest.raises(KeyboardInterrupt):
        DatabaseStore.create_or_upgrade(empty_url)
    assert inspect(engine_for(parsed(empty_url))).get_table_names() == []


def test_a_missing_sqlite_file_is_not_made_by_opening(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable, match=r"STO-022.*does not exist.*kahn init"):
        DatabaseStore.open(f"sqlite:///{tmp_path}/none.db")
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    (tmp_path / "kahn.db").write_bytes(b"no database at all" * 100)
    with pytest.raises(StoreUnavailable, match=r"STO-022.*not a database"):
        DatabaseStore.open(f"sqlite:///{tmp_path}/kahn.db")


@pytest.mark.postgres
def test_a_missing_postgresql_database_is_named() -> None:
    with pytest.raises(StoreUnavailable, match=r'STO-022.*"none" does not exist'):
        DatabaseStore.open(postgresql_url("none"))


def test_a_server_that_is_not_there_is_named_without_its_password() -> None:
    with pytest.raises(StoreUnavailable, match="STO-022") as caught:
        DatabaseStore.open("postgresql+psycopg://kahn:secret@127.0.0.1:1/kahn")
    assert "secret" not in str(caught.value)


def test_a_writer_that_waits_too_long_is_told_that_the_database_is_busy(
    store: DatabaseStore, database_url: str
) -> None:
    with store.transaction() as books:
        wave = a_town(books).wave
    impatient = DatabaseStore.open(database_url, busy_timeout_ms=200)
    with store.transaction() as books:
        books.waves.set_state(wave, to=WaveState.PROPOSED, cause="", at=NOW)
        with pytest.raises(StoreBusy, match="STO-021"), impatient.transaction() as others:
            others.waves.set_state(wave, to=WaveState.PROPOSED, cause="", at=NOW)
    impatient.close()


def test_the_epoch_rises_above_what_a_restored_database_has_forgotten(store: DatabaseStore) -> None:
    with store.transaction() as books:
        assert (books.raise_epoch(above=6), books.raise_epoch(above=3), books.raise_epoch(above=20)) == (7, 8, 21)


def a_written_file(folder: Path, *, entries: int) -> tuple[Path, DatabaseStore]:
    """A store in a file with so many entries of 4 KB, still open."""
    path = folder / "pages.db"
    store = DatabaseStore.create_or_upgrade(f"sqlite:///{path}")
    with store.transaction() as books:
        books.tenants.add(TOWN, policy=Policy())
    for _ in range(entries // 100):
        with store.transaction() as books:
            books.journal.append(TOWN, [Entry(kind="k", subject="s", body={"t": "a" * 4_000})] * 100, at=NOW)
    return path, store


def test_the_write_ahead_log_stays_small_however_much_is_written(tmp_path: Path) -> None:
    path, store = a_written_file(tmp_path, entries=2_000)
    log, written = path.with_name("pages.db-wal").stat().st_size, 2_000 * 4_000
    assert log < written * 3 / 4 and path.stat().st_size > written / 2
    store.close()


def test_a_half_written_page_is_told_and_never_read_as_something_else(tmp_path: Path) -> None:
    """Each page in turn loses its second half: the journal comes back whole, or the store says that it is damaged."""
    path, store = a_written_file(tmp_path, entries=100)
    with store.reading() as books:
        whole = books.journal.read(TOWN)
    store.close()
    good, told = path.read_bytes(), 0
    for start in range(4_096, len(good), 4_096 * 7):
        path.write_bytes(good[: start + 2_048] + b"\xa5" * 2_048 + good[start + 4_096 :])
        try:
            damaged = DatabaseStore.open(f"sqlite:///{path}")
            with damaged.reading() as books:
                assert books.journal.read(TOWN) == whole
            damaged.close()
        except ExpectedError as error:
            assert error.code.startswith("STO-")
            told += 1
    assert told
