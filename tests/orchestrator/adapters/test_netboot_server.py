"""The boot server asked by real clients: good ones, and those that lie, flood or dawdle."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from orchestrator.adapters.netboot_desk import BootDesk
from orchestrator.adapters.netboot_server import AT_ONCE, BootAddressRefused, BootServer
from tests.orchestrator.boot_folders import MAC, a_folder, probe, release
from tests.simulated_installer import SENT_AWAY, fetched, main
from tests.waiting import until


@pytest.fixture
def server(tmp_path: Path) -> Iterator[BootServer]:
    folder = a_folder(tmp_path / "b")
    made = BootServer(BootDesk(folder), address="127.0.0.1", port=0, within_s=1)
    site = folder.place / "site.toml"
    site.write_text(site.read_text().replace(":8069", f":{made.port}"))
    made.desk = BootDesk(folder)
    threading.Thread(target=made.serve_forever, daemon=True).start()
    yield made
    made.shutdown()
    made.server_close()


def url(server: BootServer) -> str:
    return f"http://127.0.0.1:{server.port}"


def test_a_machine_is_installed_once_and_then_boots_from_disk(server: BootServer, tmp_path: Path) -> None:
    release(server.desk.folder)
    assert main(url(server), MAC, str(tmp_path / "disk")) == 0
    assert (tmp_path / "disk/etc/hostname").read_text() == "neu-0001\n"
    assert (tmp_path / "disk/etc/ssh/ssh_host_ed25519_key").read_bytes() == server.desk.folder.given(MAC).host_key
    assert main(url(server), MAC, str(tmp_path / "again")) == SENT_AWAY
    assert not (tmp_path / "again").exists() and probe(server.desk.folder)["phase"] == "installed"


def test_an_installer_that_gives_up_says_why(server: BootServer, tmp_path: Path) -> None:
    release(server.desk.folder)
    assert main(url(server), MAC, str(tmp_path), "failed") == 0
    assert (probe(server.desk.folder)["answer"], probe(server.desk.folder)["cause"]) == ("failed", "installer_no_disk")


def test_only_what_may_be_had_is_served(server: BootServer) -> None:
    (server.desk.folder.place / "files" / "secret").write_text("x")
    for path in ("/files/secret", "/files/../site.toml", "/files/%2e%2e/site.toml", "/keys/52-54-00-00-00-07", "/"):
        assert fetched(url(server) + path)[0] == 404
    assert fetched(url(server) + "/files/kernel") == (200, b"vmlinuz" * 1000)
    assert fetched(f"{url(server)}/boot?mac=52:54:00:00:00:99")[0] == 404
    assert fetched(url(server) + "/boot")[0] == 404


def test_a_damaged_record_gives_nobody_an_installer(server: BootServer) -> None:
    release(server.desk.folder)
    (server.desk.folder.place / "orders" / "52-54-00-00-00-07.json").write_text("{")
    assert fetched(f"{url(server)}/boot?mac={MAC}")[0] == 503
    assert fetched(f"{url(server)}/begin", {"mac": MAC, "token": "t"})[0] == 409


def raw(server: BootServer, text: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as line:
        line.sendall(text)
        return b"".join(iter(lambda: line.recv(4096), b""))


@pytest.mark.parametrize("length", ["5000", "99999999999999999999", "-1", "x", ""])
def test_a_huge_or_unmeasured_body_is_not_read(server: BootServer, length: str) -> None:
    assert b" 413 " in raw(server, f"POST /report HTTP/1.0\r\nContent-Length: {length}\r\n\r\n".encode())


@pytest.mark.parametrize("body", [b"\xff\xfe", b"=&=&=", b"mac=%00&token=%00", b"a=1&" * 40])
def test_a_body_of_nonsense_is_refused(server: BootServer, body: bytes) -> None:
    head = f"POST /report HTTP/1.0\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    assert b" 409 " in raw(server, head + body)


@pytest.mark.parametrize("begun", [b"", b"GET /boot", b"POST /report HTTP/1.0\r\nContent-Length: 100\r\n\r\nmac="])
def test_whoever_dawdles_is_cut_off_and_harms_nobody(server: BootServer, begun: bytes) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as line:
        line.sendall(begun)
        began = time.monotonic()
        assert fetched(f"{url(server)}/boot?mac={MAC}")[0] == 200
        assert line.recv(10) == b""
        assert time.monotonic() - began >= 0.5


def test_more_clients_than_there_is_room_for_are_turned_away_and_later_served(server: BootServer) -> None:
    server.within_s = 600
    lines = [socket.create_connection(("127.0.0.1", server.port), timeout=60) for _ in range(AT_ONCE)]
    for line in lines:
        line.sendall(b"GET")
    until(lambda: server._room._value == 0)
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as one:
        assert one.recv(10) == b""
    for line in lines:
        line.close()
    until(lambda: server._room._value == AT_ONCE)
    assert fetched(f"{url(server)}/boot?mac={MAC}")[0] == 200


def test_an_address_that_is_not_ours_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BootAddressRefused):
        BootServer(BootDesk(a_folder(tmp_path)), address="192.0.2.1", port=0)
