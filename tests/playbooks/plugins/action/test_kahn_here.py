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


def play(place: Path, name: str, *, plugins: bool, **keywords: str) -> tuple[dict[str, Any], bool]:
    """(the result of the module's task, whether Ansible started a program of its own for it)."""
    place.mkdir()
    tasks = [
        {"name": "it", name: "", "delegate_to": "localhost", "register": "told", "ignore_errors": True, **keywords},
        {"ansible.builtin.debug": {"msg": "RESULT {{ told | to_json | b64encode }} ."}},
    ]
    text = json.dumps([{"hosts": "all", "gather_facts": False, "environment": {"WORD": "text"}, "tasks": tasks}])
    arguments = "{" + PLAYED[name].replace("PLACE", str(place.parent)) + "}"
    (place / "play.yml").write_text(text.replace(f'"{name}": ""', f'"{name}": {arguments}'))
    where = f"action_plugins = {PLAYBOOKS}/plugins/action\n" if plugins else ""
    (place / "ansible.cfg").write_text(
        f"[defaults]\nlibrary = {PLAYBOOKS}/library\nmodule_utils = {PLAYBOOKS}/module_utils\n{where}"
        f"local_tmp = {place}/tmp\nremote_tmp = {place}/tmp\n"
    )
    command = (Path(sys.executable).parent / "ansible-playbook", "-vvv", "-i", "machine,", place / "play.yml")
    environment = {"PATH": os.environ["PATH"], "HOME": str(place), "ANSIBLE_CONFIG": str(place / "ansible.cfg")}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    told = re.search(r"RESULT (\S+) \.", done.stdout)
    assert told, done.stdout + done.stderr
    answer: dict[str, Any] = json.loads(base64.b64decode(told[1]))
    return answer, "EXEC" in done.stdout


@pytest.mark.parametrize("name", PLAYED)
def test_a_module_answers_the_same_with_and_without_a_program_of_its_own(tmp_path: Path, name: str) -> None:
    here, started = play(tmp_path / "here", name, plugins=True)
    there, started_there = play(tmp_path / "there", name, plugins=False)
    assert (started, started_there) == (False, True)
    for told in (here, there):
        told.pop("ansible_facts", None)  # the interpreter that a program of its own had to look for
    assert here == there
    assert here["failed"] is (name not in ("kahn_carry", "kahn_power"))


def test_what_was_carried_is_there(tmp_path: Path) -> None:
    told, _ = play(tmp_path / "here", "kahn_carry", plugins=True)
    assert told["changed"] and told["kahn"]["loads"][0]["bytes"] == 5
    assert (tmp_path / "arrived").read_text() == "text\n"


def test_with_raised_rights_and_elsewhere_it_is_a_program_like_any_other(tmp_path: Path) -> None:
    told, started = play(tmp_path / "become", "kahn_power", plugins=True, become="true")
    assert started, told
