"""The demonstration, interrupted at five random moments: hosts, namespaces, mounts, programs, sockets, all are gone."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from orchestrator.lab.lab import Lab
from tests.labs import lab_or_skip, network_spaces, traces

pytestmark = pytest.mark.lab

SEED = int(os.environ.get("KAHN_TEST_SEED", "1859"))
LINES, MOST_SECONDS = 170, 45
"""The demonstration says about this many lines until its wave is well under way."""
CHANCE = random.Random(SEED)
MOMENTS = tuple(sorted(CHANCE.randrange(fifth * LINES // 5, (fifth + 1) * LINES // 5) for fifth in range(5)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """What this machine as a whole has, beside the lab of the test."""

    settings: dict[str, str]
    spaces: frozenset[int]


def machine() -> Machine:
    names = ("net/ipv4/ip_forward", "fs/inotify/max_user_instances", "net/ipv4/conf/all/rp_filter")
    settings = {name: (Path("/proc/sys") / name).read_text() for name in names}
    return Machine(settings=settings, spaces=network_spaces())


def interrupted(place: Path, *, after_lines: int, whole_group: bool) -> tuple[int, list[str]]:
    """Play the demonstration until that line (or the time is up), interrupt it, and wait for its end."""
    playing = subprocess.Popen(
        [sys.executable, "-m", "orchestrator.lab.demo", str(place)],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True,
    )  # fmt: skip
    said: list[str] = []
    listener = threading.Thread(target=lambda: said.extend(playing.stdout or ()), daemon=True)
    listener.start()
    until = time.monotonic() + MOST_SECONDS
    while len(said) < after_lines and time.monotonic() < until and playing.poll() is None:
        time.sleep(0.02)
    time.sleep(CHANCE.random() / 2)
    with suppress(ProcessLookupError):
        (os.killpg if whole_group else os.kill)(playing.pid, signal.SIGINT)
    code = playing.wait(timeout=90)
    listener.join(timeout=5)
    return code, said


def sockets_of(home: Path) -> list[str]:
    """Directories of control sockets that runs of this state directory named, and which are still there."""
    named = [json.loads(path.read_text())["sockets"] for path in home.glob("runs/*/manifest.json")]
    return [name for name in named if Path(name).exists()]


def programs_of(home: Path) -> list[str]:
    """Processes that belong to a run of this state directory, or name it."""
    marks = [f"KAHN_RUN={path.name}\0".encode() for path in home.glob("runs/*")]
    found = []
    for place in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            words, environment = (place / "cmdline").read_bytes(), (place / "environ").read_bytes()
            if str(home).encode() in words or any(mark in environment for mark in marks):
                found.append(f"{place.name} {words!r}")
    return found


@pytest.mark.parametrize("number", range(len(MOMENTS)))
def test_an_interrupted_demonstration_leaves_nothing_but_its_books(tmp_path: Path, number: int) -> None:
    """Odd ones are interrupted as Ctrl-C does it (the whole group), the others as `kill -INT` does."""
    place, lines = tmp_path / "demo", MOMENTS[number]
    lab: Lab = lab_or_skip(place / "lab")
    before = machine()
    code, said = interrupted(place, after_lines=lines, whole_group=number % 2 == 1)
    sys.stdout.write(f"seed {SEED}: moment {number}, after line {lines} of {MOMENTS}; the last lines: {said[-12:]}\n")
    assert code == 130, said[-5:]
    assert "taken down again" in said[-1]
    assert traces(place / "lab", lab.names.id, foreign=before.spaces) == ()
    assert (programs_of(place / "home"), sockets_of(place / "home")) == ([], [])
    assert machine().settings == before.settings
