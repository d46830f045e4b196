"""`kahn wave rehearse` from a terminal."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from orchestrator.adapters.runbooks import load_runbook
from orchestrator.cli.context import Context
from orchestrator.cli.wave_rehearse import rehearse
from orchestrator.core.rehearsal import CannotRehearse, NotPlayed
from orchestrator.settings import CONFIG_NAME
from tests.copied_towns import a_town
from tests.known_town import call
from tests.labs import lab_or_skip
from tests.orchestrator.cli.lone import command_app
from tests.orchestrator.core.builders import a_runbook
from tests.town_terminals import a_terminal, sitting_down
from tests.towns import STADT, Town

APP = command_app(rehearse)
TINY = """\
title: One file
ansible: modern
roles: {source: asset}
baseline: {on: source, take: take.yml, compare: compare.yml}
steps:
  - {name: write, title: Write, on: source, effect: idempotent, playbook: do.yml, verify: do.yml, undo: undo.yml}
"""
PLAY = """\
- name: Play
  hosts: all
  gather_facts: false
  tasks:
    - name: Do it
      ansible.builtin.raw: "true"
"""


def a_tiny_town(folder: Path, **options: bool) -> tuple[Context, Town]:
    """A state directory with an approved wave of two seats, by a runbook of its own with one step."""
    place = folder / "runbooks" / "tiny"
    place.mkdir(parents=True)
    (place / "runbook.yml").write_text(TINY)
    for name in ("take", "compare", "do", "undo"):
        (place / f"{name}.yml").write_text(PLAY)
    town = a_town(folder, "approved", runbook=load_runbook(place))
    (folder / CONFIG_NAME).write_text("")
    return sitting_down(town, **options), town


def entries(town: Town) -> int:
    with town.store.reading() as books:
        return len(books.journal.read(STADT))


def test_on_simulated_machines_the_whole_wave_is_played_there_and_back_and_nothing_of_it_is_kept(
    tmp_path: Path,
) -> None:
    context, town = a_tiny_town(tmp_path, json=True)
    before = entries(town)
    told = json.loads(call(APP, context, "W01", "--simulated").stdout)
    found = told["rehearsal"]
    assert told["passed"] and not told["gate_opened"]
    assert (found["where"], found["assets"], found["moved"], found["back"]) == ("simulated", 2, 2, 2)
    assert {one["step"] for one in found["times"]} == {"", *town.runbook.step_names}
    assert entries(town) == before and town.wave()[0].state.value == "approved"


def test_what_people_do_is_refused_before_anything_is_made(tmp_path: Path) -> None:
    people = replace(a_runbook().steps[0], playbook="", verify="", checklist=("Look",))
    town = a_town(tmp_path, "approved", runbook=replace(a_runbook(), steps=(people, *a_runbook().steps[1:])))
    (tmp_path / CONFIG_NAME).write_text("")
    with pytest.raises(CannotRehearse, match="a person does it"):
        call(APP, sitting_down(town), "W01", "--simulated")


def test_a_wave_is_no_rehearsal_of_itself_and_two_ways_at_once_are_refused(tmp_path: Path) -> None:
    context, town = a_terminal(tmp_path, "approved")
    with pytest.raises(NotPlayed, match="that very wave"):
        call(APP, context, "W01", "--played-as", "W01")
    assert call(APP, sitting_down(town), "W01", "--simulated", "--played-as", "W02").exit_code == 2


@pytest.mark.lab
@pytest.mark.long
def test_on_lab_hosts_it_goes_well_and_its_times_are_kept(tmp_path: Path) -> None:
    lab_or_skip(tmp_path / "probe")
    context, town = a_terminal(tmp_path, "approved")
    (tmp_path / CONFIG_NAME).write_text("")
    before = entries(town)
    result = call(APP, context, "W01", "--seats", "1")
    assert result.exit_code == 0 and "1 moved, 1 taken back" in result.output
    assert entries(town) == before + 1
