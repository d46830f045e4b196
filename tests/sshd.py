"""A real ssh server on this machine's loopback, thrown away after the tests: real connections without a lab.

It runs in a mount space of its own where /var/lib and /run are empty, so receipts of a run never reach this machine.
Needs root and the package openssh-server.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.waiting import until

_SEARCH = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A running server: where it listens, its host key (``type base64``), the key that may log in as root."""

    directory: Path
    port: int
    host_key: str
    key_file: Path
    pid: int

    def inside(self, *argv: str) -> str:
        """Output of a command in the server's mount space."""
        command = ("nsenter", f"--target={self.pid}", "--mount", "--", *argv)
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout

    def text_of(self, path: str) -> str:
        """A file in the server's mount space, empty when there is none: read without a process, as tests ask often."""
        try:
            return Path(f"/proc/{self.pid}/root{path}").read_text(encoding="utf-8")
        except FileNotFoundError:
            return ""

    def stop(self) -> None:
        """Refuse new connections from now on."""
        os.kill(self.pid, 9)


def why_no_server() -> str:
    """What a real ssh server lacks here; empty when nothing."""
    if os.geteuid() != 0:
        return "needs root"
    needed = ("sshd", "ssh", "ssh-keygen", "unshare", "nsenter", "flock")
    missing = [name for name in needed if not shutil.which(name, path=_SEARCH)]
    return f"{', '.join(missing)} missing (packages openssh-server, openssh-client, util-linux)" if missing else ""


def start_server(directory: Path, *, key_type: str = "ed25519", options: str = "") -> Server:
    """A server with fresh keys in the directory, and further lines of configuration; who starts it calls ``stop``."""
    host_key, login_key = directory / "host_key", directory / "login_key"
    for path, kind in ((host_key, key_type), (login_key, "ed25519")):
        subprocess.run(("ssh-keygen", "-q", "-t", kind, "-N", "", "-C", "", "-f", path), check=True)
    shutil.copy(login_key.with_suffix(".pub"), directory / "authorized_keys")
    started, port = _listening(directory, host_key, options)
    key = " ".join(host_key.with_suffix(".pub").read_text().split()[:2])
    return Server(directory=directory, port=port, host_key=key, key_file=login_key, pid=started.pid)


def _listening(directory: Path, host_key: Path, options: str) -> tuple[subprocess.Popen[bytes], int]:
    """The program and its port. sshd cannot say which port it took, so one is tried after another until it has it."""
    for _ in range(20):
        port = _free_port()
        started = _begun(directory, _config(directory, host_key, port, options))
        if _listens(directory, started):
            return started, port
    raise RuntimeError("the ssh server found no free port")


def _listens(directory: Path, started: subprocess.Popen[bytes]) -> bool:
    """Whether it says that it listens, and not that somebody else has the port."""
    said = directory / "sshd.err"
    until(lambda: b"Server listening on" in said.read_bytes() or started.poll() is not None)
    assert started.poll() is None or b"Address already in use" in said.read_bytes(), said.read_text()
    return started.poll() is None


def _config(directory: Path, host_key: Path, port: int, options: str) -> Path:
    config = directory / "sshd_config"
    config.write_text(
        f"Port {port}\nListenAddress 127.0.0.1\nHostKey {host_key}\nPidFile none\nUsePAM no\nStrictModes no\n"
        f"PermitRootLogin prohibit-password\nPasswordAuthentication no\nMaxStartups 100\nMaxSessions 100\n"
        f"AuthorizedKeysFile {directory}/authorized_keys\n{options}"
    )
    return config


def _begun(directory: Path, config: Path) -> subprocess.Popen[bytes]:
    sshd = shutil.which("sshd", path=_SEARCH)
    empty = "mount -t tmpfs none /var/lib && mount -t tmpfs none /run && mkdir /run/sshd"
    script = f"{empty} && exec {sshd} -D -e -f {config}"
    with (directory / "sshd.err").open("wb") as said:
        return subprocess.Popen(
            ("unshare", "--mount", "--propagation", "private", "sh", "-c", script),
            stdin=subprocess.DEVNULL,
            stderr=said,
        )


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server for a test module."""
    lacks = why_no_server()
    if lacks:
        pytest.skip(f"ansible over real ssh not possible here: {lacks}")
    made = start_server(tmp_path_factory.mktemp("sshd"))
    try:
        yield made
    finally:
        made.stop()
        os.waitpid(made.pid, 0)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
