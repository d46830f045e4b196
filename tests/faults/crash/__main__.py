"""``python -m tests.faults.crash``: SIGKILL before and after the durable boundaries of a night, and what is lost.

Without options the first and the last passage of each boundary are taken (in the night with a rollback, the last);
``--every`` takes every passage that a night makes (of those that only repeat, such as connections while waiting, the
first three and the last).
"""

from __future__ import annotations

import argparse
import re
import shutil
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path

from tests.databases import postgresql_dropped
from tests.faults.crash.acts import SINGLES, done
from tests.faults.crash.night import Night, Original, a_night, an_original, until_quiet

ROOT = Path(__file__).resolve().parents[3]
REPEATED = ("database.connect", "signature.spawn", "tree.file.sync", "supervisor.fork")
NOT_OF_KAHN = ("effect.on.host",)
"""What the stand-in for Ansible does on a host: swept as well, but no boundary of the product."""
ONLY_POSTGRESQL = ("seat.connect",)
_ORIGINALS: list[Original] = []
"""Workers are forked with it, because it cannot be sent to them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Death:
    """One death: before or after the nth passage of a boundary."""

    side: str
    name: str
    number: int

    @property
    def order(self) -> str:
        return f"|{self.side}|{self.name}|{self.number}"

    def __str__(self) -> str:
        return f"{self.side} {self.name} #{self.number}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a death led to. ``recovered_s``: from the restart until every run was taken over or closed."""

    death: Death
    happened: bool
    wrong: str
    recovered_s: float
    resumed: bool


def deaths_of(passages: dict[str, int], *, every: bool, first: int = 1) -> list[Death]:
    """The deaths to try for a night that passed its boundaries so often: the ``first`` so many, and the last."""
    found = []
    for line, count in sorted(passages.items()):
        side, _, name = line.partition(" ")
        if name and line.startswith(("before ", "after ")):
            whole = every and name not in REPEATED
            numbers = range(1, count + 1) if whole else _few(count, 3 if every else first)
            found += [Death(side=side, name=name, number=number) for number in numbers]
    return found


def _few(count: int, first: int) -> list[int]:
    return sorted({*range(1, min(first, count) + 1), count})


def died(folder: Path, fails: bool, numbered: tuple[int, Death]) -> Outcome:
    """One night with one death, in a worker that inherited the original."""
    number, death = numbered
    original = _ORIGINALS[-1]
    night = a_night(original, folder / f"d{number}", fails=fails)
    try:
        return _died(night, death)
    except Exception as problem:  # some cannot be sent back to whoever asked
        return Outcome(death=death, happened=True, wrong=repr(problem), recovered_s=0.0, resumed=False)
    finally:
        night.leave()
        if original.name:
            postgresql_dropped(night.url)
        shutil.rmtree(night.place, ignore_errors=True)


def _died(night: Night, death: Death) -> Outcome:
    night.live(death.order)
    happened = night.killed()
    (night.place / "recovered").unlink(missing_ok=True)
    night.live()
    recovered = night.place / "recovered"
    took = float(recovered.read_text()) if recovered.exists() else 0.0
    wrong = night.verdict()
    if wrong and night.live() == 0:
        wrong = night.verdict()
    until_quiet(night)
    resumed = (night.place / "resumed").exists()
    return Outcome(death=death, happened=happened, wrong=wrong, recovered_s=took, resumed=resumed)


def sweep(original: Original, folder: Path, *, fails: bool, every: bool) -> Iterator[Outcome]:
    """All deaths of one scenario, two at a time."""
    quiet = a_night(original, folder / "undisturbed", fails=fails)
    quiet.live()
    wrong = quiet.verdict()
    if wrong:
        raise AssertionError(f"an undisturbed night ends wrongly: {wrong}")
    deaths = deaths_of(dict(quiet.passages()), every=every, first=1 if not fails else 0)
    quiet.leave()
    if original.name:
        postgresql_dropped(quiet.url)
    _ORIGINALS.append(original)
    with get_context("fork").Pool(2) as pool:
        yield from pool.imap(partial(died, folder, fails), enumerate(deaths, start=1))


def sweep_singles(folder: Path) -> tuple[int, list[str], set[str]]:
    """Acts outside a night: deaths tried, what went wrong, boundaries reached."""
    tried, wrong, reached = 0, [], set[str]()
    for name, single in SINGLES.items():
        place = folder / name.replace(" ", "-")
        place.mkdir()
        done(single, place)
        lines = Path(f"{place}.log").read_text().splitlines()
        reached |= {line.partition(" ")[2] for line in lines}
        for death in deaths_of({line: lines.count(line) for line in lines}, every=False):
            tried += 1
            again = folder / f"{place.name}-{tried}"
            again.mkdir()
            done(single, again, death.order)
            if not single.after_death(again):
                wrong.append(f"{name}, {death}: half of it is there")
            if done(single, again) or not single.at_the_end(again):
                wrong.append(f"{name}, {death}: done again, and not there")
    return tried, wrong, reached


def registered() -> set[str]:
    """Names of all boundaries in the product's code."""
    texts = [path.read_text() for top in ("orchestrator", "playbooks") for path in (ROOT / top).rglob("*.py")]
    return {name for text in texts for name in re.findall(r"\bboundary\(\"([a-z]+\.[a-z.]+)\"\)", text)}


def out(text: str) -> None:
    """One line, at once."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def told(found: Iterable[Outcome], *, what: str) -> tuple[int, set[str]]:
    """Print what came out; how many were wrong, and the boundaries at which somebody died."""
    outcomes = list(found)
    wrong = [one for one in outcomes if one.wrong]
    missed = [one for one in outcomes if not one.happened]
    slowest = max((one.recovered_s for one in outcomes), default=0.0)
    resumed = sum(one.resumed for one in outcomes)
    out(f"{what}: {len(outcomes) - len(missed)} deaths, {len(wrong)} with anything lost or doubled")
    out(f"  slowest recovery {slowest:.2f} s after the restart; {resumed} waves waited for a person and were resumed")
    for one in missed:
        out(f"  not reached this time: {one.death}")
    for one in wrong:
        out(f"  WRONG {one.death}: {one.wrong}")
    return len(wrong), {one.death.name for one in outcomes if one.happened}


def main(words: Sequence[str]) -> int:
    """Read the command line and sweep."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults.crash", description=__doc__)
    parser.add_argument("--every", action="store_true", help="every passage, not only the first and the last")
    parser.add_argument("--postgresql", action="store_true", help="the books in PostgreSQL instead of SQLite")
    asked = parser.parse_args(words)
    folder = Path(tempfile.mkdtemp(prefix="kahn-crash-"))
    began, wrong, reached = time.monotonic(), 0, set[str]()
    try:
        original = an_original(folder / "original", postgresql=asked.postgresql)
        for fails, what in ((False, "a night that goes well"), (True, "a night with a rollback")):
            place = folder / what.replace(" ", "-")
            count, names = told(sweep(original, place, fails=fails, every=asked.every), what=what)
            wrong, reached = wrong + count, reached | names
        if not asked.postgresql:
            tried, broken, names = sweep_singles(folder)
            out(f"single acts: {tried} deaths, {len(broken)} wrong")
            for line in broken:
                out(f"  WRONG {line}")
            wrong, reached = wrong + len(broken), reached | names
            unreached = registered() - reached - set(ONLY_POSTGRESQL)
            out(f"boundaries: {len(registered())} in the code, not reached: {', '.join(sorted(unreached)) or 'none'}")
            wrong += len(unreached)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    out(f"{time.monotonic() - began:.0f} s")
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
