"""The wired world of a state directory."""

from __future__ import annotations

from pathlib import Path

import pytest

from inventory.errors import ExpectedError
from orchestrator.core.refusals import StoreNotReady
from orchestrator.settings import CONFIG_NAME, Settings, read_settings
from orchestrator.wiring import open_world, prepare_store, rehearsal_home
from tests.orchestrator.core.builders import a_wave


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


def looks(settings: Settings) -> bool:
    return open_world(settings).outside(tell=lambda _error: None).hosts is not None


def test_machines_are_looked_at_unless_the_configuration_says_that_there_are_none(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    prepare_store(settings)
    assert looks(settings)
    (tmp_path / CONFIG_NAME).write_text('look_at_hosts = "no"')
    assert not looks(read_settings(tmp_path))


def test_a_rehearsal_on_simulated_machines_logs_in_to_none_of_the_real_ones(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    prepare_store(settings)
    world = open_world(settings)
    content = a_wave(runbook=world.runbook("replace-workstation"))
    for name, program, expected in (("lab", None, True), ("simulated", Path("/stand-in"), False)):
        place = tmp_path / name
        place.mkdir()
        assert looks(read_settings(rehearsal_home(place, content, like=world, program=program))) is expected
