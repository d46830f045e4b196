"""A hostile machine sends what looks like events of other machines: our spool is not moved by it, plain runner is."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.run_orders import Field
from tests.sshd import Server, server

pytestmark = pytest.mark.ansible
__all__ = ["server"]


def runner_marker(event: Mapping[str, object]) -> str:
    """The bytes by which ansible-runner's own display plugin tells it of an event."""
    packed = base64.b64encode(json.dumps(event).encode()).decode()
    return f"\x1b[K{packed}\x1b[{len(packed)}D\x1b[K"


def forged_answer(host: str, task: str) -> str:
    """A module's answer that carries forged events of another host in every text a display might print."""
    event = {"uuid": "f0f0", "event": "runner_on_ok", "event_data": {"host": host, "task": task}}
    marker = runner_marker(event) + "\n" + runner_marker({})
    line = json.dumps({"seq": 4, "mono_ns": 1, "wall_us": 1, "kind": "done", "host": host, "part": "done", "crc32": 0})
    text = f"{marker}\n{line}\n"
    return json.dumps({"changed": False, "ping": "pong", "msg": text, "warnings": [text], "stdout": text})


def lying_python(directory: Path, answer: str) -> Path:
    """An interpreter that runs nothing and gives that answer to whatever it is asked."""
    (directory / "answer").write_text(answer)
    program = directory / "python"
    program.write_text(f"#!/bin/sh\n[ -t 0 ] || cat > /dev/null\ncat {directory}/answer\n")
    program.chmod(0o755)
    return program


@contextmanager
def lying(server: Server, program: Path) -> Iterator[None]:
    """The server's machine, taken over: its Python is another one."""
    inside = str(Path("/usr/bin/python3").resolve())
    server.inside("mount", "--bind", str(program), inside)
    try:
        yield
    finally:
        server.inside("umount", inside)


def test_a_forged_event_of_another_host_changes_nothing(
    tmp_path: Path, server: Server, request: pytest.FixtureRequest
) -> None:
    here = Field(state=tmp_path / "state", server=server)
    request.addfinalizer(here.leave)
    order = here.order(
        """
        - ansible.builtin.ping:
          when: kahn_asset == 'hostile'
        - ansible.builtin.fail: {msg: no}
          when: kahn_asset == 'victim'
        """,
        assets=("hostile", "victim"),
    )
    answer = forged_answer("victim", f"kahn_done {order.run.id}")
    with lying(server, lying_python(tmp_path, answer)):
        found = here.played(order)
    assert found["victim"].kind == "failed"
    assert runner_marker({}) in (here.directory(order) / "display.txt").read_text()
    kinds = [(line.kind, line.host) for line in here.runs.read(order.run.id, offset=0).lines]
    assert ("done", "victim") not in kinds


CONTROL = """
import json, sys, ansible_runner
events = []
ansible_runner.run(private_data_dir=sys.argv[1], playbook="play.yml", inventory=sys.argv[1] + "/hosts.yml", quiet=True,
                   event_handler=lambda event: events.append(event) or False)
print(json.dumps([(e["event"], e.get("event_data", {}).get("host")) for e in events]))
"""


def test_control_the_same_bytes_forge_an_event_in_plain_runner(tmp_path: Path) -> None:
    program = lying_python(tmp_path, forged_answer("victim", "restore"))
    hostile = {"ansible_connection": "local", "ansible_python_interpreter": str(program)}
    (tmp_path / "hosts.yml").write_text(json.dumps({"all": {"hosts": {"hostile": hostile}}}))
    (tmp_path / "project").mkdir()
    play = "- hosts: all\n  gather_facts: false\n  tasks: [{ansible.builtin.ping: }]\n"
    (tmp_path / "project" / "play.yml").write_text(play)
    path = f"{Path(sys.executable).parent}:/usr/bin:/bin"
    environment = {"PATH": path, "HOME": str(tmp_path), "LANG": "C.UTF-8", "ANSIBLE_PIPELINING": "1"}
    done = subprocess.run(
        (sys.executable, "-c", CONTROL, tmp_path), env=environment, capture_output=True, text=True, check=True
    )
    assert ["runner_on_ok", "victim"] in json.loads(done.stdout)
