"""A bare machine in the lab: an emulator without acceleration, an empty disk, a network card in a tenant's LAN.

What it takes (qemu, iPXE, dnsmasq, a kernel, busybox) lies in a root file system of its own, built once and kept beside
the lab's base; nothing of it is installed on this machine.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import signal
import struct
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from orchestrator.lab.base import ensure_base
from orchestrator.lab.errors import LabSourcesMissing, LabToolFailed
from orchestrator.lab.host import Host
from orchestrator.lab.kernel import run, tool_environment
from orchestrator.lab.notice import Notice, Tell

PACKAGES = (
    "busybox-static", "dnsmasq-base", "ipxe", "ipxe-qemu", "linux-image-cloud-amd64", "qemu-system-x86", "seabios",
)  # fmt: skip
OFFSET = 1 << 20
SECTOR = 512
DISK_BYTES = 1 << 30
ENDS_S = 60
START = """#!/bin/sh
# PID 1 of the image: its address, then sshd, as PID 1 of a light lab host.
export PATH=/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 HOME=/root
mount -t proc proc /proc; mount -t sysfs sysfs /sys; mount -t tmpfs tmpfs /run
mkdir -p /dev/pts /dev/shm /run/sshd
mount -t devpts devpts /dev/pts; mount -t tmpfs tmpfs /dev/shm
mount -o remount,rw /
hostname "$(cat /etc/hostname)"
mac=$(sed -n 's/^MACAddress=//p' /etc/systemd/network/10-kahn.network)
for one in /sys/class/net/*; do
  [ "$(cat "$one/address")" = "$mac" ] && card=$(basename "$one")
done
ip link set lo up; ip link set "$card" up
ip addr add "$(sed -n 's/^Address=//p' /etc/systemd/network/10-kahn.network)" dev "$card"
exec /usr/sbin/sshd -D -e
"""
_NOT_NEEDED = (
    "usr/share", "usr/lib/systemd", "usr/lib/x86_64-linux-gnu/gconv", "usr/lib/x86_64-linux-gnu/perl-base",
    "usr/lib/apt", "var/lib/dpkg", "var/cache", "var/lib/apt", "usr/lib/x86_64-linux-gnu/systemd", "usr/lib/udev",
)  # fmt: skip
LOADER_PACKAGES = ("grub-common", "grub-pc-bin")
GRUB_CODE = 440
"""So many bytes of the first sector are code; the partition table follows."""
KERNEL_WORDS = "console=ttyS0 panic=5 no_timer_check"
"""For a machine in an emulator: on a loaded machine its timer is late, which Linux would take for a broken one."""
GRUB = f"""set timeout=0
set root=(hd0,msdos1)
linux /boot/vmlinuz kahn.mode=disk kahn.root=/dev/vda1 {KERNEL_WORDS}
initrd /boot/initrd
boot
"""
IN_CHROOT = (
    'root="$1"; mkdir -p "$root/bare"; mount --bind "$2" "$root/bare"; mount --bind /dev "$root/dev"'
    '; mount --bind /proc "$root/proc"; shift 2; exec chroot "$root" "$@"'
)
"""Runs what follows in the root ``$1``, where the folder ``$2`` is seen as /bare."""


def emulator_root(cache: Path, tell: Tell) -> Path:
    """The root with everything that a bare machine takes, built first if need be. Raises LabSourcesMissing."""
    names = ", ".join(PACKAGES)
    tell(Notice(says="A bare machine needs {packages}: once about 200 MB to download.", facts={"packages": names}))
    try:
        return ensure_base(cache, tell, PACKAGES)
    except LabSourcesMissing as cause:
        raise LabSourcesMissing(reason=f"no root with {names}: {cause}") from cause


def kernel_of(root: Path) -> tuple[Path, Path]:
    """The kernel and its modules."""
    modules = next((root / "usr/lib/modules").iterdir())
    return root / "boot" / f"vmlinuz-{modules.name}", modules


@dataclass(frozen=True, slots=True, kw_only=True)
class BootLoader:
    """What an image starts by itself with: GRUB out of that root, and the kernel and initrd that it loads."""

    root: Path
    kernel: Path
    initrd: Path


def make_image(base: Path, image: Path, *, loader: BootLoader | None = None) -> None:
    """A whole disk with one partition: what a lab host is made of, small enough to be written without acceleration.

    Without a boot loader it needs to be sent a kernel. Raises LabToolFailed.
    """
    tree = image.with_suffix(".tree")
    run("cp", "-a", "--reflink=auto", base, tree)
    for path in _NOT_NEEDED:
        shutil.rmtree(tree / path, ignore_errors=True)
    init = tree / "usr/sbin/init"
    init.unlink(missing_ok=True)
    init.write_text(START)
    init.chmod(0o755)
    sshd = "HostKey /etc/ssh/ssh_host_ed25519_key\nPermitRootLogin prohibit-password\nPasswordAuthentication no\n"
    (tree / "etc/ssh/sshd_config").write_text(sshd)
    if loader is not None:
        _fill_boot(tree / "boot", loader)
    mib = _room_mib(tree)
    with image.open("wb") as out:
        out.write(partition_table(OFFSET // SECTOR, mib * (1 << 20) // SECTOR))
        out.truncate(OFFSET + mib * (1 << 20))
    options = f"offset={OFFSET},lazy_itable_init=1"
    run("mke2fs", "-q", "-F", "-t", "ext4", "-O", "^has_journal", "-E", options, "-d", tree, image, f"{mib}M")
    shutil.rmtree(tree)
    if loader is not None:
        _put_loader(image, loader)


def _fill_boot(boot: Path, loader: BootLoader) -> None:
    (boot / "grub").mkdir(parents=True, exist_ok=True)
    shutil.copyfile(loader.kernel, boot / "vmlinuz")
    shutil.copyfile(loader.initrd, boot / "initrd")
    (boot / "grub/grub.cfg").write_text(GRUB)


def _put_loader(image: Path, loader: BootLoader) -> None:
    """GRUB's first sector beside the partition table, and its core in the gap before the first partition."""
    words = ("grub-mkimage", "-O", "i386-pc", "-o", "/bare/core.img", "-p", "(hd0,msdos1)/boot/grub")
    modules = ("biosdisk", "part_msdos", "ext2", "linux", "normal", "configfile")
    inside = ("unshare", "--mount", "sh", "-ec", IN_CHROOT, "sh")
    run(*inside, loader.root, image.parent, *words, *modules)
    core = (image.parent / "core.img").read_bytes()
    first = (loader.root / "usr/lib/grub/i386-pc/boot.img").read_bytes()
    if SECTOR + len(core) > OFFSET:
        raise LabToolFailed(tool="grub-mkimage", reason=f"its {len(core)} bytes do not fit before the partition")
    with image.open("r+b") as disk:
        disk.write(first[:GRUB_CODE])
        disk.seek(SECTOR)
        disk.write(core)


def _room_mib(tree: Path) -> int:
    size = 0
    for directory, _names, files in os.walk(tree):
        size += 4096 + sum(-(-(Path(directory) / name).lstat().st_size // 4096) * 4096 for name in files)
    return size // (1 << 20) * 5 // 4 + 24


def partition_table(first: int, sectors: int) -> bytes:
    """The first sector of a disk with one Linux partition that is marked as bootable; both in sectors of 512 bytes."""
    anywhere = b"\xfe\xff\xff"  # cylinders, heads and sectors that nobody reads any more
    entry = b"\x80" + anywhere + b"\x83" + anywhere + struct.pack("<II", first, sectors)
    return bytes(446) + entry + bytes(48) + b"\x55\xaa"


@dataclass
class BareMachine:
    """A machine in place of a lab host that is off: its hardware address, its LAN, an empty disk; boots by network.

    ``place`` is a folder of its own; its console is written there.
    """

    root: Path
    host: Host
    place: Path
    _started: subprocess.Popen[bytes] | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        self.place.mkdir(exist_ok=True)
        with self.disk.open("ab") as disk:
            disk.truncate(DISK_BYTES)

    @property
    def disk(self) -> Path:
        """Its disk, byte for byte."""
        return self.place / "disk"

    @property
    def console(self) -> Path:
        """What it wrote since it was last switched on."""
        return self.place / "console"

    @property
    def is_on(self) -> bool:
        """Whether it runs."""
        return self._started is not None and self._started.poll() is None

    def switch_on(self) -> None:
        """It starts from its network card; without effect while it is on. Raises LabToolFailed."""
        if self.is_on:
            return
        lan, tap = self.host.names.lan(self.host.tenant_number), f"bare{self.host.number}"
        for words in (
            ("tuntap", "add", tap, "mode", "tap"), ("link", "set", tap, "master", self.host.names.bridge),
            ("link", "set", tap, "up"),
        ):  # fmt: skip
            run("ip", *words, network=lan)
        inside = ("ip", "netns", "exec", lan, "unshare", "--mount", "sh", "-ec", IN_CHROOT, "sh")
        program = (*inside, str(self.root), str(self.place), *self._emulator(tap))
        self._started = subprocess.Popen(program, stdin=subprocess.DEVNULL, env=tool_environment())

    def _emulator(self, tap: str) -> tuple[str, ...]:
        return (
            "qemu-system-x86_64", "-M", "pc", "-accel", "tcg,thread=multi", "-smp", "1", "-m", "384", "-display",
            "none", "-nodefaults", "-no-user-config", "-serial", "file:/bare/console",
            "-boot", "order=n,reboot-timeout=5000", "-netdev", f"tap,id=n0,ifname={tap},script=no,downscript=no",
            "-device", f"virtio-net-pci,netdev=n0,mac={self.host.mac}",
            "-drive", "file=/bare/disk,if=virtio,format=raw,cache=unsafe",
        )  # fmt: skip

    def switch_off(self) -> None:
        """Its plug is pulled; without effect while it is off."""
        if self._started is None:
            return
        self._started.send_signal(signal.SIGKILL)
        self._started.wait(ENDS_S)
        self._started = None
        lan = self.host.names.lan(self.host.tenant_number)
        run("ip", "link", "del", f"bare{self.host.number}", network=lan, allow_failure=True)

    def looks(self) -> tuple[object, ...]:
        """Its disk as far as it was ever written, and whether the machine runs: then the disk is its own affair."""
        return ("runs",) if self.is_on else written(self.disk)


def written(disk: Path) -> tuple[int, str]:
    """How many bytes of a sparse file are anything but holes and zeros, and their SHA-256."""
    count, digest = 0, hashlib.sha256()
    with disk.open("rb") as opened:
        for begin, end in _pieces(opened.fileno()):
            opened.seek(begin)
            while begin < end and (piece := opened.read(min(1 << 20, end - begin))):
                begin += len(piece)
                if piece.strip(b"\0"):
                    count += len(piece)
                    digest.update(begin.to_bytes(8, "big") + piece)
    return (count, digest.hexdigest())


def _pieces(descriptor: int) -> Iterator[tuple[int, int]]:
    """Stretches of a file that are no holes."""
    at, size = 0, os.fstat(descriptor).st_size
    while at < size:
        try:
            begin = os.lseek(descriptor, at, os.SEEK_DATA)
        except OSError:
            return
        at = os.lseek(descriptor, begin, os.SEEK_HOLE)
        yield begin, at


@contextmanager
def lending(root: Path, host: Host, *, configuration: str, place: Path) -> Iterator[None]:
    """dnsmasq with that configuration, on the network card of a lab host; ``place`` is a folder of its own."""
    place.mkdir(exist_ok=True)
    (place / "dnsmasq.conf").write_text(f"{configuration}user=root\ndhcp-leasefile=/bare/leases\n")
    inside = ("ip", "netns", "exec", host.network, "unshare", "--mount", "sh", "-ec", IN_CHROOT, "sh")
    server = ("dnsmasq", "--keep-in-foreground", "--log-facility=/bare/log", "--conf-file=/bare/dnsmasq.conf")
    started = subprocess.Popen((*inside, str(root), str(place), *server), stderr=subprocess.DEVNULL)
    try:
        yield
    finally:
        started.terminate()
        started.wait(ENDS_S)
