"""What must hold before a replacement touches anything."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

from orchestrator.adapters.runbooks import SHIPPED
from tests.playbooks.modules import cause, module

preflight = module("kahn_preflight")


def test_what_there_is_to_carry_is_measured_without_reading_it(tmp_path: Path) -> None:
    home = tmp_path / "home"
    (home / "anna").mkdir(parents=True)
    (home / "anna/a").write_bytes(b"x" * 1000)
    os.link(home / "anna/a", home / "anna/b")
    with (home / "anna/image").open("wb") as opened:
        opened.seek(4 * 2**30)
        opened.write(b"x" * 4096)
    assert preflight.at_source(str(home)) == {"tops": ["anna"], "bytes": 1000 + 4096, "entries": 4}


def test_a_login_that_is_not_root_is_refused_because_the_lock_would_shut_kahn_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SUDO_USER", "kahn")
    assert cause(preflight.at_source, str(tmp_path)) == "access_not_root"


def test_a_successor_with_files_of_that_name_is_refused_until_they_are_our_own(tmp_path: Path) -> None:
    home, store = tmp_path / "home", tmp_path / "s"
    (home / "anna").mkdir(parents=True)
    assert cause(preflight.at_target, str(store), ["anna"], (1, 1), str(home)) == "target_not_empty"
    assert cause(preflight.at_target, str(store), ["bernd"], (1, 1), str(home)) == ""
    store.mkdir()
    (store / "restored").touch()
    assert cause(preflight.at_target, str(store), ["anna"], (1, 1), str(home)) == ""


@pytest.mark.parametrize("need", [(10**18, 1), (1, 10**15)])
def test_too_little_room_for_bytes_or_files_is_said_in_mebibytes(tmp_path: Path, need: tuple[int, int]) -> None:
    assert cause(preflight.room, str(tmp_path / "not/there/yet"), need, "vault", "vault_full") == "vault_full"


@pytest.mark.ansible
@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York"])
def test_playbooks_tell_the_time_of_the_controller_whatever_its_zone(tmp_path: Path, zone: str) -> None:
    """`now(utc=true).timestamp()` is an hour off in Berlin: every machine's clock would look wrong."""
    lines = [line for path in SHIPPED.glob("*/*.yml") for line in path.read_text().splitlines()]
    told = {found[1] for line in lines if (found := re.search(r"\bnow: \"\{\{ (.*?) \}\}\"", line))}
    play = tmp_path / "play.yml"
    told_to = [{"debug": {"msg": f"={{{{ {one} }}}}="}} for one in sorted(told)]
    play.write_text(json.dumps([{"hosts": "localhost", "gather_facts": False, "tasks": told_to}]))
    program = [sys.executable, "-m", "ansible.cli.playbook", "-i", "localhost,", "-c", "local", str(play)]
    before = time.time()
    ended = subprocess.run(program, env={**os.environ, "TZ": zone}, capture_output=True, text=True, check=True)
    said = [float(one) for one in re.findall(r"=([0-9.]+)=", ended.stdout)]
    assert told and len(said) == len(told)
    assert all(before - 1 <= one <= time.time() for one in said)
