"""Fingerprint and comparison: equal only when nothing differs, and not fooled by a changed list."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from tests.playbooks.modules import module, outcome, tree

fingerprint = module("kahn_fingerprint")


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    top = tmp_path / "root"
    for path, text in (
        ("etc/passwd", "anna"),
        ("home/anna/brief", "x"),
        ("usr/bin/tool", "y"),
        ("var/log/syslog", "z"),
    ):
        (top / path).parent.mkdir(parents=True, exist_ok=True)
        (top / path).write_text(text)
    monkeypatch.setattr(fingerprint, "store_of", lambda asset: outcome.store_of(asset, str(tmp_path / "s")))
    return top


def seen(top: Path) -> list[dict[str, Any]]:
    deep, skip = [f"{top}/etc", f"{top}/home"], [f"{top}/var/log"]
    found: list[dict[str, Any]] = fingerprint.fingerprint(str(top), deep, skip, ports="/nonexistent")
    return found


def taken(top: Path) -> str:
    return str(fingerprint.take("a1", seen(top))[1]["baseline"])


def compared(top: Path) -> dict[str, Any]:
    found: dict[str, Any] = fingerprint.compare("a1", seen(top), 50)[1]
    return found


def test_an_untouched_machine_is_equal(machine: Path) -> None:
    digest = taken(machine)
    assert compared(machine) == {
        "equal": True, "baseline": digest, "now": digest, "differences": [], "difference_count": 0,
    }  # fmt: skip


@pytest.mark.parametrize("path", ["etc/passwd", "home/anna/brief", "usr/bin/tool"])
def test_a_longer_file_is_named(machine: Path, path: str) -> None:
    taken(machine)
    with (machine / path).open("a") as opened:
        opened.write("!")
    found = compared(machine)
    assert not found["equal"] and found["differences"][0].startswith(f"/{path}: ")


def test_modes_links_and_new_files_are_named_but_logs_are_not(machine: Path) -> None:
    taken(machine)
    (machine / "etc/passwd").chmod(0o600)
    (machine / "home/anna/l").symlink_to("x")
    (machine / "var/log/syslog").write_text("more")
    said = compared(machine)["differences"]
    assert [one.split(":")[0] for one in said] == ["/etc/passwd", "/home/anna", "/home/anna/l"]


def test_a_changed_list_shows_in_its_digest(machine: Path) -> None:
    digest = taken(machine)
    (machine / "etc/passwd").write_text("evil")
    forged = b"".join(map(tree.line_of, seen(machine)))
    (machine.parent / "s/a1/baseline").write_bytes(forged)
    found = compared(machine)
    assert found["equal"] and found["baseline"] != digest


def test_listening_ports_count_but_passing_ones_do_not(tmp_path: Path) -> None:
    row = "   0: {address} 00000000:0000 {state} 00000000:00000000 00:00000000 00000000 0 0 1 1 0 100 0 0 10 0\n"
    head = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
    for name, rows in (("tcp", (("00000000:0016", "0A"), ("0100007F:C000", "01"))),
                       ("udp", (("00000000:0044", "07"), ("00000000:C123", "07")))):  # fmt: skip
        text = head + "".join(row.format(address=address, state=state) for address, state in rows)
        (tmp_path / name).write_text(text)
    assert fingerprint.listening(str(tmp_path)) == ["tcp 00000000 port 22", "udp 00000000 port 68"]


def test_times_of_system_directories_do_not_count_those_of_home_do(machine: Path) -> None:
    taken(machine)
    os.utime(machine / "etc", ns=(1, 1))
    assert compared(machine)["equal"]
    os.utime(machine / "home/anna", ns=(1, 1))
    assert compared(machine)["differences"] == ["/home/anna: time"]
