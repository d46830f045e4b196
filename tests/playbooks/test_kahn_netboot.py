"""Releasing a disk: one order a hardware address, for one asset, with the approved key, taken back whenever wished."""

from __future__ import annotations

import socket
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from orchestrator.core.netboot import Phase, Told
from tests.orchestrator.boot_folders import MAC, a_folder, netboot, probe, release, words
from tests.playbooks.modules import Trouble


def caught(act: Any, *given: Any) -> str:
    with pytest.raises(Trouble) as trouble:
        act(*given)
    return str(trouble.value.cause)


def test_the_same_attempt_twice_is_one_order_and_the_server_reads_it(tmp_path: Path) -> None:
    folder = a_folder(tmp_path)
    assert probe(folder) == {"answer": "not_done"}
    assert [release(folder)[0], release(folder)[0]] == [True, False]
    shelf = folder.shelf(MAC)
    assert shelf is not None and shelf.order is not None and shelf.now is not None
    assert (shelf.order.asset, shelf.order.name, shelf.order.address) == ("seat-0001", "neu-0001", "127.0.0.7")
    assert (shelf.now.phase, shelf.is_withdrawn) == (Phase.RELEASED, False)
    assert probe(folder)["answer"] == "running"


@pytest.mark.parametrize(
    ("changed", "cause"),
    [
        ({"machine": {"mac": []}}, "no_mac"),
        ({"machine": {"mac": [MAC, "52:54:00:00:00:08"]}}, "no_mac"),
        ({"machine": {"mac": ["../../etc/passwd"]}}, "no_mac"),
        ({"machine": {"name": "neu 1; reboot"}}, "bad_host_name"),
        ({"machine": {"name": "neu\n"}}, "bad_host_name"),
        ({"machine": {"address": "neu-1.stadt.example"}}, "bad_address"),
        ({"machine": {"host_key": "ssh-ed25519 AAAAother"}}, "prepared_key_differs"),
        ({"machine": {"mac": ["52:54:00:00:00:08"]}}, "no_prepared_key"),
        ({"place": "/nonexistent"}, "no_boot_server"),
    ],
)
def test_what_could_not_be_installed_is_refused_before_anything_is_released(
    tmp_path: Path, changed: dict[str, Any], cause: str
) -> None:
    folder = a_folder(tmp_path)
    assert caught(netboot.order, words(folder, **changed), time.time()) == cause
    assert not list((tmp_path / "orders").iterdir())


def test_two_assets_with_one_hardware_address_never_share_a_release(tmp_path: Path) -> None:
    folder = a_folder(tmp_path)
    release(folder)
    assert caught(release_of, folder, "seat-0002") == "busy_elsewhere"
    assert caught(netboot.free, words(folder, asset="seat-0002"), time.time()) == "busy_elsewhere"
    assert probe(folder, asset="seat-0002") == {"answer": "not_done"}
    assert netboot.withdraw(words(folder, asset="seat-0002")) == (False, {"withdrawn": False})
    assert probe(folder)["answer"] == "running"


def release_of(folder: Any, asset: str) -> Any:
    return release(folder, asset=asset, order=f"o-{asset}", epoch=9)


def test_a_driver_of_an_earlier_term_releases_nothing(tmp_path: Path) -> None:
    folder = a_folder(tmp_path)
    release(folder)
    assert caught(netboot.order, words(folder, order="o0", epoch=2), time.time()) == "epoch_refused"


def test_while_an_installer_writes_nobody_orders_anew(tmp_path: Path) -> None:
    folder = a_folder(tmp_path)
    release(folder)
    folder.keep(MAC, Told(order="o1", phase=Phase.WRITING, token="x", percent=40))
    assert probe(folder) == {"answer": "running", "order": "o1", "phase": "writing", "percent": 40}
    assert caught(netboot.order, words(folder, order="o2"), time.time()) == "still_working"


