"""Whether a run may start."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from orchestrator.supervisor import files
from orchestrator.supervisor.admission import Refused, admit, note, share


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A complete run directory."""
    made = tmp_path / "run"
    made.mkdir()
    (made / files.ALIVE).touch()
    (made / files.BOOK).write_text("[]")
    (tmp_path / "epoch").write_text("3")
    manifest = {
        "format": 1,
        "run": "r-1",
        "epoch": 3,
        "epoch_file": str(tmp_path / "epoch"),
        "deadline": (datetime.now(UTC) + timedelta(minutes=1)).isoformat(),
        "files": {files.BOOK: hashlib.sha256(b"[]").hexdigest()},
    }
    (made / files.MANIFEST).write_text(json.dumps(manifest))
    return made


@pytest.fixture
def directory(path: Path) -> Iterator[int]:
    with files.opened_directory(path) as opened:
        yield opened


def rewritten(path: Path, **changes: object) -> None:
    manifest = json.loads((path / files.MANIFEST).read_text())
    (path / files.MANIFEST).write_text(json.dumps({**manifest, **changes}))


def refusal(path: Path, directory: int) -> str:
    with pytest.raises(Refused) as caught:
        admit(path, directory)
    return str(caught.value)


def test_start_is_on_the_disk_with_pid_start_time_and_boot(path: Path, directory: int) -> None:
    admit(path, directory)
    record = files.whole_records((path / files.RECORDS).read_bytes())[0]
    assert (record["kind"], record["pid"], record["epoch"]) == ("START", os.getpid(), 3)
    assert record["boot"] and record["started"]


def test_nobody_starts_while_another_process_of_the_run_lives(path: Path, directory: int) -> None:
    with (path / files.ALIVE).open() as other:
        fcntl.flock(other, fcntl.LOCK_SH)
        assert "lives" in refusal(path, directory)


def test_a_run_starts_once(path: Path, directory: int) -> None:
    os.close(admit(path, directory).alive)
    assert "started before" in refusal(path, directory)


def test_even_a_torn_start_counts_as_one(path: Path, directory: int) -> None:
    (path / files.RECORDS).write_bytes(b'{"kind":"STA')
    assert "started before" in refusal(path, directory)


def test_a_closed_run_does_not_start(path: Path, directory: int) -> None:
    (path / files.CLOSED).symlink_to("nowhere")
    assert "closed" in refusal(path, directory)


def test_an_epoch_older_than_the_drivers_does_not_start(path: Path, directory: int) -> None:
    rewritten(path, epoch=2)
    assert "older than 3" in refusal(path, directory)


def test_without_a_readable_epoch_nothing_starts(path: Path, directory: int) -> None:
    rewritten(path, epoch_file=str(path / "missing"))
    assert "epoch" in refusal(path, directory)


def test_a_changed_file_does_not_start(path: Path, directory: int) -> None:
    (path / files.BOOK).write_text("[{}]")
    assert "not the file" in refusal(path, directory)


def test_a_passed_deadline_does_not_start(path: Path, directory: int) -> None:
    rewritten(path, deadline=datetime.now(UTC).isoformat())
    assert "deadline" in refusal(path, directory)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"format": 2}'])
def test_a_half_built_directory_does_not_start(path: Path, directory: int, content: bytes) -> None:
    (path / files.MANIFEST).write_bytes(content)
    assert "manifest" in refusal(path, directory)


def test_a_run_closed_in_the_moment_its_lock_is_shared_does_not_go_on(path: Path, directory: int) -> None:
    run = admit(path, directory)
    (path / files.CLOSED).touch()
    assert not share(run)
    note(run, "EXIT", rc=71)
    assert [one["kind"] for one in files.whole_records((path / files.RECORDS).read_bytes())] == ["START", "EXIT"]


def test_a_shared_lock_still_keeps_others_from_closing(path: Path, directory: int) -> None:
    assert share(admit(path, directory))
    other = files.open_plain(directory, files.ALIVE, os.O_RDWR)
    assert not files.try_lock(other)
    os.close(other)
