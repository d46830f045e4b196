"""A database that arrived beside another takes its name, wherever it is interrupted; until then the old is whole."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.playbooks.mariadbs import Server, two_servers
from tests.playbooks.modules import Trouble, shared
from tests.playbooks.procedures import settings

mariadb, swap, service = shared("kahn_mariadb"), shared("kahn_mariadb_swap"), shared("kahn_service")
pytestmark = pytest.mark.mariadb
MORE = """
create table parent(id int primary key);
create table child(id int primary key, parent int, counted bigint default nextval(nummer),
    foreign key (parent) references parent(id) on delete cascade);
insert into parent values (1); insert into child(id, parent) values (1, 1);
create view zweite as select * from summe;
"""


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with two_servers() as (old, _):
        old.ask(MORE)
        yield old


class Killed(BaseException):
    """Stands for the death of the program."""


Mariadb: Any = mariadb.Mariadb


RENAMING = 3
"""Statements that change anything before the one that renames the tables."""


class Dying(Mariadb):  # type: ignore[misc]
    """Dies before the statement of that number that changes anything."""

    def __init__(self, *words: Any, at: int) -> None:
        super().__init__(*words)
        self.left = at

    def ask(self, sql: str, name: str = "") -> Any:
        if not sql.lstrip().startswith("select"):
            self.left -= 1
            if self.left < 0:
                raise Killed
        return super().ask(sql, name)


def words(server: Server) -> dict[str, Any]:
    return settings(mariadb=["wohngeld"], mariadb_socket=server.socket, mariadb_account=server.account)


def a_mariadb(server: Server, store: Path) -> Any:
    store.mkdir(exist_ok=True)
    return mariadb.Mariadb(words(server), str(store))


def dump(server: Server, name: str) -> bytes:
    own = ["runuser", "-u", server.account, "--"] if os.geteuid() == 0 else []
    login = ["--no-defaults", f"--socket={server.socket}", f"--user={server.account}"]
    options = (
        "--routines",
        "--triggers",
        "--events",
        "--hex-blob",
        "--skip-add-locks",
        "--default-character-set=utf8mb4",
    )
    return subprocess.run(
        [*own, "mariadb-dump", *login, *options, name], capture_output=True, check=True, cwd="/"
    ).stdout


class Line:
    """What arrives, and the line that breaks behind it if it is to."""

    def __init__(self, *pieces: bytes, breaks: bool = False) -> None:
        self.pieces, self.breaks = pieces, breaks

    def arriving(self) -> Iterator[tuple[bytes, bytes]]:
        yield from ((b"D", piece) for piece in self.pieces)
        if self.breaks:
            raise Trouble("target_unreachable", "The line broke.")


HOW = {"characters": "utf8mb4", "collation": "utf8mb4_german2_ci"}


def arrived(server: Server, one: Any, store: Path, mark: str) -> dict[str, Any]:
    """A database with one row more arrived beside the one that is there; its fingerprint."""
    before = dump(server, "wohngeld")
    service.note(str(store), fenced=True)
    one.take(Line(before, f"insert into payment(mark) values ('{mark}');".encode()), "wohngeld", HOW)
    return dict(one.prints(arrived=["wohngeld"])["wohngeld"])


def test_the_old_database_is_whole_until_the_new_one_has_arrived(server: Server, tmp_path: Path) -> None:
    """The new server dies in the middle of the way back."""
    one = a_mariadb(server, tmp_path / "store")
    before, text = one.prints(), dump(server, "wohngeld")
    service.note(str(tmp_path / "store"), fenced=True)
    with pytest.raises(Trouble):
        one.take(Line(text[: len(text) // 2], breaks=True), "wohngeld", HOW)
    assert one.prints() == before
    one.open([])
    assert "kahn" not in server.ask("show databases", "") and one.prints() == before


@pytest.mark.parametrize("at", [3, *(pytest.param(at, marks=pytest.mark.long) for at in (0, 1, 2, 4))])
def test_wherever_it_dies_the_next_try_ends_with_what_arrived(server: Server, tmp_path: Path, at: int) -> None:
    store = tmp_path / "store"
    one = a_mariadb(server, store)
    wanted = arrived(server, one, store, f"Anlauf {at}")
    assert one.prints()["wohngeld"] != wanted, "it does not count yet"
    with pytest.raises(Killed):
        Dying(words(server), str(store), at=at).swap(None, ["wohngeld"])
    a_mariadb(server, store).close()  # the barrier of the next try comes first, and finishes it
    one.swap(None, ["wohngeld"])
    assert one.prints()["wohngeld"] == wanted
    assert server.ask("select count(*) from zweite; select count(*) from child") == "1\n1"
    assert server.ask(f"select share from payment where mark = 'Anlauf {at}'") == "1", "the trigger is there once"
    assert "kahn" not in server.ask("show databases", "") and os.listdir(store) == ["procedure"]


@pytest.mark.long
def test_a_server_that_had_renamed_some_tables_when_it_lost_its_power_loses_none(
    server: Server, tmp_path: Path
) -> None:
    """Before MariaDB 10.6 one statement that renames several tables is not undone after a power loss."""
    store = tmp_path / "store"
    one = a_mariadb(server, store)
    wanted = arrived(server, one, store, "Stromausfall")
    with pytest.raises(Killed):
        Dying(words(server), str(store), at=RENAMING).swap(None, ["wohngeld"])
    server.ask("rename table wohngeld_kahn_new.payment to wohngeld.payment")
    a_mariadb(server, store).close()
    one.swap(None, ["wohngeld"])
    assert one.prints()["wohngeld"] == wanted


def test_rows_that_hang_on_others_still_do_and_counters_go_on(server: Server, tmp_path: Path) -> None:
    store = tmp_path / "store"
    one = a_mariadb(server, store)
    before = int(server.ask("select next_not_cached_value from nummer"))
    arrived(server, one, store, "zuletzt")
    one.swap(None, ["wohngeld"])
    server.ask("insert into child(id, parent) values (2, 1)")
    assert int(server.ask("select counted from child where id = 2")) >= before
    server.ask("delete from parent; insert into parent values (1); insert into child(id, parent) values (1, 1)")
    assert server.ask("select count(*) from child") == "1"


def test_a_collation_that_is_no_plain_word_is_refused(server: Server) -> None:
    with pytest.raises(Trouble) as found:
        swap.new_database(server, "wohngeld", "utf8mb4; drop database mysql", "utf8mb4_bin")
    assert found.value.cause == "parcel_damaged"
