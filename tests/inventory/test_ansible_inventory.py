"""The emitter marks values unsafe, and Ansible obeys the mark: with a control in which it does run the template."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from inventory.ansible_inventory import (
    Emitted,
    EmittedMachine,
    EmittedMove,
    emit,
    is_marked,
    machine_host,
    to_unsafe_yaml,
)
from inventory.ssh_options import CannotEmit
from tests.inventory.test_ssh_options import HOP, PLACES, a_reach

HOSTILE = (
    "{{ lookup('pipe', 'touch MARK') }}",
    "{% for x in [1] %}{{ lookup('ansible.builtin.pipe', 'touch MARK') }}{% endfor %}",
    "{{ ().__class__.__base__.__subclasses__() }}",
    "2026-11-30", "12:34:56", "<<", "=", "&", "!", "%", "null", "0x10", "1_000", ".inf", "", "{",
    "!unsafe x", "!vault |", "__ansible_unsafe", "&a [*a]", "- x", "#", "no", "1e3", "08", "~", "=cmd|' /C calc'!A0",
    "-oProxyCommand=touch MARK", "localhost", "all", "*", "../x", "a;id", "a\nb", "\t",
    "\x07\x1b]0;x\x07", "\x85\u2028\ufeff",
    "Bürgerbüro", "😀", "'", '"', "\\", "\\{{ 1 }}", "$(id)", "`id`", "%(x)s", "x" * 5000,
)  # fmt: skip


class Marked(str):
    """A text that was tagged !unsafe."""


class TagReader(yaml.SafeLoader):
    """Reads the emitted YAML and tells marked texts from plain ones."""


TagReader.add_constructor("!unsafe", lambda loader, node: Marked(node.value))


def a_move(name: str = "PC 7", **more: Any) -> EmittedMove:
    machines = (
        EmittedMachine(role="source", name=name, mac=(name,), reach=a_reach()),
        EmittedMachine(role="vault", name=name, mac=(), reach=a_reach(address="10.1.2.9", hop=HOP)),
    )
    return EmittedMove(host="pc-7", name=name, on="source", machines=machines, **more)


def unmarked_texts(tree: object) -> list[str]:
    """Every text value that is not tagged."""
    if isinstance(tree, dict):
        return [text for value in tree.values() for text in unmarked_texts(value)]
    if isinstance(tree, list):
        return [text for value in tree for text in unmarked_texts(value)]
    return [tree] if isinstance(tree, str) and not isinstance(tree, Marked) else []


@given(text=st.one_of(st.sampled_from(HOSTILE), st.text(max_size=60)))
def test_every_text_that_could_be_a_template_is_marked_and_comes_back_as_it_was(text: str) -> None:
    tree = yaml.load(to_unsafe_yaml({"a": text, "b": [{"c": text}]}), Loader=TagReader)
    assert tree == {"a": text, "b": [{"c": text}]}
    assert not [plain for plain in unmarked_texts(tree) if "{" in plain]


def test_only_texts_that_would_lose_their_type_go_without_the_mark() -> None:
    assert unmarked_texts(yaml.load(emitted_with_corpus().inventory, Loader=TagReader)) != []
    plain = {text for text in HOSTILE if not is_marked(text)}
    assert plain == {
        "no", "~", "2026-11-30", "12:34:56", "<<", "=", "&", "!", "*", "null", "0x10", "1_000", ".inf", "",
    }  # fmt: skip


def test_a_move_keeps_its_name_and_its_machines_names_and_addresses() -> None:
    tree = yaml.load(emit([a_move(name="Bürgerbüro")], places=PLACES).inventory, Loader=TagReader)
    variables = tree["all"]["children"]["kahn_moves"]["hosts"]["pc-7"]
    assert (variables["kahn_name"], variables["kahn_machines"]["source"]["mac"]) == ("Bürgerbüro", ["Bürgerbüro"])
    assert variables["kahn_roles"] == {"source": "pc-7--source", "vault": "pc-7--vault"}


def test_a_text_of_a_class_of_its_own_is_marked_too() -> None:
    assert to_unsafe_yaml({"a": Marked("{{ 1 }}")}) == '"a": !unsafe "{{ 1 }}"\n'


@pytest.mark.parametrize(
    "value", [float("nan"), None, b"x", object(), {1: "x"}, {"a b": "x"}, {"{{ x }}": "x"}, "\ud800"]
)
def test_values_and_keys_of_other_kinds_are_refused(value: object) -> None:
    with pytest.raises(CannotEmit):
        to_unsafe_yaml({"a": value})


@pytest.mark.parametrize("host", ["all", "localhost", "ungrouped", "a b", "-x", "a--b", "PC", "../x", "a[1:3]", "é"])
def test_a_host_name_is_a_plain_id(host: str) -> None:
    with pytest.raises(CannotEmit):
        EmittedMove(host=host, name="x", on="source", machines=a_move().machines)


@pytest.mark.parametrize("name", ["ansible_connection", "ansible_ssh_common_args", "x", "kahn_", "kahn_A", "kahn_x{{"])
def test_only_variables_of_our_own_names_are_emitted(name: str) -> None:
    with pytest.raises(CannotEmit, match="name"):
        a_move(variables={name: "x"})


def test_a_move_has_one_machine_in_the_role_that_plays_connect_to() -> None:
    with pytest.raises(CannotEmit, match="role"):
        EmittedMove(host="pc-7", name="x", on="gateway", machines=a_move().machines)


def test_machines_of_other_roles_lie_in_a_group_that_no_play_targets() -> None:
    tree = yaml.load(emit([a_move()], places=PLACES).inventory, Loader=TagReader)["all"]["children"]
    assert set(tree["kahn_moves"]["hosts"]) == {"pc-7"}
    assert set(tree["kahn_machines"]["hosts"]) == {machine_host("pc-7", "source"), machine_host("pc-7", "vault")}


def test_two_machines_with_one_address_behind_different_hops_share_neither_key_nor_connection() -> None:
    twins = [
        EmittedMachine(role="source", name="x", mac=(), reach=a_reach()),
        EmittedMachine(role="target", name="y", mac=(), reach=a_reach(hop=HOP)),
    ]
    emitted = emit([EmittedMove(host="pc-7", name="x", on="source", machines=tuple(twins))], places=PLACES)
    hosts = yaml.load(emitted.inventory, Loader=TagReader)["all"]["children"]["kahn_machines"]["hosts"]
    assert "HostKeyAlias=k1 " in hosts["pc-7--source"]["ansible_ssh_args"]
    assert "HostKeyAlias=k2 " in hosts["pc-7--target"]["ansible_ssh_args"]
    assert [line.split()[0] for line in emitted.known_hosts.splitlines()] == ["k1", "k2", "k2-hop"]


def test_one_asset_twice_in_a_run_is_refused() -> None:
    with pytest.raises(CannotEmit, match="twice"):
        emit([a_move(), a_move()], places=PLACES)


# ------------------------------------------------------------------------------------------- with real ansible


def seen_by_ansible(inventory: str, place: Path, *, show: str) -> tuple[str, bool]:
    """Output of a play that prints an expression on each move, and whether the corpus ran its command."""
    (place / "inventory.yml").write_text(inventory)
    (place / "play.yml").write_text(
        "- hosts: kahn_moves\n  gather_facts: false\n  connection: local\n  tasks:\n"
        f"    - ansible.builtin.debug:\n        msg: {json.dumps('{{ ' + show + ' }}')}\n"
    )
    (place / "ansible.cfg").write_text("[inventory]\nenable_plugins = ansible.builtin.yaml\n")
    command = (Path(sys.executable).parent / "ansible-playbook", "-i", "inventory.yml", "play.yml")
    environment = {"PATH": os.environ["PATH"], "HOME": str(place), "LANG": "C.UTF-8", "ANSIBLE_CONFIG": "ansible.cfg"}
    done = subprocess.run(command, cwd=place, env=environment, capture_output=True, text=True, check=False)
    return done.stdout + done.stderr, (place / "MARK").exists()


def emitted_with_corpus() -> Emitted:
    """One move for each hostile text, in its name, its machines' names and its variables."""
    moves = [
        EmittedMove(
            host=f"pc-{number}",
            name=text,
            on="source",
            machines=(EmittedMachine(role="source", name=text, mac=(text,), reach=a_reach()),),
            variables={"kahn_step": text},
        )
        for number, text in enumerate(HOSTILE)
    ]
    return emit(moves, places=PLACES)


