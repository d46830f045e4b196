"""The authoritative name server is asked for names and serials; a double of one answers, well and badly."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from tests.playbooks.modules import Trouble, cause, shared

names = shared("kahn_names")
AA = 0x8400


class Double:
    """A name server of one zone, ``stadt.example``, on this machine. ``flags`` of its answers can be wrong."""

    def __init__(self) -> None:
        self.line = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.line.bind(("127.0.0.1", 0))
        self.place = self.line.getsockname()
        self.records: dict[str, list[str]] = {"wohngeld.stadt.example": ["10.0.0.1"]}
        self.aliases: set[str] = set()
        self.serial, self.flags, self.junk, self.asked, self.cut = 100, AA, b"", 0, 0
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self) -> None:
        while True:
            try:
                text, who = self.line.recvfrom(4096)
            except OSError:
                return
            self.asked += 1
            self.line.sendto(self.junk or self.answer(text), who)

    def answer(self, text: bytes) -> bytes:
        labels, place = [], 12
        while text[place]:
            labels.append(text[place + 1 : place + 1 + text[place]].decode())
            place += text[place] + 1
        (kind,) = struct.unpack(">H", text[place + 1 : place + 3])
        bodies = [socket.inet_aton(one) for one in self.records.get(".".join(labels), [])] if kind == names.A else []
        alias = [b"\5other\xc0\x0c"] if ".".join(labels) in self.aliases else []
        if kind == names.CNAME:
            bodies = alias
        if kind == names.SOA and labels == ["stadt", "example"]:
            bodies = [b"\2ns\xc0\x0c\4host\xc0\x0c" + struct.pack(">IIIII", self.serial, 1, 1, 1, 1)]
        bodies = [one[: -self.cut] if self.cut else one for one in bodies]
        rows = [(names.CNAME, one) for one in alias if kind != names.CNAME] + [(kind, one) for one in bodies]
        found = b"".join(b"\xc0\x0c" + struct.pack(">HHIH", what, 1, 60, len(one)) + one for what, one in rows)
        head = text[:2] + struct.pack(">HHHHH", self.flags, 1, len(rows), 0, 0)
        return head + text[12 : place + 5] + found


@pytest.fixture
def server() -> Iterator[Double]:
    made = Double()
    yield made
    made.line.close()


def one(server: Double, **changed: Any) -> Any:
    asked = {"dns_names": ["wohngeld.stadt.example"], "dns_server": "127.0.0.1", **changed}
    return names.Names(asked, port=server.place[1], patience_s=0.5)


def test_the_address_must_be_that_alone(server: Double) -> None:
    one(server).fit("10.0.0.1")
    server.records["wohngeld.stadt.example"].append("10.0.0.9")
    assert cause(one(server).fit, "10.0.0.1") == "names_differ"
    server.records.clear()
    with pytest.raises(Trouble, match="leads to nowhere"):
        one(server).fit("10.0.0.1")


def test_the_serial_is_that_of_the_zone_above_the_name(server: Double) -> None:
    assert one(server).serials() == {"wohngeld.stadt.example": 100}
    assert one(server, dns_names=["ohne.zone"]).serials() == {}


def test_a_switch_counts_only_with_the_new_address_and_a_newer_serial(server: Double) -> None:
    before = one(server).serials()
    assert cause(one(server).wait, "10.0.0.2", before) == "names_differ"
    server.records["wohngeld.stadt.example"] = ["10.0.0.2"]
    with pytest.raises(Trouble, match="not newer"):
        one(server).wait("10.0.0.2", before)
    server.serial = 101
    one(server).wait("10.0.0.2", before)


@pytest.mark.parametrize(("number", "than", "is_newer"), [(101, 100, True), (100, 100, False), (99, 100, False),
                                                          (5, 2**32 - 3, True), (2**32 - 3, 5, False)])  # fmt: skip
def test_serials_are_reckoned_as_secondaries_do(number: int, than: int, is_newer: bool) -> None:
    assert names.newer(number, than) is is_newer


@pytest.mark.parametrize("flags", [0x8000, 0x8405, 0x8600, 0x0400])
def test_what_is_not_authoritative_refused_cut_off_or_no_answer_is_believed_by_nobody(
    server: Double, flags: int
) -> None:
    server.flags = flags
    assert cause(one(server).fit, "10.0.0.1") == "names_unanswered" and server.asked >= names.TRIES


@pytest.mark.parametrize("junk", [b"x", b"\0" * 12, b"\xff" * 600])
def test_an_answer_that_makes_no_sense_is_none(server: Double, junk: bytes) -> None:
    server.junk = junk
    assert cause(one(server).fit, "10.0.0.1") == "names_unanswered"


def test_an_address_or_a_serial_that_is_too_short_to_be_one_is_none(server: Double) -> None:
    server.cut = 1
    assert cause(one(server).fit, "10.0.0.1") == "names_unanswered"
    server.records.clear()
    server.cut = 20
    assert cause(one(server).serials) == "names_unanswered"


def test_without_names_nobody_is_asked(server: Double) -> None:
    quiet = one(server, dns_names=[])
    quiet.fit("10.0.0.1")
    assert quiet.serials() == {} and server.asked == 0


def test_a_name_that_is_only_another_name_of_one_is_told_apart_from_one_that_leads_nowhere(server: Double) -> None:
    server.aliases.add("wohngeld.stadt.example")  # the server answers with the other one's address at once
    assert cause(one(server).fit, "10.0.0.1") == "names_alias"


def test_every_server_of_the_zone_is_asked(server: Double) -> None:
    both = one(server)
    both.servers = [server.place, ("127.0.0.1", 1)]
    assert cause(both.fit, "10.0.0.1") == "names_unanswered"


def test_a_time_to_live_that_is_longer_than_it_may_be_is_named(server: Double) -> None:
    one(server).fit("10.0.0.1", 60)
    with pytest.raises(Trouble, match="for 60 s"):
        one(server).fit("10.0.0.1", 59)


def test_the_zone_is_found_above_the_name(server: Double) -> None:
    assert names.zone(server.place, "wohngeld.stadt.example") == ("stadt.example", 100)
    assert names.zone(server.place, "ohne.zone") == ("", None)
