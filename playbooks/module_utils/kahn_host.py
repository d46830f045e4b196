"""One of the two hosts of a server that moves as a whole: what the controller can ask of it during a step.

The old host is `source`, the new one `target`. What changes something is noted first and repeats without effect.
Python 3.9, standard library only; sent to the hosts as one program.
"""

from __future__ import annotations

import json
import os
import socket
import stat
import subprocess
import sys
import time

try:
    from ansible.module_utils import kahn_arrival as arrival
    from ansible.module_utils import kahn_carried as carried
    from ansible.module_utils import kahn_numbers as numbers
    from ansible.module_utils import kahn_packages as packages
    from ansible.module_utils import kahn_parcel as parcel
    from ansible.module_utils import kahn_units as units
    from ansible.module_utils.kahn_before import Before, named
    from ansible.module_utils.kahn_never import path_reason, refuse
    from ansible.module_utils.kahn_outcome import Trouble, printable, remove_file, store_of, write_whole
    from ansible.module_utils.kahn_switch import replaced
    from ansible.module_utils.kahn_talk import serving
except ImportError:  # sent to a host as one program
    import kahn_arrival as arrival
    import kahn_carried as carried
    import kahn_numbers as numbers
    import kahn_packages as packages
    import kahn_parcel as parcel
    import kahn_units as units
    from kahn_before import Before, named
    from kahn_never import path_reason, refuse
    from kahn_outcome import Trouble, printable, remove_file, store_of, write_whole
    from kahn_switch import replaced
    from kahn_talk import serving

SKEW_S, SPARE = 300, 64 * 1024 * 1024
ALL_CONTENTS = 1024**3
LARGEST_TEXT = 1 << 20


