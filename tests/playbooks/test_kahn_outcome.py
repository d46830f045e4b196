"""How modules end: whole files or none, plain asset names only, messages without control characters."""

from __future__ import annotations

import errno
import os
import subprocess
from pathlib import Path

import pytest

from orchestrator.core.receipts import BEGUN_ELSEWHERE_RC, claim_script
from tests.playbooks.modules import cause, outcome


@pytest.mark.parametrize("asset", ["../x", "a/b", "", "-x", "a b", "x" * 200])
def test_an_asset_id_that_is_no_plain_word_opens_no_directory(tmp_path: Path, asset: str) -> None:
    assert cause(outcome.store_of, asset, str(tmp_path / "s")) == "bad_asset"


def test_a_link_in_place_of_the_store_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "s").mkdir()
    (tmp_path / "s" / "a1").symlink_to("/etc")
    assert cause(outcome.store_of, "a1", str(tmp_path / "s")) == "store_damaged"


def test_a_file_appears_whole_or_not_at_all(tmp_path: Path) -> None:
    def pieces() -> object:
        yield b"half"
        raise OSError(errno.ENOSPC, "full")

    with pytest.raises(OSError, match="full"):
        outcome.write_whole(str(tmp_path / "f"), pieces())
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_was_written_is_on_the_disk_with_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A note on one disk of what was then done on another must not be the one that a power loss takes."""
    seen: list[str] = []
    real, put = os.fsync, os.replace

    def synced(one: int) -> None:
        seen.append(os.readlink(f"/proc/self/fd/{one}"))
        real(one)

    def replaced(part: str, path: str) -> None:
        seen.append("replaced")
        put(part, path)

    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(os, "replace", replaced)
    outcome.write_whole(str(tmp_path / "note"), [b"x"])
    assert seen == [str(tmp_path / "note.part"), "replaced", str(tmp_path)]


def test_messages_hold_no_control_characters() -> None:
    assert "\x1b" not in outcome.printable("a\x1b[2Jb")
    assert len(outcome.printable("x" * 5000)) <= 300


@pytest.mark.parametrize(
    ("number", "code"), [(errno.ENOSPC, "disk_full"), (errno.EDQUOT, "disk_full"), (1234, "os_error")]
)
def test_errors_of_the_system_have_cause_codes(number: int, code: str) -> None:
    assert outcome.cause_of(OSError(number, "x")) == code


def test_while_a_program_works_for_an_asset_no_other_one_does(tmp_path: Path) -> None:
    base = str(tmp_path / "s")

    def second() -> None:
        with outcome.alone("a1", base, 0):
            raise AssertionError("two at once")

    with outcome.alone("a1", base, 0):
        assert cause(second) == "still_working"
        with outcome.alone("a2", base, 0):
            pass
    with outcome.alone("a1", base, 0):
        pass


def test_a_claim_is_refused_while_a_program_of_ours_works(tmp_path: Path) -> None:
    script = claim_script(asset="a1", attempt="t1", run="r1", epoch=1).replace("/var/lib/kahn", str(tmp_path / "s"))
    script = script.replace("flock -w 5", "flock -w 0.2")
    with outcome.alone("a1", str(tmp_path / "s"), 0):
        assert subprocess.run(["sh", "-c", script], capture_output=True, check=False).returncode == BEGUN_ELSEWHERE_RC
    assert subprocess.run(["sh", "-c", script], capture_output=True, check=False).returncode == 0


def test_without_room_for_the_lock_the_work_goes_on(tmp_path: Path) -> None:
    (tmp_path / "s").mkdir()
    (tmp_path / "s" / "a1").mkdir()
    (tmp_path / "s" / "a1" / "receipts").write_text("no directory")
    with outcome.alone("a1", str(tmp_path / "s"), 0):
        pass
