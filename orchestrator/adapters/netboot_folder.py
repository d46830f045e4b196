"""The boot server's folder: orders and withdrawals that runs leave there, what the server was told, keys and files.

site.toml          how machines of this network are installed
authorized_keys    who may log in to a machine once it is installed
files/             kernel, initrd and image: given to whoever asks
keys/              the host key that each machine will have; the private half leaves only through a release
orders/ withdrawn/ written by the step of an approved wave (kahn_netboot), one file a hardware address
told/              written by the server alone
events.jsonl       what happened, kept to two files of 1 MiB
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import subprocess
import threading
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from inventory.addressing import parse_mac
from inventory.errors import ExpectedError
from orchestrator.core.netboot import Order, Phase, Shelf, Told
from orchestrator.core.netboot_site import Site, SiteWrong, read_site
from orchestrator.supervisor.boundary import boundary

FOLDERS = ("files", "keys", "orders", "told", "withdrawn")
SITE, ADMINS = "site.toml", "authorized_keys"
MAX_RECORD_BYTES = 64 * 1024
MAX_EVENTS_BYTES = 1 << 20
_RECORD = re.compile(r"([0-9a-f]{2}(?:-[0-9a-f]{2}){5})(\.json|\.pub)?")
"""What belongs to a machine in the folders; what a death left half written does not."""


class NoBootFolder(ExpectedError):
    """The folder of a boot server is not there or not whole."""

    code, says = "BOOT-001", "{place} is no boot server's folder: {why}."
    remedy = "Make one with `kahn netboot init`, or name another with --place."
    exit_code = 5


class BootRecordDamaged(ExpectedError):
    """A record in the boot server's folder cannot be read; its machine gets nothing."""

    code, says = "BOOT-002", "{file} cannot be read: {why}."
    remedy = "Move it away once you know how it came there; then retry the step, so that the disk is released anew."
    exit_code = 9


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """What an installer gets once: the machine's private host key and the keys of those who may log in."""

    host_key: bytes
    admin_keys: bytes


