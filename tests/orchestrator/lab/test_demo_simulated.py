"""The demonstration on simulated machines: its inventory can be planned, and its parts say what they are."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from inventory.sources.native_json import NativeJson
from orchestrator.lab.demo import Demo
from orchestrator.lab.demo_simulated import (
    SIMULATED_SEATS,
    play_on_simulated_machines,
    simulated_config,
    simulated_rows,
)
from orchestrator.settings import example_config


def test_every_old_machine_has_a_successor_and_there_is_one_vault() -> None:
    rows = simulated_rows(SIMULATED_SEATS)
    names = {row["name"] for row in rows}
    old = [row for row in rows if row["name"].startswith("apc-")]
    assert len(old) == SIMULATED_SEATS and {row["successor"] for row in old} <= names
    assert [row["name"] for row in rows if row.get("role") == "vault"] == ["vault"]
    assert len({row["address"] for row in rows}) == len(rows)


def test_the_rows_are_of_the_native_form(tmp_path: Path) -> None:
    import json

    path = tmp_path / "machines.json"
    path.write_text(json.dumps({"kahn_inventory": 1, "machines": simulated_rows(3)}))
    reading = NativeJson().read(path)
    assert (len(reading.refusals), len(reading.observations)) == (0, 7)


def test_nobody_logs_in_to_machines_that_do_not_exist() -> None:
    values = tomllib.loads(simulated_config(example_config(), program="/demo/ansible-playbook"))
    assert (values["ansible_playbook"], values["look_at_hosts"]) == ("/demo/ansible-playbook", "no")


@pytest.mark.long
def test_the_story_is_told_to_its_end(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    play_on_simulated_machines(Demo(place=tmp_path / "demo"))
    assert "REAL HOSTS WERE NOT EXERCISED" in capsys.readouterr().out
