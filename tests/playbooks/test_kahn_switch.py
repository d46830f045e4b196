"""Files that name the old server: switched with the gateway, put back to the very bytes, others' changes kept."""

from __future__ import annotations

import fcntl
import os
import threading
from pathlib import Path
from typing import Any

import pytest

from tests.playbooks.modules import cause, shared

switches = shared("kahn_switch")
ZONE = "wohngeld 60 IN A 10.0.0.1\nother IN A 10.0.0.11\nlast IN A 210.0.0.1\n"


@pytest.fixture
def place(tmp_path: Path) -> Path:
    (tmp_path / "etc").mkdir()
    (tmp_path / "store").mkdir()
    (tmp_path / "etc/zone").write_text(ZONE)
    os.utime(tmp_path / "etc/zone", ns=(5, 5))
    return tmp_path


def a_switch(place: Path, *files: str) -> Any:
    words = {"root": str(place), "addresses": {"old": "10.0.0.1", "new": "10.0.0.2"}}
    settings = {"switch_files": list(files or ("/etc/zone",)), "switch_reload": ["true"]}
    return switches.Switch({**words, "settings": settings}, str(place / "store"))


def test_whole_addresses_are_switched_and_come_back_to_the_very_bytes_and_time(place: Path) -> None:
    switch = a_switch(place)
    switch.fit()
    assert switch.turn("new") and switch.is_new() and not switch.turn("new")
    assert (place / "etc/zone").read_text() == ZONE.replace("A 10.0.0.1\n", "A 10.0.0.2\n", 1)
    assert switch.turn("old") and not switch.turn("old") and not switch.is_new()
    assert (place / "etc/zone").read_text() == ZONE and (place / "etc/zone").stat().st_mtime_ns == 5
    switch.forget()
    assert os.listdir(place / "store") == []


def test_what_others_wrote_meanwhile_stays(place: Path) -> None:
    switch = a_switch(place)
    switch.turn("new")
    with (place / "etc/zone").open("a") as opened:
        opened.write("neu IN A 10.9.9.9\n")
    switch.turn("old")
    assert (place / "etc/zone").read_text() == ZONE + "neu IN A 10.9.9.9\n"


def test_the_new_servers_own_name_stays_its_own_when_a_changed_file_goes_back(place: Path) -> None:
    """A reload counts the serial of a zone up, so that the file is never as it was kept."""
    zone = "1 ; serial\nwww IN A 10.0.0.1\nneu IN A 10.0.0.2\n"
    (place / "etc/zone").write_text(zone)
    switch = a_switch(place)
    switch.turn("new")
    (place / "etc/zone").write_text((place / "etc/zone").read_text().replace("1 ;", "2 ;"))
    assert switch.turn("old") and not switch.turn("old")
    assert (place / "etc/zone").read_text() == zone.replace("1 ;", "2 ;")


def test_a_switch_that_broke_off_goes_back_from_what_was_kept_first(place: Path) -> None:
    (place / "etc/hosts").write_text("10.0.0.1 wohngeld\n")
    first = a_switch(place, "/etc/zone", "/etc/hosts")
    first._before()
    first._turn(first.files[0], "new", first._before()[first.files[0]])
    again = a_switch(place, "/etc/zone", "/etc/hosts")
    assert not again.is_new() and again.turn("old")
    assert (place / "etc/zone").read_text() == ZONE and (place / "etc/hosts").read_text() == "10.0.0.1 wohngeld\n"


def test_what_cannot_be_switched_is_said_before(place: Path) -> None:
    (place / "etc/leer").write_text("10.0.0.11\n")
    (place / "etc/link").symlink_to("zone")
    (place / "etc/gross").write_bytes(b"10.0.0.1\n" * 600_000)
    for name in ("/etc/leer", "/etc/link", "/etc/gross", "/etc/fehlt"):
        assert cause(a_switch(place, name).fit) == "switch_differs"
    (place / "store/switched").write_text("nonsense")
    assert cause(a_switch(place).turn, "old") == "record_damaged"


def test_without_files_nothing_is_kept(place: Path) -> None:
    words = {"root": str(place), "addresses": {"old": "a", "new": "b"}, "settings": {}}
    none = switches.Switch(words, str(place / "store"))
    none.fit()
    assert not none.turn("new") and none.is_new() and os.listdir(place / "store") == []


def test_two_moves_that_share_a_file_write_one_after_the_other_and_each_takes_back_its_own(place: Path) -> None:
    def moving(asset: str, old: str, new: str) -> Any:
        (place / asset).mkdir()
        words = {"root": str(place), "addresses": {"old": old, "new": new}, "settings": {"switch_files": ["/etc/zone"]}}
        return switches.Switch(words, str(place / asset))

    first, second = moving("a", "10.0.0.1", "10.0.0.2"), moving("b", "10.0.0.11", "10.0.0.12")
    first.turn("new")
    with (place / "switch.lock").open() as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        turning = threading.Thread(target=second.turn, args=("new",), daemon=True)
        turning.start()
        turning.join(0.2)
        assert turning.is_alive() and not second.is_new()
    turning.join(30)
    assert second.is_new() and first.turn("old") and second.is_new()
    second.turn("old")
    assert (place / "etc/zone").read_text() == ZONE


@pytest.mark.parametrize(
    ("text", "becomes"),
    [
        ("listen 10.0.0.1:80", "listen 10.0.0.2:80"),
        ("http://10.0.0.1/ 10.0.0.1.", "http://10.0.0.2/ 10.0.0.2."),
        ("10.0.0.11 110.0.0.1 10.0.0.1.example 10.0.0.1-a", "10.0.0.11 110.0.0.1 10.0.0.1.example 10.0.0.1-a"),
        ("'10.0.0.1','10.0.0.1'", "'10.0.0.2','10.0.0.2'"),
    ],
)
def test_only_whole_addresses_are_replaced(text: str, becomes: str) -> None:
    assert switches.replaced(text.encode(), b"10.0.0.1", b"10.0.0.2") == becomes.encode()
