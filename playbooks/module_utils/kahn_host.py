"""One of the two hosts of a server that moves as a whole: what the controller can ask of it during a step.

The old host is `source`, the new one `target`. What changes something is noted first and repeats without effect.
Python 3.9, standard library only; sent to the hosts as one program.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import time

try:
    from ansible.module_utils import kahn_arrival as arrival
    from ansible.module_utils import kahn_carried as carried
    from ansible.module_utils import kahn_mirror as mirror
    from ansible.module_utils import kahn_numbers as numbers
    from ansible.module_utils import kahn_packages as packages
    from ansible.module_utils import kahn_parcel as parcel
    from ansible.module_utils import kahn_units as units
    from ansible.module_utils import kahn_versions as versions
    from ansible.module_utils.kahn_before import Before, named
    from ansible.module_utils.kahn_end import ALL_CONTENTS, End, fit_itself, room
    from ansible.module_utils.kahn_never import path_reason, refuse
    from ansible.module_utils.kahn_numbering import Arriving, Leaving, Numbering
    from ansible.module_utils.kahn_outcome import Trouble, printable, remove_file, write_whole
    from ansible.module_utils.kahn_talk import serving
except ImportError:  # sent to a host as one program
    import kahn_arrival as arrival
    import kahn_carried as carried
    import kahn_mirror as mirror
    import kahn_numbers as numbers
    import kahn_packages as packages
    import kahn_parcel as parcel
    import kahn_units as units
    import kahn_versions as versions
    from kahn_before import Before, named
    from kahn_end import ALL_CONTENTS, End, fit_itself, room
    from kahn_never import path_reason, refuse
    from kahn_numbering import Arriving, Leaving, Numbering
    from kahn_outcome import Trouble, printable, remove_file, write_whole
    from kahn_talk import serving


class Host(End):
    """The host's answers."""

    ANSWERS = (*End.ANSWERS, "lying", "lacks", "put_aside", "proven", "rename", "closed", "hand")

    def __init__(self, words):
        super().__init__(words)
        self.before = Before(self.store, self.root)

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
        fit_itself(time.time() if now is None else now)
        tops = carried.tops(self.root)
        found = parcel.states(self.root, tops["data"] + tops["configuration"], frozenset(tops["skip"]))
        owners = {
            "users": sorted({one[2] for one in found.values()}),
            "groups": sorted({one[3] for one in found.values()}),
        }
        held = self._notes().get("units")
        return {
            "tops": tops,
            "bytes": parcel.weight(self.root, found),
            "entries": len(found),
            "owners": owners,
            "accounts": numbers.told(self.root),
            "packages": packages.asked_for(),
            "databases": versions.databases(self.root, packages.installed()),
            "configured": carried.configured(self.root, tops["configuration"]),
            "release": versions.release(self.root),
            "units": held or units.carried(self.root),
            "hostname": socket.gethostname(),
        }

    def fit(self, line, now, found):
        """Whether the new host can take it: room, packages, accounts. Raises Trouble; the answer is for people."""
        refuse(found)
        fit_itself(now)
        packages.refuse_locked(self.root)
        told = {**self._versions(found), "renumbered": numbers.numbering(self.root, numbers.checked(found["accounts"]))}
        if not self.before.begun:
            for top in (*found["tops"]["data"], "etc", "usr", "var/lib/dpkg"):
                room(self.at(top), found)
        wrong = numbers.conflicts(self.root, numbers.checked(found["accounts"]), found["owners"])
        if wrong:
            says = "The new host has another " + ", ".join(wrong[:3]) + "."
            raise Trouble("accounts_differ", says, names=wrong[:50])
        return {**told, "left_to_people": [*told["left_to_people"], *numbers.left_alone(found["accounts"])[:50]]}

    def _versions(self, found):
        """What is to be installed, after sources, databases and configuration were compared. Raises Trouble."""
        servers = versions.packages_of(found["databases"])
        wanted = {**dict.fromkeys(servers, ""), **found["packages"]}
        told = packages.compared(wanted)
        mirror.refuse_without_lists(told["not_to_be_had"], told["install"], self.root)
        here = {**packages.to_be_had([*servers, *found["configured"]]), **packages.installed()}
        versions.refuse_other_series(found["databases"], here)
        mirror.refuse_unreachable(told["install"])
        release = versions.release(self.root)
        left = [printable(f"{found['release'][:80]} there, {release} here")] if found["release"] != release else []
        left += [f"configuration {one}" for one in versions.other_configuration(found["configured"], here)]
        other = {name: both for name, both in told["other_version"].items() if both[0]}
        return {**told, "other_version": other, "left_to_people": left[:50]}

    # -- packages, accounts, services of the new host

    def prepare(self, line, accounts, install, names):
        """Accounts first, so that packages find their numbers; then packages; then its services are held back."""
        refuse({"units": names, "packages": install})
        packages.fetch(install, self.root)
        made = numbers.make(self.root, accounts, self.store)
        noted = self._notes()
        if "packages_before" not in noted:
            before = {"packages_before": sorted(packages.installed()), "units_before": sorted(units.carried(self.root))}
            self._note(**before, state_before=self._state(), hostname=socket.gethostname())
        packages.install(install, self.root)
        if install or "packages_brought" not in noted:
            self._note(packages_brought=self._came(), state_brought=self._state_that_came())
        # What a package brings does not start by itself before it is known whether it ran on the old host, also what
        # one brought that was installed by a program that was killed right then.
        self._hold(sorted({*names, *(units.carried(self.root).keys() - set(self._notes()["units_before"]))}))
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
            # A database leaves its empty cluster behind, which belonged to an account that goes as well.
            for top in noted.get("state_brought", self._state_that_came()):
                shutil.rmtree(self.at(top), ignore_errors=True)
        units.let_go(noted.get("units", {}), self.root)
        numbers.unmake(self.root, self.store)
        self._set_name(noted.get("hostname"))
        gone = ("state_before", "state_brought", "packages_before", "packages_brought", "units_before")
        self._note(**dict.fromkeys((*gone, "units", "hostname", "opened")))
        return {}

    def _state(self):
        """Folders of /var/lib that would be carried."""
        return [top for top in carried.tops(self.root)["data"] if top.startswith("var/lib/")]

    def _state_that_came(self):
        noted = self._notes()
        return sorted({*noted.get("state_brought", ()), *self._state()} - set(noted.get("state_before", self._state())))

    def _came(self):
        noted = self._notes()
        fresh = packages.installed().keys() - set(noted["packages_before"])
        return sorted({*noted.get("packages_brought", ()), *fresh})

    # -- carrying

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
        line = Arriving(self.before.watching(line), self._numbering())
        return {"files": arrival.take(line, root=self.root, tops=wanted, store=self.store)["files"]}

    def give(self, line, tops, known):
        """Send what changed; the new host's numbers of accounts stay its own."""
        return super().give(Leaving(line, self._numbering()), tops, known)

    def _numbering(self):
        return Numbering(numbers.noted(self.store) if self.part == "target" else {})

    def lying(self, line, tops):
        """Names of folders that belong to one program each, such as a database's, as they lay here before."""
        kept = tuple(top + "/" for top in tops["data"] if top.startswith("var/lib/"))
        return {"names": [one for one in self.before.names() if one.startswith(kept) and os.path.lexists(self.at(one))]}

    def lacks(self, line, names):
        """Which of these names are not here."""
        return {"names": [one for one in names if not os.path.lexists(self.at(one))]}

    def put_aside(self, line, names, tops):
        """Take away what lay here in a folder of one program and the old host does not have: a mixture is neither's."""
        refuse({"tops": tops})
        self.before.put_aside(set(names) & set(self.lying(line, tops)["names"]))
        return {}

    def agree(self, line, tops, gave):
        """Both sides are equal now."""
        parcel.agree(self.store, self.root, self._all(tops), gave=gave, skip=self._skip(tops))
        return {}

    def prints(self, line, tops):
        """The fingerprint of the data at rest: the same on both sides, or something is lost."""
        skip = self._skip(tops)
        size = parcel.length(parcel.states(self.root, tops["data"], skip))
        return {
            "files": parcel.digest(
                self.root, tops["data"], skip=skip, contents=size <= ALL_CONTENTS, numbering=self._numbering().back()
            )
        }

    def address(self, line, tops, pairs):
        """Write the new host's addresses into the configuration that was brought."""
        return {"files": self.readdressed(tops["configuration"], pairs)}

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
        self.before.restore(None if kept is None else set(kept))
        self.anew(line)
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
