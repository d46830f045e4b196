"""PostgreSQL databases of a procedure: held back, fingerprinted, dumped into a stream, restored beside what is there.

What arrives is restored into a database of another name and takes the right name only when its fingerprint is right.
Everything goes through the programs of the server's own version, as its own account. Python 3.9, standard library only.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import threading
import time

try:
    from ansible.module_utils.kahn_outcome import Trouble, printable
    from ansible.module_utils.kahn_service import note, note_of
except ImportError:  # sent to a host as one program
    from kahn_outcome import Trouble, printable
    from kahn_service import note, note_of

CHUNK = 256 * 1024
QUIET_S = 10
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,50}")
_SECRET = re.compile(r"[A-Za-z0-9$+/=:-]{0,400}")
_TEMPLATE_WORD = re.compile(r"[A-Za-z0-9_.@-]{1,40}")
_TABLES = """select c.oid::regclass from pg_class c join pg_namespace n on n.oid = c.relnamespace
where c.relkind = 'r' and n.nspname !~ '^pg_' and n.nspname <> 'information_schema' order by 1"""
_SCHEMA = """select n.nspname, c.relname, c.relkind, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull
from pg_attribute a join pg_class c on c.oid = a.attrelid join pg_namespace n on n.oid = c.relnamespace
where a.attnum > 0 and not a.attisdropped and c.relkind in ('r', 'p', 'v', 'm', 'f', 'S', 'i')
and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
union all select conrelid::regclass::text, conname, contype, pg_get_constraintdef(oid), '', false from pg_constraint
where connamespace::regnamespace::text !~ '^pg_'"""
_ROLES = """select r.rolname, r.rolcanlogin, coalesce(r.rolpassword, '') from pg_authid r
where not r.rolsuper and r.oid in (select d.refobjid from pg_shdepend d where d.refclassid = 'pg_authid'::regclass
and d.dbid = (select oid from pg_database where datname = {0})
union select datdba from pg_database where datname = {0}) order by 1"""


class Postgres:
    """The server's databases that belong to the procedure. `names` are checked words."""

    def __init__(self, settings, store):
        self.names, self._store = settings["postgresql"], store
        self._port, self._programs = str(settings["postgresql_port"]), settings["postgresql_programs"]
        self._account = settings["postgresql_account"]

    # -- asking

    def _argv(self, program, *words):
        path = os.path.join(self._programs, program) if self._programs else program
        own = ["runuser", "-u", self._account, "--"] if os.geteuid() == 0 else []
        return [*own, path, "-p", self._port, *words]

    def ask(self, sql, name="postgres"):
        """Rows of texts. Raises Trouble."""
        argv = self._argv("psql", "-AtXq", "-v", "ON_ERROR_STOP=1", "-F", "\x1f", "-d", name)
        try:
            ended = subprocess.run(argv, input=sql.encode(), capture_output=True, cwd="/")
        except FileNotFoundError as error:
            raise Trouble("database_missing", f"There is no program {error.filename}.") from None
        if ended.returncode:
            raise _trouble(name, ended.stderr)
        return [line.split("\x1f") for line in ended.stdout.decode("utf-8", "surrogateescape").splitlines()]

    def survey(self):
        """{name: what is to be carried} at the old server. Raises Trouble."""
        found = {}
        for name in self.names:
            rows = self.ask(
                "select pg_database_size(datname), pg_encoding_to_char(encoding), datcollate, datctype, "
                "pg_get_userbyid(datdba), current_setting('server_version_num'), "
                "datacl is not null or exists (select 1 from pg_db_role_setting where setdatabase = pg_database.oid) "
                f"from pg_database where datname = {_text(name)}"
            )
            if not rows:
                raise Trouble("database_missing", f"There is no PostgreSQL database {name}.")
            size, encoding, collate, ctype, owner, version, has_own_rights = rows[0]
            words = {"encoding": encoding, "collate": collate, "ctype": ctype, "owner": owner}
            roles = self.ask(_ROLES.format(_text(name)))
            found[name] = dict(words, bytes=int(size), version=int(version), roles=roles, own=has_own_rights == "t")
        return found

    def fit(self, wanted):
        """The directory that must take them, or nothing. Raises Trouble."""
        if not self.names:
            return ""
        version = int(self.ask("select current_setting('server_version_num')")[0][0])
        ours = note_of(self._store).get("postgresql", [])
        for name, one in wanted.items():
            if version // 10000 < one["version"] // 10000:
                raise Trouble("database_too_old", "PostgreSQL is older here than on the old server.")
            if one["own"]:
                says = f"The database {name} has rights or settings of its own (grant on database, alter database set)."
                raise Trouble("database_has_own_rights", says)
            if name not in ours and self._is_there(name):
                raise Trouble("target_not_empty", f"There is a PostgreSQL database {name} already.")
        return self.directory()

    def directory(self):
        """Where the server keeps its data. Raises Trouble."""
        return self.ask("show data_directory")[0][0]

    def _is_there(self, name):
        return bool(self.ask(f"select 1 from pg_database where datname = {_text(name)}"))

    # -- the barrier

    def limits(self, limits):
        """The connection limits from before the barrier; what was noted already counts."""
        before = dict(limits or {})
        for name in self.names:
            rows = self.ask(f"select datconnlimit from pg_database where datname = {_text(name)}")
            if rows:
                before.setdefault(name, int(rows[0][0]))
        return before

    def close(self):
        """Put the barrier up and end every session. Raises Trouble."""
        for name in self.names:
            if self._is_there(name):
                self.ask(f"alter database {_quoted(name)} connection limit 0")
                self._end_sessions(name)

    def _end_sessions(self, name):
        until = time.monotonic() + QUIET_S
        query = f"from pg_stat_activity where datname = {_text(name)} and pid <> pg_backend_pid()"
        while True:
            self.ask(f"select pg_terminate_backend(pid) {query}")
            left = self.ask(f"select coalesce(nullif(application_name, ''), usename::text, '?'), pid {query}")
            if not left:
                return
            if time.monotonic() > until:
                programs = [printable(f"{one} ({pid})") for one, pid in left[:20]]
                says = f"Somebody comes back to the database {name}: {', '.join(programs[:3])}."
                raise Trouble("database_in_use", says, programs=programs)
            time.sleep(0.05)

    def open(self, limits):
        """Take the barrier away."""
        for name in self.names:
            limit = int((limits or {}).get(name, -1))
            if self._is_there(name):
                self.ask(f"alter database {_quoted(name)} connection limit {limit if limit >= -1 else -1}")

    # -- the fingerprint

    def prints(self, *, arrived=()):
        """{name: fingerprint} of the databases, or of what arrived for them."""
        return {name: self._print(_part(name) if name in arrived else name) for name in self.names}

    def _print(self, name):
        tables = [row[0] for row in self.ask(_TABLES, name)]
        found = {}
        for start in range(0, len(tables), 200):
            few = tables[start : start + 200]
            sums = "coalesce(sum(hashtextextended(t::text, 0)::numeric), 0)"
            asked = [f"select {_text(one)}, count(*), {sums} from {one} t" for one in few]
            for table, rows, total in self.ask(_STEADY + ";\n".join(asked), name):
                found[table] = [int(rows), total]
        sequences = self.ask("select schemaname, sequencename, last_value from pg_sequences order by 1, 2", name)
        found["(sequences)"] = [len(sequences), _digest(sequences)]
        return {"schema": _digest(self.ask(_SCHEMA, name)), "tables": found}

    def rows(self, name):
        """{table: rows}, counted while others work. Raises Trouble."""
        tables = [row[0] for row in self.ask(_TABLES, name)]
        found = {}
        for start in range(0, len(tables), 200):
            asked = [f"select {_text(one)}, count(*) from {one}" for one in tables[start : start + 200]]
            found.update((table, int(rows)) for table, rows in self.ask(";\n".join(asked), name))
        return found

    # -- carrying

    def give(self, line, name):
        """Send a dump."""
        argv = self._argv("pg_dump", "-Fc", "-Z1", self._known(name))
        code, said, total = dumped(argv, line)
        if code:
            raise _trouble(name, said)
        return {"bytes": total}

    def take(self, line, name, words):
        """Restore a dump into a database beside the one of that name."""
        self._new_database(self._known(name), words)
        argv = self._argv("pg_restore", "--exit-on-error", "-d", _part(name))
        code, said = restored(argv, line)
        if code:
            raise _trouble(name, said)
        return {}

    def _new_database(self, name, words):
        for word in (words["encoding"], words["collate"], words["ctype"]):
            if not _TEMPLATE_WORD.fullmatch(word):
                raise Trouble("parcel_damaged", "The database's locale is no plain word.")
        self._drop(_part(name))
        self.ask(
            f"create database {_quoted(_part(name))} owner {_quoted(words['owner'])} template template0 "
            f"encoding {_text(words['encoding'])} lc_collate {_text(words['collate'])} lc_ctype {_text(words['ctype'])}"
        )

    def _drop(self, name):
        if self._is_there(name):
            query = f"from pg_stat_activity where datname = {_text(name)} and pid <> pg_backend_pid()"
            self.ask(f"select pg_terminate_backend(pid) {query}")
            self.ask(f"drop database {_quoted(name)}")

    def swap(self, line, names):
        """What arrived takes the place of the databases; on the new server it is noted as ours."""
        ours = set(note_of(self._store).get("postgresql", []))
        for name in map(self._known, names):
            if not self._is_there(_part(name)):
                raise Trouble("database_missing", f"Nothing arrived for the database {name}.")
            if not self._is_there(name):
                note(self._store, postgresql=sorted(ours | {name}))
                ours.add(name)
            self._drop(name)
            self.ask(f"alter database {_quoted(_part(name))} rename to {_quoted(name)}")
            self.ask(f"alter database {_quoted(name)} connection limit 0")
        return {}

    def tidy(self, line):
        """Statistics for the query planner, after users are served again."""
        for name in self.names:
            self.ask("analyze", name)
        return {}

    def roles_make(self, line, wanted):
        """Owners and those with rights, where they are missing; never a superuser."""
        made = note_of(self._store).get("roles", [])
        for one in wanted.values():
            for name, login, secret in one["roles"]:
                if not _SECRET.fullmatch(secret):
                    raise Trouble("accounts_invalid", "A role of the old server has an unusable password.")
                if not self.ask(f"select 1 from pg_roles where rolname = {_text(name)}"):
                    note(self._store, roles=[*made, name])
                    made = [*made, name]
                    word = f" password {_text(secret)}" if secret else ""
                    self.ask(f"create role {_quoted(name)} {'login' if login == 't' else 'nologin'}{word}")
        return {"changed": bool(made)}

    def remove_databases(self):
        """Take away what arrived and what became ours."""
        for name in self.names:
            self._drop(_part(name))
        for name in note_of(self._store).get("postgresql", []):
            self._drop(self._known(name))
        note(self._store, postgresql=None)

    def remove_roles(self):
        """Take away the roles that were made."""
        for name in note_of(self._store).get("roles", []):
            self.ask(f"drop role if exists {_quoted(name)}")
        note(self._store, roles=None)

    def _known(self, name):
        if name not in self.names:
            raise Trouble("parcel_damaged", "A database was named that nobody asked for.")
        return name


