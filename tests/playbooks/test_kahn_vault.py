"""An asset's shelf: the seal is written last, names what belongs together, and notices every lost byte."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from tests.playbooks.modules import cause, module

vault = module("kahn_vault")


def put(shelf: Path, word: str) -> dict[str, str]:
    """An archive and its manifest on the shelf, not sealed yet."""
    shelf.mkdir(exist_ok=True)
    manifest, archive = (hashlib.sha256(text.encode()).hexdigest() for text in (f"m {word}", f"t {word}"))
    (shelf / f"{manifest[:16]}.manifest").write_text(f"m {word}")
    (shelf / f"{manifest[:16]}.tar").write_text(f"t {word}")
    return {"manifest": manifest, "archive": archive}


def test_the_seal_keeps_what_it_names_and_drops_what_it_replaces(tmp_path: Path) -> None:
    vault.seal_up(str(tmp_path), put(tmp_path, "old"))
    (tmp_path / "rest.tar.part").touch()
    seal = put(tmp_path, "new")
    vault.seal_up(str(tmp_path), seal)
    assert sorted(os.listdir(tmp_path)) == sorted(
        [f"{seal['manifest'][:16]}.{end}" for end in ("manifest", "tar")] + ["seal"]
    )
    assert vault.read(str(tmp_path), whole=True)[1].items() >= seal.items()


def test_until_the_new_seal_the_old_archive_counts(tmp_path: Path) -> None:
    old = put(tmp_path, "old")
    vault.seal_up(str(tmp_path), old)
    put(tmp_path, "new")
    assert vault.read(str(tmp_path), whole=True)[1].items() >= old.items()


def test_a_lost_byte_a_lost_file_and_a_forged_seal_are_found_out(tmp_path: Path) -> None:
    seal = put(tmp_path, "x")
    vault.seal_up(str(tmp_path), seal)
    tar = tmp_path / f"{seal['manifest'][:16]}.tar"
    tar.write_text("t y")
    assert cause(lambda: vault.read(str(tmp_path), whole=True)) == "archive_damaged"
    tar.unlink()
    assert cause(lambda: vault.read(str(tmp_path), whole=True)) == "archive_damaged"
    (tmp_path / "seal").write_text('{"manifest": "../../etc/shadow", "archive": ""}')
    assert cause(vault.read, str(tmp_path)) == "archive_damaged"


@pytest.mark.parametrize("digest", ["", "../../../etc/cron.d/x", "A" * 64, "a" * 63])
def test_a_digest_of_the_old_host_never_becomes_a_path(tmp_path: Path, digest: str) -> None:
    assert cause(vault.ready, str(tmp_path), 1, digest) == "manifest_damaged"
    assert cause(vault.seal_up, str(tmp_path), {"manifest": digest, "archive": "a" * 64}) == "manifest_damaged"


def test_an_archive_that_is_not_whole_is_never_sealed(tmp_path: Path) -> None:
    seal = put(tmp_path, "x") | {"archive": "0" * 64}
    assert cause(vault.seal_up, str(tmp_path), seal) == "archive_damaged"
    assert not (tmp_path / "seal").exists()


def test_a_full_vault_is_said_before_anything_is_carried(tmp_path: Path) -> None:
    assert cause(vault.ready, str(tmp_path), 10**18, "a" * 64) == "vault_full"
    seal = put(tmp_path, "x")
    vault.seal_up(str(tmp_path), seal)
    assert vault.ready(str(tmp_path), 10**18, seal["manifest"])[1]["manifest"] == seal["manifest"]


def test_a_cleared_shelf_is_gone_and_nothing_is_missed(tmp_path: Path) -> None:
    shelf = tmp_path / "a1"
    vault.seal_up(str(shelf), put(shelf, "x"))
    vault.clear(str(shelf))
    assert not shelf.exists() and tmp_path.exists()


def test_an_archive_that_broke_off_counts_as_room_and_one_of_another_manifest_goes(tmp_path: Path) -> None:
    own, other = "a" * 64, "b" * 64
    (tmp_path / f"{own[:16]}.tar.part").write_bytes(b"x" * 1000)
    (tmp_path / f"{other[:16]}.tar.part").write_bytes(b"x" * 1000)
    told = vault.ready(str(tmp_path), 0, own)[1]
    room = os.statvfs(tmp_path)
    assert os.listdir(tmp_path) == [f"{own[:16]}.tar.part"]
    assert abs(told["free_bytes"] - 1000 - room.f_bavail * room.f_frsize) < 2**30
