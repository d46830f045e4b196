"""The inventory plugin and the dynamic inventory under real Ansible, with templates in every field."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from inventory.ansible_inventory import EmittedHost, emit_estate
from inventory.model import FIELDS, AssetKind
from inventory.ssh_options import RunPlaces
from orchestrator.actions.list_inventory import hosts_of
from orchestrator.core.access import AccessProfile
from playbooks.plugins.inventory.kahn import unmarked
from tests.estates import TENANT, an_asset, an_estate
from tests.orchestrator.core.builders import KEY
from tests.sshd import Server, server

BIN = Path(sys.executable).parent
PLUGINS = Path(__file__).parents[4] / "playbooks" / "plugins" / "inventory"
__all__ = ["server"]
pytestmark = pytest.mark.ansible


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A program that answers as `kahn inventory --list` does, and a configuration for the plugin."""
    jinja = "{{ lookup('pipe', 'touch " + str(tmp_path / "MARK") + "') }}"
    texts: dict[str, Any] = {
        name: (jinja,) if field.type == "list" else jinja
        for name, field in FIELDS.items()
        if AssetKind.WORKSTATION in field.kinds and field.type in ("text", "list", "choice", "word", "dns_name")
    }
    good = {"address": "192.0.2.7", "access": "lab", "host_key": KEY}
    asset = an_asset("apc-1", **{**texts, **good})
    hosts: tuple[EmittedHost, ...] = hosts_of(
        an_estate(also=(asset,)), {"lab": AccessProfile(name="lab", user="kahn", key_file="/keys/lab")}, {}
    )
    places = RunPlaces(known_hosts=str(tmp_path / "known"), sockets="/tmp/k")
    (tmp_path / "said.json").write_text(emit_estate(hosts, places=places, shared=True).inventory)
    program = tmp_path / "kahn"
    program.write_text(f'#!/bin/sh\necho "$@" >> {tmp_path}/asked\nexec cat {tmp_path}/said.json\n')
    program.chmod(0o755)
    (tmp_path / "town.kahn.yml").write_text(f"plugin: kahn\ncommand: {program}\nhome: /state\ntenant: {TENANT}\n")
    tasks = [{"debug": {"msg": ["{{ kahn_asset }}", "{{ kahn_asset.note }}", "{{ ansible_host }}"]}}]
    (tmp_path / "play.json").write_text(json.dumps([{"hosts": "apc-1", "gather_facts": False, "tasks": tasks}]))
    return tmp_path


def ansible(folder: Path, *words: str) -> str:
    env = {
        **os.environ,
        "ANSIBLE_INVENTORY_PLUGINS": str(PLUGINS),
        "HOME": str(folder),
        "ANSIBLE_LOCALHOST_WARNING": "0",
    }
    done = subprocess.run(
        [str(BIN / words[0]), *words[1:]], capture_output=True, text=True, cwd=folder, env=env, timeout=400
    )
    assert done.returncode == 0, done.stderr
    assert "WARN" not in done.stderr, done.stderr
    return done.stdout


def inventory(folder: Path, source: str) -> Any:
    return json.loads(ansible(folder, "ansible-inventory", "-i", source, "--list"))


def test_plugin_and_program_give_the_same_hosts_groups_and_values_and_run_nothing(folder: Path) -> None:
    by_plugin, by_program = inventory(folder, "town.kahn.yml"), inventory(folder, str(folder / "kahn"))
    assert by_plugin == by_program
    assert by_plugin["kind_workstation"]["hosts"] == ["apc-1"]
    variables = by_plugin["_meta"]["hostvars"]["apc-1"]
    note = variables["kahn_asset"]["note"]
    assert "lookup(" in (note["__ansible_unsafe"] if isinstance(note, dict) else note)
    assert (folder / "asked").read_text().split("\n")[0] == "--home /state --tenant stadt inventory --list"
    assert not (folder / "MARK").exists()


@pytest.mark.parametrize("source", ["town.kahn.yml", "kahn"])
def test_a_play_that_uses_the_values_sees_texts_and_runs_nothing(folder: Path, source: str) -> None:
    said = ansible(folder, "ansible-playbook", "-i", str(folder / source), "play.json")
    assert "lookup(" in said and "192.0.2.7" in said
    assert not (folder / "MARK").exists()


def test_the_same_text_unmarked_would_have_run(folder: Path) -> None:
    """The control: without marks Ansible does run it."""
    said = json.loads((folder / "said.json").read_text())
    (folder / "said.json").write_text(json.dumps(unmarked(said)))
    ansible(folder, "ansible-playbook", "-i", str(folder / "kahn"), "play.json")
    assert (folder / "MARK").exists()


def test_a_program_that_fails_or_talks_nonsense_is_reported(folder: Path) -> None:
    env = {**os.environ, "ANSIBLE_INVENTORY_PLUGINS": str(PLUGINS), "HOME": str(folder)}
    for script in ("echo STO-001: no such tenant >&2; exit 5", "echo '{}'", "echo nonsense"):
        (folder / "kahn").write_text(f"#!/bin/sh\n{script}\n")
        words = [str(BIN / "ansible-inventory"), "-i", "town.kahn.yml", "--list"]
        done = subprocess.run(words, capture_output=True, text=True, cwd=folder, env=env, timeout=400)
        assert "STO-001" in done.stderr or "did not give an inventory" in done.stderr


def test_a_real_machine_is_reached_by_its_profile_and_only_with_its_own_key(folder: Path, server: Server) -> None:
    profile = AccessProfile(name="lab", user="root", key_file=str(server.key_file), port=server.port)
    good = an_asset("apc-1", address="127.0.0.1", access="lab", host_key=server.host_key)
    other = an_asset("apc-2", address="127.0.0.1", access="lab", host_key=KEY)
    places = RunPlaces(known_hosts=str(folder / "known"), sockets="/tmp")
    emitted = emit_estate(hosts_of(an_estate(also=(good, other)), {"lab": profile}, {}), places=places, shared=False)
    (folder / "said.json").write_text(emitted.inventory)
    (folder / "known").write_text(emitted.known_hosts)
    words = [str(BIN / "ansible"), "-i", str(folder / "kahn"), "apc-1,apc-2", "-m", "raw", "-a", "echo reached"]
    env = {**os.environ, "HOME": str(folder)}
    done = subprocess.run(words, capture_output=True, text=True, cwd=folder, env=env, timeout=400)
    assert "apc-1 | CHANGED" in done.stdout and "reached" in done.stdout
    assert "apc-2 | UNREACHABLE" in done.stdout + done.stderr
