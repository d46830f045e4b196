"""Whether a run may start: once, not after it was closed, not for an old epoch, and with the files it was given."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from orchestrator.supervisor.boundary import boundary
from orchestrator.supervisor.files import (
    ALIVE,
    CLOSED,
    MANIFEST,
    RECORDS,
    checked_line,
    exists,
    open_plain,
    read_plain,
    try_lock,
)
from orchestrator.supervisor.processes import boot_id, start_time


class Refused(Exception):
    """The run may not start; the text says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Admitted:
    """A run that may start: its open directory, its manifest, the held lock and the file of records."""

    path: Path
    directory: int
    manifest: Mapping[str, Any]
    alive: int
    records: int
    seconds_left: float
    """Until the deadline, by the monotonic clock from here on."""


def admit(path: Path, directory: int) -> Admitted:
    """Take the run's lock, check everything, and put START on the disk. Raises Refused, OSError, NotOurs."""
    alive = open_plain(directory, ALIVE, os.O_RDWR)
    if not try_lock(alive, within_s=2.0):
        raise Refused("another process of this run lives")
    manifest = _manifest(directory)
    _check_first_start(directory)
    _check_epoch(manifest)
    _check_files(directory, manifest)
    seconds_left = _seconds_left(manifest)
    records = open_plain(directory, RECORDS, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    admitted = Admitted(
        path=path, directory=directory, manifest=manifest, alive=alive, records=records, seconds_left=seconds_left
    )
    note(admitted, "START", run=manifest["run"], epoch=manifest["epoch"], **_identity())
    with boundary("supervisor.directory.sync"):
        os.fsync(directory)
    return admitted


def share(admitted: Admitted) -> bool:
    """Turn the lock into one that ansible shares. False when the run was closed in that very moment."""
    fcntl.flock(admitted.alive, fcntl.LOCK_SH)
    return not exists(admitted.directory, CLOSED)


def note(admitted: Admitted, kind: str, **fields: object) -> None:
    """Append one record to supervisor.jsonl and sync it. Raises OSError."""
    line = checked_line({"kind": kind, "wall_us": time.time_ns() // 1000, **fields})
    if os.write(admitted.records, line) != len(line):
        raise OSError("the record was written in part only")
    with boundary("supervisor.record.sync"):
        os.fsync(admitted.records)


def _identity() -> dict[str, object]:
    return {"pid": os.getpid(), "started": start_time(os.getpid()), "boot": boot_id()}


def _manifest(directory: int) -> Mapping[str, Any]:
    try:
        manifest = json.loads(read_plain(directory, MANIFEST))
    except ValueError as problem:
        raise Refused("the run directory is not complete: its manifest cannot be read") from problem
    if not isinstance(manifest, dict) or manifest.get("format") != 1:
        raise Refused("the manifest is of an unknown format")
    return manifest


def _check_first_start(directory: int) -> None:
    if exists(directory, CLOSED):
        raise Refused("this run was closed; it can never start")
    if read_plain(directory, RECORDS):
        raise Refused("this run was started before")


def _check_epoch(manifest: Mapping[str, Any]) -> None:
    try:
        present = int(Path(manifest["epoch_file"]).read_text(encoding="ascii"))
    except (OSError, ValueError) as problem:
        raise Refused("the driver's epoch cannot be read") from problem
    if manifest["epoch"] < present:
        raise Refused(f"a newer driver is at work: epoch {manifest['epoch']} is older than {present}")


def _check_files(directory: int, manifest: Mapping[str, Any]) -> None:
    for name, expected in manifest["files"].items():
        if hashlib.sha256(read_plain(directory, name)).hexdigest() != expected:
            raise Refused(f"{name} is not the file that this run was given")


def _seconds_left(manifest: Mapping[str, Any]) -> float:
    seconds = (datetime.fromisoformat(manifest["deadline"]) - datetime.now(UTC)).total_seconds()
    if seconds <= 0:
        raise Refused("its deadline has passed")
    return seconds
