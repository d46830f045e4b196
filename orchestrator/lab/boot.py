"""Boots hosts: PID 1 of each in fresh namespaces on its own disk. Runs as a small program of its own.

``python -m orchestrator.lab.boot DIRECTORY TENANT SECONDS NAME...`` boots the named hosts of a tenant and waits until
their ssh answers. A program of its own forks safely, whatever threads its caller has.
"""

from __future__ import annotations

import asyncio
import json
import os
import socket
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

from orchestrator.lab import kernel
from orchestrator.lab.host import Host, load_host
from orchestrator.lab.names import WAKE_PORT
from orchestrator.lab.network import plug_in

_DEVICES = (("null", 1, 3), ("zero", 1, 5), ("full", 1, 7), ("random", 1, 8), ("urandom", 1, 9), ("tty", 5, 0))
_INIT = {
    "sshd": ("/usr/sbin/sshd", "-D", "-e"),
    "systemd": ("/lib/systemd/systemd", "--log-target=console", "--log-level=warning", "--show-status=false"),
}


def boot(host: Host) -> int:
    """PID 1 of the host, started now unless it runs already. Raises OSError, LabToolFailed."""
    with kernel.locked_directory(host.directory, create=False):
        if host.pid:
            return host.pid
        plug_in(host)
        return _start(host)


def _start(host: Host) -> int:
    reader, writer = os.pipe()
    middle = os.fork()
    if middle == 0:
        _run_middle(host, writer)
    os.close(writer)
    with os.fdopen(reader) as answer:
        said = answer.read()
    os.waitpid(middle, 0)
    if not said.isdigit():
        raise OSError(f"{host.name}: {said}")
    return int(said)


def _run_middle(host: Host, writer: int) -> NoReturn:
    """Enters the host's group and namespaces, lets PID 1 be born there, records it, vanishes.

    PID 1 waits until it is recorded: its pivot_root also moves this one's root, as both share the mount namespace.
    """
    try:
        _join_group(host)
        kernel.enter_network(kernel.NETNS_DIRECTORY / host.network)
        group_space = kernel.CLONE_NEWCGROUP if host.cgroup else 0
        kernel.unshare(
            kernel.CLONE_NEWNS | kernel.CLONE_NEWUTS | kernel.CLONE_NEWIPC | kernel.CLONE_NEWPID | group_space
        )
        recorded, say_recorded = os.pipe()
        init = os.fork()
        if init == 0:
            os.close(say_recorded)
            _become_init(host, after=recorded)
        part = host.directory / "pid.part"
        part.write_text(str(init))
        part.replace(host.directory / "pid")
        os.write(say_recorded, b"!")
        os.write(writer, str(init).encode())
        os._exit(0)
    except BaseException as error:
        os.write(writer, f"not booted: {error}".encode())
        os._exit(1)


def _join_group(host: Host) -> None:
    group = host.cgroup
    if group:
        group.mkdir(parents=True, exist_ok=True)
        if (group / "cgroup.freeze").exists():
            (group / "cgroup.freeze").write_text("0")
        (group / "cgroup.procs").write_text(str(os.getpid()))


