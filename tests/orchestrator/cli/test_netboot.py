"""``kahn netboot``."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from inventory.errors import ExpectedError
from orchestrator.adapters.netboot_initrd import InstallerIncomplete
from orchestrator.cli.context import Context
from orchestrator.cli.netboot import BadBootNetwork, app
from orchestrator.texts import use_language
from tests.known_town import call
from tests.orchestrator.adapters.test_netboot_initrd import a_kernel, program, unpacked
from tests.orchestrator.boot_folders import MAC, a_folder, release
from tests.simulated_installer import SENT_AWAY, fetched, main


def answer(*words: str, place: Path) -> Any:
    return json.loads(call(app, Context(json=True), *words, "--place", str(place)).stdout)


def test_a_folder_is_made_with_a_configuration_for_dnsmasq_and_keys(tmp_path: Path) -> None:
    made = answer("init", "--listen", "10.1.0.5/16", "--range", "10.1.9.1,10.1.9.99", place=tmp_path / "b")
    assert made["url"] == "http://10.1.0.5:8069" and "dhcp-range=10.1.9.1,10.1.9.99,255.255.0.0" in made["dnsmasq"]
    keys = answer("key", MAC.upper().replace(":", "-"), place=tmp_path / "b")
    assert keys == answer("key", MAC, place=tmp_path / "b") and keys[MAC].startswith("ssh-ed25519 ")
    assert answer("list", place=tmp_path / "b")["machines"] == [{"mac": MAC, "phase": "not_released"}]


@pytest.mark.parametrize(
    ("listen", "leases", "more"),
    [
        ("10.1.0.5", "10.1.9.1,10.1.9.99", []), ("10.1.0.5/16", "10.2.9.1,10.1.9.99", []), ("x", "y", []),
        ("10.1.0.5/16", "10.1.9.1", []), ("10.1.0.5/16", "10.1.9.1,10.1.9.9", ["--gateway", "x"]),
        ("10.1.0.5/16", "10.1.9.1,10.1.9.9", ["--interface", "e\nport=53"]), ("10.1.0.5/16", "10.1.9.9,10.1.9.1", []),
        ("fd00::1/64", "fd00::10,fd00::99", []),
        ("10.1.0.5/16", "10.1.0.1,10.1.0.9", []), ("10.1.0.5/16", "10.1.9.1,10.1.9.9", ["--gateway", "192.168.1.1"]),
    ],
)  # fmt: skip
def test_a_network_that_makes_no_sense_is_refused(tmp_path: Path, listen: str, leases: str, more: list[str]) -> None:
    with pytest.raises(BadBootNetwork):
        answer("init", "--listen", listen, "--range", leases, *more, place=tmp_path / "b")
    assert not (tmp_path / "b").exists()


def test_bad_addresses_and_folders_are_refused(tmp_path: Path) -> None:
    for words in (
        ("key", "ff:ff:ff:ff:ff:ff"),
        ("list",),
        ("serve", "--listen", "everywhere"),
        ("serve", "--listen", "0.0.0.0"),
    ):
        with pytest.raises(ExpectedError):
            answer(*words, place=tmp_path)


def test_an_installer_is_packed_into_the_folder_or_refused(tmp_path: Path) -> None:
    folder = a_folder(tmp_path / "b")
    (tmp_path / "busybox").write_bytes(program(1))
    (tmp_path / "kernel").write_bytes(b"kernel")
    words = ["build", "--modules", str(a_kernel(tmp_path / "m")), "--busybox", str(tmp_path / "busybox"), "--kernel"]
    assert answer(*words, str(tmp_path / "kernel"), place=folder.place)["kib"] >= 0
    assert (folder.place / "files/vmlinuz").read_bytes() == b"kernel"
    assert "modules/virtio_net.ko" in unpacked((folder.place / "files/initrd.gz").read_bytes())
    with pytest.raises(InstallerIncomplete):
        answer(*words, str(tmp_path / "none"), place=folder.place)


def test_the_list_says_whose_disk_is_released(tmp_path: Path) -> None:
    release(a_folder(tmp_path))
    row = answer("list", place=tmp_path)["machines"][0]
    assert (row["phase"], row["asset"], row["name"]) == ("released", "seat-0001", "neu-0001")
    assert "released" in call(app, Context(), "list", "--place", str(tmp_path)).output
    use_language("de")
    assert "freigegeben" in call(app, Context(), "list", "--place", str(tmp_path)).output


def test_one_damaged_record_hides_no_other_machine(tmp_path: Path) -> None:
    folder = a_folder(tmp_path)
    release(folder)
    (tmp_path / "orders" / "52-54-00-00-00-99.json").write_text('{"')
    (tmp_path / "orders" / "notes.txt").touch()
    out = CliRunner().invoke(app, ["list", "--place", str(tmp_path)], obj=Context())
    assert "released" in out.output and "damaged" in out.output and "notes" not in out.output
    assert isinstance(out.exception, ExpectedError) and out.exception.code == "BOOT-002"


def test_a_second_init_says_where_machines_are_still_sent(tmp_path: Path) -> None:
    for listen in ("10.1.0.5/16", "10.1.0.6/16"):
        words = ("init", "--listen", listen, "--range", "10.1.9.1,10.1.9.9", "--place", str(tmp_path / "b"))
        said = call(app, Context(), *words).output
    assert "stays: machines are sent to http://10.1.0.5:8069" in " ".join(said.split())


def served(place: Path, *, stderr: int | None = None) -> subprocess.Popen[str]:
    kahn = (sys.executable, "-m", "orchestrator.cli.main", "--json", "netboot", "serve")
    words = (*kahn, "--listen", "127.0.0.1", "--port", "0", "--place", str(place))
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    return subprocess.Popen(words, stdout=subprocess.PIPE, stderr=stderr, text=True, env=environment)


@pytest.mark.parametrize("everywhere", ["0.0.0.0", "::"])
def test_it_listens_on_one_address_and_never_on_all(tmp_path: Path, everywhere: str) -> None:
    folder = a_folder(tmp_path / "b")
    with pytest.raises(BadBootNetwork):
        answer("serve", "--listen", everywhere, "--port", "0", place=folder.place)


def test_a_server_that_can_install_nothing_says_so_at_its_start(tmp_path: Path) -> None:
    folder = a_folder(tmp_path / "b")
    (folder.place / "files/initrd.gz").unlink()
    (folder.place / "authorized_keys").write_text("")
    server = served(folder.place, stderr=subprocess.PIPE)
    listening(server)
    server.send_signal(signal.SIGTERM)
    said = " ".join(server.communicate(timeout=60)[1].split())
    assert "server is started again: files/initrd.gz." in said and "authorized_keys has no key" in said


def listening(server: subprocess.Popen[str]) -> str:
    assert server.stdout is not None
    said = "".join(iter(server.stdout.readline, "}\n")) + "}"
    return f"http://127.0.0.1:{json.loads(said)['port']}"


def test_a_server_killed_in_the_midst_leaves_a_spent_release_spent(tmp_path: Path) -> None:
    folder = a_folder(tmp_path / "b")
    release(folder)
    server = served(folder.place)
    url = listening(server)
    token = fetched(f"{url}/boot?mac={MAC}")[1].decode().split("kahn.token=")[1].split()[0]
    assert fetched(f"{url}/begin", {"mac": MAC, "token": token})[0] == 200
    server.send_signal(signal.SIGKILL)
    server.communicate()

    server = served(folder.place)
    try:
        url = listening(server)
        assert fetched(f"{url}/begin", {"mac": MAC, "token": token})[0] == 409
        assert main(url, MAC, str(tmp_path / "disk")) == SENT_AWAY
    finally:
        server.send_signal(signal.SIGTERM)
        assert server.wait(60) == 0
        server.communicate()
