"""Writing to a zone at its primary name server: one signed update (RFC 2136, RFC 8945) with a condition.

The condition is what we believe to stand there: the server itself refuses when somebody changed it meanwhile. The key
stays on the machine that asks, in a file of root's alone. Python 3.9, standard library only.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import os
import re
import socket
import stat
import struct
import time

try:
    from ansible.module_utils.kahn_names import AAAA, ANSWER_S, SOA, A, behind, of, written
    from ansible.module_utils.kahn_outcome import Trouble, printable
except ImportError:  # sent to a host as one program
    from kahn_names import AAAA, ANSWER_S, SOA, A, behind, of, written
    from kahn_outcome import Trouble, printable

IN, ANY, TSIG = 1, 255, 250
ALGORITHMS = {f"hmac-sha{size}": getattr(hashlib, f"sha{size}") for size in (224, 256, 384, 512)}
FUDGE_S = 300
LARGEST = 4096
_UPDATE, _RESPONSE = 0x2800, 0x8000
_KEY = re.compile(
    r'\s*key\s+"?([A-Za-z0-9._-]{1,200})"?\s*\{\s*algorithm\s+"?([A-Za-z0-9-]{1,40})"?\s*;'
    r'\s*secret\s+"?([A-Za-z0-9+/=]{8,800})"?\s*;\s*\}\s*;?\s*'
)
_COMMENT = re.compile(r"/\*.*?\*/|//[^\n]*|#[^\n]*", re.DOTALL)
# What a server says of an update (RFC 2136), and of a signature (RFC 8945).
_CHANGED = {3: "the name is gone", 6: "a name is there", 7: "a record is there", 8: "the record is another one"}
_NOT_ITS = {4: "it takes no updates", 9: "it is not the zone's primary", 10: "it says that the name is in another zone"}


class Key:
    """A key of the file that `tsig-keygen` writes: name, algorithm, secret. Raises Trouble, without a word of it."""

    def __init__(self, path):
        text = _COMMENT.sub("", _read(path))
        found = _KEY.fullmatch(text)
        if not found:
            raise Trouble("names_key_invalid", f"{printable(path)} is no key file as tsig-keygen writes it.")
        self.name, algorithm = found[1].lower().rstrip("."), found[2].lower()
        if algorithm not in ALGORITHMS:
            known = ", ".join(ALGORITHMS)
            raise Trouble("names_key_invalid", f"The key's algorithm {printable(algorithm)} is none of {known}.")
        try:
            self._secret = base64.b64decode(found[3], validate=True)
        except binascii.Error:
            raise Trouble("names_key_invalid", f"The secret in {printable(path)} is not whole.") from None
        if len(self._secret) < 16:
            raise Trouble("names_key_invalid", f"The secret in {printable(path)} is shorter than 16 bytes.")
        self.algorithm = algorithm

    def digest(self, text):
        """The signature of these bytes."""
        return hmac.new(self._secret, text, ALGORITHMS[self.algorithm]).digest()


def _read(path):
    """The text of a file that nobody but its owner, root or who asks, can read. Raises Trouble."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        says = f"The key file {printable(path)}: {os.strerror(error.errno or 0)}."
        raise Trouble("names_key_invalid", says) from None
    try:
        entry = os.fstat(handle)
        if not stat.S_ISREG(entry.st_mode) or entry.st_uid not in (0, os.geteuid()) or entry.st_mode & 0o077:
            says = f"{printable(path)} must be a plain file of root's that nobody else can read (chmod 600)."
            raise Trouble("names_key_invalid", says)
        return os.read(handle, LARGEST).decode("utf-8", "replace")
    finally:
        os.close(handle)


class Record:
    """The one address of a name: what stands there, or what is to."""

    def __init__(self, name, address, seconds=0):
        self.name, self.seconds = name, seconds
        self.kind = AAAA if ":" in address else A
        self.body = socket.inet_pton(of(address), address)

    def as_condition(self):
        """It is there, and no other address of its kind."""
        return self._row(IN, 0, self.body)

    def as_removal(self):
        """No address of its kind."""
        return self._row(ANY, 0, b"")

    def as_addition(self):
        """It, for so many seconds."""
        return self._row(IN, self.seconds, self.body)

    def _row(self, kind, seconds, body):
        return written(self.name) + struct.pack(">HHIH", self.kind, kind, seconds, len(body)) + body