class BootFolder:
    """One boot server's folder. Raises NoBootFolder."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self._noting = threading.Lock()
        for name in FOLDERS:
            if not (place / name).is_dir() or (place / name).is_symlink():
                raise NoBootFolder(place=place, why=f"it has no folder {name}")

    @classmethod
    def made(cls, place: Path, site: str) -> BootFolder:
        """The folder, made where it is missing; a site.toml that is there stays. Raises NoBootFolder."""
        try:
            place.mkdir(mode=0o700, parents=True, exist_ok=True)
            for name in FOLDERS:
                (place / name).mkdir(mode=0o700, exist_ok=True)
            for name, text in ((SITE, site), (ADMINS, "")):
                if not (place / name).exists():
                    (place / name).write_text(text)
        except OSError as cause:
            raise NoBootFolder(place=place, why=str(cause)) from cause
        return cls(place)

    def site(self) -> Site:
        """How machines are installed here. Raises NoBootFolder, SiteWrong."""
        try:
            told = tomllib.loads((self.place / SITE).read_text(encoding="utf-8"))
        except OSError as cause:
            raise NoBootFolder(place=self.place, why=str(cause)) from cause
        except ValueError as cause:
            raise SiteWrong(file=SITE, why=str(cause)) from cause
        return read_site(told)

    def put_installer(self, kernel: bytes, initrd: bytes) -> int:
        """Kernel and initrd in files/, each whole or not at all; their size in KiB."""
        for name, content in (("vmlinuz", kernel), ("initrd.gz", initrd)):
            path = self.place / "files" / name
            part = path.with_suffix(".part")
            part.write_bytes(content)
            with boundary("netboot.file.rename"):
                part.replace(path)
        return (len(kernel) + len(initrd)) // 1024

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Within: nobody else reads or changes records, neither a run nor another thread."""
        lock = os.open(self.place / "lock", os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)

    def shelf(self, mac: str) -> Shelf | None:
        """What is known of a hardware address; None when nothing is. Raises BootRecordDamaged."""
        order, told, gone = (self._record(folder, mac) for folder in ("orders", "told", "withdrawn"))
        if order is None:
            return Shelf() if self._path("keys", mac, ".pub").is_file() else None
        try:
            found = _order(order)
            return Shelf(
                order=found,
                told=None if told is None else _told(told),
                is_withdrawn=gone is not None and gone.get("order") == found.id,
            )
        except (KeyError, TypeError, ValueError, OverflowError) as cause:
            raise BootRecordDamaged(file=self._path("orders", mac), why=str(cause)) from cause

    def keep(self, mac: str, told: Told) -> None:
        """Write what the server was told; on disk when this returns."""
        path = self._path("told", mac)
        part = path.with_suffix(".part")
        with part.open("w", encoding="ascii") as out:
            out.write(json.dumps(asdict(told), sort_keys=True))
            out.flush()
            with boundary("netboot.told.sync"):
                os.fsync(out.fileno())
        with boundary("netboot.told.rename"):
            part.replace(path)
        directory = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            with boundary("netboot.directory.sync"):
                os.fsync(directory)
        finally:
            os.close(directory)

    def macs(self) -> tuple[str, ...]:
        """Every hardware address that is known here, sorted."""
        found = (
            _RECORD.fullmatch(path.name) for folder in ("keys", "orders") for path in (self.place / folder).iterdir()
        )
        return tuple(sorted({one[1].replace("-", ":") for one in found if one}))

    def make_key(self, mac: str) -> str:
        """The public host key that the machine will have, made unless there is one. Raises NoBootFolder."""
        private = self._path("keys", mac, "")
        if not private.with_suffix(".pub").exists():
            words = ("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", str(private))
            private.unlink(missing_ok=True)
            with boundary("netboot.key.spawn"):
                done = subprocess.run(words, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
            if done.returncode != 0:
                raise NoBootFolder(place=self.place, why=f"ssh-keygen: {done.stderr.strip()[:200]}")
        return " ".join(private.with_suffix(".pub").read_text(encoding="ascii").split()[:2])

    def given(self, mac: str) -> Given:
        """The secrets of one machine. Raises BootRecordDamaged."""
        path = self._path("keys", mac, "")
        try:
            return Given(host_key=path.read_bytes(), admin_keys=(self.place / ADMINS).read_bytes())
        except OSError as cause:
            raise BootRecordDamaged(file=path, why=str(cause)) from cause

    def note(self, what: str, **facts: object) -> None:
        """One line in events.jsonl; the older of two files goes when both are full.

        A note that cannot be written is lost: what was released or spent is on record elsewhere, its answer goes out.
        """
        path = self.place / "events.jsonl"
        line = {"at": datetime.now(UTC).isoformat(timespec="milliseconds"), "what": what, **facts}
        with self._noting, suppress(OSError):
            if path.exists() and path.stat().st_size > MAX_EVENTS_BYTES:
                with boundary("netboot.events.rename"):
                    path.replace(path.with_suffix(".jsonl.1"))
            with path.open("a", encoding="ascii") as out:
                out.write(json.dumps(line) + "\n")

    def _path(self, folder: str, mac: str, ending: str = ".json") -> Path:
        return self.place / folder / (parse_mac("mac", mac).replace(":", "-") + ending)

    def _record(self, folder: str, mac: str) -> dict[str, Any] | None:
        path = self._path(folder, mac)
        try:
            with path.open("rb") as stream:
                found = json.loads(stream.read(MAX_RECORD_BYTES))
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as cause:
            raise BootRecordDamaged(file=path, why=str(cause)) from cause
        if not isinstance(found, dict):
            raise BootRecordDamaged(file=path, why="it is no record")
        return found


def _order(told: dict[str, Any]) -> Order:
    words = {name: str(told[name]) for name in ("id", "asset", "mac", "name", "address", "host_key")}
    return Order(**words, until=datetime.fromtimestamp(int(told["until"]), UTC))


def _told(told: dict[str, Any]) -> Told:
    return Told(
        order=str(told["order"]),
        phase=Phase(told["phase"]),
        token=str(told["token"]),
        offers=int(told["offers"]),
        percent=int(told["percent"]),
        cause=str(told["cause"]),
    )
