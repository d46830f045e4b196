"""Files that people's own ansible needs beside the inventory: the known hosts of a tenant, and a place for sockets."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from inventory.ansible_inventory import Emitted
from inventory.errors import ExpectedError
from inventory.model import TenantId
from inventory.ssh_options import CannotEmit, RunPlaces
from orchestrator.supervisor.boundary import boundary

FOLDER, SOCKETS = "inventory", "cp"


class EstateUnwritable(ExpectedError):
    """The host keys cannot be put where ssh reads them."""

    code, says = "INV-021", "The file of host keys {file} cannot be written: {why}."
    remedy = "Run the command as Kahn's own account, or give it the right to write in the state directory."
    exit_code = 7


def estate_places(home: Path, tenant: TenantId) -> tuple[RunPlaces, bool]:
    """Where the known hosts lie, and where sockets may; False when their path is too long to share connections."""
    known_hosts = str(home / FOLDER / f"{tenant}.known_hosts")
    try:
        return RunPlaces(known_hosts=known_hosts, sockets=str(home / SOCKETS)), True
    except CannotEmit:
        return RunPlaces(known_hosts=known_hosts, sockets="/nonexistent"), False


def keep_proofs(places: RunPlaces, emitted: Emitted) -> None:
    """Write the files by which machines are known anew where they differ: known hosts, and a certificate each of those
    that are reached by PSRP. Readers see an old one or the new one. Raises EstateUnwritable."""
    for file, text in {places.known_hosts: emitted.known_hosts, **emitted.certificates}.items():
        _keep(places, Path(file), text)


def _keep(places: RunPlaces, path: Path, text: str) -> None:
    try:
        path.parent.mkdir(mode=0o700, exist_ok=True)
        if places.sockets.startswith(f"{path.parent.parent}/"):
            Path(places.sockets).mkdir(mode=0o700, exist_ok=True)
        if path.exists() and path.read_text(encoding="ascii") == text:
            return
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=".known-hosts-")
        with os.fdopen(handle, "w", encoding="ascii") as opened:
            opened.write(text)
        with boundary("hosts.file.rename"):
            os.replace(name, path)
    except OSError as cause:
        raise EstateUnwritable(file=path, why=cause.strerror or "unknown") from cause
