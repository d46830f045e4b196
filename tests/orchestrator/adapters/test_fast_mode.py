"""The fast mode: the same events, ends and effects as the plain one, and nothing of what guards a machine is lost."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from orchestrator.adapters.fast_mode import STRATEGY, fast_ways
from orchestrator.core.runbook import Adopted
from orchestrator.run_ports import RunOrder
from tests.run_orders import NOBODYS_KEY, SLOW, Field, pids_of, wait_until
from tests.sshd import Server, server

__all__ = ["server"]

ALL_SORTS = """
- name: gather
  ansible.builtin.setup: {gather_subset: [min]}
- name: write
  ansible.builtin.copy:
    content: "{{ ansible_facts.system }} {{ inventory_hostname }}\\n"
    dest: /run/{{ kahn_run }}.{{ inventory_hostname }}
- name: write again
  ansible.builtin.copy:
    content: "{{ ansible_facts.system }} {{ inventory_hostname }}\\n"
    dest: /run/{{ kahn_run }}.{{ inventory_hostname }}
- name: each
  ansible.builtin.shell: echo {{ item }} >> /run/{{ kahn_run }}.{{ inventory_hostname }}
  loop: [one, two]
- name: skipped
  ansible.builtin.command: "false"
  when: ansible_facts.system == 'Minix'
- name: ignored
  ansible.builtin.command: "false"
  ignore_errors: true
- name: rescued
  block:
    - name: breaks
      ansible.builtin.command: "false"
  rescue:
    - name: mends
      ansible.builtin.shell: id -un >> /run/{{ kahn_run }}.{{ inventory_hostname }}
      become: true
- name: in the background
  ansible.builtin.command: sleep 1
  async: 60
  poll: 1
- name: one of them fails
  ansible.builtin.command: "false"
  when: inventory_hostname.endswith('-2')
- name: last
  ansible.builtin.shell: echo last >> /run/{{ kahn_run }}.{{ inventory_hostname }}
"""


@pytest.fixture
def here(tmp_path: Path, server: Server) -> Iterator[Field]:
    made = Field(state=tmp_path / "state", server=server)
    yield made
    assert made.leave() == ()


def fast(order: RunOrder, *, mode: bool = True) -> RunOrder:
    """The order as that of an adopted playbook, in the fast mode or the plain one."""
    runbook = replace(order.content.runbook, adopted=Adopted(origin="somewhere", fast=mode))
    return replace(order, content=replace(order.content, runbook=runbook))


def test_the_strategy_lies_where_ansible_is_told_to_look() -> None:
    plugins, strategy = (line.partition(" = ")[2] for line in fast_ways())
    assert strategy == STRATEGY
    assert (Path(plugins) / f"{STRATEGY}.py").is_file()


@pytest.mark.ansible
def test_events_ends_and_effects_are_those_of_the_plain_mode(here: Field, server: Server) -> None:
    plain, quick = (_all_sorts(here, server, mode=mode) for mode in (False, True))
    assert plain == quick
    assert plain.ends == {"1": "done", "2": "failed", "3": "done"}
    assert "Linux 1" in plain.wrote and "root" in plain.wrote


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What can be seen of a run, with each asset by its number."""

    ends: dict[str, str]
    events: list[tuple[str, str, str]]
    wrote: str


def _all_sorts(here: Field, server: Server, *, mode: bool) -> Seen:
    # Assets of their own: what failed in one mode has a receipt on the machine and is not begun again.
    before = "quick-" if mode else "plain-"
    order = fast(here.order(ALL_SORTS, assets=tuple(f"{before}{number}" for number in "123"), once=True), mode=mode)
    ends = here.played(order)
    assert (f"strategy = {STRATEGY}" in (here.directory(order) / "ansible.cfg").read_text()) is mode
    lines = here.runs.read(order.run.id, offset=0).lines
    tasks = [str(line.fields.get("task", "")).replace(order.run.id, "") for line in lines]
    return Seen(
        ends={host.removeprefix(before): end.kind for host, end in ends.items()},
        events=sorted(
            (line.host.removeprefix(before), task, line.kind) for line, task in zip(lines, tasks, strict=True)
        ),
        wrote=server.inside("sh", "-c", f"cat /run/{order.run.id}.*").replace(before, ""),
    )


@pytest.mark.ansible
def test_a_host_with_another_key_than_the_approved_one_is_not_touched(here: Field, server: Server) -> None:
    order = fast(here.order("- ansible.builtin.command: touch /run/{{ kahn_run }}"))
    machines = tuple(replace(one, host_key=NOBODYS_KEY) for one in order.content.moves[0].machines)
    content = replace(order.content, moves=(replace(order.content.moves[0], machines=machines),))
    end = here.played(replace(order, content=content))["pc-1"]
    assert (end.kind, end.cause) == ("not_started", "unreachable")
    assert server.inside("sh", "-c", f"ls /run/{order.run.id} 2>/dev/null || echo none").strip() == "none"


@pytest.mark.ansible
@pytest.mark.parametrize("end", ["by kahn", "from outside"])
def test_a_run_that_is_ended_midway_is_unknown_and_leaves_no_process(here: Field, server: Server, end: str) -> None:
    asset = f"pc-{end[:2]}"  # its own: what was begun has a receipt on the machine and is not begun again
    order = fast(here.order(SLOW, assets=(asset,), once=True))
    here.runs.start(order)
    wait_until(lambda: "begun" in server.text_of(f"/run/{order.run.id}"))
    if end == "by kahn":
        here.runs.kill(order.run.id)
    else:
        os.kill(min(pid for pid, line in pids_of(order.run.id).items() if "ansible-playbook" in line), signal.SIGKILL)
        here.enough(order)  # as in the plain mode, what had begun goes on
    here.finished(order)
    assert here.judged(order)[asset].kind == "unknown"
    assert pids_of(order.run.id) == {}
