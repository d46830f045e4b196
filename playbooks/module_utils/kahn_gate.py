"""The gateway of a procedure that moves: the writer record, the route, and questions asked as users ask them.

The record says which side may write (`old`, `none`, `new`) and which side holds the last word (`truth`). It is written
before the act it speaks of: whoever finds it after a crash knows at least as much as was done. Python 3.9, standard
library only; sent to the host as one program.
"""

from __future__ import annotations

import base64
import http.client
import json
import os
import socket
import time

try:
    from ansible.module_utils.kahn_naming import Naming
    from ansible.module_utils.kahn_outcome import Trouble, printable, remove_file, store_of, write_whole
    from ansible.module_utils.kahn_switch import Switch
    from ansible.module_utils.kahn_talk import called, serving
except ImportError:  # sent to a host as one program
    from kahn_naming import Naming
    from kahn_outcome import Trouble, printable, remove_file, store_of, write_whole
    from kahn_switch import Switch
    from kahn_talk import called, serving

WRITERS = ("old", "none", "new")
ANSWER_S = 5
_LARGEST = 65536


class Gate:
    """The gateway's answers. `words`: asset, root, the procedure's settings, addresses of `old` and `new`."""

    def __init__(self, words):
        self.settings, self.addresses = words["settings"], words["addresses"]
        self.store = store_of(words["asset"], os.path.join(words["root"], "var/lib/kahn"))
        self.file = os.path.join(words["root"], self.settings["gateway_file"].lstrip("/"))
        self.switch, self.naming = Switch(words, self.store), Naming(words, self.store)

    def ops(self):
        """What can be asked, by name."""
        names = ("look", "record", "route", "forget", "serves", "quiet", "fit")
        names += ("names_lower", "names_waited", "names_lead", "names_restore")
        return {name: getattr(self, name) for name in names}

    # -- the writer record

    def look(self, line):
        """The record and where the gateway leads, other files that name the server included. Raises Trouble."""
        noted, route = self._noted(), self._leads()
        route = "elsewhere" if route == "new" and not self.switch.is_new() else route
        return {"writer": noted.get("writer", ""), "truth": noted.get("truth", ""), "route": route}

    def _noted(self):
        try:
            with open(self._path, "rb") as opened:
                found = json.load(opened)
        except FileNotFoundError:
            return {}
        except ValueError:
            found = None
        if not isinstance(found, dict) or found.get("writer") not in WRITERS:
            raise Trouble("record_damaged", "The writer record " + self._path + " cannot be read.")
        return found

    @property
    def _path(self):
        return os.path.join(self.store, "writer")

    def record(self, line, writer, truth):
        """Write down who may write from now on, and read it back. Raises Trouble."""
        noted = self._noted()
        before = noted.get("before")
        if before is None:
            with open(self.file, "rb") as opened:
                text, stamp = opened.read(_LARGEST), os.fstat(opened.fileno()).st_mtime_ns
            before = {"text": base64.b64encode(text).decode("ascii"), "mtime": stamp}
        kept = {"writer": writer, "truth": truth, "before": before}
        write_whole(self._path, [json.dumps(kept, sort_keys=True).encode("ascii")])
        if self._noted() != kept:
            raise Trouble("record_damaged", "The writer record was not kept.")
        return {}

    def forget(self, line):
        """Everything is as it was before: no record."""
        self.switch.forget()
        self.naming.forget()
        return {"changed": remove_file(self._path)}

    # -- the route

    def _leads(self):
        with open(self.file, "rb") as opened:
            text = opened.read(_LARGEST)
        if self._is(text, "old"):
            return "old"
        return "new" if self._is(text, "new") else "elsewhere"

    def _is(self, text, side):
        return text.strip() == self._line(side).strip()

    def _line(self, side):
        return self.settings["gateway_line"].replace("{address}", self.addresses[side]).encode("utf-8") + b"\n"

    def fit(self, line):
        """Whether the gateway leads to the old server, so that it can be put back exactly. Raises Trouble."""
        where = self._leads()
        if where != "old" and not self._noted():
            raise Trouble("gateway_differs", "The gateway's file does not lead to the old server as the settings say.")
        self.switch.fit()
        self.naming.fit()
        return {"route": where}

    def route(self, line, to):
        """Lead users to a side, and read back that it is so. Raises Trouble."""
        if self._leads() != to:
            before = self._noted().get("before") if to == "old" else None
            self._write(base64.b64decode(before["text"]) if before else self._line(to), before and before["mtime"])
        self._tell(self.settings["gateway_reload"], "The gateway did not take the new route")
        if self._leads() != to:
            raise Trouble("gateway_differs", "The gateway's file is not as it was written.")
        self._turn_others(to)
        return {}

    @staticmethod
    def _tell(argv, says):
        code, said = called(argv)
        if code:
            raise Trouble("gateway_refused", f"{says} (code {code}): {printable(said)}")

    def _turn_others(self, to):
        """Other files follow, and who reads them is told, also when an earlier try broke off before that; then the
        name servers must say so too, and the zones be newer where something of them was written."""
        expected = self.naming.expect(to, written=bool(self.switch.files))
        self.switch.turn(to)
        if self.switch.files and self.switch.reload:
            self._tell(self.switch.reload, "The switched files were not taken")
        self.naming.turn(to, expected)

    # -- names

    def names_lower(self, line):
        """Resolvers keep the procedure's names only shortly from now on. Raises Trouble."""
        return {"changed": self.naming.lower()}

    def names_waited(self, line):
        """No resolver can have a name with its old time to live. Raises Trouble while one may."""
        self.naming.waited()
        return {}

    def names_lead(self, line, to):
        """Every name leads to that side, at every server. Raises Trouble."""
        self.naming.lead(to)
        return {}

    def names_restore(self, line, side):
        """The names live as long as before they were lowered, leading to that side. Raises Trouble."""
        return {"changed": self.naming.restore(side)}

    def _write(self, text, mtime):
        entry = os.stat(self.file)
        part = self.file + ".kahn-new"
        remove_file(part)
        try:
            write_whole(part, [text], mode=entry.st_mode & 0o7777)
            os.chown(part, entry.st_uid, entry.st_gid)
            if mtime:
                os.utime(part, ns=(mtime, mtime))
            os.replace(part, self.file)
        finally:
            remove_file(part)

    # -- as users see it

    def serves(self, line, where, tries, gap_s=0.1):
        """Ask as a user does: `old`, `new` directly, or `gateway`. Raises Trouble when no try is answered well."""
        address = "127.0.0.1" if where == "gateway" else self.addresses[where]
        port = self.settings["gateway_port"] if where == "gateway" else self.settings["port"]
        said = ""
        for number in range(tries):
            if number:
                time.sleep(gap_s)
            said = self._asked(address, port)
            if not said:
                return {"tries": number + 1}
        raise Trouble("procedure_silent", f"The procedure does not answer as it should ({where}): {said}")

    def _asked(self, address, port):
        """What is wrong with the answer, or nothing."""
        path, expect = self.settings["path"], self.settings["expect"]
        try:
            if not path:
                socket.create_connection((address, port), ANSWER_S).close()
                return ""
            asked = http.client.HTTPConnection(address, port, timeout=ANSWER_S)
            asked.request("GET", path, headers={"Host": self.settings["host"] or address, "Connection": "close"})
            answer = asked.getresponse()
            text = answer.read(_LARGEST).decode("utf-8", "replace")
            asked.close()
        except (OSError, http.client.HTTPException) as error:
            return printable(str(error) or type(error).__name__)
        if answer.status != 200:
            return f"status {answer.status}"
        return "" if expect in text else "the expected text is not in the answer"

    def quiet(self, line, begin):
        """Tell the monitoring that a downtime begins or ends, where a command for it is set."""
        argv = self.settings["quiet_begin" if begin else "quiet_end"]
        return {"code": called(argv)[0] if argv else 0}


serve = serving(Gate)
