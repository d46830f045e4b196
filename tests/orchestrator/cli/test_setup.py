"""``kahn init`` and ``kahn doctor``."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from typer.testing import Result

from orchestrator.cli.context import Context
from orchestrator.cli.setup import CannotInit, doctor, init
from orchestrator.settings import CONFIG_NAME, CONTACTS_NAME, NoHome
from tests.copied_towns import by_hand
from tests.known_town import call
from tests.orchestrator.cli.lone import command_app
from tests.orchestrator.cli.test_notice import FILE
from tests.town_terminals import a_terminal, sitting_down
from tests.towns import Town

INIT, DOCTOR = command_app(init), command_app(doctor)


def examined(town: Town) -> tuple[int, dict[str, Any]]:
    result = call(DOCTOR, sitting_down(town, json=True))
    return result.exit_code, {one["what"]: one for one in json.loads(result.stdout)}


def made(folder: Path, *words: str) -> Result:
    return call(INIT, Context(home=folder, plain=True), *words)


def test_a_state_directory_is_private_and_ready(tmp_path: Path) -> None:
    home = tmp_path / "a" / "home"
    assert str(home) in made(home).output.replace("\n", "")
    assert (home.stat().st_mode & 0o777, (home / CONFIG_NAME).stat().st_mode & 0o777) == (0o700, 0o600)
    with Context(home=home).world.store.reading() as books:
        assert books.tenants.all() == ()


def test_a_second_init_keeps_configuration_and_data(tmp_path: Path) -> None:
    context, town = a_terminal(tmp_path, "approved")
    (tmp_path / CONFIG_NAME).write_text('tenant = "stadt"\n')
    before = town.wave()
    for _ in range(2):
        made(tmp_path)
    assert (tmp_path / CONFIG_NAME).read_text() == 'tenant = "stadt"\n'
    assert town.wave() == before
    assert context.tenant == "stadt"


def test_where_no_directory_can_be_it_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for place in (tmp_path / "file", tmp_path / "file" / "below", tmp_path / ("x" * 300)):
        with pytest.raises(CannotInit, match="CLI-008"):
            made(place)


def test_the_example_configuration_is_printed_and_nothing_made(tmp_path: Path) -> None:
    home = tmp_path / "home"
    assert 'language = "en"' in made(home, "--example").output
    assert not home.exists()


def test_the_doctor_finds_nothing_broken_where_nothing_is(tmp_path: Path) -> None:
    _context, town = a_terminal(tmp_path)
    code, found = examined(town)
    assert (code, found["journal stadt"]["verdict"]) == (0, "ok")
    assert not [one for one in found.values() if one["verdict"] == "broken"]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE journal SET kind = 'wave.note' WHERE seq = 2",
        "UPDATE journal SET canonical = x'00' WHERE seq = 2",
        "DELETE FROM journal WHERE seq = (SELECT max(seq) FROM journal)",
        "UPDATE journal_head SET seq = seq - 1",
    ],
)
def test_a_journal_that_was_tampered_with_ends_the_doctor_with_9(tmp_path: Path, statement: str) -> None:
    _context, town = a_terminal(tmp_path)
    with sqlite3.connect(tmp_path / "kahn.sqlite") as connection:
        triggers = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")]
    for name in triggers:
        by_hand(town, f"DROP TRIGGER {name}")
    by_hand(town, statement)
    code, found = examined(town)
    assert (code, found["journal stadt"]["verdict"]) == (9, "broken")


def test_the_store_itself_forbids_to_change_the_journal(tmp_path: Path) -> None:
    _context, town = a_terminal(tmp_path)
    for statement in ("UPDATE journal SET kind = 'x'", "DELETE FROM journal", "DELETE FROM wave_act"):
        with pytest.raises(sqlite3.Error):
            by_hand(town, statement)


def test_a_missing_database_is_broken_with_a_remedy_and_7(tmp_path: Path) -> None:
    (tmp_path / CONFIG_NAME).write_text("")
    result = call(DOCTOR, Context(home=tmp_path, plain=True))
    assert result.exit_code == 7
    assert "BROKEN   database" in result.output and "kahn init" in result.output


def test_a_file_that_is_no_database_is_broken_and_no_mistake_of_ours(tmp_path: Path) -> None:
    (tmp_path / CONFIG_NAME).write_text("")
    (tmp_path / "kahn.sqlite").write_bytes(b"not a database" * 1_000)
    assert call(DOCTOR, Context(home=tmp_path, plain=True)).exit_code == 7


def test_without_a_state_directory_the_doctor_names_the_way_to_one(tmp_path: Path) -> None:
    with pytest.raises(NoHome):
        call(DOCTOR, Context(home=tmp_path, plain=True))


def test_the_doctor_says_whether_anybody_is_called(tmp_path: Path) -> None:
    _context, town = a_terminal(tmp_path)
    assert examined(town)[1]["contacts stadt"]["verdict"] == "warning"
    (tmp_path / CONTACTS_NAME).write_text(FILE.format(program="/bin/true"))
    assert examined(town)[1]["contacts stadt"]["verdict"] == "ok"
    (tmp_path / CONTACTS_NAME).write_text("[[contact")
    assert examined(town)[1]["contacts stadt"]["verdict"] == "broken"
