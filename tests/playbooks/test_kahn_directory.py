"""The controller's end: the secret of the join account is read with care and stands in no answer."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.playbooks.modules import Trouble, cause, shared

directory = shared("kahn_directory")


def written(place: Path, content: bytes, mode: int = 0o600) -> str:
    path = place / "domain.secret"
    path.write_bytes(content)
    path.chmod(mode)
    return str(path)


def test_the_first_line_is_the_secret_with_all_its_signs(tmp_path: Path) -> None:
    path = written(tmp_path, 'Beitritt "2026" $(id) äx \r\nnote\n'.encode())
    assert directory.secret_in(path) == 'Beitritt "2026" $(id) äx '


@pytest.mark.parametrize("content", [b"", b"\nx", b"x" * 1025, b"\xff\xfe", b"a\x07b"])
def test_what_is_no_line_of_text_is_refused_without_being_shown(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(Trouble) as refused:
        directory.secret_in(written(tmp_path, content))
    assert refused.value.cause == "domain_secret_unusable" and "xxx" not in str(refused.value)


def test_a_secret_that_others_may_read_a_link_or_a_folder_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path, b"geheim\n", 0o640)
    assert cause(directory.secret_in, path) == "domain_secret_unusable"
    (tmp_path / "link").symlink_to(written(tmp_path, b"geheim\n"))
    for odd in ("link", ".", "none"):
        assert cause(directory.secret_in, str(tmp_path / odd)) == "domain_secret_unusable"


@pytest.mark.parametrize(("name", "why"), [("pipe", "no plain file"), ("none", "No such file"), ("open", "chmod 600")])
def test_whoever_is_called_at_night_reads_which_file_and_what_is_wrong_with_it(
    tmp_path: Path, name: str, why: str
) -> None:
    os.mkfifo(tmp_path / "pipe", 0o600)
    (tmp_path / "open").touch(mode=0o644)
    with pytest.raises(Trouble) as refused:
        directory.secret_in(str(tmp_path / name))
    assert str(tmp_path / name) in str(refused.value) and why in str(refused.value)


def test_a_mark_says_what_happened_and_why() -> None:
    asked = {"new": "neu-0001", "asset": "seat-0001"}
    assert directory.marked("joined", asked, "77aa").endswith("for seat-0001; 77aa")
    assert "replaced by neu-0001; 77aa]" in directory.marked("old_disabled", asked, "77aa")
