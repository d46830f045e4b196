"""One of the two servers of a procedure that moves: what the controller can ask of it during a step.

The old server is `source`, the new one `target`; each can give to the other and take from it. Whatever changes
something is noted first and repeats without effect. Python 3.9, standard library only; sent to the hosts
as one program.
"""

from __future__ import annotations

import os
import shutil
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

try:
    from ansible.module_utils import kahn_arrival as arrival
    from ansible.module_utils import kahn_fileserver as fileserver
    from ansible.module_utils import kahn_parcel as parcel
    from ansible.module_utils import kahn_servers as servers
    from ansible.module_utils import kahn_service as service
    from ansible.module_utils import kahn_sqlite as sqlite
    from ansible.module_utils.kahn_end import ALL_CONTENTS, End, fit_itself, room
    from ansible.module_utils.kahn_outcome import Trouble, printable, remove_file
    from ansible.module_utils.kahn_talk import serving
    from ansible.module_utils.kahn_watch import Watch
except ImportError:  # sent to a host as one program
    import kahn_arrival as arrival
    import kahn_fileserver as fileserver
    import kahn_parcel as parcel
    import kahn_servers as servers
    import kahn_service as service
    import kahn_sqlite as sqlite
    from kahn_end import ALL_CONTENTS, End, fit_itself, room
    from kahn_outcome import Trouble, printable, remove_file
    from kahn_talk import serving
    from kahn_watch import Watch

QUIET_S = 10
REACH_S = 4