def test_what_is_withdrawn_is_so_for_the_server_and_can_be_ordered_anew(tmp_path: Path) -> None:
    folder = a_folder(tmp_path)
    release(folder)
    assert netboot.free(words(folder), time.time())[1] == {"baseline": "not_released", "now": "released"}
    assert [netboot.withdraw(words(folder))[0], netboot.withdraw(words(folder))[0]] == [True, False]
    shelf = folder.shelf(MAC)
    assert shelf is not None and shelf.is_withdrawn
    assert netboot.free(words(folder), time.time())[1]["now"] == "not_released"
    assert probe(folder)["answer"] == "not_done"
    release(folder, order="o2", epoch=4)
    shelf = folder.shelf(MAC)
    assert shelf is not None and not shelf.is_withdrawn


@pytest.mark.parametrize("phase", [Phase.RELEASED, Phase.OFFERED, Phase.INSTALLED, Phase.FAILED])
def test_what_an_earlier_wave_left_is_never_taken_for_the_end_of_an_order_that_nobody_placed(
    tmp_path: Path, phase: Phase
) -> None:
    """The step's start may die before it places its order; the probe after it must not find the one of last month."""
    folder, now = a_folder(tmp_path), time.time()
    release(folder)
    folder.keep(MAC, Told(order="o1", phase=phase, percent=100))
    assert netboot.fresh(words(folder, order="f2", epoch=4), now) == (True, {"withdrawn": True})
    assert netboot.fresh(words(folder, order="f2", epoch=4), now) == (False, {"withdrawn": False})
    assert probe(folder)["answer"] == ("partial" if phase is Phase.FAILED else "not_done")
    assert release(folder, order="o2", epoch=4)[0]


def test_nothing_that_is_at_work_is_swept_away_before_a_wave(tmp_path: Path) -> None:
    folder = a_folder(tmp_path)
    release(folder)
    assert caught(netboot.fresh, words(folder, epoch=2), time.time()) == "epoch_refused"
    assert caught(netboot.fresh, words(folder, asset="seat-0002"), time.time()) == "busy_elsewhere"
    folder.keep(MAC, Told(order="o1", phase=Phase.WRITING, token="x", percent=40))
    assert caught(netboot.fresh, words(folder), time.time()) == "still_working"
    assert probe(folder)["answer"] == "running"


def test_failures_are_told_with_their_cause(tmp_path: Path) -> None:
    folder = a_folder(tmp_path)
    release(folder, valid_s=-1)
    assert (probe(folder)["answer"], probe(folder)["cause"]) == ("failed", "never_booted")
    folder.keep(MAC, Told(order="o1", phase=Phase.FAILED, token="", cause="interrupted"))
    assert (probe(folder)["answer"], probe(folder)["cause"]) == ("failed", "interrupted")
    netboot.withdraw(words(folder))
    assert probe(folder)["answer"] == "partial"


def test_done_is_only_what_greets_as_ssh_from_its_own_disk(tmp_path: Path) -> None:
    folder = a_folder(tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        here = {"address": "127.0.0.1", "port": listening.getsockname()[1]}
        release(folder, machine=here)
        folder.keep(MAC, Told(order="o1", phase=Phase.INSTALLED, percent=100))
        threading.Thread(target=_greet, args=(listening, b"HTTP", b"SSH-2.0-x\r\n"), daemon=True).start()
        assert [probe(folder, machine=here)["answer"] for _ in range(2)] == ["running", "done"]
    assert probe(folder, machine=here)["answer"] == "running"


def _greet(listening: socket.socket, *words: bytes) -> None:
    for one in words:
        with listening.accept()[0] as line:
            line.sendall(one)


def test_a_record_that_is_no_record_is_no_release(tmp_path: Path) -> None:
    folder = a_folder(tmp_path)
    release(folder)
    for content in ("", "[]", "{"):
        (tmp_path / "orders" / "52-54-00-00-00-07.json").write_text(content)
        assert caught(netboot.ask, words(folder), time.time()) == "boot_record_damaged"