def replace(server, key, zone, now, then):
    """In one step: where the record `now` stands alone, `then` stands afterwards; None changes nothing, and only asks
    whether it could be changed. Raises Trouble: nothing was touched then, unless it is `names_unanswered`."""
    changes = [now.as_removal(), then.as_addition()] if then else []
    number = struct.unpack(">H", os.urandom(2))[0]
    head = struct.pack(">HHHHHH", number, _UPDATE, 1, 1, len(changes), 0)
    asked = head + written(zone) + struct.pack(">HH", SOA, IN) + now.as_condition() + b"".join(changes)
    text, mac = _signed(asked, key, number)
    _judge(_sent(server, text, number), key, mac, server[0])


def _sent(server, text, number):
    """The answer to that message. Not sent twice: whoever heard nothing must look first. Raises Trouble."""
    try:
        with socket.socket(of(server[0]), socket.SOCK_DGRAM) as line:
            line.settimeout(ANSWER_S)
            line.connect(server)
            line.send(text)
            until = time.monotonic() + ANSWER_S
            while time.monotonic() < until:
                said = line.recv(4096)
                if len(said) >= 12 and struct.unpack(">H", said[:2])[0] == number and said[2] & 0x80:
                    return said
        raise TimeoutError("timed out")
    except OSError as error:
        raise Trouble("names_unanswered", f"The name server {server[0]} does not answer an update: {error}") from None


# ---------------------------------------------------------------------------- signatures


def _variables(key, seconds, error=0, other=b""):
    head = written(key.name) + struct.pack(">HI", ANY, 0) + written(key.algorithm)
    stamp = struct.pack(">HIHHH", seconds >> 32, seconds & 0xFFFFFFFF, FUDGE_S, error, len(other))
    return head + stamp + other


def _signed(text, key, number):
    """(message with its signature, the signature)."""
    seconds = int(time.time())
    mac = key.digest(text + _variables(key, seconds))
    body = written(key.algorithm) + struct.pack(">HIHH", seconds >> 32, seconds & 0xFFFFFFFF, FUDGE_S, len(mac)) + mac
    body += struct.pack(">HHH", number, 0, 0)
    row = written(key.name) + struct.pack(">HHIH", TSIG, ANY, 0, len(body)) + body
    return text[:10] + struct.pack(">H", 1) + text[12:] + row, mac


def _judge(said, key, asked_mac, server):
    """What the answer means. A good one counts only with its signature. Raises Trouble."""
    code = struct.unpack(">H", said[2:4])[0] & 15
    try:
        proven, wrong = _signature(said, key, asked_mac)
    except (struct.error, IndexError, ValueError):
        proven, wrong = False, 0
    if wrong == 18:
        says = f"The clocks of this machine and of the name server {server} differ by more than {FUDGE_S} s."
        raise Trouble("names_clock_wrong", says)
    if wrong or (code == 0 and not proven):
        words = {
            16: "another secret",
            17: "no such key, or none that may change this (Knot)",
            22: "a signature that was cut off",
        }
        says = (
            f"The name server {server} does not take the key {key.name}: {words.get(wrong, 'its answer is unsigned')}."
        )
        raise Trouble("names_key_wrong", says)
    if code in _CHANGED:
        raise Trouble("names_changed", f"Nothing was changed: {_CHANGED[code]}, so the name server {server} says.")
    if code in _NOT_ITS:
        raise Trouble("names_not_primary", f"The name server {server} takes no update of that zone: {_NOT_ITS[code]}.")
    if code == 5:
        raise Trouble("names_refused", f"The name server {server} does not let the key {key.name} change that record.")
    if code:
        raise Trouble("names_unanswered", f"The name server {server} failed with code {code}.")


def _signature(said, key, asked_mac):
    """(whether the answer is signed with the key, what the server says is wrong with ours)."""
    _, _, *counts = struct.unpack(">HHHHHH", said[:12])
    place = 12
    for _ in range(counts[0]):
        place = behind(said, place) + 4
    last = place
    for _ in range(sum(counts[1:])):
        last = place
        place = behind(said, place)
        place += 10 + struct.unpack(">H", said[place + 8 : place + 10])[0]
    start = behind(said, last)
    if not counts[3] or struct.unpack(">H", said[start : start + 2])[0] != TSIG:
        return False, 0
    at = behind(said, start + 10)
    high, low, _, size = struct.unpack(">HIHH", said[at : at + 10])
    mac = said[at + 10 : at + 10 + size]
    number, error, long = struct.unpack(">HHH", said[at + 10 + size : at + 16 + size])
    other = said[at + 16 + size : at + 16 + size + long]
    seconds = (high << 32) + low
    bare = struct.pack(">H", number) + said[2:10] + struct.pack(">H", counts[3] - 1) + said[12:last]
    wanted = key.digest(struct.pack(">H", len(asked_mac)) + asked_mac + bare + _variables(key, seconds, error, other))
    timely = abs(time.time() - seconds) <= FUDGE_S
    return hmac.compare_digest(mac, wanted) and timely and not error, error
