"""A whole state directory, kept and brought back."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.adapters.backup import make_backup, restore_backup
from orchestrator.adapters.backup_file import BackupDamaged
from orchestrator.adapters.store import DatabaseStore
from orchestrator.adapters.store_copy import StoreNotEmpty
from tests.copied_towns import a_town
from tests.towns import STADT


def a_home(folder: Path) -> Path:
    a_town(folder, "started")
    url = 'database = "postgresql+psycopg://kahn:gehe:im@db.example/kahn"'
    (folder / "kahn.toml").write_text(f'{url}\ntenant = "stadt"\n')
    (folder / "mail.secret").write_text("geheim")
    return folder


def keep(home: Path, file: Path, *secrets: str) -> None:
    make_backup(file, home=home, url=f"sqlite:///{home}/kahn.sqlite", facts={}, secrets=secrets)


def test_a_restored_directory_knows_what_the_old_one_knew(tmp_path: Path) -> None:
    home, file, new = a_home(tmp_path / "old"), tmp_path / "b", tmp_path / "new"
    keep(home, file)
    restore_backup(file, new, url="")
    with DatabaseStore.open(f"sqlite:///{new}/kahn.sqlite").reading() as books:
        assert books.waves.get(STADT, "W01").state.value == "running"
        assert books.journal.verify(STADT).broken_at == 0
    config = (new / "kahn.toml").read_text()
    assert 'tenant = "stadt"' in config and "db.example" not in config


def test_no_secret_is_kept_unless_it_is_asked_for(tmp_path: Path) -> None:
    home = a_home(tmp_path / "old")
    keep(home, tmp_path / "plain")
    keep(home, tmp_path / "open", "mail.secret")
    for name, there in (("plain", False), ("open", True)):
        restore_backup(tmp_path / name, tmp_path / f"{name}.d", url="")
        assert (tmp_path / f"{name}.d" / "mail.secret").exists() is there
        kept = [path for path in (tmp_path / f"{name}.d").rglob("*") if path.is_file() and b"gehe" in path.read_bytes()]
        assert [path.name for path in kept] == (["mail.secret"] if there else [])


def test_nothing_is_restored_over_something_and_a_damaged_backup_leaves_nothing(tmp_path: Path) -> None:
    home, file = a_home(tmp_path / "old"), tmp_path / "b"
    keep(home, file)
    with pytest.raises(StoreNotEmpty):
        restore_backup(file, home, url="")
    file.write_bytes(file.read_bytes()[:-100])
    with pytest.raises(BackupDamaged):
        restore_backup(file, tmp_path / "new", url="")
    assert not any((tmp_path / "new").iterdir()) and not list(tmp_path.glob(".kahn-restore*"))


def test_a_backup_while_somebody_writes_is_one_moment(tmp_path: Path) -> None:
    """Each entry of the journal and the head that names it are one transaction: the chain is whole in every backup."""
    town = a_town(tmp_path / "old", "started")
    driver = town.driver()
    for number in range(5):
        driver.tick()
        keep(tmp_path / "old", tmp_path / f"b{number}")
        restore_backup(tmp_path / f"b{number}", tmp_path / f"new{number}", url="")
        with DatabaseStore.open(f"sqlite:///{tmp_path}/new{number}/kahn.sqlite").reading() as books:
            assert books.journal.verify(STADT).broken_at == 0