class Host:
    """The host's answers. `words`: asset, part and root."""

    def __init__(self, words):
        self.root, self.part = words["root"], words["part"]
        self.store = store_of(words["asset"], os.path.join(self.root, "var/lib/kahn"))
        self.before = Before(self.store, self.root)

    def at(self, name):
        """The place of a name."""
        return os.path.join(self.root, name)

    def ops(self):
        """What can be asked, by name."""
        names = (
            "look",
            "survey",
            "fit",
            "prepare",
            "unprepare",
            "changes",
            "known",
            "give",
            "take",
            "agree",
            "address",
        )
        names += ("fence", "open", "prints", "remove", "anew", "proven", "rename", "closed", "hand")
        return {name: getattr(self, name) for name in names}

    # -- notes

    def _notes(self):
        try:
            with open(os.path.join(self.store, "host"), "rb") as opened:
                return json.load(opened)
        except FileNotFoundError:
            return {}

    def _note(self, **facts):
        found = {key: one for key, one in {**self._notes(), **facts}.items() if one is not None}
        path = os.path.join(self.store, "host")
        if found:
            write_whole(path, [json.dumps(found, sort_keys=True).encode("ascii")])
        else:
            remove_file(path)

    # -- looking

    def look(self, line):
        """How it stands: whether its services are held back, whether it was opened as the new host, what came."""
        noted = self._notes()
        told = {"fenced": "units" in noted, "opened": bool(noted.get("opened")), "handed": bool(noted.get("handed"))}
        return dict(told, brought=self.before.begun)

    def survey(self, line, now):
        """What there is to carry. `now` is the controller's time, None where it does not matter. Raises Trouble."""
        self._fit_itself(time.time() if now is None else now)
        tops = carried.tops(self.root)
        found = parcel.states(self.root, tops["data"] + tops["configuration"], frozenset(tops["skip"]))
        weight = parcel.weight(self.root, found)
        owners = {
            "users": sorted({one[2] for one in found.values()}),
            "groups": sorted({one[3] for one in found.values()}),
        }
        held = self._notes().get("units")
        return {
            "tops": tops,
            "bytes": weight,
            "entries": len(found),
            "owners": owners,
            "accounts": numbers.told(self.root),
            "packages": packages.asked_for(),
            "units": held or units.carried(self.root),
            "hostname": socket.gethostname(),
        }

    def _fit_itself(self, now):
        if sys.version_info < (3, 9):  # noqa: UP036 (the machine decides)
            raise Trouble("python_too_old", f"Python {sys.version[:6]} is here, 3.9 is needed.")
        skew = time.time() - now
        if abs(skew) > SKEW_S:
            raise Trouble("clock_wrong", f"The clock is {skew:.0f} s off.")

    def fit(self, line, now, found):
        """Whether the new host can take it: room, packages, accounts. Raises Trouble; the answer is for people."""
        refuse(found)
        self._fit_itself(now)
        packages.refuse_locked(self.root)
        compared = packages.compared(found["packages"])
        if not self.before.begun:
            for top in (*found["tops"]["data"], "etc", "usr", "var/lib/dpkg"):
                self._room(self.at(top), found)
        wrong = numbers.conflicts(self.root, numbers.checked(found["accounts"]), found["owners"])
        if wrong:
            says = "The new host has another " + ", ".join(wrong[:3]) + "."
            raise Trouble("accounts_differ", says, names=wrong[:50])
        return {**compared, "left_to_people": numbers.left_alone(found["accounts"])[:50]}

    @staticmethod
    def _room(path, need):
        while not os.path.isdir(path):
            path = os.path.dirname(path)
        found = os.statvfs(path)
        free, wanted = found.f_bavail * found.f_frsize, need["bytes"] + need["entries"] * 4096 + SPARE
        if found.f_flag & os.ST_RDONLY or not os.access(path, os.W_OK):
            raise Trouble("read_only", printable(path) + " cannot be written to.")
        if free < wanted:
            raise Trouble("not_enough_space", f"{free >> 20} MiB are free, {wanted >> 20} are needed.", free_bytes=free)

    # -- packages, accounts, services of the new host

    def prepare(self, line, accounts, install, names):
        """Accounts first, so that packages find their numbers; then packages; then its services are held back."""
        refuse({"units": names, "packages": install})
        made = numbers.make(self.root, accounts, self.store)
        noted = self._notes()
        if "packages_before" not in noted:
            self._note(packages_before=sorted(packages.installed()), hostname=socket.gethostname())
        known = units.carried(self.root)
        packages.install(install, self.root)
        if install or "packages_brought" not in noted:
            self._note(packages_brought=self._came())
        # What a package brings does not start by itself before it is known whether it ran on the old host.
        self._hold(sorted({*names, *(units.carried(self.root).keys() - known.keys())}))
        return {"changed": made or bool(install)}

    def _hold(self, names):
        """Held back here, and noted how they stood before."""
        noted = self._notes().get("units", {})
        there = names if units.is_systemd(self.root) else ()
        fresh = [one for one in there if one not in noted]
        self._note(units={**noted, **units.states(fresh, self.root)})
        units.hold_back(there, self.root)

    def unprepare(self, line):
        """Packages that came are taken away, services and accounts are as before."""
        noted = self._notes()
        if "packages_before" in noted:
            # Not what people installed since; of an installation that died nobody knows what else came meanwhile.
            brought = set(noted.get("packages_brought", self._came()))
            packages.remove(sorted(brought & packages.installed().keys()), self.root)
        units.let_go(noted.get("units", {}), self.root)
        numbers.unmake(self.root, self.store)
        self._set_name(noted.get("hostname"))
        self._note(units=None, packages_before=None, packages_brought=None, hostname=None, opened=None)
        return {}

    def _came(self):
        noted = self._notes()
        fresh = packages.installed().keys() - set(noted["packages_before"])
        return sorted({*noted.get("packages_brought", ()), *fresh})

    # -- carrying

    def changes(self, line, tops):
        """How much changed since both were equal, and which changed files are large."""
        now, changed, gone = parcel.changes(self.store, self._ground(tops))
        return {"changed": len(changed), "gone": len(gone), "large": parcel.large(now, changed)}

    def known(self, line, tops, paths):
        """The blocks of these files, for the other side to send only others. Raises Trouble."""
        refuse({"tops": tops})
        paths = [one for one in paths if not path_reason(one)]
        try:
            return {"known": arrival.known(paths, root=self.root, tops=self._all(tops))}
        except ValueError as error:
            raise Trouble(
                "parcel_damaged", "A file was asked about that nobody carries: " + printable(str(error))
            ) from None

    def give(self, line, tops, known):
        """Send what changed."""
        return parcel.give(line, store=self.store, ground=self._ground(tops), known=known)

    @staticmethod
    def _all(tops):
        return [*tops["data"], *tops["configuration"]]

    def _ground(self, tops):
        return parcel.Ground(self.root, self._all(tops), self._all(tops), self._skip(tops))

    def _skip(self, tops):
        """What is left out: what is never carried, and on the new host what was its own before."""
        return frozenset(tops["skip"]) | (self.before.own() if self.part == "target" else frozenset())

    def take(self, line, tops):
        """Take what arrives; what lies on the new host is kept first."""
        refuse({"tops": tops})
        wanted, line = self._all(tops), _Allowed(line)
        if self.part == "source":
            return {"files": arrival.take(line, root=self.root, tops=wanted, store=self.store)["files"]}
        self.before.begin(wanted)
        return {
            "files": arrival.take(self.before.watching(line), root=self.root, tops=wanted, store=self.store)["files"]
        }

    def agree(self, line, tops, gave):
        """Both sides are equal now."""
        parcel.agree(self.store, self.root, self._all(tops), gave=gave, skip=self._skip(tops))
        return {}

    def prints(self, line, tops):
        """The fingerprint of the data at rest: the same on both sides, or something is lost."""
        skip = self._skip(tops)
        size = sum(one[4] for one in parcel.states(self.root, tops["data"], skip).values())
        return {"files": parcel.digest(self.root, tops["data"], skip=skip, contents=size <= ALL_CONTENTS)}

    def address(self, line, tops, pairs):
        """Write the new host's addresses into the configuration that was brought."""
        count = 0
        for name in tops["configuration"]:
            path = self.at(name)
            entry = os.lstat(path)
            if not stat.S_ISREG(entry.st_mode) or entry.st_size > LARGEST_TEXT:
                continue
            with open(path, "rb") as opened:
                text = before = opened.read()
            for old, new in pairs:
                text = replaced(text, old.encode(), new.encode())
            if text != before:
                count += 1
                self._rewrite(path, entry, text)
        return {"files": count}

    @staticmethod
    def _rewrite(path, entry, text):
        part = path + parcel.PART
        with open(part, "wb") as opened:
            opened.write(text)
            os.fchown(opened.fileno(), entry.st_uid, entry.st_gid)
            os.fchmod(opened.fileno(), stat.S_IMODE(entry.st_mode))
        os.utime(part, ns=(entry.st_mtime_ns, entry.st_mtime_ns))
        os.replace(part, path)

    # -- the switch

    def fence(self, line, names=None):
        """Hold its services back and tell how they stood; the old host's are noted the first time."""
        noted = self._notes()
        refuse({"units": names or ()})
        if self.part == "target":
            self._hold(sorted({*(names or ()), *noted.get("units", {})}))
            # While its unit file is still there: afterwards nobody could tell what the links were for.
            units.switch(self._notes()["units"], self.root)
            return {}
        if "units" not in noted:
            self._note(units=units.carried(self.root))
        wanted = self._notes()["units"]
        units.hold_back([*wanted], self.root)
        return {"units": wanted}

    def open(self, line, wanted=None):
        """Services as they are wanted; without that, as they stood before, and then nothing is held back any more."""
        if wanted is not None:
            self._note(opened=True)
            units.let_go(self._as(wanted), self.root)
            return {}
        units.let_go(self._notes().get("units", {}), self.root)
        self._note(units=None, handed=None)
        return {}

    def hand(self, line):
        """The new host may serve from now on: only it knows what was written since."""
        self._note(handed=True)
        return {}

    def _as(self, wanted):
        """How each unit that is held back here is to stand: what did not run on the old host stays off."""
        return {one: wanted.get(one, {"enabled": False, "active": False}) for one in self._notes().get("units", {})}

    def rename(self, line, hostname):
        """The host goes by that name from now on, too (its file was brought among the configuration)."""
        refuse({"hostname": hostname})
        self._set_name(hostname)
        return {}

    @staticmethod
    def _set_name(hostname):
        if hostname and hostname != socket.gethostname():
            subprocess.run(["hostname", hostname], stdin=subprocess.DEVNULL, capture_output=True, timeout=20)

    def proven(self, line, wanted):
        """That its services stand as wanted. Raises Trouble."""
        wrong = units.differing(self._as(wanted), self.root)
        if wrong:
            raise Trouble(
                "services_differ", "Not as on the old host: " + "; ".join(wrong[:3]) + ".", services=wrong[:50]
            )
        return {}

    # -- back

    def remove(self, line):
        """Put back what lay here; anything that somebody else put there stops it before it begins."""
        kept = parcel.load(self.store)
        arrival.clear(self.root, self.before.tops, self.store)
        self.before.restore(None if kept is None else set(kept))
        self.anew(line)
        return {}

    def anew(self, line):
        """The other side has nothing: the next time everything is sent."""
        for name in ("parcel", "parcel.next"):
            remove_file(os.path.join(self.store, name))
        return {}

    def closed(self, line):
        """The new host serves no more; its data went back."""
        self._note(opened=None)
        return {}


class _Allowed:
    """A stream that ends in a failure once it names what is never carried."""

    def __init__(self, line):
        self._line = line

    def arriving(self):
        for kind, body in self._line.arriving():
            for path in named(json.loads(body)) if kind == b"R" else ():
                if path_reason(path):
                    raise Trouble("parcel_damaged", "The other host sends what is never carried: " + printable(path))
            yield kind, body


serve = serving(Host)
