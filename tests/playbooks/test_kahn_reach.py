"""Which places a machine reaches, and which of before it lost."""

from __future__ import annotations

import socket
from typing import Any

import pytest

from tests.playbooks.modules import Trouble, module

reach = module("kahn_reach")


def a_place(port: int, address: str = "127.0.0.1", name: str = "Wohngeld") -> dict[str, Any]:
    return {"name": name, "address": address, "port": port}


def test_a_port_that_is_open_is_reached_and_one_that_is_not_says_why() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        places = [a_place(server.getsockname()[1]), a_place(closed.getsockname()[1])]
        found = reach.tried(places, 5)
    assert list(found) == [reach.words(one) for one in places]
    assert found[reach.words(places[0])] == "" and "refused" in found[reach.words(places[1])]


@pytest.mark.parametrize(
    "place", [a_place(99999), a_place(1, "no such name.invalid"), a_place(1, "\ud800"), a_place(-1)]
)
def test_a_place_that_cannot_be_is_only_not_reached(place: dict[str, Any]) -> None:
    assert all(reach.tried([place], 1).values())


def test_what_only_the_old_host_reaches_is_lost_and_named_with_address_and_port() -> None:
    here = {"Wohngeld at 10.0.0.1 port 443": "timed out", "ablage at b port 445": "refused", "c at d port 1": ""}
    with pytest.raises(Trouble) as trouble:
        reach.look(here, ["Wohngeld at 10.0.0.1 port 443", "c at d port 1"])
    assert (trouble.value.cause, trouble.value.facts["lost"]) == ("reach_lost", ["Wohngeld at 10.0.0.1 port 443"])
    assert "ablage at b port 445: refused" in trouble.value.facts["missing"]


def test_what_neither_reaches_is_told_and_keeps_nobody_from_moving() -> None:
    here = {"Wohngeld at 10.0.0.1 port 443": "timed out"}
    assert reach.look(here, []) == (False, {"reached": [], "missing": ["Wohngeld at 10.0.0.1 port 443: timed out"]})
    assert reach.look(here) == reach.look(here, [])


def test_a_name_that_hurts_is_shown_without_its_control_characters() -> None:
    assert "\x1b" not in reach.words(a_place(1, name="\x1b[2Jx\n"))
