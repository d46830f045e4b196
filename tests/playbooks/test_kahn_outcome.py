"""How modules end: whole files or none, plain asset names only, messages without control characters."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

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


def test_messages_hold_no_control_characters() -> None:
    assert "\x1b" not in outcome.printable("a\x1b[2Jb")
    assert len(outcome.printable("x" * 5000)) <= 300


@pytest.mark.parametrize(
    ("number", "code"), [(errno.ENOSPC, "disk_full"), (errno.EDQUOT, "disk_full"), (1234, "os_error")]
)
def test_errors_of_the_system_have_cause_codes(number: int, code: str) -> None:
    assert outcome.cause_of(OSError(number, "x")) == code
