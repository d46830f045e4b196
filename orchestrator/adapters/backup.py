"""Backup and restore of a whole state directory: store, configuration, contacts, trees, runs, adopted runbooks."""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from orchestrator.adapters.backup_file import FOLDERS, STORE, Contents, unpack_backup, write_backup
from orchestrator.adapters.store_copy import StoreNotEmpty, export_store, import_store
from orchestrator.supervisor.boundary import boundary

TEXTS = ("kahn.toml", "notices.toml", "epoch")
_PASSWORD = re.compile(r"(?P<before>^\s*database\s*=\s*[\"'][^\n:]*://[^\n:@/]*):[^\n@]*@", re.MULTILINE)


def make_backup(target: Path, *, home: Path, url: str, facts: Mapping[str, Any], secrets: tuple[str, ...]) -> int:
    """Write the backup; returns how many files it holds. The store is read first, files after it: what a run adds
    meanwhile is in its files, and is taken in again after a restore. ``secrets``: files below ``home`` to keep too.

    Raises BackupRefused, StoreUnavailable.
    """
    with tempfile.TemporaryDirectory(prefix="kahn-backup-", dir=home) as room:
        store = Path(room) / STORE
        revision = export_store(url, store)
        found = {name: _text(home, name, is_secret=name in secrets) for name in (*TEXTS, *secrets)}
        texts = {name: content for name, content in found.items() if content}
        contents = Contents(store=store, texts=texts, home=home, facts={**facts, "revision": revision})
        return write_backup(target, contents)


def _text(home: Path, name: str, *, is_secret: bool) -> bytes:
    try:
        content = (home / name).read_bytes()
    except FileNotFoundError:
        return b""
    if name != "kahn.toml" or is_secret:
        return content
    return _PASSWORD.sub(r"\g<before>@", content.decode("utf-8", "surrogateescape")).encode("utf-8", "surrogateescape")


def restore_backup(file: Path, home: Path, *, url: str) -> dict[str, Any]:
    """Put a backup into an empty directory and an empty database (SQLite inside the directory when ``url`` is empty).

    Everything is checked before anything is put in place. Returns the manifest. Raises StoreNotEmpty, BackupDamaged.
    """
    if home.exists() and any(home.iterdir()):
        raise StoreNotEmpty(place=home)
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    room = Path(tempfile.mkdtemp(prefix=".kahn-restore-", dir=home.parent))
    try:
        manifest = unpack_backup(file, room)
        import_store(room / STORE, url or f"sqlite:///{room / 'kahn.sqlite'}")
        (room / STORE).unlink()
        _configure(room / "kahn.toml", url=url)
        for folder in FOLDERS:
            (room / folder).mkdir(mode=0o700, exist_ok=True)
        with boundary("restore.rename"):
            room.rename(home)  # onto an empty directory: all of it is there at once, or nothing
    finally:
        shutil.rmtree(room, ignore_errors=True)
    return manifest


def _configure(config: Path, *, url: str) -> None:
    """The database of the restored directory is the one that was just filled, never the one it came from."""
    text = config.read_text(encoding="utf-8") if config.exists() else ""
    kept = [line for line in text.splitlines() if not re.match(r"\s*database\s*=", line)]
    literal = url.replace("\\", "\\\\").replace('"', '\\"')
    config.write_text("\n".join([f'database = "{literal}"', *kept]) + "\n", encoding="utf-8")
    config.chmod(0o600)
