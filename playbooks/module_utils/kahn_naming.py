"""The names of a procedure that moves: their time to live lowered, waited out, led elsewhere, and put back.

Where a key is described the records are changed by signed updates; else by files and commands of the gateway, and names
are only asked. What stood there is noted before it is changed. Python 3.9, standard library only; sent to the gateway.
"""

from __future__ import annotations

import json
import os
import time

try:
    from ansible.module_utils.kahn_names import Names, addresses, zone
    from ansible.module_utils.kahn_outcome import Trouble, printable, remove_file, write_whole
    from ansible.module_utils.kahn_update import Key, Record, replace
except ImportError:  # sent to a host as one program
    from kahn_names import Names, addresses, zone
    from kahn_outcome import Trouble, printable, remove_file, write_whole
    from kahn_update import Key, Record, replace

LONGEST_S = 24 * 3600
"""The longest time to live that a wave waits out."""
MARGIN_S = 1
TRIES = 3


class Naming:
    """The procedure's names, as the gateway sees and changes them. `words`: root, settings, addresses of both sides."""

    def __init__(self, words, store):
        settings, self._addresses = words["settings"], words["addresses"]
        self._low_s = settings.get("dns_ttl_s", 60)
        path = settings.get("dns_key_file", "")
        self._key_file = os.path.join(words["root"], path.lstrip("/")) if path else ""
        self._kept, self._serials = os.path.join(store, "names"), os.path.join(store, "serials")
        self.names = Names(settings)

    @property
    def written_here(self):
        """Whether records are changed from here."""
        return bool(self._key_file and self.names.names)

    # -- looking

    def fit(self):
        """Every name leads to the old server, at every server, and could be changed. Raises Trouble."""
        self.names.fit(self._addresses["old"])
        if not self.written_here:
            return
        key = Key(self._key_file)
        for name in self.names.names:
            seconds = addresses(self.names.primary, name)[1]
            if seconds > LONGEST_S and name not in self._noted():
                says = f"{printable(name)} is kept by resolvers for {seconds} s; a wave waits {LONGEST_S} s at most."
                raise Trouble("names_live_long", says)
            now = Record(name, self._addresses["old"])
            replace(self.names.primary, key, self._zone(name), now, None)

    def lead(self, side):
        """Every name leads to that side, at every server. Raises Trouble."""
        self.names.fit(self._addresses[side])

    def _zone(self, name):
        found = zone(self.names.primary, name)[0]
        if not found:
            raise Trouble("names_not_primary", f"{self.names.primary[0]} has no zone that {printable(name)} lies in.")
        return found

    # -- the time to live

    def lower(self):
        """Resolvers keep the names only shortly from now on; what they had is noted first. Raises Trouble."""
        if not self.written_here:
            return False
        noted = self._noted()
        for name in self.names.names:
            lives = addresses(self.names.primary, name)[1]
            if name not in noted or lives > self._low(noted, name):  # or somebody gave it a longer time since
                noted[name] = {"seconds": lives}
                self._note(noted)
        changed = [self._lower_one(name, noted) for name in self.names.names]
        # Only now does no server tell anybody the long time any more: from here on it is waited.
        self.names.wait(self._addresses["old"], {}, max(self._low(noted, name) for name in self.names.names))
        for one in noted.values():
            one.setdefault("since", _clocks())
        self._note(noted)
        return any(changed)

    def _lower_one(self, name, noted):
        """Written once also where the time is low already: a key that may not change it is found while users work."""
        return self._set(name, "old", "old", self._low(noted, name), surely="since" not in noted[name])

    def _low(self, noted, name):
        return min(self._low_s, noted[name]["seconds"])

    def waited(self):
        """Nobody can still have a name from before its time was lowered. Raises Trouble while that is not so."""
        if not self.written_here:
            return
        noted = self._noted()
        for name in self.names.names:
            if "since" not in noted.get(name, {}):
                raise Trouble("names_differ", f"The time to live of {printable(name)} was not lowered.")
        left = max(one["seconds"] + MARGIN_S - _since(one["since"]) for one in noted.values())
        if left > 0:
            until = time.time() + left
            says = "Resolvers may know the names with their old time to live until "
            raise Trouble("names_cached", says + time.strftime("%Y-%m-%d %H:%M:%S UTC.", time.gmtime(until)),
                          until=int(until) + 1)  # fmt: skip

    def restore(self, side):
        """The names live as long as before, leading to that side; nothing is noted any more. Raises Trouble."""
        noted = self._noted() if self.written_here else {}
        changed = [self._set(name, side, side, one["seconds"]) for name, one in noted.items()]
        if changed:
            self.names.wait(self._addresses[side], {})
        remove_file(self._kept)
        return any(changed)

    # -- where they lead

    def expect(self, to, written):
        """Serials that must become newer by a switch to that side, noted before anything is written, so that a switch
        that was broken off is asked for them again. `written`: whether a file of a zone may be. On the way back those
        only that did on the way there: where they did not, secondaries never followed. Raises Trouble."""
        if not self.names.names or not (written or self.written_here):
            return {}
        kept = self._read(self._serials)
        if to == "old" and "new" not in kept:
            return {}  # nothing was led away
        if to not in kept or (to == "new" and "old" in kept):
            now = self.names.serials()
            first = kept.get("new", {})
            back = {name: one for name, one in now.items() if one != first.get(name, one)}
            kept = {"new": now} if to == "new" else {**kept, "old": back}
            write_whole(self._serials, [json.dumps(kept).encode("ascii")])
        return kept[to]

    def turn(self, to, expected):
        """Every name leads to that side, and every server says so with a newer zone. Raises Trouble."""
        if not self.names.names:
            return
        if self.written_here:
            if to == "old" and "new" not in self._read(self._serials):
                return  # never led away: a name server that is lost must not keep the old server from serving
            for name in self.names.names:
                self._set(name, "old" if to == "new" else "new", to, None)
        self.names.wait(self._addresses[to], expected)

    def forget(self):
        """The switch is as if it had never been."""
        remove_file(self._serials)

    # -- changing one

    def _set(self, name, there, to, seconds, *, surely=False):
        """Let the name lead from one side to the other, or live longer; whether that was written, which it is `surely`
        also where it says so. An update that nobody answered may have been done, so the record is looked at before it
        is tried again. Raises Trouble."""
        key, server = Key(self._key_file), self.names.primary
        for number in range(TRIES):
            found, lives = addresses(server, name)
            wanted = lives if seconds is None else seconds
            if found == [self._addresses[to]] and lives == wanted and not (surely and not number):
                return number > 0
            now = Record(name, self._addresses[there])
            try:
                replace(server, key, self._zone(name), now, Record(name, self._addresses[to], wanted))
            except Trouble as trouble:
                if trouble.cause != "names_unanswered" or number + 1 == TRIES:
                    raise
                continue
            return True
        return False

    # -- notes

    def _noted(self):
        return self._read(self._kept)

    def _note(self, noted):
        write_whole(self._kept, [json.dumps(noted, sort_keys=True).encode("ascii")])

    @staticmethod
    def _read(path):
        try:
            with open(path, "rb") as opened:
                found = json.load(opened)
        except FileNotFoundError:
            return {}
        except ValueError:
            found = None
        if not isinstance(found, dict):
            raise Trouble("record_damaged", "The note " + path + " cannot be read.")
        return found


def _clocks():
    """This moment by both clocks: one that people set, and one that runs from the machine's start."""
    with open("/proc/sys/kernel/random/boot_id") as opened:
        boot = opened.read().strip()
    return {"time": time.time(), "boot": boot, "up": time.clock_gettime(time.CLOCK_BOOTTIME)}


def _since(then):
    """Seconds since then: the fewest of both clocks, because one may have been set forward meanwhile."""
    now = _clocks()
    passed = now["time"] - then["time"]
    return max(0.0, min(passed, now["up"] - then["up"]) if now["boot"] == then["boot"] else passed)
