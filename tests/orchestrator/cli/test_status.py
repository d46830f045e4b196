"""``kahn status``: all waves, adding up, and what waits for whom."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from orchestrator.cli.context import Context
from orchestrator.cli.status import status
from orchestrator.settings import CONFIG_NAME, example_config
from tests.fresh_stores import fresh_store
from tests.known_town import SMALL, a_driven_town, a_known_town, call, document, fails_at
from tests.orchestrator.cli.lone import command_app

app = command_app(status)


def test_a_closed_wave_is_one_line_whose_numbers_add_up(tmp_path: Path) -> None:
    output = call(app, a_driven_town(tmp_path, fault=fails_at("apc-002-id", "switch"))).output
    assert "5 of 6 machines are moved" in output
    assert re.search(r"5 moved, 1\s+rolled back = 6", output)


def test_what_waits_for_a_person_ends_with_4_and_nothing_with_0(tmp_path: Path) -> None:
    waiting, _town = a_known_town(tmp_path)
    result = call(app, waiting, "--needs-me")
    assert result.exit_code == 4
    assert "Approve or refuse wave W01" in result.output
    (tmp_path / "other").mkdir()
    calm = call(app, a_driven_town(tmp_path / "other"), "--needs-me")
    assert (calm.exit_code, calm.output.strip()) == (0, "Nothing waits for a person.")


def test_nobody_is_asked_to_approve_what_they_proposed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KAHN_PERSON", "anna")
    context, _town = a_known_town(tmp_path)
    assert call(app, context, "--needs-me").exit_code == 0


def test_others_are_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KAHN_PERSON", "bert")
    context, _town = a_known_town(tmp_path)
    assert call(app, context, "--needs-me").exit_code == 4


def test_a_held_wave_is_shouted_with_its_decision(tmp_path: Path) -> None:
    strict = replace(SMALL, batch_budget=0.0, wave_budget=0.0)
    output = call(app, a_driven_town(tmp_path, fault=fails_at("apc-001-id", "look"), policy=strict)).output
    assert "HELD" in output and "[1]" in output and "kahn wave resume W01" in output


def test_json_holds_the_same_numbers(tmp_path: Path) -> None:
    (found,) = document(app, a_driven_town(tmp_path))
    (wave,) = found["waves"]
    assert (wave["state"], wave["machines"], sum(wave["counts"].values())) == ("closed", 6, 6)
    assert found["decisions"] == []


def test_without_a_tenant_the_next_command_is_named(tmp_path: Path) -> None:
    (tmp_path / CONFIG_NAME).write_text(example_config())
    context = Context(home=tmp_path, plain=True)
    fresh_store(tmp_path / "kahn.sqlite").close()
    assert "kahn tenant add" in call(app, context).output
