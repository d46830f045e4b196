"""Boundaries do nothing in production; in a test they note each passage and kill where they are told to."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from orchestrator.supervisor import boundary as boundaries
from orchestrator.supervisor.boundary import boundary, passed_on

PASSES = """
from orchestrator.supervisor.boundary import boundary
for number in range(3):
    with boundary("a.step"):
        print(number, flush=True)
"""


def passing(order: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "KAHN_BOUNDARY": order}
    return subprocess.run((sys.executable, "-c", PASSES), env=environment, capture_output=True, text=True, check=False)


def test_in_production_nothing_is_noted_and_nothing_passed_on() -> None:
    with boundary("a.step") as nothing:
        assert nothing is None
    assert passed_on() == {}


def test_a_program_under_test_passes_the_order_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(boundaries, "_ORDER", "/tmp/log")
    assert passed_on() == {"KAHN_BOUNDARY": "/tmp/log"}


def test_each_passage_is_noted_on_both_sides(tmp_path: Path) -> None:
    done = passing(f"{tmp_path}/log")
    assert (done.returncode, done.stdout.split()) == (0, ["0", "1", "2"])
    assert (tmp_path / "log").read_text().splitlines() == ["before a.step", "after a.step"] * 3


@pytest.mark.parametrize(("side", "shown"), [("before", ["0"]), ("after", ["0", "1"])])
def test_a_program_dies_at_the_passage_that_was_ordered_and_only_once(
    tmp_path: Path, side: str, shown: list[str]
) -> None:
    order = f"{tmp_path}/log|{side}|a.step|2"
    first, second = passing(order), passing(order)
    assert (first.returncode, first.stdout.split()) == (-signal.SIGKILL, shown)
    assert second.returncode == 0


def test_a_step_that_fails_is_not_passed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(boundaries, "_ORDER", f"{tmp_path}/log")
    with pytest.raises(OSError), boundary("a.step"):
        raise OSError
    assert (tmp_path / "log").read_text() == "before a.step\n"
