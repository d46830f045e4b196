"""SQLite stores and key pairs for tests, made once a test session and copied: that is fifty times as quick."""

from __future__ import annotations

import atexit
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path

from orchestrator.adapters.store import DatabaseStore


@cache
def _originals() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="kahn-originals-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


@cache
def _empty() -> Path:
    """A database with empty tables that nobody has open, so that its one file is whole."""
    path = _originals() / "empty.db"
    DatabaseStore.create_or_upgrade(f"sqlite:///{path}").close()
    return path


def fresh_sqlite(path: Path) -> str:
    """The address of a new database with empty tables at this path."""
    shutil.copy(_empty(), path)
    return f"sqlite:///{path}"


def fresh_store(path: Path) -> DatabaseStore:
    """A store on a new database with empty tables at this path."""
    return DatabaseStore.open(fresh_sqlite(path))


@cache
def _key_pair(name: str) -> Path:
    path = _originals() / f"{name}.key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", path], check=True)
    return path


def key_pair(path: Path, name: str) -> Path:
    """A key pair at this path, the public half beside it; the same one for the same name throughout a test session."""
    original = _key_pair(name)
    shutil.copy(original, path)
    shutil.copy(original.with_suffix(".key.pub"), path.with_name(path.name + ".pub"))
    return path
