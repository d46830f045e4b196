"""The database servers that a procedure uses on one machine, as one: PostgreSQL, MariaDB, both or none.

A database is named with its kind, such as `postgresql wohngeld`. Python 3.9, standard library only.
"""

from __future__ import annotations

import os

try:
    from ansible.module_utils.kahn_mariadb import Mariadb
    from ansible.module_utils.kahn_outcome import Trouble
    from ansible.module_utils.kahn_postgres import Postgres
except ImportError:  # sent to a host as one program
    from kahn_mariadb import Mariadb
    from kahn_outcome import Trouble
    from kahn_postgres import Postgres

KINDS = {"postgresql": Postgres, "mariadb": Mariadb}


def databases_of(settings):
    """Every database of the settings, with its kind."""
    return [f"{kind} {name}" for kind in KINDS for name in settings.get(kind, [])]


class Servers:
    """What can be asked of all servers at once, and of one database by its name."""

    def __init__(self, settings, store):
        self._servers = {kind: made(settings, store) for kind, made in KINDS.items() if settings.get(kind)}
        self._store, self._settings = store, settings

    def ops(self):
        """What can be asked, by name."""
        return {
            "db_" + name: getattr(self, name) for name in ("give", "take", "swap", "accounts_make", "tidy", "words")
        }

    def _of(self, name):
        """The server of that database, and its bare name there. Raises Trouble."""
        kind, _, bare = name.partition(" ")
        if kind not in self._servers:
            raise Trouble("parcel_damaged", "A database was named that nobody asked for.")
        return self._servers[kind], bare

    # -- asked of all

    def survey(self):
        """{kind: {name: what is to be carried}} at the old machine. Raises Trouble."""
        return {kind: server.survey() for kind, server in self._servers.items()}

    def words(self, line):
        """How each database was made and whose it is."""
        return {"words": self.survey()}

    def fit(self, wanted):
        """[(directory, bytes that it must take)]. Raises Trouble."""
        found = {kind: server.fit(wanted.get(kind, {})) for kind, server in self._servers.items()}
        return [(found[kind], sum(one["bytes"] for one in wanted.get(kind, {}).values())) for kind in found]

    def way_back(self, found):
        """[(directory, bytes)] that a database needs on the old machine once more when it comes back: it is restored
        beside what is there. Raises Trouble."""
        sizes = {kind: sum(one["bytes"] for one in found[kind].values()) for kind in self._servers}
        return [(server.directory(), sizes[kind]) for kind, server in self._servers.items()]

    def directories(self):
        """Where the servers keep their data: files that change by themselves while a server runs. Raises Trouble."""
        told = (os.path.normpath(server.directory()) for server in self._servers.values())
        return sorted({one for path in told for one in (path, os.path.realpath(path)) if one.count("/") > 1})

    def limits(self, noted):
        """Who could come in before the barrier; what was noted already counts."""
        return {kind: server.limits((noted or {}).get(kind)) for kind, server in self._servers.items()}

    def close(self):
        """Put the barrier up and end every session. Raises Trouble."""
        for server in self._servers.values():
            server.close()

    def open(self, limits):
        """Take the barrier away."""
        for kind, server in self._servers.items():
            server.open((limits or {}).get(kind))

    def prints(self, *, arrived=()):
        """{name: fingerprint} of the databases, or of what arrived for them."""
        found = {}
        for kind, server in self._servers.items():
            bare = [name.partition(" ")[2] for name in arrived if name.startswith(kind + " ")]
            found.update({f"{kind} {name}": one for name, one in server.prints(arrived=bare).items()})
        return found

    def rows(self):
        """{"postgresql wohngeld public.antrag": rows}, counted while others work."""
        found = {}
        for name in databases_of(self._settings):
            server, bare = self._of(name)
            found.update({f"{name} {table}": rows for table, rows in server.rows(bare).items()})
        return found

    def accounts_make(self, line, wanted):
        """Accounts where they are missing."""
        made = [server.roles_make(line, wanted.get(kind, {}))["changed"] for kind, server in self._servers.items()]
        return {"changed": any(made)}

    def tidy(self, line):
        """What makes databases quick again after they arrived."""
        for server in self._servers.values():
            server.tidy(line)
        return {}

    def remove_databases(self):
        """Take away what arrived and what became ours."""
        for server in self._servers.values():
            server.remove_databases()

    def remove_accounts(self):
        """Take away the accounts that were made."""
        for server in self._servers.values():
            server.remove_roles()

    # -- asked of one database

    def give(self, line, name):
        """Send a dump."""
        server, bare = self._of(name)
        return server.give(line, bare)

    def take(self, line, name, words):
        """Restore a dump."""
        server, bare = self._of(name)
        return server.take(line, bare, words)

    def swap(self, line, names):
        """What arrived takes the place of these databases."""
        for kind, server in self._servers.items():
            server.swap(line, [name.partition(" ")[2] for name in names if name.startswith(kind + " ")])
        return {}
