"""A real bare machine for tests: qemu (without acceleration) with an empty disk and a network card in a lab's LAN.

What it takes (qemu, iPXE, dnsmasq, a kernel, busybox) lies in a root of its own, built once by mmdebstrap and cached
beside the lab's base; nothing of it is installed on this machine.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from orchestrator.lab.base import _proxy_options, machine_sources, machine_suite
from orchestrator.lab.host import Host
from orchestrator.lab.kernel import locked_directory, tool_environment

PACKAGES = (
    "busybox-static", "dnsmasq-base", "e2fsprogs", "fdisk", "ipxe", "ipxe-qemu", "iproute2", "kmod",
    "linux-image-cloud-amd64", "qemu-system-x86", "seabios",
)  # fmt: skip
OFFSET = 1 << 20
START = """#!/bin/sh
# PID 1 of the test image: its address, then sshd, as PID 1 of a light lab host.
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


def tools(cache: Path) -> Path:
    """The root with everything that a bare machine takes, built first if need be."""
    recipe = hashlib.sha256("\n".join((machine_suite(), *PACKAGES)).encode()).hexdigest()[:12]
    target = cache / f"netboot-{recipe}"
    with locked_directory(cache):
        if not target.is_dir():
            part = target.with_name(target.name + ".part")
            shutil.rmtree(part, ignore_errors=True)
            words = ["mmdebstrap", "--variant=minbase", "--mode=root", "--dpkgopt=force-unsafe-io"]
            words += ["--dpkgopt=path-exclude=/usr/share/doc/*", f"--include={','.join(PACKAGES)}"]
            words += [f"--aptopt={line}" for line in _proxy_options()]
            words += [machine_suite(), str(part), *map(str, machine_sources())]
            subprocess.run(words, check=True, capture_output=True, env=tool_environment(), timeout=900)
            part.rename(target)
    return target


def kernel_of(root: Path) -> tuple[Path, Path]:
    """The kernel and its modules."""
    modules = next((root / "usr/lib/modules").iterdir())
    return root / "boot" / f"vmlinuz-{modules.name}", modules


def make_image(root: Path, base: Path, image: Path, place: Path) -> None:
    """A whole disk with one partition: what a lab host is made of, small enough to be written without acceleration."""
    tree = place / "tree"
    subprocess.run(("cp", "-a", "--reflink=auto", base, tree), check=True)
    for path in _NOT_NEEDED:
        shutil.rmtree(tree / path, ignore_errors=True)
    init = tree / "usr/sbin/init"
    init.unlink(missing_ok=True)
    init.write_text(START)
    init.chmod(0o755)
    sshd = "HostKey /etc/ssh/ssh_host_ed25519_key\nPermitRootLogin prohibit-password\nPasswordAuthentication no\n"
    (tree / "etc/ssh/sshd_config").write_text(sshd)
    size = 0
    for directory, _names, files in os.walk(tree):
        size += 4096 + sum(-(-(Path(directory) / name).lstat().st_size // 4096) * 4096 for name in files)
    mib = size // (1 << 20) * 5 // 4 + 24
    with image.open("wb") as out:
        out.truncate(OFFSET + mib * (1 << 20))
    inside = ("chroot", root, "sfdisk", "-q", "/image")
    with _seen_in(root, image):
        subprocess.run(inside, input="label: dos\nstart=2048, type=L, bootable\n", text=True, check=True)
        options = f"offset={OFFSET},lazy_itable_init=1"
        words = ("mke2fs", "-q", "-F", "-t", "ext4", "-O", "^has_journal", "-E", options, "-d", tree, image, f"{mib}M")
        subprocess.run(words, check=True, env=tool_environment(), capture_output=True)
    shutil.rmtree(tree)


@contextmanager
def _seen_in(root: Path, image: Path) -> Iterator[None]:
    seen = root / "image"
    seen.touch()
    subprocess.run(("mount", "--bind", image, seen), check=True)
    try:
        yield
    finally:
        subprocess.run(("umount", seen), check=True)
        seen.unlink()


@contextmanager
def powered_on(root: Path, host: Host, *, machine: Path) -> Iterator[None]:
    """A machine in place of a lab host that is off: its hardware address, its LAN, an empty disk; boots by network.

    ``machine`` is a folder of its own; its console is written there.
    """
    lan, bridge, tap = host.names.lan(host.tenant_number), host.names.bridge, f"bare{host.number}"
    for words in (
        ("tuntap", "add", tap, "mode", "tap"), ("link", "set", tap, "master", bridge), ("link", "set", tap, "up"),
    ):  # fmt: skip
        subprocess.run(("ip", "-n", lan, *words), check=True)
    with (machine / "disk").open("wb") as disk:
        disk.truncate(1 << 30)
    qemu = (
        "qemu-system-x86_64", "-M", "pc", "-accel", "tcg,thread=multi", "-smp", "1", "-m", "384", "-display", "none",
        "-nodefaults", "-no-user-config", "-serial", "file:/bare/console", "-boot", "order=n,reboot-timeout=5000",
        "-netdev", f"tap,id=n0,ifname={tap},script=no,downscript=no",
        "-device", f"virtio-net-pci,netdev=n0,mac={host.mac}",
        "-drive", "file=/bare/disk,if=virtio,format=raw,cache=unsafe",
    )  # fmt: skip
    script = (
        'mkdir -p "$1/bare" && mount --bind "$2" "$1/bare" && mount --bind /dev "$1/dev"'
        ' && mount --bind /proc "$1/proc" && root="$1" && shift 2 && exec chroot "$root" "$@"'
    )
    inside = ("ip", "netns", "exec", lan, "unshare", "--mount", "sh", "-c", script, "sh", root, machine, *qemu)
    started = subprocess.Popen(inside, stdin=subprocess.DEVNULL)
    try:
        yield
    finally:
        started.send_signal(signal.SIGTERM)
        started.wait(60)
        subprocess.run(("ip", "-n", lan, "link", "del", tap), check=False)
