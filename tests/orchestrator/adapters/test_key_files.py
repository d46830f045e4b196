"""Whether a private key could be used."""

from __future__ import annotations

from pathlib import Path

from orchestrator.adapters.key_files import key_trouble
from orchestrator.core.access import AccessProfile


def trouble(file: str) -> str:
    return key_trouble(AccessProfile(name="pcs", user="root", key_file=file))


def test_a_key_of_ones_own_is_fine(tmp_path: Path) -> None:
    key = tmp_path / "key"
    key.write_text("x")
    key.chmod(0o600)
    assert trouble(str(key)) == ""


def test_a_key_that_is_missing_open_to_others_or_no_file_is_told(tmp_path: Path) -> None:
    key = tmp_path / "key"
    key.write_text("x")
    key.chmod(0o644)
    assert "others may read it" in trouble(str(key))
    assert "No such file" in trouble(str(tmp_path / "none"))
    assert "no file" in trouble(str(tmp_path))
