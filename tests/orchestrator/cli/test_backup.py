"""``kahn backup``."""

from __future__ import annotations

from pathlib import Path

import pytest
import typer

from orchestrator.adapters.backup_file import BackupRefused
from orchestrator.cli.backup import app
from orchestrator.cli.context import Context
from orchestrator.settings import read_settings
from orchestrator.wiring import open_world
from tests.known_town import call, document
from tests.town_terminals import a_terminal
from tests.towns import STADT


def test_a_wave_under_way_comes_back_held_and_every_approval_ends(tmp_path: Path) -> None:
    context, town = a_terminal(tmp_path / "old", "started")
    with town.store.transaction() as books:
        books.raise_epoch()
    file, new = tmp_path / "b.kahn", tmp_path / "new"
    assert "Written" in call(app, context, "make", "-o", str(file)).output
    assert document(app, context, "show", str(file))["epoch"] == 1
    output = call(app, context, "restore", str(file), str(new)).output
    assert "Stopped until somebody says go on: stadt/W01" in output
    world = open_world(read_settings(new))
    with world.store.reading() as books:
        wave = books.waves.get(STADT, "W01")
        assert (wave.state.value, wave.cause) == ("held", "store_restored")
        assert books.epoch() > 1_000_000, "no driver of the old store can be newer"
    assert world.tree_there(wave.content.runbook)


def test_a_second_backup_never_takes_the_place_of_the_first(tmp_path: Path) -> None:
    context, _town = a_terminal(tmp_path / "old")
    call(app, context, "make", "-o", str(tmp_path / "b"))
    with pytest.raises(BackupRefused):
        call(app, context, "make", "-o", str(tmp_path / "b"))


def test_a_secret_is_kept_only_by_its_plain_name(tmp_path: Path) -> None:
    context, _town = a_terminal(tmp_path / "old")
    result = typer.testing.CliRunner().invoke(app, ["make", "-o", str(tmp_path / "b"), "--secret", "../x"], obj=context)
    assert result.exit_code == 2 and not (tmp_path / "b").exists()
    assert isinstance(context, Context)
