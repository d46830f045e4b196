"""What a host refuses before anything begins."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from tests.playbooks.modules import cause, shared
from tests.playbooks.two_hosts import Two

host = shared("kahn_host")


@pytest.fixture
def two(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Two:
    made = Two(tmp_path)
    monkeypatch.setenv("PATH", f"{made.programs}:{os.environ['PATH']}")
    return made


def a_side(root: Path, part: str = "source") -> object:
    return host.Host({"asset": "srv-1", "part": part, "root": str(root)})


def test_a_clock_that_is_off_and_a_disk_that_is_full_are_causes(two: Two) -> None:
    old, new = a_side(two.old), a_side(two.new, "target")
    assert cause(old.survey, None, time.time() - 400) == "clock_wrong"  # type: ignore[attr-defined]
    found = old.survey(None, time.time())  # type: ignore[attr-defined]
    huge = dict(found, bytes=1 << 60)
    assert cause(new.fit, None, time.time(), huge) == "not_enough_space"  # type: ignore[attr-defined]


def test_what_is_never_carried_is_not_taken_either(two: Two) -> None:
    new = a_side(two.new, "target")
    tops = {"data": ["srv"], "configuration": ["etc/shadow"], "skip": []}
    assert cause(new.take, None, tops) == "parcel_damaged"  # type: ignore[attr-defined]
