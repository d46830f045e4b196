"""MariaDB databases of a procedure: moved between two real servers and back."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tests.playbooks.mariadbs import Server, two_servers
from tests.playbooks.modules import Trouble, cause, module, shared
from tests.playbooks.procedures import Trio, settings

mover, mariadb = module("kahn_procedure"), shared("kahn_mariadb")
asked_of, servers_of = shared("kahn_asked"), shared("kahn_servers")
pytestmark = pytest.mark.mariadb


@pytest.fixture(scope="module")
def servers() -> Iterator[tuple[Server, Server]]:
    with two_servers() as both:
        yield both


@pytest.fixture
def trio(servers: tuple[Server, Server], tmp_path: Path) -> Iterator[Trio]:
    old, new = servers
    changed = {"mariadb": ["wohngeld"], "mariadb_account": old.account}
    environment = {role: [f"MYSQL_UNIX_PORT={one.socket}"] for role, one in (("source", old), ("target", new))}
    with Trio(tmp_path, changed=changed, environment=environment) as made:
        yield made


def act(trio: Trio, state: str) -> Any:
    with mover.Crew(trio.asked, roots=trio.roots) as crew:
        return mover.ACTS[state](crew)[1]


def a_mariadb(server: Server, store: Path, **changed: Any) -> Any:
    words = {"mariadb": ["wohngeld"], "mariadb_socket": server.socket, "mariadb_account": server.account, **changed}
    store.mkdir(exist_ok=True)
    return mariadb.Mariadb(settings(**words), str(store))


def contents(server: Server) -> str:
    row = "concat_ws('|', id, mark, amount, at, hex(doc), share)"
    return server.ask(
        f"set group_concat_max_len = 1000000; select md5(group_concat({row} order by id)) from payment;"
        "select next_not_cached_value from nummer; select * from summe; call echo(7);"
        "select hex(b), c from `Seltsam ``Name`` 'x'` order by a;"
        "select action_statement, definer from information_schema.triggers where trigger_schema = 'wohngeld'"
    )


def accounts(server: Server) -> str:
    asked = "select user, host, json_value(priv, '$.account_locked') from mysql.global_priv where user in "
    return server.ask(asked + "('amt', 'leser') order by 1", "")


def test_a_database_moves_with_accounts_views_and_triggers_and_comes_back_with_later_writes(
    trio: Trio, servers: tuple[Server, Server]
) -> None:
    old, new = servers
    before, had = contents(old), new.ask("show databases", "")
    for state in ("fit", "prepared", "copied"):
        act(trio, state)
    assert contents(old) == before and new.ask("select count(*) from payment") == "500"
    assert old.ask("select 1", user="amt", password="geheim") == "1", "users go on working"
    told = act(trio, "moved")["databases"]["mariadb wohngeld"]
    assert told == {"tables": 3, "rows": 500 + 3 + 2} and contents(new) == before
    assert accounts(old).count("1") >= 2, "nobody can come in at the old server"
    new.ask("insert into payment(mark) values ('am neuen Ort')", user="amt", password="geheim")
    act(trio, "returned")
    assert old.ask("select mark, share from payment order by id desc limit 1") == "am neuen Ort\t1"
    assert old.ask("select 1", user="amt", password="geheim") == "1"
    old.ask("delete from payment where mark = 'am neuen Ort'")
    assert contents(old) == before
    for state in ("uncopied", "unprepared"):
        act(trio, state)
    assert new.ask("show databases", "") == had and accounts(new) == ""


def test_the_barrier_ends_sessions_and_keeps_everybody_out_until_it_goes(
    servers: tuple[Server, Server], tmp_path: Path
) -> None:
    old, _ = servers
    one = a_mariadb(old, tmp_path / "store")
    login = ["--no-defaults", f"--socket={old.socket}", "--user=amt", "--password=geheim", "wohngeld"]
    program = subprocess.Popen(
        ["mariadb", *login], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    assert program.stdin is not None
    program.stdin.write("select sleep(600);\n")
    program.stdin.flush()
    until = time.monotonic() + 60
    while not one._sessions():
        assert program.poll() is None and time.monotonic() < until
        time.sleep(0.05)
    limits = one.limits(None)
    one.close()
    try:
        assert "Lost connection" in program.communicate(timeout=60)[0] and not one._sessions()
        with pytest.raises(AssertionError, match="locked"):
            old.ask("select 1", user="amt", password="geheim")
    finally:
        one.open(limits)
    assert old.ask("select 1", user="amt", password="geheim") == "1"


def test_what_was_locked_before_the_barrier_stays_locked(servers: tuple[Server, Server], tmp_path: Path) -> None:
    old, _ = servers
    one = a_mariadb(old, tmp_path / "store")
    old.ask("alter user leser@'10.%' account lock", "")
    try:
        limits = one.limits(None)
        one.close()
        one.open(limits)
        assert limits == [["amt", "localhost"]] and "leser\t10.%\t1" in accounts(old)
    finally:
        old.ask("alter user leser@'10.%' account unlock", "")


@pytest.mark.parametrize(
    ("sql", "back", "wanted"),
    [
        ("grant update on wohngeld.payment to leser@'10.%'", "revoke update on wohngeld.payment from leser@'10.%'",
         "database_has_own_rights"),
        ("create database mehr; grant select on mehr.* to leser@'10.%'",
         "revoke select on mehr.* from leser@'10.%'; drop database mehr", "database_has_own_rights"),
        ("create event wohngeld.nachts on schedule every 1 day do delete from payment where id < 0",
         "drop event wohngeld.nachts", "database_has_events"),
    ],
)  # fmt: skip
def test_what_would_be_lost_or_written_twice_stops_the_move_before_anything_is_carried(
    servers: tuple[Server, Server], tmp_path: Path, sql: str, back: str, wanted: str
) -> None:
    old, _ = servers
    one = a_mariadb(old, tmp_path / "store")
    old.ask(sql, "")
    try:
        assert cause(one.survey) == wanted
    finally:
        old.ask(back, "")
    assert cause(one.survey) == ""


def test_any_row_counter_or_definition_that_differs_is_a_difference_and_order_is_none(
    servers: tuple[Server, Server], tmp_path: Path
) -> None:
    old, _ = servers
    one = a_mariadb(old, tmp_path / "store")
    seen = [one.prints()["wohngeld"]]
    for sql in (
        "select nextval(nummer)",
        "update payment set amount = amount + 0.01 where id = 7",
        "update `Seltsam ``Name`` 'x'` set b = null where a = 2",
        "alter table payment modify mark varchar(90)",
        "alter table payment auto_increment = 900",
        "create or replace view summe as select sum(amount) from payment where id > 1",
    ):
        old.ask(sql)
        seen.append(one.prints()["wohngeld"])
    assert all(first != second for first, second in pairwise(seen))
    old.ask("create table zwei as select * from payment order by id desc; create table eins as select * from payment")
    tables = one.prints()["wohngeld"]["tables"]
    assert tables["eins"] == tables["zwei"] and tables["eins"][0] == 500
    old.ask("drop table eins, zwei")


def test_rows_are_counted_for_the_comparison_of_before_and_after(
    servers: tuple[Server, Server], tmp_path: Path
) -> None:
    old, _ = servers
    words = settings(mariadb=["wohngeld"], mariadb_socket=old.socket, mariadb_account=old.account, databases=[])
    found = asked_of.databases(words, str(tmp_path))
    assert found["mariadb wohngeld payment"] == 500 and found["mariadb wohngeld Seltsam `Name` 'x'"] == 3


def test_a_server_that_is_away_a_database_that_is_missing_and_one_that_is_not_fenced_are_told_apart(
    servers: tuple[Server, Server], tmp_path: Path
) -> None:
    old, _ = servers
    away = a_mariadb(old, tmp_path / "store", mariadb_socket=str(tmp_path / "no"))
    missing = a_mariadb(old, tmp_path / "store", mariadb=["fehlt"])
    programs = a_mariadb(old, tmp_path / "store", mariadb_programs=str(tmp_path))
    assert [cause(one.survey) for one in (away, missing)] == ["database_away", "database_missing"]
    assert cause(programs.survey) in ("database_missing", "database_failed")
    one = a_mariadb(old, tmp_path / "store")
    assert cause(one.take, None, "wohngeld", {}) == "not_fenced" and one.rows("wohngeld")["payment"] == 500
    assert cause(one.give, None, "mysql") == "parcel_damaged"


@pytest.mark.parametrize(
    "changed", [{"plugin": "pam"}, {"secret": "x' or 1"}, {"plugin": "mysql_native_password using 'x'"}]
)
def test_an_old_server_cannot_make_the_new_one_run_its_words(
    servers: tuple[Server, Server], tmp_path: Path, changed: dict[str, str]
) -> None:
    _, new = servers
    one = a_mariadb(new, tmp_path / "store")
    account = {"user": "x", "host": "%", "plugin": "ed25519", "secret": "", "rights": ["Select_priv"], **changed}
    with pytest.raises(Trouble) as found:
        one.roles_make(None, {"wohngeld": {"accounts": [account]}})
    assert found.value.cause == "accounts_invalid"


def test_a_database_beside_that_somebody_else_made_stops_the_move_and_is_never_dropped(
    servers: tuple[Server, Server], tmp_path: Path
) -> None:
    old = a_mariadb(servers[0], tmp_path / "store")
    servers[0].ask("create database wohngeld_kahn_new; create table wohngeld_kahn_new.mine(a int)", "")
    try:
        assert cause(old.survey) == "database_foreign"
        note = mariadb.note
        note(str(tmp_path / "store"), fenced=True)
        words = {"characters": "utf8mb4", "collation": "utf8mb4_german2_ci"}
        assert cause(lambda: old.take(None, "wohngeld", words)) == "database_foreign"
        old.open({})
        assert servers[0].ask("show tables", "wohngeld_kahn_new") == "mine"
        note(str(tmp_path / "store"), mariadb_beside=["wohngeld"])
        old.open({})
        assert "wohngeld_kahn_new" not in servers[0].ask("show databases", "")
    finally:
        servers[0].ask("drop database if exists wohngeld_kahn_new", "")
