"""The installer for bare machines: whole, loadable in order, and refused where it could not start."""

from __future__ import annotations

import gzip
import lzma
import subprocess
from pathlib import Path

import pytest

from orchestrator.adapters.netboot_initrd import SCRIPT, InstallerIncomplete, installer


def program(*kinds: int) -> bytes:
    """An ELF file of 64 bits with segments of these kinds and nothing else."""
    head = bytearray(64)
    head[:5] = b"\x7fELF\x02"
    head[32:40], head[54:56], head[56:58] = (64).to_bytes(8, "little"), b"\x38\0", bytes((len(kinds), 0))
    return bytes(head) + b"".join(kind.to_bytes(4, "little") + bytes(52) for kind in kinds)


def a_kernel(place: Path) -> Path:
    for path, content in {
        "net/virtio_net.ko": b"net",
        "net/failover.ko": b"failover",
        "net-failover.ko.xz": b"",
    }.items():
        (place / path).parent.mkdir(parents=True, exist_ok=True)
        (place / path).write_bytes(content or lzma.compress(b"net_failover"))
    lines = (
        "net/virtio_net.ko: net-failover.ko.xz net/failover.ko",
        "net-failover.ko.xz: net/failover.ko",
        "net/failover.ko:",
    )
    (place / "modules.dep").write_text("\n".join(lines) + "\n")
    return place


def unpacked(archive: bytes) -> dict[str, bytes]:
    """Names and contents of a cpio archive, read by their own code."""
    whole, at = gzip.decompress(archive), 0
    found: dict[str, bytes] = {}
    while True:
        assert whole[at : at + 6] == b"070701"
        size, length = int(whole[at + 54 : at + 62], 16), int(whole[at + 94 : at + 102], 16)
        name = whole[at + 110 : at + 109 + length].decode()
        if name == "TRAILER!!!":
            return found
        start = -(-(at + 110 + length) // 4) * 4
        found[name] = whole[start : start + size]
        at = -(-(start + size) // 4) * 4


def test_modules_are_packed_in_the_order_in_which_they_load(tmp_path: Path) -> None:
    (tmp_path / "busybox").write_bytes(program(1, 2))
    files = unpacked(installer(modules=a_kernel(tmp_path), busybox=tmp_path / "busybox", names=("virtio-net", "none")))
    assert files["modules/order"] == b"failover.ko\nnet_failover.ko\nvirtio_net.ko\n"
    assert files["modules/net_failover.ko"] == b"net_failover" and files["init"] == SCRIPT.read_bytes()


@pytest.mark.parametrize("content", [b"", b"#!/bin/sh\n", program(), program(1, 3), program(1)[:60]])
def test_a_busybox_that_needs_libraries_or_is_none_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "busybox").write_bytes(content)
    with pytest.raises(InstallerIncomplete):
        installer(modules=a_kernel(tmp_path), busybox=tmp_path / "busybox")


def test_missing_modules_are_named(tmp_path: Path) -> None:
    (tmp_path / "busybox").write_bytes(program(1))
    with pytest.raises(InstallerIncomplete) as refused:
        installer(modules=tmp_path / "none", busybox=tmp_path / "busybox")
    assert "modules.dep" in str(refused.value.facts)


def test_the_script_is_one_that_a_small_shell_understands() -> None:
    subprocess.run(("sh", "-n", SCRIPT), check=True)
