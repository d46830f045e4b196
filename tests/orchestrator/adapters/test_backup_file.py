"""The file of a backup: whole or refused, and nothing of it lands outside."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path

import pytest

from orchestrator.adapters.backup_file import (
    MANIFEST,
    STORE,
    BackupDamaged,
    BackupRefused,
    Contents,
    read_manifest,
    unpack_backup,
    write_backup,
)


def a_backup(folder: Path) -> Path:
    home = folder / "home"
    (home / "runs" / "r1" / "tmp").mkdir(parents=True)
    (home / "trees").mkdir()
    for name, content in {
        "runs/r1/spool.jsonl": "{}\n",
        "runs/r1/alive.lock": "",
        "runs/r1/tmp/x": "",
        "other": "s",
    }.items():
        (home / name).write_text(content)
    (home / "trees" / "link").symlink_to("/etc/passwd")
    (folder / STORE).write_bytes(b"rows")
    contents = Contents(store=folder / STORE, texts={"kahn.toml": b"#"}, home=home, facts={"epoch": 3})
    write_backup(folder / "b.kahn", contents)
    return folder / "b.kahn"


def test_what_belongs_to_it_comes_back_and_nothing_else(tmp_path: Path) -> None:
    file = a_backup(tmp_path)
    manifest = unpack_backup(file, tmp_path / "out")
    assert sorted(manifest["files"]) == ["kahn.toml", "runs/r1/spool.jsonl", STORE]
    assert (tmp_path / "out" / "runs" / "r1" / "spool.jsonl").read_text() == "{}\n"
    assert read_manifest(file)["epoch"] == 3
    assert file.stat().st_mode & 0o777 == 0o600


def test_an_existing_file_is_never_overwritten(tmp_path: Path) -> None:
    file = a_backup(tmp_path)
    before = file.read_bytes()
    with pytest.raises(BackupRefused, match="exists already"):
        write_backup(file, Contents(store=tmp_path / STORE, texts={}, home=tmp_path, facts={}))
    assert file.read_bytes() == before and not list(tmp_path.glob(".*part"))


def rewritten(file: Path, *, name: str, content: bytes, kind: bytes = tarfile.REGTYPE) -> Path:
    """The same archive with one member put in or replaced."""
    other = file.with_suffix(".evil")
    with tarfile.open(file) as old, tarfile.open(other, "w:gz") as new:
        for member in old:
            if member.name != name:
                new.addfile(member, old.extractfile(member))
        evil = tarfile.TarInfo(name)
        evil.type, evil.linkname, evil.size = kind, "/etc/passwd", len(content)
        new.addfile(evil, io.BytesIO(content))
    return other


@pytest.mark.parametrize("name", ["../out", "/tmp/out", "trees/../../out", "./kahn.toml", "new"])
def test_a_member_that_the_manifest_does_not_name_is_refused(tmp_path: Path, name: str) -> None:
    file = rewritten(a_backup(tmp_path), name=name, content=b"x")
    with pytest.raises(BackupDamaged, match="does not name"):
        unpack_backup(file, tmp_path / "deep" / "target")
    assert not (tmp_path / "out").exists() and not (tmp_path / "deep" / "out").exists()


def test_a_changed_a_linked_and_a_missing_member_are_refused(tmp_path: Path) -> None:
    file = a_backup(tmp_path)
    with pytest.raises(BackupDamaged, match=f"{STORE} was changed"):
        unpack_backup(rewritten(file, name=STORE, content=b"rowz"), tmp_path / "a")
    with pytest.raises(BackupDamaged):
        unpack_backup(rewritten(file, name=STORE, content=b"", kind=tarfile.SYMTYPE), tmp_path / "b")
    manifest = read_manifest(file)
    manifest["files"]["trees/gone"] = "0" * 64
    more = rewritten(file, name=MANIFEST, content=json.dumps(manifest).encode())
    with pytest.raises(BackupDamaged, match=r"1 files are missing.*trees/gone"):
        unpack_backup(more, tmp_path / "c")


@pytest.mark.parametrize("cut", [10, 200])
def test_half_a_backup_is_none(tmp_path: Path, cut: int) -> None:
    file = a_backup(tmp_path)
    (tmp_path / "half").write_bytes(file.read_bytes()[:cut])
    with pytest.raises(BackupDamaged):
        unpack_backup(tmp_path / "half", tmp_path / "out")


def test_what_is_no_backup_at_all_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x").write_text("no archive")
    for path in ("x", "none"):
        with pytest.raises(BackupDamaged):
            read_manifest(tmp_path / path)
