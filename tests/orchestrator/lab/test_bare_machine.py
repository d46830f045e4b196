"""A bare machine in the lab: its disk and its image; that it boots is proven with install-machine."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from orchestrator.lab.bare_machine import DISK_BYTES, OFFSET, BareMachine, emulator_root, partition_table, written
from orchestrator.lab.errors import LabSourcesMissing
from orchestrator.lab.host import Host
from orchestrator.lab.notice import silent


def a_host(place: Path) -> Host:
    return Host(
        lab=place, tenant="t", tenant_number=1, number=2, name="neu-0001", init="sshd", disk_mib=64, kind="workstation",
        base=place,
    )  # fmt: skip


def test_the_partition_table_names_one_bootable_linux_partition() -> None:
    table = partition_table(OFFSET // 512, 4096)
    assert (len(table), table[-2:], table[446], table[450]) == (512, b"\x55\xaa", 0x80, 0x83)
    assert struct.unpack_from("<II", table, 454) == (2048, 4096) and not any(table[462:510])


def test_a_disk_looks_as_before_until_a_byte_of_it_is_written(tmp_path: Path) -> None:
    machine = BareMachine(root=tmp_path, host=a_host(tmp_path), place=tmp_path / "machine")
    empty = machine.looks()
    assert empty[0] == 0 and machine.disk.stat().st_size == DISK_BYTES and not machine.is_on
    with machine.disk.open("r+b") as disk:
        disk.seek(5 << 20)
        disk.write(bytes(4096))
    assert machine.looks() == empty, "zeros are no content"
    with machine.disk.open("r+b") as disk:
        disk.seek(5 << 20)
        disk.write(b"x")
    assert machine.looks() != empty


def test_the_same_bytes_elsewhere_on_the_disk_are_another_disk(tmp_path: Path) -> None:
    seen = []
    for place in (1 << 20, 3 << 20):
        with (tmp_path / "disk").open("wb") as disk:
            disk.truncate(8 << 20)
            disk.seek(place)
            disk.write(b"x" * 4096)
        seen.append(written(tmp_path / "disk"))
    assert seen[0] != seen[1]


def test_what_is_off_may_be_switched_off(tmp_path: Path) -> None:
    BareMachine(root=tmp_path, host=a_host(tmp_path), place=tmp_path / "machine").switch_off()


def test_where_no_emulator_can_be_had_its_packages_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    (tmp_path / "mmdebstrap").write_text("#!/bin/sh\nexit 1\n")
    (tmp_path / "mmdebstrap").chmod(0o755)
    with pytest.raises(LabSourcesMissing, match="qemu-system-x86"):
        emulator_root(tmp_path / "cache", silent)
