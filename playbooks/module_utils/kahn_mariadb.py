"""MariaDB databases of a procedure: held back, fingerprinted, dumped into a stream, restored.

The barrier locks the accounts that have rights in a database and ends every session in it: it holds over a restart of
the server. Where a database is that nobody brought, what arrives is restored beside it and takes its name when its
fingerprint is right (kahn_mariadb_swap). Everything goes through the programs of the server, as its own account, never
as root. Python 3.9, standard library only.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import time

try:
    from ansible.module_utils.kahn_mariadb_swap import BESIDE, begun, new_database, schema_of, take_place
    from ansible.module_utils.kahn_mariadb_words import (
        PLUGINS,
        RIGHTS,
        SECRET,
        STEADY,
        TABLES,
        digest_of,
        only,
        quoted,
        text,
        trouble_of,
        value_of,
        where,
        who,
    )
    from ansible.module_utils.kahn_outcome import Trouble, printable
    from ansible.module_utils.kahn_postgres import QUIET_S, dumped, restored
    from ansible.module_utils.kahn_service import note, note_of
except ImportError:  # sent to a host as one program
    from kahn_mariadb_swap import BESIDE, begun, new_database, schema_of, take_place
    from kahn_mariadb_words import (
        PLUGINS,
        RIGHTS,
        SECRET,
        STEADY,
        TABLES,
        digest_of,
        only,
        quoted,
        text,
        trouble_of,
        value_of,
        where,
        who,
    )
    from kahn_outcome import Trouble, printable
    from kahn_postgres import QUIET_S, dumped, restored
    from kahn_service import note, note_of

OLDEST = (10, 4)
"""The first version whose accounts can be locked."""


class Mariadb:
    """The server's databases that belong to the procedure. `names` are checked words."""

    def __init__(self, settings, store):
        self.names, self._store = settings.get("mariadb", []), store
        self._socket, self._programs = settings.get("mariadb_socket", ""), settings.get("mariadb_programs", "")
        self._account = settings.get("mariadb_account", "mysql")

    # -- asking

    def argv(self, program, *words):
        """The program under the name that this server's edition gives it, as the server's own account."""
        path = os.path.join(self._programs, program) if self._programs else shutil.which(program)
        if not path or not os.access(path, os.X_OK):
            older = {"mariadb": "mysql", "mariadb-dump": "mysqldump"}[program]
            path = os.path.join(self._programs, older) if self._programs else older
        own = ["runuser", "-u", self._account, "--"] if os.geteuid() == 0 else []
        socket = ["--socket=" + self._socket] if self._socket else []
        return [*own, path, "--no-defaults", *socket, "--user=" + self._account, *words]

    def ask(self, sql, name=""):
        """Rows of texts, None for null. Raises Trouble."""
        argv = self.argv("mariadb", "--batch", "--skip-column-names", "--default-character-set=utf8mb4", *only(name))
        try:
            ended = subprocess.run(argv, input=(STEADY + sql).encode(), capture_output=True, cwd="/")
        except FileNotFoundError as error:
            raise Trouble("database_missing", f"There is no program {error.filename}.") from None
        if ended.returncode:
            raise trouble_of(name, ended.stderr)
        lines = ended.stdout.decode("utf-8", "surrogateescape").split("\n")[:-1]
        return [[value_of(one) for one in line.split("\t")] for line in lines]

    def _version(self):
        found = re.match(r"(\d+)\.(\d+)", self.ask("select version()")[0][0])
        return (int(found[1]), int(found[2]))

    def survey(self):
        """{name: what is to be carried} at the old server. Raises Trouble."""
        found = {}
        for name in self.names:
            rows = self.ask(
                "select default_character_set_name, default_collation_name, (select coalesce(sum(data_length + "
                f"index_length), 0) from information_schema.tables where table_schema = {text(name)}) "
                f"from information_schema.schemata where schema_name = {text(name)}"
            )
            if not rows:
                raise Trouble("database_missing", f"There is no MariaDB database {name}.")
            self._refuse_foreign(name)
            words = {"characters": rows[0][0], "collation": rows[0][1], "bytes": int(float(rows[0][2]))}
            found[name] = dict(words, version=self._version(), accounts=self._accounts(name))
            self._refuse(name)
        return found

    def _refuse(self, name):
        """Versions and rights that would not be carried as they are. Raises Trouble."""
        if self._version() < OLDEST:
            raise Trouble("database_too_old", "MariaDB is older than 10.4: its accounts cannot be locked.")
        kept = " union ".join(
            f"select concat(user, '@', host) from mysql.{table} where db = {text(name)}"
            for table in ("tables_priv", "columns_priv", "procs_priv")
        )
        own = self.ask(kept)
        if own:
            says = f"Accounts have rights in single tables or routines of the database {name}: {printable(own[0][0])}."
            raise Trouble("database_has_own_rights", says)
        events = f"select event_name from information_schema.events where event_schema = {text(name)}"
        running = self.ask(events + " and status = 'ENABLED'")
        if running:
            says = (
                f"The event {printable(running[0][0])} of the database {name} would write on both servers: disable it."
            )
            raise Trouble("database_has_events", says)
        for account in self._accounts(name):
            shared = self.ask(f"select db from mysql.db where user = {text(account['user'])} and host = "
                              f"{text(account['host'])}")  # fmt: skip
            others = [one for (one,) in shared if one.replace("\\", "") not in self.names]
            if others:
                says = (
                    f"The account {printable(account['user'])} works in another database too: {printable(others[0])}."
                )
                raise Trouble("database_has_own_rights", says)

    def _accounts(self, name):
        """Who has rights in the database, with what secret and which rights; never a superuser."""
        rights = ", ".join("d." + one for one in RIGHTS)
        rows = self.ask(
            f"select d.user, d.host, u.plugin, u.authentication_string, {rights} from mysql.db d join mysql.user u "
            f"on u.user = d.user and u.host = d.host where replace(d.db, '\\\\', '') = {text(name)} "
            f"and u.super_priv <> 'Y' order by 1, 2"
        )
        return [_account(row) for row in rows]

    def fit(self, wanted):
        """The directory that must take them, or nothing. Raises Trouble."""
        if not self.names:
            return ""
        ours = note_of(self._store).get("mariadb", [])
        here = self._version()
        for name, one in wanted.items():
            if here < tuple(one["version"]):
                raise Trouble("database_too_old", "MariaDB is older here than on the old server.")
            if name not in ours and self._is_there(name):
                raise Trouble("target_not_empty", f"There is a MariaDB database {name} already.")
        return self.directory()

    def directory(self):
        """Where the server keeps its data. Raises Trouble."""
        return self.ask("select @@datadir")[0][0]

    def _is_there(self, name):
        return bool(self.ask(f"select 1 from information_schema.schemata where schema_name = {text(name)}"))

    # -- the barrier

    def _locked(self, account):
        asked = f"select json_value(priv, '$.account_locked') from mysql.global_priv where {where(account)}"
        return [row[0] for row in self.ask(asked)] in (["1"], ["true"])

    def limits(self, noted):
        """Accounts that could log in before the barrier; what was noted already counts."""
        if noted is not None or not self.names:
            return noted or []
        found = {(one["user"], one["host"]): one for name in self.names for one in self._accounts(name)}
        return [list(key) for key, one in sorted(found.items()) if not self._locked(one)]

    def close(self):
        """Put the barrier up and end every session; what broke off while it changed places is finished."""
        for name in self.names:
            for account in self._accounts(name):
                self.ask(f"alter user {who(account)} account lock")
        until = time.monotonic() + QUIET_S
        while self.names:
            left = self._sessions()
            if not left:
                self._finish()
                return
            if time.monotonic() > until:
                programs = [printable(f"{user} ({number})") for number, user in left[:20]]
                says = f"Somebody comes back to the databases: {', '.join(programs[:3])}."
                raise Trouble("database_in_use", says, programs=programs)
            for number, _ in left:
                try:
                    self.ask(f"kill connection {int(number)}")
                except Trouble:
                    continue  # it ended by itself meanwhile
            time.sleep(0.05)

    def _sessions(self):
        who = [f"(user = {text(one['user'])})" for name in self.names for one in self._accounts(name)]
        inside = f"db in ({', '.join(map(text, self.names))})"
        return self.ask(
            f"select id, user from information_schema.processlist where id <> connection_id() "
            f"and ({' or '.join([inside, *sorted(set(who))])})"
        )

    def _finish(self):
        for name in sorted(begun(self._store)):
            take_place(self, self._store, self._known(name))

    def open(self, limits):
        """Take the barrier away from those who could log in before; what arrived and was not taken goes."""
        self._finish()
        for name in note_of(self._store).get("mariadb_beside", []):
            self.ask(f"drop database if exists {quoted(self._known(name) + BESIDE)}")
        note(self._store, mariadb_beside=None)
        for user, host in limits or []:
            account = {"user": user, "host": host}
            if self.ask(f"select 1 from mysql.global_priv where {where(account)}"):
                self.ask(f"alter user {who(account)} account unlock")

    # -- the fingerprint

    def prints(self, *, arrived=()):
        """{name: fingerprint} of the databases; of those that arrived beside one, what arrived."""
        beside = {name for name in arrived if self._is_there(name + BESIDE)}
        return {name: self._print(name, name + BESIDE if name in beside else name) for name in self.names}

    def _print(self, name, place):
        found, counters = {}, []
        for table, kind in self.ask(TABLES.format(text(place))):
            if kind == "SEQUENCE":
                counters.append([table, *self.ask(f"select next_not_cached_value from {quoted(table)}", place)[0]])
            elif kind != "VIEW":
                found[table] = self._table(place, table)
        asked = "select table_name, auto_increment from information_schema.tables where auto_increment is not null"
        counters += self.ask(f"{asked} and table_schema = {text(place)}")
        found["(counters)"] = [len(counters), digest_of(counters)]
        return {"schema": schema_of(self, name, place), "tables": found}

    def _table(self, name, table):
        """Rows, and a sum of their digests that does not depend on their order."""
        asked = f"select column_name from information_schema.columns where table_schema = {text(name)}"
        rows = self.ask(f"{asked} and table_name = {text(table)} order by ordinal_position")
        each = ", ".join(f"ifnull(sha1(cast({quoted(column)} as binary)), '-')" for (column,) in rows)
        digest = f"cast(conv(left(md5(concat_ws(',', {each})), 15), 16, 10) as decimal(30))"
        count, total = self.ask(f"select count(*), coalesce(sum({digest}), 0) from {quoted(table)}", name)[0]
        return [int(count), total]

    def rows(self, name):
        """{table: rows}, counted while others work. Raises Trouble."""
        tables = [table for table, kind in self.ask(TABLES.format(text(name))) if kind not in ("VIEW", "SEQUENCE")]
        return {table: int(self.ask(f"select count(*) from {quoted(table)}", name)[0][0]) for table in tables}

    # -- carrying

    def give(self, line, name):
        """Send a dump."""
        words = ("--single-transaction", "--routines", "--triggers", "--events", "--hex-blob", "--skip-dump-date",
                 "--default-character-set=utf8mb4", "--quick", "--skip-add-locks", self._known(name))  # fmt: skip
        argv = self.argv("mariadb-dump", *words)
        code, said, total = dumped(argv, line)
        if code:
            raise trouble_of(name, said)
        return {"bytes": total}

    def take(self, line, name, words):
        """Restore a dump: beside the database that is there, else in its place, which must be behind the barrier."""
        if not note_of(self._store).get("fenced"):
            raise Trouble("not_fenced", f"The database {name} is not behind the barrier; nothing was touched.")
        place = self._place_for(self._known(name))
        new_database(self, place, words["characters"], words["collation"])
        argv = self.argv("mariadb", *self.tame(), "--batch", "--default-character-set=utf8mb4", *only(place))
        code, said = restored(argv, line)
        if code:
            raise trouble_of(name, said)
        return {}

    def tame(self):
        """What keeps a dump from giving commands to the program, where its edition knows that."""
        ended = subprocess.run(self.argv("mariadb", "--help"), capture_output=True, cwd="/")
        return ["--sandbox"] if b"--sandbox" in ended.stdout else []

    def _place_for(self, name):
        """Where what arrives is restored: a database that nobody brought stays until the new one is whole."""
        ours = set(note_of(self._store).get("mariadb", []))
        if name in ours:
            return name
        if self._is_there(name):
            self._refuse_foreign(name)
            beside = note_of(self._store).get("mariadb_beside", [])
            note(self._store, mariadb_beside=sorted({*beside, name}))
            return name + BESIDE
        note(self._store, mariadb=sorted(ours | {name}))
        return name

    def _refuse_foreign(self, name):
        """What has the name that Kahn needs beside this one, and was not made by it, is somebody's. Raises Trouble."""
        ours = {*note_of(self._store).get("mariadb_beside", []), *begun(self._store)}
        if name not in ours and self._is_there(name + BESIDE):
            says = f"There is a database {name + BESIDE} that Kahn did not make; nothing was touched."
            raise Trouble("database_foreign", says)

    def swap(self, line, names):
        """What arrived beside a database takes its name; elsewhere it is in its place already."""
        for name in map(self._known, names):
            if name in begun(self._store) or self._is_there(name + BESIDE):
                take_place(self, self._store, name)
        return {}

    def tidy(self, line):
        """Statistics for the query planner come by themselves."""
        return {}

    def roles_make(self, line, wanted):
        """Accounts where they are missing, locked until the barrier goes, and their rights."""
        made = note_of(self._store).get("mariadb_accounts", [])
        for name, one in wanted.items():
            for account in one["accounts"]:
                made = self._account_make(self._known(name), account, made)
        return {"changed": bool(made)}

    def _account_make(self, name, account, made):
        if account["plugin"] not in PLUGINS or not SECRET.fullmatch(account["secret"]):
            says = f"The account {printable(account['user'])} logs in by a way that cannot be carried."
            raise Trouble("accounts_invalid", says)
        if not self.ask(f"select 1 from mysql.global_priv where {where(account)}"):
            made = [*made, [account["user"], account["host"]]]
            note(self._store, mariadb_accounts=made)
            secret = f" using {text(account['secret'])}" if account["secret"] else ""
            way = f"identified via {account['plugin']}{secret}"
            self.ask(f"create user {who(account)} {way} account lock")
        rights = ", ".join(RIGHTS[one] for one in account["rights"] if one in RIGHTS)
        if rights and [account["user"], account["host"]] in made:
            self.ask(f"grant {rights} on {quoted(name)}.* to {who(account)}")
        return made

    def remove_databases(self):
        """Take away what became ours."""
        for name in note_of(self._store).get("mariadb", []):
            self.ask(f"drop database if exists {quoted(self._known(name))}")
        note(self._store, mariadb=None)

    def remove_roles(self):
        """Take away the accounts that were made."""
        for user, host in note_of(self._store).get("mariadb_accounts", []):
            self.ask(f"drop user if exists {who({'user': user, 'host': host})}")
        note(self._store, mariadb_accounts=None)

    def _known(self, name):
        if name not in self.names:
            raise Trouble("parcel_damaged", "A database was named that nobody asked for.")
        return name


def _account(row):
    rights = [word for number, word in enumerate(RIGHTS, 4) if row[number] == "Y"]
    who_it_is = {"user": row[0] or "", "host": row[1] or "", "plugin": row[2] or PLUGINS[0], "secret": row[3] or ""}
    return dict(who_it_is, rights=rights)
