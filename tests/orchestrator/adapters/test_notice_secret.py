"""Secrets of channels."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.adapters.notice_secret import SecretOpen, secret_in


def a_secret(folder: Path, content: bytes, mode: int = 0o600) -> Path:
    file = folder / "secret"
    file.write_bytes(content)
    file.chmod(mode)
    return file


def test_a_secret_is_read_without_its_line_end(tmp_path: Path) -> None:
    assert secret_in(a_secret(tmp_path, b"ge heim \n"), channel="mail") == "ge heim "


@pytest.mark.parametrize(
    ("content", "mode"), [(b"", 0o600), (b"\xff\xfe", 0o600), (b"x", 0o640), (b"x" * 20_000, 0o600)]
)
def test_what_is_no_secret_is_refused(tmp_path: Path, content: bytes, mode: int) -> None:
    with pytest.raises(SecretOpen):
        secret_in(a_secret(tmp_path, content, mode), channel="mail")


def test_a_missing_secret_is_told_with_its_file(tmp_path: Path) -> None:
    with pytest.raises(SecretOpen, match=r"none.*No such file"):
        secret_in(tmp_path / "none", channel="mail")