class Side(End):
    """The server's answers. `words`: asset, part, root and the procedure's settings."""

    ANSWERS = (*End.ANSWERS, "reach", "jobs_give", "jobs_take", "idle", "asked", "unasked")

    def __init__(self, words):
        super().__init__(words)
        self.settings = words["settings"]
        self.data = _names(self.settings["data"])
        self.tops = self.data + _names(self.settings["programs"])
        self.jobs = self.settings["jobs"]
        self.service = service.Service(self.settings, self.root)
        self.servers = servers.Servers(self.settings, self.store)
        self.watch = Watch(words["asset"], self.settings.get("port", 0))
        self.shares = fileserver.FileServer(self.root, self.data, user=self.settings["user"], store=self.store)

    def ops(self):
        """What can be asked, by name."""
        return {**super().ops(), **self.servers.ops(), **self.shares.ops()}

    # -- looking

    def look(self, line):
        """How it stands: whether the service runs, whether the barrier is up, whether files were brought."""
        noted = service.note_of(self.store)
        return {"runs": self.service.runs(), "fenced": bool(noted.get("fenced")), "brought": "tops" in noted}

    def anew(self, line):
        """The other side has nothing, and nobody's open files are told any longer."""
        self.shares.forget_opened(line)
        return super().anew(line)

    def survey(self, line, now):
        """Whether the old server is fit, and what there is to carry. Raises Trouble."""
        fit_itself(now)
        missing = [name for name in self.tops if not os.path.lexists(self.at(name))]
        if missing:
            raise Trouble("path_missing", "There is no /" + printable(missing[0]) + ".")
        found = parcel.states(self.root, self.tops)
        for name in self.settings["databases"]:
            if name.lstrip("/") not in found:
                raise Trouble("path_missing", "The database " + printable(name) + " lies in none of the folders named.")
            sqlite.check(self.at(name))
        if not self.service.runs():
            raise Trouble("service_not_running", "The service does not run on the old server.")
        service.jobs_read(self.root, self.jobs)
        account = service.account_read(self.settings["user"], self.root) if self.settings["user"] else None
        databases = self.servers.survey()
        for directory, size in self.servers.way_back(databases):
            room(directory, {"bytes": size, "entries": 0})
        return {
            "bytes": parcel.weight(self.root, found),
            "entries": len(found),
            "account": account,
            "servers": databases,
        }

    def fit(self, line, now, need, servers):
        """Whether the new server is free for it and has room. Raises Trouble."""
        fit_itself(now)
        self._refuse_taken()
        kept_in = self.servers.fit(servers)
        if self._brought():
            return {}
        for top in self.tops:
            room(self.at(top), need)
        for directory, size in kept_in:
            # What arrives lies beside what is there for a while.
            room(directory, {"bytes": 2 * size, "entries": 0})
        return {}

    def _refuse_taken(self):
        brought = self._brought()
        taken = [
            one for one in (*self.tops, *_names(self.jobs)) if one not in brought and os.path.lexists(self.at(one))
        ]
        if taken:
            names = [printable("/" + one) for one in taken[:20]]
            raise Trouble("target_not_empty", "There is something already: " + ", ".join(names[:3]) + ".", names=names)

    def _brought(self):
        return service.note_of(self.store).get("tops", [])

    def reach(self, line):
        """Which of the procedure's interfaces to others do not answer from here."""
        with ThreadPoolExecutor(max_workers=16) as many:
            return {"silent": [one for one in many.map(_silent, self.settings["reaches"]) if one]}

    # -- account

    def prepare(self, line, account):
        """Make the service account."""
        return {"changed": bool(account) and service.account_make(account, self.root, self.store)}

    def unprepare(self, line):
        """Take it away."""
        service.account_unmake(self.root, self.store)
        self.servers.remove_accounts()
        return {}

    # -- carrying

    def known(self, line, paths):
        """The blocks of these files, for the other side to send only others. Raises Trouble."""
        try:
            return {"known": arrival.known(paths, root=self.root, tops=self.tops)}
        except ValueError as error:
            raise Trouble(
                "parcel_damaged", "A file was asked about that nobody carries: " + printable(str(error))
            ) from None

    def _companions(self):
        return frozenset(name.lstrip("/") + one for name in self.settings["databases"] for one in sqlite.COMPANIONS)

    def _ground(self, tops):
        return parcel.Ground(self.root, self.tops, tops, self._companions())

    def take(self, line, tops):
        """Take what arrives; on the new server the first time notes whose it is."""
        if self.part == "target" and not self._brought():
            self._refuse_taken()
            service.note(self.store, tops=self.tops, made=self._missing_parents(), fenced=True)
            self.service.hold_back()
        told = arrival.take(line, root=self.root, tops=tops, store=self.store)
        return {"files": told["files"]}

    def _missing_parents(self):
        found = {"/".join(top.split("/")[:n]) for top in self.tops for n in range(1, len(top.split("/")))}
        return sorted(one for one in found if not os.path.lexists(self.at(one)))

    def agree(self, line, gave):
        """Both sides are equal now."""
        parcel.agree(self.store, self.root, self.tops, gave=gave, skip=self._companions())
        return {}

    def prints(self, line, arrived=()):
        """Fingerprints of data and databases at rest: the same on both sides, or something is lost."""
        for name in self.settings["databases"]:
            sqlite.settle(self.at(name))
        size = parcel.length(parcel.states(self.root, self.data, self._companions()))
        files = parcel.digest(self.root, self.data, skip=self._companions(), contents=size <= ALL_CONTENTS)
        found = {one: sqlite.fingerprint(self.at(one)) for one in self.settings["databases"]}
        return {"files": files, "databases": {**found, **self.servers.prints(arrived=arrived)}}

    def address(self, line, pairs):
        """Write the new server's addresses into the configuration that was brought."""
        return {"files": self.readdressed(self.settings["configuration"], pairs)}

    # -- who may write

    def fence(self, line):
        """The write barrier: jobs held, service stopped, nobody has a database open. Raises Trouble."""
        noted = service.note_of(self.store)
        if "fenced" not in noted:
            enabled = noted.get("enabled", self.service.enabled())
            limits = self.servers.limits(noted.get("limits"))
            service.note(self.store, fenced=True, enabled=enabled, limits=limits or None)
        self.service.hold_back()
        service.jobs_held(self.root, self.jobs, True)
        self.service.stop()
        self._wait_quiet()
        self.servers.close()
        noted = service.note_of(self.store)
        return {"enabled": bool(noted.get("enabled")), "limits": noted.get("limits", {})}

    def _wait_quiet(self):
        databases = [self.at(name) for name in self.settings["databases"]]
        until = time.monotonic() + QUIET_S
        while True:
            busy = service.users_of([one + end for one in databases for end in ("", "-wal")])
            if not busy:
                return
            if time.monotonic() > until:
                says = "Somebody else has the database open: " + ", ".join(busy[:3]) + "."
                raise Trouble("database_in_use", says, programs=busy[:20])
            time.sleep(0.05)

    def open(self, line, enabled=None, limits=None):
        """Take the barrier away: the service runs, starts with the machine as it did on the other side, jobs run.

        Without `enabled` it is as it was when the barrier was put up; the note of the barrier goes last.
        """
        noted = service.note_of(self.store)
        wanted = noted.get("enabled") if enabled is None else enabled
        if limits is not None or "limits" in noted:
            self.servers.open(noted.get("limits") if limits is None else limits)
        self.service.let_go()
        if wanted is not None:
            self.service.enable(wanted)
        self.service.start()
        service.jobs_held(self.root, self.jobs, False)
        service.note(self.store, fenced=None, enabled=None, limits=None)
        return self.unasked(line)

    def asked(self, line):
        """Who began a connection here since the first time that this was asked; counted from now on."""
        rows = self.watch.seen()
        if rows is None:
            service.note(self.store, watched=int(time.time()))
        why = self.watch.begin()
        return {"why": why, "rows": rows or [], "since": service.note_of(self.store).get("watched", 0)}

    def unasked(self, line):
        """Nobody counts any more who asks."""
        if self.watch.end() or "watched" in service.note_of(self.store):
            service.note(self.store, watched=None)
        return {}

    def idle(self, line):
        """The new server as it was before it was opened: the service neither runs nor starts with the machine."""
        self.service.enable(False)
        return {}

    def jobs_give(self, line):
        """The jobs' texts."""
        return {"jobs": service.jobs_read(self.root, self.jobs)}

    def jobs_take(self, line, jobs):
        """Bring the jobs, held back."""
        service.jobs_bring(self.root, jobs, self.jobs)
        return {}

    # -- the undo of a copy

    def remove(self, line):
        """Take away what was brought; anything that somebody else put there stops it before it begins."""
        noted = service.note_of(self.store)
        if "tops" in noted:
            self._refuse_foreign(noted["tops"])
            for job in self.jobs:
                remove_file(self.at(job) + service.HELD)
            for top in noted["tops"]:
                self._remove_top(self.at(top))
            for parent in sorted(noted["made"], reverse=True):
                with suppress(FileNotFoundError):
                    os.rmdir(self.at(parent))
        self.servers.remove_databases()
        self.service.let_go()
        self.anew(line)
        service.note(self.store, tops=None, made=None, fenced=None, enabled=None, limits=None)
        return {}

    @staticmethod
    def _remove_top(path):
        if os.path.isdir(path) and not os.path.islink(path):
            shutil.rmtree(path)
        else:
            remove_file(path)

    def _refuse_foreign(self, tops):
        kept = parcel.load(self.store)
        if kept is None:
            return  # the first copy broke off: nothing but ours was ever there
        foreign = sorted(parcel.states(self.root, tops, self._companions()).keys() - kept.keys())
        if foreign:
            names = [printable("/" + one) for one in foreign[:20]]
            says = "There is what nobody brought: " + ", ".join(names[:3]) + ". Nothing was touched."
            raise Trouble("foreign_files", says, names=names)


def _silent(place):
    host, port = place.rsplit(":", 1)
    try:
        socket.create_connection((host.strip("[]"), int(port)), REACH_S).close()
    except (OSError, UnicodeError):
        return place
    return ""


def _names(paths):
    return [one.strip("/") for one in paths]


serve = serving(Side)
