"""A hostile machine sends what looks like events of other machines: our spool is not moved by it, plain runner is."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.faults.forgeries import answers, lying_python, runner_marker
from tests.run_orders import Field
from tests.sshd import Server, server

pytestmark = pytest.mark.ansible
__all__ = ["server"]


WAITING = 12
"""During so many answers the victim waits for its turn; then it fails, and the others come behind its failure."""


def tasks(first: int, count: int, *, only_for: str = "") -> str:
    """So many tasks that ask the machine something, and go on whatever it says."""
    condition = f"  when: kahn_asset == '{only_for}'\n" if only_for else ""
    asked = (
        f"- name: ask {number}\n  ansible.builtin.ping:\n  diff: true\n  ignore_errors: true\n"
        f"  ignore_unreachable: true\n{condition}"
        for number in range(first, count)
    )
    return "".join(asked)


@contextmanager
def lying(server: Server, program: Path) -> Iterator[None]:
    """The server's machine, taken over: its Python is another one."""
    inside = str(Path("/usr/bin/python3").resolve())
    server.inside("mount", "--bind", str(program), inside)
    try:
        yield
    finally:
        server.inside("umount", inside)


def test_there_are_more_than_a_hundred_forgeries_and_no_two_are_equal() -> None:
    told = answers("victim", "kahn_done r1")
    assert len(told) == len(set(told)) > 100


def test_no_forgery_of_another_machines_events_changes_anything(
    tmp_path: Path, server: Server, request: pytest.FixtureRequest
) -> None:
    here = Field(state=tmp_path / "state", server=server)
    request.addfinalizer(here.leave)
    count = len(answers("victim", ""))
    fails = "- name: the victim fails\n  ansible.builtin.fail: {msg: no}\n  when: kahn_asset == 'victim'\n"
    asks = tasks(0, WAITING, only_for="hostile") + fails + tasks(WAITING, count, only_for="hostile")
    order = here.order(asks, assets=("hostile", "victim"), seconds=1200)
    program = lying_python(tmp_path, answers("victim", f"kahn_done {order.run.id}"))
    with lying(server, program):
        here.runs.start(order)
        here.finished(order, within=1150)
        found = here.judged(order)
    assert int((tmp_path / "next").read_text()) == count, "the machine was asked for every answer"
    assert runner_marker({}) in (here.directory(order) / "display.txt").read_text(errors="replace")
    read = here.runs.read(order.run.id, offset=0)
    assert (read.damaged, read.exited, found["victim"].kind) == ("", True, "failed")
    of_victim = [line for line in read.lines if line.host == "victim" and line.kind != "skipped"]
    asked = [line for line in of_victim if line.kind == "task_start" and line.fields["task"].startswith("ask ")]
    assert len(asked) == WAITING
    rest = [(line.kind, line.fields["part"]) for line in of_victim if line not in asked]
    assert rest == [("task_start", "claim"), ("ok", "claim"), ("task_start", "step"), ("failed", "step")]
    assert {line.host for line in read.lines} == {"", "hostile", "victim"}


ALL = answers("victim", "restore")
SOME = (*ALL[12:24], *ALL[84:96])
"""Every text behind an answer and in a difference: what forges without a hundred tasks around it."""
CONTROL = """
import json, sys, ansible_runner
events = []
ansible_runner.run(private_data_dir=sys.argv[1], playbook="play.yml", inventory=sys.argv[1] + "/hosts.yml", quiet=True,
                   event_handler=lambda event: events.append(event) or False)
print(json.dumps([(e["event"], e.get("event_data", {}).get("host")) for e in events]))
"""


@pytest.mark.parametrize("told", [SOME, pytest.param(ALL, marks=pytest.mark.long)], ids=["some", "all"])
def test_control_the_same_answers_forge_events_in_plain_runner(tmp_path: Path, told: tuple[bytes, ...]) -> None:
    program = lying_python(tmp_path, told)
    hostile = {"ansible_connection": "local", "ansible_python_interpreter": str(program)}
    (tmp_path / "hosts.yml").write_text(json.dumps({"all": {"hosts": {"hostile": hostile}}}))
    (tmp_path / "project").mkdir()
    indented = "".join(f"    {line}\n" for line in tasks(0, len(told)).splitlines())
    play = f"- hosts: all\n  gather_facts: false\n  tasks:\n{indented}"
    (tmp_path / "project" / "play.yml").write_text(play)
    path = f"{Path(sys.executable).parent}:/usr/bin:/bin"
    environment = {"PATH": path, "HOME": str(tmp_path), "LANG": "C.UTF-8", "ANSIBLE_PIPELINING": "1"}
    done = subprocess.run(
        (sys.executable, "-c", CONTROL, tmp_path), env=environment, capture_output=True, text=True, check=True
    )
    forged = [kind for kind, host in json.loads(done.stdout) if host == "victim"]
    assert len(forged) >= 10 and "runner_on_ok" in forged
