"""The spool plugin: what it writes, what it leaves out, and that it ends the process where it cannot write."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.supervisor.files import parse_checked

pytestmark = pytest.mark.ansible
SOURCE = Path(__file__).resolve().parents[4] / "playbooks/plugins/callback/kahn_spool.py"


def loaded() -> ModuleType:
    spec = importlib.util.spec_from_file_location("kahn_spool_under_test", SOURCE)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


plugin = loaded()


def allowed(result: dict[str, Any], *, action: str = "kahn_manifest", no_log: bool = False) -> dict[str, Any]:
    found: dict[str, Any] = plugin.allowed(result, task=SimpleNamespace(action=action, no_log=no_log))
    return found


def test_only_rc_changed_msg_and_our_own_report_are_written() -> None:
    result = {"rc": 3, "changed": True, "msg": "m", "stdout": "secret", "invocation": {"x": 1}, "kahn": {"a": 1}}
    assert allowed(result) == {"changed": True, "rc": 3, "msg": "m", "kahn": {"a": 1}}


def test_a_report_from_a_module_that_is_not_ours_is_left_out() -> None:
    assert allowed({"kahn": {"answer": "done"}}, action="ansible.builtin.setup") == {"changed": False}


def test_a_task_with_no_log_shows_nothing_but_whether_it_changed() -> None:
    for result in ({"censored": "x", "msg": "s"}, {"_ansible_no_log": True, "msg": "s"}):
        assert allowed(result) == {"changed": False}
    assert allowed({"msg": "s", "kahn": {"a": 1}}, no_log=True) == {"changed": False}


def test_msg_is_cut_to_4_kib_of_utf8() -> None:
    assert len(allowed({"msg": "ü" * 5000})["msg"].encode()) == 4096


def test_of_a_loop_the_first_failed_round_speaks() -> None:
    rounds = [{"msg": "a"}, {"failed": True, "msg": "b", "kahn": {"cause": "x"}}, {"failed": True, "msg": "c"}]
    assert allowed({"results": rounds, "msg": "one or more failed"})["kahn"] == {"cause": "x"}


@pytest.mark.parametrize(
    "report",
    [{"a": "x" * 70_000}, {"a": float("nan")}, {"a": object()}, {"a": b"x"}],
    ids=["large", "no number", "no JSON", "bytes"],
)
def test_a_report_too_large_or_not_plain_is_replaced_by_a_note(report: dict[str, Any]) -> None:
    assert plugin.bounded(report)["truncated"] is True


def test_a_report_nested_too_deeply_is_replaced_by_a_note() -> None:
    deep: dict[str, Any] = {}
    for _ in range(5000):
        deep = {"a": deep}
    assert plugin.bounded(deep)["truncated"] is True


def test_numbers_that_journals_cannot_hold_become_text() -> None:
    assert plugin.bounded({"a": 2**63, "b": -5}) == {"a": str(2**63), "b": -5}


@given(text=st.text(max_size=200), limit=st.integers(1, 300))
def test_text_is_cut_and_freed_from_control_characters(text: str, limit: int) -> None:
    shown = plugin.clean_text(text, limit=limit)
    assert len(shown.encode()) <= limit
    assert all(char in "\n\t" or (ord(char) >= 32 and not 127 <= ord(char) < 160) for char in shown)


@given(fields=st.dictionaries(st.sampled_from(["msg", "task", "kahn"]), st.text(max_size=30)))
def test_a_line_is_what_the_reader_checks(fields: dict[str, str]) -> None:
    line = plugin.spool_line(4, kind="ok", host="pc-1", fields=fields)
    content = parse_checked(line[:-1])
    assert line.endswith(b"\n") and (content["seq"], content["kind"]) == (4, "ok")
    assert {name: content[name] for name in fields} == fields


def test_room_is_reserved_without_changing_the_length(tmp_path: Path) -> None:
    spool = plugin.Spool(str(tmp_path / "spool.jsonl"))
    found = (tmp_path / "spool.jsonl").stat()
    assert (found.st_size, found.st_blocks * 512 >= plugin.RESERVED_BYTES) == (0, True)
    spool.write("ok", fields={}, sync=True)
    assert parse_checked((tmp_path / "spool.jsonl").read_bytes().rstrip(b"\n"))["seq"] == 1


def test_an_existing_spool_is_never_continued(tmp_path: Path) -> None:
    (tmp_path / "spool.jsonl").touch()
    with pytest.raises(FileExistsError):
        plugin.Spool(str(tmp_path / "spool.jsonl"))


def played(place: Path, **changes: str) -> subprocess.CompletedProcess[str]:
    """A play on this machine with the plugin on; it leaves a file where it gets that far."""
    (place / "alive.lock").touch()
    (place / "run.yml").write_text(
        "- hosts: all\n  gather_facts: false\n  connection: local\n"
        f"  vars: {{ansible_python_interpreter: {sys.executable}}}\n  tasks:\n"
        f"    - ansible.builtin.file: {{path: {place}/touched, state: touch, mode: '0600'}}\n"
    )
    (place / "ansible.cfg").write_text(
        f"[defaults]\ncallback_plugins = {SOURCE.parent}\ncallbacks_enabled = kahn_spool\n"
    )
    names = {"KAHN_SPOOL": "spool.jsonl", "KAHN_ALIVE": "alive.lock", "KAHN_CLOSED": "closed"}
    variables = {name: str(place / file) for name, file in names.items()} | {"KAHN_RUN": "r-1"} | changes
    environment = {"PATH": os.environ["PATH"], "HOME": str(place), "ANSIBLE_CONFIG": str(place / "ansible.cfg")}
    command = (Path(sys.executable).parent / "ansible-playbook", "-i", "here,", place / "run.yml")
    environment |= {name: value for name, value in variables.items() if value}
    return subprocess.run(command, cwd=place, env=environment, capture_output=True, text=True, check=False)


def kinds(place: Path) -> list[str]:
    return [json.loads(line)["kind"] for line in (place / "spool.jsonl").read_text().splitlines()]


def test_a_play_is_written_from_its_start_to_its_figures(tmp_path: Path) -> None:
    assert played(tmp_path).returncode == 0
    assert kinds(tmp_path) == ["run_start", "task_start", "ok", "stats"]


@pytest.mark.parametrize("missing", ["KAHN_RUN", "KAHN_SPOOL", "KAHN_ALIVE", "KAHN_CLOSED"])
def test_without_its_settings_the_play_ends_before_it_begins(tmp_path: Path, missing: str) -> None:
    assert played(tmp_path, **{missing: ""}).returncode == 70
    assert not (tmp_path / "touched").exists()


def test_a_closed_run_ends_before_it_begins(tmp_path: Path) -> None:
    (tmp_path / "closed").touch()
    done = played(tmp_path)
    assert (done.returncode, (tmp_path / "touched").exists()) == (70, False)
    assert "closed" in done.stderr


def test_a_spool_that_cannot_be_written_ends_the_play_before_its_first_task(tmp_path: Path) -> None:
    assert played(tmp_path, KAHN_SPOOL="/proc/spool.jsonl").returncode == 70
    assert not (tmp_path / "touched").exists()


def test_a_full_disk_behind_the_reserve_ends_the_process(tmp_path: Path) -> None:
    """The limit on file sizes stands for the full disk: the write fails, and nothing swallows that."""
    code = (
        "import importlib.util, resource, signal, sys\n"
        f"spec = importlib.util.spec_from_file_location('spool', {str(SOURCE)!r})\n"
        "plugin = importlib.util.module_from_spec(spec); spec.loader.exec_module(plugin)\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        f"spool = plugin.Spool({str(tmp_path / 'spool.jsonl')!r})\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (300, 300))\n"
        "for number in range(100):\n"
        "    with plugin._OrDie():\n"
        "        spool.write('ok', fields={'number': number}, sync=True)\n"
    )
    done = subprocess.run((sys.executable, "-c", code), capture_output=True, text=True, check=False)
    assert done.returncode == 70
    assert "kahn_spool" in done.stderr
