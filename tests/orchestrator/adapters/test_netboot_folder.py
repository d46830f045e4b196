"""The boot server's folder: whole, or refused; what is kept survives; what cannot be read gives nobody anything."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from inventory.errors import ExpectedError
from orchestrator.adapters import netboot_folder
from orchestrator.adapters.netboot_folder import BootFolder, BootRecordDamaged, NoBootFolder
from orchestrator.core.netboot import Phase, Shelf, Told
from orchestrator.core.netboot_site import SiteWrong
from tests.orchestrator.boot_folders import MAC, a_folder, release


def test_a_folder_is_made_once_and_its_settings_stay(tmp_path: Path) -> None:
    folder = a_folder(tmp_path / "b")
    (folder.place / "site.toml").write_text('url = "http://10.0.0.1:1"\ndisk = "/dev/sda"\nprefix = 8\n')
    assert BootFolder.made(folder.place, "nonsense").site().disk == "/dev/sda"
    (folder.place / "site.toml").write_text("nonsense")
    with pytest.raises(SiteWrong):
        folder.site()


def test_a_folder_that_is_not_whole_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NoBootFolder):
        BootFolder(tmp_path)
    a_folder(tmp_path)
    (tmp_path / "told").rmdir()
    (tmp_path / "told").symlink_to("/tmp")
    with pytest.raises(NoBootFolder):
        BootFolder(tmp_path)


def test_who_has_a_key_is_known_and_nobody_else(tmp_path: Path) -> None:
    folder = a_folder(tmp_path)
    assert folder.shelf(MAC) == Shelf() and folder.shelf("52:54:00:00:00:08") is None
    assert folder.macs() == (MAC,)
    with pytest.raises(ExpectedError):
        folder.shelf("../keys")


def test_what_a_death_left_half_written_is_no_machine(tmp_path: Path) -> None:
    folder = a_folder(tmp_path)
    for name in ("52-54-00-00-00-08.json.part", "52-54-00-00-00-09.part", "README"):
        (tmp_path / "orders" / name).write_text("{")
    assert folder.macs() == (MAC,)


def test_a_key_is_made_once_and_given_with_those_of_the_administrators(tmp_path: Path) -> None:
    folder = a_folder(tmp_path)
    assert folder.make_key(MAC) == folder.make_key(MAC)
    given = folder.given(MAC)
    assert given.host_key.startswith(b"-----BEGIN OPENSSH PRIVATE KEY-----") and b"anna" in given.admin_keys


def test_what_is_kept_is_there_for_the_next_server(tmp_path: Path) -> None:
    folder = a_folder(tmp_path)
    release(folder)
    told = Told(order="o1", phase=Phase.WRITING, token="x", offers=2, percent=7, cause="")
    folder.keep(MAC, told)
    shelf = BootFolder(tmp_path).shelf(MAC)
    assert shelf is not None and shelf.now == told


@pytest.mark.parametrize("content", ["", "{", "[]", '{"id": 1}', '{"until": 1e99}'])
@pytest.mark.parametrize("folder_name", ["orders", "told"])
def test_a_damaged_record_is_no_release(tmp_path: Path, content: str, folder_name: str) -> None:
    folder = a_folder(tmp_path)
    release(folder)
    (tmp_path / folder_name / "52-54-00-00-00-07.json").write_text(content)
    with pytest.raises(BootRecordDamaged):
        folder.shelf(MAC)


def test_notes_are_kept_to_two_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = a_folder(tmp_path)
    monkeypatch.setattr(netboot_folder, "MAX_EVENTS_BYTES", 500)
    for number in range(50):
        folder.note("asked", number=number, text="\n\x1b")
    kept = sorted(path.name for path in tmp_path.glob("events*"))
    assert kept == ["events.jsonl", "events.jsonl.1"]
    assert sum(path.stat().st_size for path in tmp_path.glob("events*")) < 1500
    assert json.loads((tmp_path / "events.jsonl").read_text().splitlines()[-1])["number"] == 49
