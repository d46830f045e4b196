"""What authoritative name servers say: the address of a name and the serial of its zone, asked over UDP.

Only answers that are authoritative count, so that no cache is believed. Python 3.9, standard library only.
"""

from __future__ import annotations

import os
import socket
import struct
import time

try:
    from ansible.module_utils.kahn_outcome import Trouble, printable
except ImportError:  # sent to a host as one program
    from kahn_outcome import Trouble, printable

A, CNAME, SOA, AAAA = 1, 5, 6, 28
ANSWER_S = 3
TRIES = 3
PATIENCE_S = 20
"""How long a name server may take to serve what it was told to read, or what its primary told it."""
_AUTHORITATIVE, _RESPONSE, _CUT_OFF = 0x0400, 0x8000, 0x0200


def addresses(server, name):
    """(addresses, seconds to live) of a name. Raises Trouble."""
    found = [*_answers(server, name, A), *_answers(server, name, AAAA)]
    seconds = [one[2] for one in found]
    return sorted({socket.inet_ntop(_family(kind), body) for kind, body, _ in found}), min(seconds, default=0)


def _family(kind):
    return socket.AF_INET if kind == A else socket.AF_INET6


def serial(server, name):
    """The serial of the zone that the name lies in; None where the server keeps names without one. Raises Trouble."""
    return zone(server, name)[1]


def zone(server, name):
    """(zone that the name lies in, its serial), as far as the server says; ("", None) without. Raises Trouble."""
    labels = name.rstrip(".").split(".")
    for number in range(len(labels)):
        for _, body, _ in _answers(server, ".".join(labels[number:]), SOA):
            return ".".join(labels[number:]), struct.unpack(">I", body[-20:-16])[0]
    return "", None


def newer(one, than):
    """Whether a serial is newer than another, as secondaries reckon (RFC 1982)."""
    return 0 < (one - than) % 2**32 < 2**31


class Names:
    """The names of one procedure at their authoritative servers: the one that is written to first, then the others."""

    def __init__(self, settings, port=53, patience_s=PATIENCE_S):
        self.names, self._patience_s = settings.get("dns_names", []), patience_s
        first = settings.get("dns_server") or "127.0.0.1"
        self.servers = [(one, port) for one in (first, *settings.get("dns_secondaries", []))]
        self.primary = self.servers[0]

    def fit(self, address, longest_s=None):
        """Every name leads to that address alone, at every server, for so many seconds at most. Raises Trouble."""
        for server in self.servers:
            for name in self.names:
                found, seconds = addresses(server, name)
                if found != [address]:
                    raise Trouble("names_differ", self._elsewhere(server, name, found, address))
                if longest_s is not None and seconds > longest_s:
                    says = f"{printable(name)} is served for {seconds} s by {server[0]}, not for {longest_s} s at most."
                    raise Trouble("names_differ", says)

    @staticmethod
    def _elsewhere(server, name, found, address):
        if not found and _answers(server, name, CNAME):
            says = f"{printable(name)} is only another name (CNAME) of one: name that one in `dns_names`."
            raise Trouble("names_alias", says)
        return f"{printable(name)} leads to {', '.join(found) or 'nowhere'} at {server[0]}, not to {address} alone."

    def serials(self):
        """{name: serial of its zone} at the first server, where there is one. Raises Trouble."""
        return self._serials_at(self.primary)

    def _serials_at(self, server):
        found = {name: serial(server, name) for name in self.names}
        return {name: one for name, one in found.items() if one is not None}

    def wait(self, address, before, longest_s=None):
        """Until every name leads there at every server, for so many seconds at most, and its zone is newer there, so
        that secondaries follow. Raises Trouble."""
        until = time.monotonic() + self._patience_s
        while True:
            try:
                self.fit(address, longest_s)
                self._refuse_stale(before)
                return
            except Trouble:
                if time.monotonic() > until:
                    raise
            time.sleep(0.2)

    def _refuse_stale(self, before):
        if not before:
            return
        for server in self.servers:
            now = self._serials_at(server)
            stale = [name for name, one in now.items() if name in before and not newer(one, before[name])]
            if stale:
                says = f"The serial of the zone of {printable(stale[0])} is not newer at {server[0]}: "
                raise Trouble("names_differ", says + "secondaries will not follow.")


def _answers(server, name, kind):
    """[(type, body, seconds to live)] of that kind for the name itself. Raises Trouble."""
    number = struct.unpack(">H", os.urandom(2))[0]
    asked = struct.pack(">HHHHHH", number, 0, 1, 0, 0, 0) + written(name) + struct.pack(">HH", kind, 1)
    said = "no answer"
    for _ in range(TRIES):
        try:
            with socket.socket(of(server[0]), socket.SOCK_DGRAM) as line:
                line.settimeout(ANSWER_S)
                line.connect(server)
                line.send(asked)
                return _read(line.recv(4096), number, kind)
        except (OSError, struct.error, IndexError, ValueError) as error:
            said = str(error) or type(error).__name__
    raise Trouble("names_unanswered", f"The name server {server[0]} says nothing of use of {printable(name)}: {said}")


def of(address):
    """The kind of that address."""
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def written(name):
    """A name as it stands in a message."""
    labels = [one.encode("ascii") for one in name.rstrip(".").split(".")]
    return b"".join(bytes([len(one)]) + one for one in labels) + b"\0"


def _read(text, number, kind):
    """Resource records of that kind in the answer; of an alias (CNAME) none, because what follows is another name's.
    Raises ValueError."""
    told, flags, questions, count = struct.unpack(">HHHH", text[:8])
    if told != number or not flags & _RESPONSE or flags & _CUT_OFF or flags & 15 not in (0, 3):
        raise ValueError(f"answer with flags {flags:#06x}")
    if not flags & _AUTHORITATIVE:
        raise ValueError("not authoritative")
    place, found = 12, []
    for _ in range(questions):
        place = behind(text, place) + 4
    for _ in range(count):
        place = behind(text, place)
        one, _, seconds, size = struct.unpack(">HHIH", text[place : place + 10])
        body = text[place + 10 : place + 10 + size]
        if len(body) != size or (one == kind and not _fits(kind, size)):
            raise ValueError("cut off")
        if one == CNAME != kind:
            return []
        if one == kind:
            found.append((one, body, seconds))
        place += 10 + size
    return found


def _fits(kind, size):
    """Whether a record of that kind can be so long."""
    return {A: size == 4, AAAA: size == 16, SOA: size >= 22}.get(kind, True)


def behind(text, place):
    """The place behind a name; one that points elsewhere ends there."""
    while text[place]:
        if text[place] >= 192:
            return place + 2
        place += text[place] + 1
    return place + 1
