"""How far an archive arrived that broke off: its whole members, and what there is behind them. Python 3.9.

Standard library only; sent to the receiving machine as one program together with kahn_outcome and kahn_skip. Of whole
members headers alone are read, and never more than MOST_HEADER bytes of one: an archive is what an old host sent.
"""

from __future__ import annotations

import hashlib
import os

try:
    from ansible.module_utils.kahn_outcome import Trouble, cause_of, printable
    from ansible.module_utils.kahn_skip import plain
except ImportError:  # sent to a host as one program
    from kahn_outcome import Trouble, cause_of, printable
    from kahn_skip import plain

MEMORY = 1024**3
MOST_HEADER = 1024 * 1024
_BLOCK = 512
_CHUNK = 1024 * 1024
_WITH_CONTENT = (b"0", b"\0", b"7")
_WITHOUT = (b"1", b"2", b"3", b"4", b"5", b"6")


def whole_members(path):
    """(how many members of the archive are whole, where the one after them begins, bytes of that one's headers).

    The last is 0 where they did not arrive whole either.
    """
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:
        return 0, 0, 0
    with os.fdopen(handle, "rb") as opened:
        size = os.fstat(handle).st_size
        count = good = at = 0
        told = None
        while at + _BLOCK <= size:
            opened.seek(at)
            head = opened.read(_BLOCK)
            length = _length_of(head)
            if length is None:
                break
            kind = head[156:157]
            if kind == b"x":
                if length > MOST_HEADER:
                    break
                told = _told_size(opened.read(length))
                at += _BLOCK + _padded(length)
            elif kind in _WITH_CONTENT or kind in _WITHOUT:
                content = 0 if kind in _WITHOUT else length if told is None else told
                at, told = at + _BLOCK + _padded(content), None
                if at > size:
                    head = at - _padded(content) - good
                    return count, good, head if head <= MOST_HEADER else 0
                count, good = count + 1, at
            else:
                break
        return count, good, 0


def _length_of(head):
    """The length that a header names; None where it is no header."""
    told = head[124:136]
    try:
        if int(head[148:156].rstrip(b"\0 ") or b"0", 8) != sum(head[:148]) + 8 * 32 + sum(head[156:]):
            return None
        length = int.from_bytes(told[1:], "big") if told[0] & 0x80 else int(told.rstrip(b"\0 ") or b"0", 8)
    except ValueError:
        return None
    return length if length >= 0 else None  # one below zero would lead back to what was read, for ever


def _told_size(body):
    """The length that an extended header names in place of the plain one; None when it names none."""
    found, at = None, 0
    while at < len(body):
        digits = body[at : body.find(b" ", at)]
        if not digits.isdigit() or int(digits) <= len(digits):
            break
        record = body[at : at + int(digits)]
        if record[len(digits) + 1 :].startswith(b"size=") and record[len(digits) + 6 : -1].isdigit():
            found = int(record[len(digits) + 6 : -1])
        at += int(digits)
    return found


def _padded(length):
    return (length + _BLOCK - 1) // _BLOCK * _BLOCK


def behind(path, offset, head):
    """(bytes behind the headers at that place, SHA-256 of both): the beginning of what did not arrive whole."""
    with os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC), "rb") as opened:
        opened.seek(offset)
        whole, size = hashlib.sha256(plain(opened.read(head))), 0
        while True:
            piece = opened.read(_CHUNK)
            if not piece:
                return size, whole.hexdigest()
            whole.update(piece)
            size += len(piece)


def answer(_stream, words):
    """The program's one JSON line about the archive at `path`: {"kahn": {count, offset, head, behind, sha256}}."""
    try:
        count, offset, head = whole_members(words["path"])
        size, digest = behind(words["path"], offset, head) if head else (0, "")
    except Trouble as trouble:
        return {"kahn": dict(trouble.facts, cause=trouble.cause), "msg": printable(trouble.says)}
    except OSError as error:
        return {"kahn": {"cause": cause_of(error)}, "msg": "The vault: " + os.strerror(error.errno or 0)}
    return {"kahn": {"count": count, "offset": offset, "head": head, "behind": size, "sha256": digest}}
