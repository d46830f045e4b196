"""The boot server's answers: on disk before they leave, only to the machine that is meant, secrets once."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.adapters import netboot_desk
from orchestrator.adapters.netboot_desk import NOTHING, REFUSED, BootDesk
from orchestrator.core.netboot import Phase
from tests.orchestrator.boot_folders import MAC, a_folder, netboot, probe, release, words
from tests.simulated_installer import script_words, settings

CLIENT = "10.78.8.1"


def a_desk(place: Path, *, arp: str = "") -> BootDesk:
    (place / "arp").write_text(f"IP address HW type Flags HW address Mask Device\n{arp}")
    return BootDesk(a_folder(place), arp=place / "arp")


def token_of(desk: BootDesk) -> str:
    return script_words(desk.boot(MAC, client=CLIENT).text)["token"]


def test_it_tells_what_lacks_before_a_machine_can_be_installed(tmp_path: Path) -> None:
    desk = a_desk(tmp_path)
    assert (desk.lacking(), desk.lets_anybody_in()) == ((), True)
    (tmp_path / "files/vmlinuz").unlink()
    (tmp_path / "files/root.img").write_bytes(b"")
    (tmp_path / "authorized_keys").write_text(" \n")
    assert (desk.lacking(), desk.lets_anybody_in()) == (("files/vmlinuz", "files/root.img"), False)


def test_secrets_leave_once_and_only_for_the_newest_token(tmp_path: Path) -> None:
    desk = a_desk(tmp_path)
    assert desk.boot(MAC, client=CLIENT).text.startswith("#!ipxe\nsanboot")
    release(desk.folder)
    old, new = token_of(desk), token_of(desk)
    for form in ({"mac": MAC, "token": old}, {"mac": MAC}, {"mac": "52:54:00:00:00:08", "token": new}, {}):
        assert desk.begin(form, client=CLIENT) == REFUSED
    given = settings(desk.begin({"mac": MAC, "token": new}, client=CLIENT).text.encode())
    assert (given["name"], given["address"], given["order"]) == ("neu-0001", "127.0.0.7/16", "o1")
    assert given["host_key"] and len(given["sha256"]) == 64
    assert desk.begin({"mac": MAC, "token": new}, client=CLIENT) == REFUSED
    assert desk.report({"mac": MAC, "token": new, "state": "progress", "percent": "30"}, client=CLIENT).status == 200
    assert probe(desk.folder)["percent"] == 30


def test_a_note_that_cannot_be_written_withholds_no_answer(tmp_path: Path) -> None:
    """The release is spent by then: without the answer the machine would wait for nothing until the deadline."""
    desk = a_desk(tmp_path)
    release(desk.folder)
    (tmp_path / "events.jsonl").mkdir()
    assert desk.begin({"mac": MAC, "token": token_of(desk)}, client=CLIENT).status == 200


def test_a_server_that_was_killed_in_the_midst_goes_on_with_what_is_on_disk(tmp_path: Path) -> None:
    desk = a_desk(tmp_path)
    release(desk.folder)
    token = token_of(desk)
    second = BootDesk(desk.folder, arp=tmp_path / "arp")
    assert second.begin({"mac": MAC, "token": token}, client=CLIENT).status == 200
    third = BootDesk(desk.folder, arp=tmp_path / "arp")
    assert third.begin({"mac": MAC, "token": token}, client=CLIENT) == REFUSED
    assert third.report({"mac": MAC, "token": token, "state": "installed"}, client=CLIENT).status == 200
    assert third.report({"mac": MAC, "token": token, "state": "installed"}, client=CLIENT) == REFUSED
    assert third.boot(MAC, client=CLIENT).text.startswith("#!ipxe\nsanboot")


def test_a_release_that_is_withdrawn_between_script_and_beginning_is_none(tmp_path: Path) -> None:
    desk = a_desk(tmp_path)
    release(desk.folder)
    token = token_of(desk)
    netboot.withdraw(words(desk.folder))
    assert desk.begin({"mac": MAC, "token": token}, client=CLIENT) == REFUSED
    assert desk.boot(MAC, client=CLIENT).text.startswith("#!ipxe\nsanboot")


def test_power_that_is_lost_in_the_midst_fails_the_order_and_gives_no_second_installer(tmp_path: Path) -> None:
    desk = a_desk(tmp_path)
    release(desk.folder)
    token = token_of(desk)
    desk.begin({"mac": MAC, "token": token}, client=CLIENT)
    assert desk.boot(MAC, client=CLIENT).text.startswith("#!ipxe\nsanboot")
    assert (probe(desk.folder)["answer"], probe(desk.folder)["cause"]) == ("failed", "interrupted")
    assert desk.report({"mac": MAC, "token": token, "state": "installed"}, client=CLIENT) == REFUSED


def test_who_speaks_for_another_machine_on_the_same_network_is_nobody(tmp_path: Path) -> None:
    desk = a_desk(tmp_path, arp=f"{CLIENT} 0x1 0x2 52:54:00:00:00:66 * br0\n")
    release(desk.folder)
    assert desk.boot(MAC, client=CLIENT) == NOTHING
    assert desk.begin({"mac": MAC, "token": "t"}, client=CLIENT) == REFUSED
    assert "52:54:00:00:00:66" in (tmp_path / "events.jsonl").read_text()
    shelf = desk.folder.shelf(MAC)
    assert shelf is not None and shelf.now is not None and shelf.now.phase is Phase.RELEASED
    (tmp_path / "arp").write_text(f"head\n{CLIENT} 0x1 0x2 {MAC.upper()} * br0\n")
    assert script_words(desk.boot(MAC, client=CLIENT).text)


def test_a_flood_of_unknown_machines_fills_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(netboot_desk, "MOST_STRANGERS", 5)
    desk = a_desk(tmp_path)
    before = sum(1 for _ in tmp_path.rglob("*"))
    for number in range(200):
        assert desk.boot(f"52:54:00:00:01:{number:02x}", client=CLIENT) == NOTHING
        assert desk.boot("x" * number, client=CLIENT) == NOTHING
    assert len((tmp_path / "events.jsonl").read_text().splitlines()) == 5
    assert sum(1 for _ in tmp_path.rglob("*")) - before <= 2
    assert desk.not_named == 200 + 1 - 5