def _become_init(host: Host, *, after: int) -> NoReturn:
    try:
        os.setsid()
        if os.read(after, 1) != b"!":
            os._exit(71)
        log = os.open(host.directory / "console.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        null = os.open("/dev/null", os.O_RDONLY)
        for number, fd in enumerate((null, log, log)):
            os.dup2(fd, number)
        os.closerange(3, 65536)
        os.umask(0o022)
        kernel.make_mounts_private()
        _make_root(host)
        Path("/proc/sys/net/ipv4/ip_forward").write_text("0")
        socket.sethostname(host.name)
        kernel.pivot_to_here()
        words = _INIT[host.init]
        path = "/usr/sbin:/usr/bin:/sbin:/bin"
        os.execve(words[0], words, {"PATH": path, "HOME": "/root", "LANG": "C.UTF-8", "container": "lab"})
    except BaseException as error:
        os.write(2, f"boot failed: {error}\n".encode())
    os._exit(70)


def _make_root(host: Host) -> None:
    """Mounts the host's root with its own /proc, /sys, /dev and /run, and stands in it."""
    root = host.directory / "root"
    root.mkdir(exist_ok=True)
    layers = f"lowerdir={host.base},upperdir={host.disk}/upper,workdir={host.disk}/work"
    kernel.mount("overlay", root, options=layers)
    os.chdir(root)
    quiet = kernel.MS_NOSUID | kernel.MS_NODEV
    kernel.mount("proc", "proc", flags=quiet | kernel.MS_NOEXEC)
    kernel.mount("sysfs", "sys", flags=quiet | kernel.MS_NOEXEC | kernel.MS_RDONLY)
    if host.cgroup:
        kernel.mount("cgroup2", "sys/fs/cgroup", flags=quiet)
    kernel.mount("tmpfs", "dev", flags=kernel.MS_NOSUID, options="size=64k,mode=755")
    _make_devices()
    kernel.mount("tmpfs", "run", flags=quiet, options="size=64m,mode=755")
    os.mkdir("run/sshd", 0o755)


def _make_devices() -> None:
    os.umask(0)
    for name, major, minor in _DEVICES:
        os.mknod(f"dev/{name}", 0o020666, os.makedev(major, minor))
    os.umask(0o022)
    os.mkdir("dev/pts")
    os.mkdir("dev/shm")
    options = "newinstance,ptmxmode=0666,mode=620,gid=5"
    kernel.mount("devpts", "dev/pts", flags=kernel.MS_NOSUID | kernel.MS_NOEXEC, options=options)
    kernel.mount("tmpfs", "dev/shm", flags=kernel.MS_NOSUID | kernel.MS_NODEV, options="size=64m,mode=1777")
    os.symlink("pts/ptmx", "dev/ptmx")
    for name, target in (("fd", "fd"), ("stdin", "fd/0"), ("stdout", "fd/1"), ("stderr", "fd/2")):
        os.symlink(f"/proc/self/{target}", f"dev/{name}")


def silent_hosts(hosts: Sequence[Host], *, seconds: float) -> tuple[str, ...]:
    """Names of the hosts that sent no ssh greeting in time or died; asked from the caller's network namespace."""

    async def ask(host: Host, until: float) -> str | None:
        while time.monotonic() < until and host.running:
            with suppress(OSError, asyncio.TimeoutError):
                lines, to_host = await asyncio.wait_for(asyncio.open_connection(host.address, 22), 3)
                greeting = await asyncio.wait_for(lines.readline(), 3)
                to_host.close()
                if greeting.startswith(b"SSH-"):
                    return None
            await asyncio.sleep(0.05)
        return host.name

    async def ask_all() -> tuple[str, ...]:
        until = time.monotonic() + seconds
        answers = await asyncio.gather(*(ask(host, until) for host in hosts))
        return tuple(name for name in answers if name)

    return asyncio.run(ask_all())


def call_watcher() -> None:
    """Tells the LAN's watcher to look for hosts that were started; without a watcher nobody hears it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out, suppress(OSError):
        out.sendto(b"look", ("127.0.0.1", WAKE_PORT))


def main(words: Sequence[str]) -> int:
    """Boots and waits; prints the names of hosts that stayed silent as a JSON list."""
    lab, tenant, seconds, names = Path(words[0]), words[1], float(words[2]), words[3:]
    hosts = [host for name in names if (host := load_host(lab=lab, tenant=tenant, name=name))]
    for host in hosts:
        boot(host)
    silent: tuple[str, ...] = ()
    if hosts:
        kernel.enter_network(kernel.NETNS_DIRECTORY / hosts[0].names.lan(hosts[0].tenant_number))
        call_watcher()
    if hosts and seconds > 0:
        silent = silent_hosts(hosts, seconds=seconds)
    sys.stdout.write(json.dumps(silent))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
