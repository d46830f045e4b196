"""The machines of a step that works on several at once: one session to each, opened when it is first wanted.

Runs on the controller. Python 3.9, standard library only.
"""

from __future__ import annotations

from contextlib import ExitStack

from ansible.module_utils import (
    kahn_arrival,
    kahn_books,
    kahn_end,
    kahn_fileserver,
    kahn_gate,
    kahn_home,
    kahn_mariadb,
    kahn_mariadb_swap,
    kahn_mariadb_words,
    kahn_names,
    kahn_naming,
    kahn_outcome,
    kahn_parcel,
    kahn_partner,
    kahn_postgres,
    kahn_servers,
    kahn_service,
    kahn_side,
    kahn_sqlite,
    kahn_switch,
    kahn_talk,
    kahn_tree,
    kahn_update,
    kahn_watch,
)
from ansible.module_utils.kahn_partner import Partners
from ansible.module_utils.kahn_talk import Talk

_COMMON = (kahn_outcome, kahn_tree, kahn_talk, kahn_switch)
_SERVERS = (kahn_postgres, kahn_mariadb_words, kahn_mariadb_swap, kahn_mariadb, kahn_servers)
_CARRIED = (kahn_home, kahn_books, kahn_parcel, kahn_arrival, kahn_end, kahn_service, kahn_fileserver)
_SIDE = (*_COMMON, *_CARRIED, *_SERVERS, kahn_sqlite, kahn_watch, kahn_side)
_GATE = (*_COMMON, kahn_names, kahn_update, kahn_naming, kahn_gate)
_PARTNER = (*_COMMON, kahn_partner)
"""What is sent to a machine, the parts before what uses them; the last one answers."""


class Crew:
    """The open sessions of a step. `roots` are for tests: another root directory per role."""

    def __init__(self, asked, roots=None):
        self.asked, self.settings, self._roots = asked, asked["settings"], roots or {}
        self._open = ExitStack()
        self._talks = {}

    def __enter__(self):
        return self

    def __exit__(self, *what):
        self._open.close()

    def session(self, role):
        """The session to the machine in that role, opened when it is first wanted."""
        if role not in self._talks:
            machines = self.asked["machines"]
            words = {"asset": self.asked["asset"], "part": role, "settings": self.settings}
            words["root"] = self._roots.get(role, "/")
            words["addresses"] = {"old": machines["source"]["address"], "new": machines["target"]["address"]}
            modules = _GATE if role == "gateway" else _SIDE
            self._begin(role, role, modules, words)
        return self._talks[role]

    def _begin(self, role, name, modules, words):
        self._talks[role] = Talk(self.asked["ssh"][role], name, modules, words)
        self._open.callback(self._talks[role].close)

    def anew(self):
        """End every session: the next question opens it again."""
        self._open.close()
        self._talks.clear()

    def partners(self):
        """The machines of other procedures that lead here: roles partner_1 and so on, in the order of the settings."""
        described = self.settings.get("points_here", [])
        return Partners([self._partner(f"partner_{number}", one) for number, one in enumerate(described, start=1)])

    def _partner(self, role, described):
        machines = self.asked["machines"]
        if role not in self._talks:
            words = {"asset": self.asked["asset"], "root": self._roots.get(role, "/")}
            words["addresses"] = {"old": machines["source"]["address"], "new": machines["target"]["address"]}
            words["partner"] = {**described, "port": described["port"] or self.settings["port"]}
            self._begin(role, "partner", _PARTNER, words)
        return described["machine"], self._talks[role]

    source = property(lambda self: self.session("source"))
    target = property(lambda self: self.session("target"))
    gate = property(lambda self: self.session("gateway"))

    @property
    def is_share(self):
        """Whether files are all that moves: owners, ACLs and open files count then."""
        return bool(self.asked.get("share"))

    def open_all(self):
        """Begin all three sessions at once: their start costs nobody time afterwards."""
        return self.source, self.target, self.gate

    @property
    def tops(self):
        """Everything that is carried to the new server."""
        return [one.strip("/") for one in (*self.settings["data"], *self.settings["programs"])]

    @property
    def both_ways(self):
        """What is carried back as well."""
        return [one.strip("/") for one in self.settings["data"]]
