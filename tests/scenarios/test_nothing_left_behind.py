"""The demonstration, interrupted at five random moments: hosts, namespaces, mounts, programs, sockets, all are gone.

Settings of the kernel belong to the machine, and other labs of this suite need them meanwhile: tests/conftest.py
compares them before the first test and after the last.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.labs import lab_or_skip, network_spaces, traces
from tests.waiting import PATIENCE_S

pytestmark = pytest.mark.lab

SEED = int(os.environ.get("KAHN_TEST_SEED", "1859"))
LINES, MOST_SECONDS = 400, 70
"""The demonstration says about this many lines until its wave is well under way; when it is slow, the time counts."""
AT_ONCE = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """When to interrupt: behind that line of its output and some seconds, as Ctrl-C does (the whole group) or not."""

    number: int
    line: int
    seconds: float
    whole_group: bool


def moments(seed: int) -> tuple[Moment, ...]:
    """Five, one in each fifth of the story."""
    chance, fifth = random.Random(seed), LINES // 5
    return tuple(
        Moment(
            number=number,
            line=chance.randrange(number * fifth, (number + 1) * fifth),
            seconds=chance.random() / 2,
            whole_group=number % 2 == 1,
        )
        for number in range(5)
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """How an interrupted demonstration ended, and what it left behind."""

    code: int
    said: tuple[str, ...]
    traces: tuple[str, ...]
    programs: tuple[str, ...]
    sockets: tuple[str, ...]


def interrupted(place: Path, moment: Moment) -> Left:
    """Play the demonstration until that moment, interrupt it, wait for its end and look around."""
    lab, spaces = lab_or_skip(place / "lab"), network_spaces()
    playing = subprocess.Popen(
        [sys.executable, "-m", "orchestrator.lab.demo", str(place)],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True,
    )  # fmt: skip
    said: list[str] = []
    listener = threading.Thread(target=lambda: said.extend(playing.stdout or ()), daemon=True)
    listener.start()
    until = time.monotonic() + MOST_SECONDS
    while len(said) < moment.line and time.monotonic() < until and playing.poll() is None:
        time.sleep(0.02)
    time.sleep(moment.seconds)
    with suppress(ProcessLookupError):
        (os.killpg if moment.whole_group else os.kill)(playing.pid, signal.SIGINT)
    code = playing.wait(timeout=300)
    listener.join(timeout=PATIENCE_S)
    return Left(
        code=code,
        said=tuple(said),
        traces=traces(place / "lab", lab.names.id, foreign=spaces),
        programs=programs_of(place / "home"),
        sockets=sockets_of(place / "home"),
    )


def sockets_of(home: Path) -> tuple[str, ...]:
    """Directories of control sockets that runs of this state directory named, and which are still there."""
    named = [json.loads(path.read_text())["sockets"] for path in home.glob("runs/*/manifest.json")]
    return tuple(name for name in named if Path(name).exists())


def programs_of(home: Path) -> tuple[str, ...]:
    """Processes that belong to a run of this state directory, or name it."""
    marks = [f"KAHN_RUN={path.name}\0".encode() for path in home.glob("runs/*")]
    found = []
    for place in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            words, environment = (place / "cmdline").read_bytes(), (place / "environ").read_bytes()
            if str(home).encode() in words or any(mark in environment for mark in marks):
                found.append(f"{place.name} {words!r}")
    return tuple(found)


@pytest.fixture(scope="module")
def left(tmp_path_factory: pytest.TempPathFactory) -> dict[int, Left]:
    """Every moment's demonstration, a few at the same time; five labs do not touch each other either."""
    places = {moment: tmp_path_factory.mktemp("demo") / "state" for moment in moments(SEED)}
    with ThreadPoolExecutor(max_workers=AT_ONCE) as players:
        ended = {moment.number: players.submit(interrupted, place, moment) for moment, place in places.items()}
    return {number: one.result() for number, one in ended.items()}


@pytest.mark.parametrize("moment", moments(SEED), ids=lambda moment: f"line-{moment.line}")
def test_an_interrupted_demonstration_leaves_nothing_but_its_books(left: dict[int, Left], moment: Moment) -> None:
    found = left[moment.number]
    sys.stdout.write(f"seed {SEED}: {moment}; its last lines: {found.said[-12:]}\n")
    assert found.code == 130, found.said[-5:]
    assert "taken down again" in found.said[-1]
    assert (found.traces, found.programs, found.sockets) == ((), (), ())