def locally(inventory: str) -> str:
    """The inventory for a play without ssh: only the connection's own variable is another."""
    return inventory.replace('"ansible_connection": !unsafe "ssh"', '"ansible_connection": !unsafe "local"')


@pytest.mark.ansible
def test_the_hostile_corpus_has_no_effect_from_an_emitted_inventory(tmp_path: Path) -> None:
    show = "[kahn_name, kahn_step, kahn_machines, hostvars[inventory_hostname] | to_json | length]"
    output, ran = seen_by_ansible(locally(emitted_with_corpus().inventory), tmp_path, show=show)
    assert f"ok: [pc-{len(HOSTILE) - 1}]" in output and "fatal" not in output
    assert not ran


@pytest.mark.ansible
@given(text=st.one_of(st.sampled_from(HOSTILE), st.text(max_size=60)))
def test_ansible_reads_every_text_as_the_text_it_is_and_trusts_none_that_could_be_a_template(text: str) -> None:
    from ansible.parsing.dataloader import DataLoader
    from ansible.template import is_trusted_as_template

    read = DataLoader().load(to_unsafe_yaml({"a": text, "b": [{"c": text}]}))
    for value in (read["a"], read["b"][0]["c"]):
        assert isinstance(value, str) and value == text
        assert not (is_trusted_as_template(value) and "{" in text)


@pytest.mark.ansible
def test_control_the_same_corpus_runs_its_command_from_an_unmarked_inventory(tmp_path: Path) -> None:
    unmarked = locally(emitted_with_corpus().inventory).replace("!unsafe ", "")
    _, ran = seen_by_ansible(unmarked, tmp_path, show="kahn_name")
    assert ran


@pytest.mark.ansible
def test_ansible_reads_marked_connection_variables_as_it_would_plain_ones(tmp_path: Path) -> None:
    """The address leads nowhere; what counts is which command ansible makes of the marked values."""
    inventory = emit([a_move()], places=PLACES).inventory
    (tmp_path / "ssh").write_text('#!/bin/sh\nprintf "%s\\n" "$@" > "$HOME/argv"\nexit 255\n')
    (tmp_path / "ssh").chmod(0o755)
    inventory = inventory.replace('"ansible_pipelining"', f'"ansible_ssh_executable": "{tmp_path}/ssh"\n          "ansible_pipelining"', 1)  # fmt: skip # noqa: E501
    play = "- hosts: kahn_moves\n  gather_facts: false\n  tasks:\n    - ansible.builtin.raw: 'true'\n"
    (tmp_path / "inventory.yml").write_text(inventory)
    (tmp_path / "play.yml").write_text(play)
    command = (Path(sys.executable).parent / "ansible-playbook", "-i", "inventory.yml", "play.yml")
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "LANG": "C.UTF-8"}
    subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, check=False)
    argv = (tmp_path / "argv").read_text().splitlines()
    assert {"HostKeyAlias=k1", "StrictHostKeyChecking=yes", "Port=22", 'User="root"', "10.1.2.3"} <= set(argv)
