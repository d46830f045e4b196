"""Modules that act from the controller give the same answers within Ansible's worker as anywhere else."""

from __future__ import annotations

import base64
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

PLAYBOOKS = Path(__file__).resolve().parents[4] / "playbooks"
HERE = '["sh", "-c"]'  # stands for ssh to a machine: what is to run there runs here
PLAYED = {
    "kahn_carry": f"source: {HERE}, target: {HERE}, loads: [{{command: [sh, -c, 'echo $WORD'], file: PLACE/arrived}}]",
    "kahn_power": f"asset: a1, state: asked, machine: {HERE}, witness: {HERE}, seconds: 1",
    "kahn_accounts": "asset: '../a1', state: taken_over, ssh: {source: ['false'], target: ['false']}",
    "kahn_membership": "asset: a1, state: fit, domain: {secret_file: PLACE/none}, ssh: ['false'], new: n, old: o",
    "kahn_server": "asset: a1, state: no-such-state, ssh: {}, machines: {}",
    "kahn_procedure": "asset: a1, state: no-such-state, settings: {}, ssh: {}, machines: {}",
}


Told = tuple[dict[str, Any], bool]
"""The result of a module's task, and whether Ansible started a program of its own for it."""


def play(place: Path, *names: str, plugins: bool, **keywords: str) -> dict[str, Told]:
    """What came of each of these modules in one play."""
    place.mkdir()
    told = {"register": "told", "ignore_errors": True, "delegate_to": "localhost", **keywords}
    shown = {"ansible.builtin.debug": {"msg": "RESULT {{ told | to_json | b64encode }} ."}}
    tasks = [one for name in names for one in ({"name": f"it is {name}", name: "", **told}, shown)]
    text = json.dumps([{"hosts": "all", "gather_facts": False, "environment": {"WORD": "text"}, "tasks": tasks}])
    for name in names:
        arguments = "{" + PLAYED[name].replace("PLACE", str(place.parent)) + "}"
        text = text.replace(f'"{name}": ""', f'"{name}": {arguments}')
    (place / "play.yml").write_text(text)
    where = f"action_plugins = {PLAYBOOKS}/plugins/action\n" if plugins else ""
    (place / "ansible.cfg").write_text(
        f"[defaults]\nlibrary = {PLAYBOOKS}/library\nmodule_utils = {PLAYBOOKS}/module_utils\n{where}"
        f"local_tmp = {place}/tmp\nremote_tmp = {place}/tmp\n"
    )
    command = (Path(sys.executable).parent / "ansible-playbook", "-vvv", "-i", "machine,", place / "play.yml")
    environment = {"PATH": os.environ["PATH"], "HOME": str(place), "ANSIBLE_CONFIG": str(place / "ansible.cfg")}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    parts = re.split(r"^TASK \[it is (\w+)\]", done.stdout, flags=re.M)
    assert parts[1::2] == list(names), done.stdout + done.stderr
    return {name: _told(part) for name, part in zip(parts[1::2], parts[2::2], strict=True)}


def _told(part: str) -> Told:
    told = re.search(r"RESULT (\S+) \.", part)
    assert told, part
    return json.loads(base64.b64decode(told[1])), "EXEC" in part.partition("\nTASK [")[0]


@pytest.fixture(scope="module")
def everywhere(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Told], dict[str, Told], str]:
    """All modules within Ansible's worker, then as programs of their own; what had arrived before these."""
    place = tmp_path_factory.mktemp("everywhere")
    here = play(place / "here", *PLAYED, plugins=True)
    arrived = (place / "arrived").read_text()
    return here, play(place / "there", *PLAYED, plugins=False), arrived


@pytest.mark.parametrize("name", PLAYED)
def test_a_module_answers_the_same_with_and_without_a_program_of_its_own(everywhere: Any, name: str) -> None:
    (here, started), (there, started_there) = (told[name] for told in everywhere[:2])
    assert (started, started_there) == (False, True)
    for told in (here, there):
        told.pop("ansible_facts", None)  # the interpreter that a program of its own had to look for
    assert here == there
    assert here["failed"] is (name not in ("kahn_carry", "kahn_power"))


def test_what_was_carried_is_there(everywhere: Any) -> None:
    told, _ = everywhere[0]["kahn_carry"]
    assert told["changed"] and told["kahn"]["loads"][0]["bytes"] == 5
    assert everywhere[2] == "text\n"


def test_with_raised_rights_and_elsewhere_it_is_a_program_like_any_other(tmp_path: Path) -> None:
    told, started = play(tmp_path / "become", "kahn_power", plugins=True, become="true")["kahn_power"]
    assert started, told
