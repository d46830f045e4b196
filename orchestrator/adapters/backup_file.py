"""A backup as one file: a tar archive whose manifest names the SHA-256 of every member. Unpacked with suspicion."""

from __future__ import annotations

import hashlib
import io
import json
import os
import tarfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Any

from inventory.errors import ExpectedError
from orchestrator.supervisor.boundary import boundary

MANIFEST, STORE = "manifest.json", "store.sqlite"
FORMAT = 1
FOLDERS = ("trees", "runs", "runbooks")
"""Folders of the state directory that a backup keeps: approved trees, runs, adopted runbooks."""
LEFT_OUT = ("alive.lock", "tmp")
"""Inside a run: a lock that means something only while its processes live, and ansible's scratch room."""
MOST_MANIFEST, BLOCK = 200_000_000, 1 << 20


class BackupDamaged(ExpectedError):
    """A backup that is not what it was when it was made."""

    code, says = "STO-031", "{file} cannot be trusted: {why}."
    remedy = "Take another backup file; nothing was restored from this one."
    exit_code = 9


class BackupRefused(ExpectedError):
    """A backup cannot be written."""

    code, says = "STO-032", "{file} cannot be written: {why}."
    remedy = "Name a file that does not exist yet, in a directory that you may write to."


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """What goes into a backup: the exported store, small texts by name, and folders below the state directory."""

    store: Path
    texts: Mapping[str, bytes]
    home: Path
    facts: Mapping[str, Any]
    """What the manifest tells beside checksums: when, which release, revision, epoch."""


def write_backup(target: Path, contents: Contents) -> int:
    """Write the archive under another name, renamed when it is whole; returns its members. Raises BackupRefused."""
    part = target.with_name(f".{target.name}.part")
    if target.exists():
        raise BackupRefused(file=target, why="it exists already")
    try:
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "wb") as stream:
            with tarfile.open(fileobj=stream, mode="w:gz", format=tarfile.PAX_FORMAT) as archive:
                sums = _add_everything(archive, contents)
            stream.flush()
            with boundary("backup.file.sync"):
                os.fsync(stream.fileno())
        with boundary("backup.file.rename"):
            part.replace(target)
    except OSError as cause:
        part.unlink(missing_ok=True)
        raise BackupRefused(file=target, why=cause.strerror or cause) from cause
    return len(sums)


def _add_everything(archive: tarfile.TarFile, contents: Contents) -> dict[str, str]:
    sums: dict[str, str] = {STORE: _add(archive, STORE, contents.store.read_bytes())}
    for name, content in contents.texts.items():
        sums[name] = _add(archive, name, content)
    for name, path in _files(contents.home):
        try:
            content = path.read_bytes()
        except FileNotFoundError:
            continue  # a run ended and was cleared meanwhile; what it did is in the store or its spool was kept
        sums[name] = _add(archive, name, content)
    manifest = {"format": FORMAT, "files": sums, **contents.facts}
    _add(archive, MANIFEST, json.dumps(manifest, indent=1, sort_keys=True).encode())
    return sums


def _files(home: Path) -> Iterator[tuple[str, Path]]:
    """Plain files of the folders that are kept; links and everything special are left out."""
    for folder in FOLDERS:
        for top, folders, names in os.walk(home / folder):
            folders[:] = sorted(one for one in folders if one not in LEFT_OUT or folder != "runs")
            for name in sorted(names):
                path = Path(top) / name
                if path.is_symlink() or not path.is_file() or (folder == "runs" and name in LEFT_OUT):
                    continue
                yield path.relative_to(home).as_posix(), path


def _add(archive: tarfile.TarFile, name: str, content: bytes) -> str:
    member = tarfile.TarInfo(name)
    member.size, member.mode = len(content), 0o600
    archive.addfile(member, io.BytesIO(content))
    return hashlib.sha256(content).hexdigest()


# --------------------------------------------------------------------------- reading


def read_manifest(file: Path) -> dict[str, Any]:
    """The manifest alone. Raises BackupDamaged."""
    with _opened(file) as archive:
        return _manifest(archive, file)


def unpack_backup(file: Path, target: Path) -> dict[str, Any]:
    """Unpack into an empty directory, checking every byte against the manifest; returns it. Raises BackupDamaged."""
    with _opened(file) as archive:
        manifest = _manifest(archive, file)
        sums = dict(manifest["files"])
        try:
            for member in archive:
                if member.name != MANIFEST:
                    _unpack(archive, member, target=target, expected=sums.pop(member.name, ""), file=file)
        except (tarfile.TarError, OSError, EOFError) as cause:
            raise BackupDamaged(file=file, why=cause) from cause
    if sums:
        raise BackupDamaged(file=file, why=f"{len(sums)} files are missing, the first is {next(iter(sums))}")
    return manifest


def _opened(file: Path) -> tarfile.TarFile:
    try:
        return tarfile.open(file, mode="r:gz")
    except (tarfile.TarError, OSError, EOFError) as cause:
        raise BackupDamaged(file=file, why=cause) from cause


def _manifest(archive: tarfile.TarFile, file: Path) -> dict[str, Any]:
    try:
        member = archive.getmember(MANIFEST)
        stream = archive.extractfile(member)
        if stream is None or member.size > MOST_MANIFEST:
            raise BackupDamaged(file=file, why="its manifest is no plain file")
        found = json.loads(stream.read())
        files = found["files"]
        if found["format"] != FORMAT or not isinstance(files, dict) or STORE not in files:
            raise BackupDamaged(file=file, why="its manifest is of another kind")
    except (KeyError, ValueError, TypeError, tarfile.TarError, OSError, EOFError) as cause:
        raise BackupDamaged(file=file, why="its manifest cannot be read") from cause
    return dict(found)


def _unpack(archive: tarfile.TarFile, member: tarfile.TarInfo, *, target: Path, expected: str, file: Path) -> None:
    name = PurePosixPath(member.name)
    plain = member.isreg() and not name.is_absolute() and ".." not in name.parts and str(name) == member.name
    if not plain or not expected:
        raise BackupDamaged(file=file, why=f"it holds {ascii(member.name)[:80]}, which its manifest does not name")
    stream = archive.extractfile(member)
    assert stream is not None
    path = target / name
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as written:
        found = _copied(stream, written)
    if found != expected:
        raise BackupDamaged(file=file, why=f"{member.name} was changed")


def _copied(stream: IO[bytes], written: IO[bytes]) -> str:
    digest = hashlib.sha256()
    while block := stream.read(BLOCK):
        digest.update(block)
        written.write(block)
    return digest.hexdigest()
