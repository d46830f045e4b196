"""Boot servers' folders for tests, and orders in them as the module of the runbook places them."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from orchestrator.adapters.netboot_folder import BootFolder
from orchestrator.core.netboot_site import site_text
from tests.playbooks.modules import module

MAC = "52:54:00:00:00:07"
URL = "http://127.0.0.1:8069"
netboot = module("kahn_netboot")


def a_folder(place: Path, *, mac: str = MAC) -> BootFolder:
    """A folder with one machine's key, files to serve and an administrator's key."""
    folder = BootFolder.made(place, site_text(url=URL, prefix=16, gateway=""))
    folder.make_key(mac)
    (place / "authorized_keys").write_text("ssh-ed25519 AAAA anna\n")
    for name in ("vmlinuz", "initrd.gz", "root.img"):
        (place / "files" / name).write_bytes(name.encode() * 1000)
    return folder


def words(folder: BootFolder, **changed: Any) -> dict[str, Any]:
    """What the module is called with."""
    machine = {
        "name": "neu-0001", "address": "127.0.0.7", "mac": [MAC], "port": 1, "host_key": folder.make_key(MAC),
    }  # fmt: skip
    machine |= changed.pop("machine", {})
    basics = {"place": str(folder.place), "asset": "seat-0001", "order": "o1", "epoch": 3, "valid_s": 3600}
    return {**basics, "machine": machine, **changed}


def release(folder: BootFolder, **changed: Any) -> Any:
    """Release the disk as the runbook's first step does."""
    return netboot.order(words(folder, **changed), time.time())


def probe(folder: BootFolder, **changed: Any) -> Any:
    """What the runbook's probe answers."""
    return netboot.ask(words(folder, **changed), time.time())[1]
