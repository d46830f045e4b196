"""Owners of carried files are translated where hosts number an account differently, and back."""

from __future__ import annotations

import base64
import json
import struct
from typing import Any

from tests.playbooks.modules import shared

numberings = shared("kahn_numbering")
HERE = numberings.Numbering({"users": {"100": 998, "101": 100, "7": 7}, "groups": {"102": 997}})
ACCESS = "system.posix_acl_access"


def an_acl(*named: tuple[int, int]) -> bytes:
    """Owner, named ones, group, mask, others; in the kernel's order."""
    entries = [(1, 6, 0xFFFFFFFF), (4, 4, 0xFFFFFFFF), (16, 7, 0xFFFFFFFF), (32, 0, 0xFFFFFFFF)]
    entries += [(tag, 4, number) for tag, number in named]
    return struct.pack("<I", 2) + b"".join(
        struct.pack("<HHI", *one) for one in sorted(entries, key=lambda e: (e[0], e[2]))
    )


def a_record(user: int, group: int, acl: bytes) -> dict[str, Any]:
    texts = {ACCESS: base64.b64encode(acl).decode(), "user.x": base64.b64encode(b"\x64\0\0\0").decode()}
    return {"file": {"p": "a", "t": "f", "u": user, "g": group, "x": texts}}


def test_owners_and_acls_bear_the_numbers_of_the_host_where_they_lie() -> None:
    there = a_record(100, 102, an_acl((2, 100), (2, 101), (8, 102), (8, 100)))
    here = a_record(998, 997, an_acl((2, 998), (2, 100), (8, 997), (8, 100)))
    assert HERE.record(there) == here and HERE.back().record(here) == there
    assert HERE.owners(7, 7) == (7, 7) and not numberings.Numbering({}) and HERE


def test_what_is_no_record_of_a_file_passes_as_it_is() -> None:
    for told in ({"gone": ["a"]}, {"h": "1"}, {"file": {"p": "a", "u": "100", "g": None}}, ["x"]):
        assert HERE.record(told) == told
    odd = {ACCESS: b"\x02\0\0\0half"}
    assert HERE.attributes(odd) == odd


class Sent:
    """Both ends of a line: what is sent can be read."""

    def __init__(self) -> None:
        self.frames: list[tuple[bytes, bytes]] = []

    def send(self, kind: bytes, payload: Any) -> None:
        self.frames.append((kind, payload if isinstance(payload, bytes) else json.dumps(payload).encode()))

    def arriving(self) -> Any:
        yield from self.frames


def test_a_stream_is_translated_on_its_way_in_and_out() -> None:
    line, there = Sent(), a_record(100, 102, an_acl())
    line.send(b"R", there)
    line.send(b"D", b"\0\0raw {}")
    arrived = list(numberings.Arriving(line, HERE).arriving())
    assert json.loads(arrived[0][1])["file"]["u"] == 998 and arrived[1] == (b"D", b"\0\0raw {}")
    back = Sent()
    for kind, body in arrived:
        numberings.Leaving(back, HERE).send(kind, json.loads(body) if kind == b"R" else body)
    assert json.loads(back.frames[0][1]) == there and back.frames[1] == line.frames[1]
