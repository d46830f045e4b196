"""`make test-long`: the long proofs, each file as a part of its own, two parts at a time; a table ends it.

A part is one process: what one breaks, leaves behind or waits for in vain is no other part's. Each test and each part
has its bound in time. Parts with a database server go one after the other: two would make the server's account at the
same moment. ``PARTS="samba names"`` runs the parts whose file names hold one of these words. Runs from the checkout.
"""

from __future__ import annotations

import os
import re
import resource
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tests.conftest import kernel_settings  # noqa: E402

TEST_S = 2400
"""Seconds that one test may take with its fixtures: twice what the slowest needed on a machine that was overloaded."""
PART_S = 5400
"""Seconds that a file may take; whatever is left of it is ended then."""
GOODBYE_S = 180
"""Seconds for a part to take its hosts down after it was interrupted."""
LONG, DATABASE = re.compile(r"\bmark\.long\b"), re.compile(r"\bmark\.(postgres|mariadb)\b")
LONGEST_FIRST = ("test_acts_under_fire.py", "test_gateway_night.py", "test_trial.py", "test_rehost_server.py")
_ONE_SERVER = threading.Lock()
_STOPPED = threading.Event()
"""Set when somebody interrupts all of it; parts are then ended, and none begins any more."""


@dataclass(frozen=True, kw_only=True)
class Part:
    """One file with long proofs."""

    path: Path
    database: bool
    """Whether its long proofs may start a database server for the whole machine."""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How a part went: pytest's exit code or ``None`` when it was ended from outside, seconds, and its last line."""

    part: Part
    code: int | None
    took_s: float
    said: str

    @property
    def word(self) -> str:
        """What the table says; a part in which no test ran proves nothing."""
        if self.code is None:
            return "FAILED (ended)"
        return "ok" if self.code == 0 else f"FAILED ({self.code})"


def parts(root: Path, words: Sequence[str] = ()) -> tuple[Part, ...]:
    """Every file with a long proof whose name holds one of the words, all without words; the longest first."""
    found = []
    for path in sorted(root.rglob("test_*.py")):
        text = path.read_text(encoding="utf-8")
        if LONG.search(text) and (not words or any(word in path.name for word in words)):
            found.append(Part(path=path, database=DATABASE.search(text) is not None))
    places = {name: place for place, name in enumerate(LONGEST_FIRST)}
    return tuple(sorted(found, key=lambda part: places.get(part.path.name, len(places))))


def command(part: Part, place: Path) -> list[str]:
    """What runs a part; its tests' files go below the place."""
    quiet = ("-o", f"faulthandler_timeout={TEST_S}")  # which tells of every wait that is longer
    return [sys.executable, "-m", "pytest", "-v", *quiet, "-m", "long", "--basetemp", str(place), str(part.path)]


def run(part: Part, work: Path, *, within_s: float = PART_S) -> Outcome:
    """Run a part to its end or for the given seconds, then print all that it said."""
    name = re.sub(r"^test_|\.py$", "", part.path.name)
    with _ONE_SERVER if part.database else nullcontext():
        if _STOPPED.is_set():
            return Outcome(part=part, code=None, took_s=0, said="not begun")
        print(f"   {time.strftime('%H:%M:%S')} {name} begins", flush=True)
        # Short, for paths of sockets, and no other part's: pytest empties its place when it begins.
        began, place = time.monotonic(), Path(tempfile.mkdtemp(dir=work))
        log = work / f"{place.name}.log"
        with log.open("wb") as out:
            code = _to_its_end(command(part, place), out.fileno(), within_s=within_s)
    told = log.read_text(encoding="utf-8", errors="replace")
    print(f"\n== {part.path.relative_to(ROOT) if part.path.is_relative_to(ROOT) else part.path}\n{told}", flush=True)
    said = next((line.strip("= ") for line in reversed(told.splitlines()) if line.strip()), "it said nothing")
    return Outcome(part=part, code=code, took_s=time.monotonic() - began, said=said)


def _to_its_end(words: list[str], out: int, *, within_s: float) -> int | None:
    """The exit code, or ``None`` for a part that was interrupted: its time was over, or everybody's."""
    env = {**os.environ, "KAHN_LABS_BESIDE": "1", "KAHN_TEST_LIMIT_S": str(TEST_S)}
    running = subprocess.Popen(
        words, cwd=ROOT, env=env, stdin=subprocess.DEVNULL, stdout=out, stderr=out, process_group=0
    )
    end = time.monotonic() + within_s
    while time.monotonic() < end and not _STOPPED.is_set():
        with suppress(subprocess.TimeoutExpired):
            return running.wait(0.5)
    _end(running)
    return None


def _end(running: subprocess.Popen[bytes]) -> None:
    """Interrupted first, so that a lab takes its hosts down; then the whole group is killed."""
    running.send_signal(signal.SIGINT)
    with suppress(subprocess.TimeoutExpired):
        running.wait(GOODBYE_S)
    with suppress(ProcessLookupError):
        os.killpg(running.pid, signal.SIGKILL)
    running.wait()


def table(outcomes: Sequence[Outcome]) -> str:
    """A line for each part, red ones last."""
    ordered = sorted(outcomes, key=lambda one: (one.code != 0, one.part.path.name))
    return "\n".join(f"  {one.part.path.name:<44} {one.took_s:5.0f} s  {one.word:<12} {one.said}" for one in ordered)


def main(words: Sequence[str]) -> int:
    """Run the parts; 0 when every one is green and the machine's settings are as before."""
    chosen = parts(ROOT / "tests", words)
    if not chosen:
        known = "\n".join(f"  {part.path.name}" for part in parts(ROOT / "tests"))
        print(f"No file with long proofs has one of these words in its name: {' '.join(words)}\nThere are:\n{known}")
        return 2
    before, began = kernel_settings(), time.monotonic()
    for told in (signal.SIGINT, signal.SIGTERM):
        signal.signal(told, lambda *_: _STOPPED.set())
    with tempfile.TemporaryDirectory(prefix="kahn-long.") as work, ThreadPoolExecutor(max_workers=2) as pool:
        outcomes = list(pool.map(lambda part: run(part, Path(work)), chosen))
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    print(f"\n== Long proofs\n{table(outcomes)}")
    print(f"\n{time.monotonic() - began:.0f} s, {used.ru_utime + used.ru_stime:.0f} s of CPU")
    changed = [name for name, was in before.items() if kernel_settings().get(name) != was]
    if changed:
        print(f"FAILED: the proofs left these kernel settings changed: {', '.join(changed)}")
    return int(any(one.code != 0 for one in outcomes) or bool(changed))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
