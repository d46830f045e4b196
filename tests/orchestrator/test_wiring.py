"""The wired world of a state directory."""

from __future__ import annotations

from pathlib import Path

import pytest

from inventory.errors import ExpectedError
from orchestrator.core.refusals import StoreNotReady
from orchestrator.settings import CONFIG_NAME, Settings, read_settings
from orchestrator.wiring import open_world, prepare_store


def settings_in(home: Path) -> Settings:
    (home / CONFIG_NAME).write_text("")
    return read_settings(home)


def test_a_world_opens_only_over_a_store_that_was_prepared(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    with pytest.raises(ExpectedError) as refused:
        open_world(settings).store.reading().__enter__()
    assert refused.value.code.startswith("STO-") and "kahn init" in str(refused.value)
    prepare_store(settings)
    prepare_store(settings)
    with open_world(settings).look() as desk:
        assert desk.books.tenants.all() == ()
    assert issubclass(StoreNotReady, ExpectedError)


def test_an_approved_runbook_is_kept_and_noticed_when_it_changes_on_disk(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    prepare_store(settings)
    world = open_world(settings)
    runbook = world.runbook("replace-workstation")
    assert not world.tree_there(runbook)
    world.freeze(runbook)
    assert world.tree_there(runbook)
    victim = next(path for path in sorted((world.trees / runbook.tree).rglob("*.yml")))
    victim.chmod(0o600)
    victim.write_text("- hosts: all\n")
    assert not world.tree_there(runbook)


def test_every_asset_gets_an_id_of_its_own(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    prepare_store(settings)
    world = open_world(settings)
    assert len({world.new_asset_id() for _ in range(100)}) == 100
    assert world.ansible_core().startswith("2.")