_STEADY = (
    "set extra_float_digits = 3; set timezone = 'UTC'; set datestyle = 'ISO'; set intervalstyle = 'postgres';"
    " set bytea_output = 'hex';\n"
)
"""Settings that decide how a row reads as text."""


class Said:
    """Reads a program's last words in the background."""

    def __init__(self, stream):
        self._stream, self._kept = stream, b""
        self._thread = threading.Thread(target=self._drain, daemon=True)
        self._thread.start()

    def _drain(self):
        while True:
            piece = self._stream.read1(4096)
            if not piece:
                return
            self._kept = (self._kept + piece)[-4096:]

    def text(self):
        self._thread.join(10)
        return self._kept


def dumped(argv, line):
    """Send what a program writes; its exit code, its last words, and how many bytes it wrote."""
    with subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd="/") as dump:
        said, total = Said(dump.stderr), 0
        while True:
            piece = dump.stdout.read(CHUNK)
            if not piece:
                break
            total += len(piece)
            line.send(b"D", piece)
    return dump.returncode, said.text(), total


def restored(argv, line):
    """Feed a program with what arrives; its exit code and its last words. It is killed when the line breaks."""
    restore = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, cwd="/")
    said = Said(restore.stderr)
    try:
        for _, body in line.arriving():
            restore.stdin.write(body)
        restore.stdin.close()
    except BrokenPipeError:
        pass  # it tells why by its end
    except Trouble:
        restore.kill()
        raise
    finally:
        code = restore.wait()
    return code, said.text()


def _trouble(name, said):
    text = said.decode("utf-8", "replace").strip()
    cause = "database_failed"
    if "No space left on device" in text:
        cause = "disk_full"
    elif "connection to server" in text or "could not connect" in text:
        cause = "database_away"
    elif "does not exist" in text:
        cause = "database_missing"
    return Trouble(cause, f"The PostgreSQL database {name}: {printable(text[-250:])}")


def _part(name):
    return "kahn_new_" + name


def _text(value):
    if "\\" in value or "\0" in value:
        raise Trouble("parcel_damaged", "A word for PostgreSQL holds a backslash.")
    return "'" + value.replace("'", "''") + "'"


def _quoted(name):
    if not name or "\0" in name or len(name) > 63:
        raise Trouble("parcel_damaged", "A name for PostgreSQL cannot be used.")
    return '"' + name.replace('"', '""') + '"'


def _digest(rows):
    return hashlib.sha256(json.dumps(sorted(rows)).encode("ascii")).hexdigest()[:16]
