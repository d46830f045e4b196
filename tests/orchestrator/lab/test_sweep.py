"""Nothing stays behind: compared before and after, also when the making was interrupted at random moments."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from orchestrator.lab.base import default_cache, ensure_base
from orchestrator.lab.host import HostSpec
from orchestrator.lab.lab import Lab
from orchestrator.lab.ledger import INOTIFY, PLACE
from orchestrator.lab.notice import silent
from tests.labs import lab_or_skip, network_spaces, traces
from tests.waiting import PATIENCE_S, is_gone, until

pytestmark = pytest.mark.lab
COMMAND = (sys.executable, "-m", "orchestrator.cli.lab")


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Path]:
    """Where a lab of one's own may stand; whatever the test does, it is taken down."""
    made = lab_or_skip(tmp_path / "lab")
    ensure_base(default_cache(), silent)
    yield tmp_path / "lab"
    made.down()


def _left(place: Path, before: frozenset[int]) -> tuple[str, ...]:
    return traces(place, Lab(place).names.id, foreign=before)


def _up(place: Path) -> subprocess.Popen[str]:
    words = (*COMMAND, "up", "--dir", str(place), "--tenant", "stadt", "--seats", "2", "--disk-mib", "16")
    return subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


@pytest.fixture(scope="module")
def whole_s(tmp_path_factory: pytest.TempPathFactory) -> float:
    """How long an undisturbed `kahn lab up` takes on this machine now, in seconds."""
    place = tmp_path_factory.mktemp("sweep") / "lab"
    lab = lab_or_skip(place)
    ensure_base(default_cache(), silent)
    try:
        began = time.monotonic()
        done = _up(place)
        output = done.communicate(timeout=PATIENCE_S)[0]
        assert done.returncode == 0, output
        return time.monotonic() - began
    finally:
        lab.down()


def test_a_lab_that_was_up_leaves_nothing_behind(place: Path) -> None:
    """Also with every kind of thing in it: faults, a background line, a systemd host, a program in its network."""
    before, alone = network_spaces(), not PLACE.exists()
    limit = INOTIFY.read_text()
    alone = alone and not PLACE.exists()  # another lab may have gone, or come, in between
    lab = Lab(place)
    lab.up(tenant="stadt", specs=(HostSpec(name="a", disk_mib=16), HostSpec(name="s", init="systemd", disk_mib=64)))
    for kind in ("delay", "refuse", "hang"):
        lab.fault(lab.host("a"), kind)
    with subprocess.Popen(lab.inside("sleep", "600")) as sleeper:
        assert len(_left(place, before)) > 10
        lab.down()
        assert sleeper.wait(timeout=PATIENCE_S) == -signal.SIGKILL
    assert _left(place, before) == ()
    if alone:
        until(lambda: INOTIFY.read_text() == limit or PLACE.exists())
    subprocess.run((*COMMAND, "down", "--dir", str(place)), check=True, capture_output=True, timeout=PATIENCE_S)
    assert _left(place, before) == ()


def test_up_returns_although_its_watchers_stay(place: Path) -> None:
    """The watchers hold neither terminal nor pipe of the caller."""
    done = _up(place)
    output = done.communicate(timeout=PATIENCE_S)[0]
    assert done.returncode == 0, output
    assert (place / "tenants/stadt/watcher.pid").exists()


def test_an_up_interrupted_at_five_random_moments_leaves_nothing(place: Path, whole_s: float) -> None:
    before, chance = network_spaces(), random.Random()
    moments = [chance.uniform(0.35 + 0.12 * moment, 0.47 + 0.12 * moment) for moment in range(5)]
    codes = [_swept(place, before, after_s=moment * whole_s) for moment in moments]
    for sooner in (0.5, 0.25, 0.125):  # the machine may have less to do now than when the whole was measured
        if codes == [0] * len(codes):
            codes += [_swept(place, before, after_s=moment * sooner * whole_s) for moment in moments]
    assert codes != [0] * len(codes)


def _swept(place: Path, before: frozenset[int], *, after_s: float) -> int:
    """Exit code of an interrupted `up` that left nothing, at the latest after `down`."""
    code = _interrupted_up(place, signal.SIGINT, after_s=after_s)
    if code == 130:
        assert _left(place, before) == (), f"after SIGINT at {after_s:.3f} s"
    Lab(place).down()
    assert _left(place, before) == (), f"after SIGINT at {after_s:.3f} s and down"
    return code


def test_an_up_killed_at_random_moments_is_cleaned_by_down(place: Path, whole_s: float) -> None:
    before, chance = network_spaces(), random.Random()
    for _ in range(3):
        after_s = chance.uniform(0.4, 0.95) * whole_s
        _interrupted_up(place, signal.SIGKILL, after_s=after_s)
        Lab(place).down()
        assert _left(place, before) == (), f"after SIGKILL at {after_s:.3f} s of {whole_s:.3f} s and down"


def test_an_up_after_a_killed_up_makes_a_whole_lab(place: Path, whole_s: float) -> None:
    _interrupted_up(place, signal.SIGKILL, after_s=0.7 * whole_s)
    again = _up(place)
    output = again.communicate(timeout=PATIENCE_S)[0]
    assert again.returncode == 0, output
    assert Lab(place).ssh("stadt", "neu-0002", "hostname") == "neu-0002\n"


def test_a_watcher_whose_lab_vanished_ends_by_itself(place: Path) -> None:
    lab = Lab(place)
    lab.up(tenant="stadt")
    pid = int((place / "tenants/stadt/watcher.pid").read_text())
    record = (place / "lab.json").read_text()
    (place / "lab.json").unlink()
    until(lambda: is_gone(pid))
    (place / "lab.json").write_text(record)


def _interrupted_up(place: Path, number: signal.Signals, *, after_s: float) -> int:
    making = _up(place)
    time.sleep(after_s)
    os.kill(making.pid, number)
    making.communicate(timeout=PATIENCE_S)
    return making.returncode
