"""Who asks the boot server gets an answer: decided purely, on disk before it leaves, noted."""

from __future__ import annotations

import base64
import hashlib
import secrets
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from inventory.addressing import parse_mac
from inventory.errors import ExpectedError
from orchestrator.adapters.netboot_folder import ADMINS, BootFolder
from orchestrator.core.netboot import Gets, asked, begins, boot_script, reported

MOST_STRANGERS = 64
"""So many unknown hardware addresses are named in the notes of one server; further ones are only counted."""
ARP = Path("/proc/net/arp")
SERVED: Mapping[str, str] = {"kernel": "vmlinuz", "initrd": "initrd.gz", "image": "root.img"}
"""What anybody may have, by its name in the address -> its file in the folder's files/."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """An HTTP status and its text."""

    status: int
    text: str = ""


NOTHING = Reply(status=404)
REFUSED = Reply(status=409)


class BootDesk:
    """Answers of one boot server. ``arp`` is the kernel's table of neighbours."""

    def __init__(self, folder: BootFolder, *, arp: Path = ARP) -> None:
        self.folder, self.site, self._arp = folder, folder.site(), arp
        self._strangers: set[str] = set()
        self._more = 0
        self._counting = threading.Lock()
        self._digest = _digest(folder.place / "files" / SERVED["image"])

    def lacking(self) -> tuple[str, ...]:
        """Files of the folder without which no machine is installed and that are missing or empty."""
        paths = [self.folder.place / "files" / name for name in SERVED.values()]
        return tuple(f"files/{one.name}" for one in paths if not one.is_file() or not one.stat().st_size)

    def lets_anybody_in(self) -> bool:
        """Whether any key is given to the machines by which people can log in."""
        path = self.folder.place / ADMINS
        return path.is_file() and bool(path.read_bytes().strip())

    @property
    def not_named(self) -> int:
        """How many unknown hardware addresses came after the notes were full."""
        return self._more

    def boot(self, mac: str, *, client: str) -> Reply:
        """The boot script for a machine, or 404 when nobody knows it."""
        known = self._checked(mac, client)
        if known is None:
            return NOTHING
        with self.folder.alone():
            shelf, token = self.folder.shelf(known), secrets.token_hex(24)
            answer = asked(shelf, token=token, now=datetime.now(UTC))
            if answer.keep is not None:
                self.folder.keep(known, answer.keep)
        if answer.gets is Gets.NOTHING or shelf is None:
            self._stranger(known, client)
            return NOTHING
        cause = answer.keep.cause if answer.keep is not None else ""
        self.folder.note("asked", mac=known, client=client, gets=answer.gets.value, cause=cause)
        words = {"url": self.site.url, "mac": known, "token": token}
        return Reply(status=200, text=boot_script(answer.gets, site=self.site, words=words))

    def begin(self, form: Mapping[str, str], *, client: str) -> Reply:
        """What the installer needs in order to write, secrets included; once for each release."""
        known = self._checked(form.get("mac", ""), client)
        if known is None:
            return REFUSED
        with self.folder.alone():
            shelf = self.folder.shelf(known)
            answer = begins(shelf, token=form.get("token", ""), now=datetime.now(UTC))
            given = None if answer.refused else self.folder.given(known)
            if answer.keep is not None:
                self.folder.keep(known, answer.keep)
        self.folder.note("begins", mac=known, client=client, refused=answer.refused)
        if given is None or shelf is None or shelf.order is None:
            return REFUSED
        order, site = shelf.order, self.site
        lines = {
            "order": order.id,
            "name": order.name,
            "address": f"{order.address}/{site.prefix}",
            "gateway": site.gateway,
            "disk": site.disk,
            "root": site.root,
            "image": f"{site.url}/files/image",
            "sha256": self._digest,
            "host_key": base64.b64encode(given.host_key).decode("ascii"),
            "admin_keys": base64.b64encode(given.admin_keys).decode("ascii"),
        }
        return Reply(status=200, text="".join(f"{name}={value}\n" for name, value in lines.items()))

    def report(self, form: Mapping[str, str], *, client: str) -> Reply:
        """Whether a report of the installer is believed."""
        known = self._checked(form.get("mac", ""), client)
        if known is None:
            return REFUSED
        with self.folder.alone():
            answer = reported(self.folder.shelf(known), form)
            if answer.keep is not None:
                self.folder.keep(known, answer.keep)
        if form.get("state") != "progress" or answer.refused:
            facts = {"refused": answer.refused, "cause": answer.keep.cause if answer.keep else ""}
            self.folder.note("reported", mac=known, client=client, told=form.get("state", "")[:20], **facts)
        return REFUSED if answer.refused else Reply(status=200, text="ok\n")

    def _checked(self, mac: str, client: str) -> str | None:
        """The hardware address, unless it is none or the network says that somebody else speaks."""
        try:
            known = parse_mac("mac", mac)
        except ExpectedError:
            self._stranger("no hardware address", client)
            return None
        seen = self._neighbour(client)
        if seen and seen != known:
            self._stranger(f"{known} from {seen}", client)
            return None
        return known

    def _neighbour(self, client: str) -> str:
        """The hardware address that the kernel sees behind an IPv4 address; empty where there is a router between."""
        try:
            lines = self._arp.read_text(encoding="ascii").splitlines()[1:]
        except OSError:
            return ""
        found = next((line.split() for line in lines if line.split()[:1] == [client]), [])
        return found[3].lower() if len(found) > 3 and found[2] != "0x0" else ""

    def _stranger(self, mac: str, client: str) -> None:
        with self._counting:
            if mac in self._strangers:
                return
            if len(self._strangers) >= MOST_STRANGERS:
                self._more += 1
                return
            self._strangers.add(mac)
        self.folder.note("unknown", mac=mac, client=client)


def _digest(path: Path) -> str:
    """SHA-256 of the image as it is when the server starts; empty when there is none."""
    if not path.is_file():
        return ""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
