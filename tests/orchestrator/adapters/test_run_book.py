"""The generated run.yml and ansible.cfg."""

from __future__ import annotations

import configparser
from pathlib import Path

import pytest
import yaml

from inventory.ssh_options import CannotEmit
from orchestrator.adapters.run_book import run_book, run_config

ACT, VERIFY = Path("/trees/t/rb/act.yml"), Path("/trees/t/rb/verify.yml")


def names(*, once: bool) -> list[str]:
    """Task names and imported playbooks in the order in which they are played."""
    plays = yaml.safe_load(run_book("r-1", playbooks=(ACT, VERIFY), once=once))
    return [play.get("ansible.builtin.import_playbook") or play["tasks"][0]["name"] for play in plays]


def test_a_once_step_is_claimed_played_unchanged_receipted_and_then_proven() -> None:
    assert names(once=True) == ["kahn_claim", str(ACT), str(VERIFY), "kahn_end", "kahn_done r-1"]


def test_other_steps_write_no_receipts() -> None:
    assert names(once=False) == ["kahn_reach", str(ACT), str(VERIFY), "kahn_done r-1"]


def test_every_generated_play_targets_the_moves_and_gathers_nothing() -> None:
    plays = [play for play in yaml.safe_load(run_book("r-1", playbooks=(ACT,), once=True)) if "tasks" in play]
    assert {(play["hosts"], play["gather_facts"]) for play in plays} == {("kahn_moves", False)}


@pytest.mark.parametrize("path", ["/a/{{ x }}.yml", "/a b.yml", "relative.yml", "/a/../etc/x.yml", "/a\n.yml"])
def test_a_playbook_path_that_could_be_read_as_something_else_is_refused(path: str) -> None:
    with pytest.raises(CannotEmit):
        run_book("r-1", playbooks=(Path(path),), once=False)


def test_the_configuration_checks_host_keys_and_names_no_empty_path() -> None:
    config = configparser.ConfigParser()
    config.read_string(run_config(run_directory=Path("/r"), tree=Path("/t"), callback_plugins=Path("/c")))
    assert config["defaults"]["host_key_checking"] == "True"
    assert config["defaults"]["callbacks_enabled"] == "kahn_spool"
    assert not [option for section in config.values() for option, value in section.items() if not value]


def test_a_directory_that_would_break_the_configuration_is_refused() -> None:
    with pytest.raises(CannotEmit):
        run_config(run_directory=Path("/r\nroles_path=/x"), tree=Path("/t"), callback_plugins=Path("/c"))
