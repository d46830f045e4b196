"""What a machine can tell about its use: logons out of wtmp, connections out of /proc/net, changed files."""

from __future__ import annotations

import os
import socket
import time
from pathlib import Path
from typing import Any

import pytest

from tests.playbooks.modules import Trouble, cause, module

unused = module("kahn_unused")
DAY = 86400


def a_record(user: str, at: float, kind: int = 7) -> bytes:
    words = (kind, 1, b"pts/0", b"0", user.encode(), b"pc-7", 0, 0, 0, int(at), 0, 0, 0, 0, 0)
    return bytes(unused._RECORD.pack(*words))


def a_net(place: Path, *rows: str) -> str:
    """A /proc/net: ``local remote state`` with addresses as the kernel writes them."""
    place.mkdir()
    head = "  sl  local_address rem_address   st\n"
    (place / "tcp").write_text(head + "".join(f"   {n}: {row}\n" for n, row in enumerate(rows)))
    return str(place)


def asked(**changed: Any) -> dict[str, Any]:
    return {"days": 30, "seconds": 0, "data": [], "except_users": ["root"], "now": time.time(), **changed}


def look(place: Path, **changed: Any) -> dict[str, Any]:
    net = str(place / "net") if (place / "net").exists() else a_net(place / "net")
    return dict(unused.look(asked(**changed), wtmp=(str(place / "wtmp"),), net=net)[1])


def test_a_machine_that_nobody_uses_is_told_with_what_was_not_seen(tmp_path: Path) -> None:
    (tmp_path / "wtmp").write_bytes(a_record("anna", time.time() - 90 * DAY))
    told = look(tmp_path)
    assert (told["logons"], told["connections"], told["changed_files"]) == ([], [], [])
    assert told["not_seen"][0] == "connections but for 0 s" and not any("logons" in one for one in told["not_seen"])


def test_records_that_do_not_go_back_far_enough_are_said(tmp_path: Path) -> None:
    assert any("none are recorded" in one for one in look(tmp_path)["not_seen"])
    (tmp_path / "wtmp").write_bytes(a_record("reboot", time.time() - 3 * DAY - 60, kind=2))
    assert "logons more than 3 days ago" in look(tmp_path)["not_seen"]


def test_a_logon_of_people_is_use_and_one_of_administrators_is_told(tmp_path: Path) -> None:
    lines = a_record("root", time.time() - DAY) + a_record("old", time.time() - 31 * DAY)
    (tmp_path / "wtmp").write_bytes(lines)
    assert look(tmp_path)["logons_of_administrators"] == ["root"]
    (tmp_path / "wtmp").write_bytes(lines + a_record("an\x1bna", time.time() - DAY) + b"half a record")
    with pytest.raises(Trouble) as told:
        look(tmp_path)
    assert (told.value.cause, told.value.facts["logons"]) == ("still_used", ["an\\x1bna"])


def test_of_very_many_records_the_newest_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unused, "_MOST", 2 * unused._RECORD.size)
    old = a_record("reboot", time.time() - 3 * DAY, kind=2)
    (tmp_path / "wtmp").write_bytes(old * 5 + a_record("anna", time.time() - DAY) + b"half a record")
    assert cause(lambda: look(tmp_path)) == "still_used"


def test_only_connections_from_elsewhere_to_something_that_listens_are_use(tmp_path: Path) -> None:
    listens, loopback = "00000000:01BD 00000000:0000 0A", "0100007F:01BD 0100007F:9C40 01"
    outgoing = "0200000A:9C40 0700000A:01BB 01"
    net = a_net(tmp_path / "net", listens, loopback, outgoing)
    assert unused.watched(0, set(), net) == []
    (tmp_path / "more").mkdir()
    more = a_net(tmp_path / "more/net", listens, "0200000A:01BD 0700000A:C001 01")
    assert unused.watched(0, set(), more) == ["port 445 from 10.0.0.7"]
    assert unused.watched(0, {(445, "10.0.0.7", 0xC001)}, more) == []


def test_addresses_of_six_bytes_and_mapped_ones_are_read() -> None:
    assert unused._place("0000000000000000FFFF00000700000A:0016") == ("10.0.0.7", 22)
    assert unused._place("B80D0120000000000000000001000000:0016") == ("2001:db8::1", 22)


def test_a_real_connection_is_seen() -> None:
    """Over the loopback it is no use; the kernel's own table is read all the same."""
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()):
        port = server.getsockname()[1]
        assert port in {unused._place(row[1])[1] for row in unused._rows("/proc/net/tcp") if row[3] == "0A"}
        assert not any(found == port for found, _, _ in unused.connections())


def test_changed_files_are_counted_and_links_are_not_followed(tmp_path: Path) -> None:
    inside, outside = tmp_path / "data", tmp_path / "outside"
    inside.mkdir()
    outside.mkdir()
    (outside / "new").write_text("x")
    (inside / "link").symlink_to(outside)
    old = inside / "old"
    old.write_text("x")
    os.utime(old, (1, 1))
    assert unused.changed_files([str(inside)], time.time() - DAY) == ([], 0)
    (inside / "a\nb").write_text("x")
    assert unused.changed_files([str(inside)], time.time() - DAY) == ([f"{inside}/a\\nb"], 1)


def test_a_clock_that_is_wrong_proves_nothing(tmp_path: Path) -> None:
    assert cause(lambda: look(tmp_path, now=time.time() - 3600)) == "clock_wrong"


def test_kahns_own_way_in_is_known_by_the_programs_above(tmp_path: Path) -> None:
    place = tmp_path / str(os.getpid())
    place.mkdir()
    (place / "environ").write_bytes(b"A=b\0SSH_CONNECTION=10.0.0.9 5555 10.0.0.2 22\0")
    (place / "stat").write_text(f"{os.getpid()} (od d) name) S 1 1 1")
    assert unused.own_connections(str(tmp_path)) == {(22, "10.0.0.9", 5555)}
