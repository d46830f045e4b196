"""Waves on real lab hosts, one in peace and one whose driver and supervisors are killed again and again; then compared.

    python -m bench.kills --hosts 20 --kills 20

Needs root and Linux. Two tenants get the same workstations, successors and users' files. The first wave runs in peace.
In the second, driver, supervisors or both are killed by SIGKILL at moments that depend on the seed and on how long the
first wave took; a new driver is started each time. Compared are the receipts that steps which
happen once leave on their machine, the steps done by the books, and the machines' file trees, walked from outside.

Exit code 0: nothing lost, nothing doubled, nothing differs.
"""

from __future__ import annotations

import argparse
import random
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from orchestrator.lab.lab import Lab
from orchestrator.lab.possible import what_lacks
from tests.faults.kills import in_motion, is_working, kill_9, left_working, lines_of
from tests.scenarios.outside import Seen, walked
from tests.scenarios.story import Story, a_story

LONGEST_S = 3600
VICTIMS = ("driver", "driver", "supervisor", "driver and supervisor")
"""What a kill takes; the driver alone twice as often as the others."""
ASIDE = (
    "/var/lib/kahn/*",  # compared by what the receipts say
    "/var/log/lastlog", "/var/log/wtmp", "/etc/ssh/ssh_host_*", "/etc/machine-id",
    "/srv/kahn-vault/*/seal",  # names the run; the archive and the manifest that it seals are compared
)  # fmt: skip
"""What differs between two machines of one name anyway: keys of their own, and when somebody logged in."""

Receipts = Mapping[tuple[str, str, str], int]
"""(asset, step, direction) -> how often it began on the machine."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kill:
    """One kill: seconds since the wave began, whom, and the steps under way at that moment."""

    at_s: float
    victim: str
    steps: tuple[str, ...]


@dataclass(kw_only=True)
class Night:
    """A wave after its end."""

    story: Story
    took_s: float
    kills: list[Kill] = field(default_factory=list)
    code: int = 0


def in_peace(story: Story) -> Night:
    """The wave, driven by one driver to its end."""
    began = time.monotonic()
    code = story.begin("wave", "run", "W01").wait(timeout=LONGEST_S)
    return Night(story=story, took_s=time.monotonic() - began, code=code)


def under_fire(story: Story, *, kills: int, span_s: float, seed: int) -> Night:
    """The wave, with so many kills at random gaps, spread over three quarters of the span so that none comes late."""
    chance = random.Random(seed)
    began, done = time.monotonic(), list[Kill]()
    driver = story.begin("wave", "run", "W01")
    while len(done) < kills and not _ends_within(driver, chance.uniform(0, 1.5 * span_s / kills)):
        working = supervisors(story)
        victim = chance.choice(VICTIMS) if working else "driver"
        done.append(Kill(at_s=time.monotonic() - began, victim=victim, steps=tuple(sorted(working.values()))))
        _shoot(pid for pid in working if "supervisor" in victim)
        if "driver" in victim:
            _shoot([driver.pid])
            driver.wait()
            driver = story.begin("wave", "run", "W01")
    code = driver.wait(timeout=LONGEST_S)
    return Night(story=story, took_s=time.monotonic() - began, kills=done, code=code)


def _ends_within(driver: subprocess.Popen[str], seconds: float) -> bool:
    with suppress(subprocess.TimeoutExpired):
        driver.wait(timeout=seconds)
        return True
    return False


def _shoot(pids: Iterable[int]) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):
            kill_9(pid)


def supervisors(story: Story) -> dict[int, str]:
    """Pid of each living supervisor -> the step of its run."""
    steps = {fact["run"]: fact["step"] or fact["direction"] for fact in story.facts() if fact["kind"] == "run.intended"}
    found = dict[int, str]()
    for path in (story.home / "runs").glob("*/supervisor.jsonl"):
        run = path.parent.name
        starts = (line["pid"] for line in lines_of(path) if line["kind"] == "START")
        found |= {pid: steps.get(run, "?") for pid in starts if is_working(pid, run)}
    return found


# ---------------------------------------------------------------------- what the hosts say


def receipts(story: Story) -> Receipts:
    """What began of what must happen once, by the receipts on the machines; read from outside."""
    meant = dict[str, tuple[str, str]]()
    for fact in story.facts():
        if fact["kind"] == "run.intended":
            meant |= {attempt: (fact["step"], fact["direction"]) for attempt in fact["attempts"].values()}
    names = {row["asset"]: row["name"] for row in story.wave()["moves"]}
    found = Counter[tuple[str, str, str]]()
    for host in story.lab.hosts(story.tenant):
        for path in host.root.glob("var/lib/kahn/*/receipts/*begin"):
            attempt = path.read_text().split()[0]
            found[names[path.parts[-3]], *meant[attempt]] += 1
    return found


def done_by_the_books(story: Story) -> Receipts:
    """How often each step was done, by the journal."""
    names = {row["asset"]: row["name"] for row in story.wave()["moves"]}
    ends = (fact for fact in story.facts() if fact["kind"] == "attempt.ended" and fact["outcome"] == "done")
    return Counter((names[fact["asset"]], fact["step"], fact["direction"]) for fact in ends)


def trees(story: Story) -> dict[str, dict[str, Seen]]:
    """Machine -> all that it wrote over the base that all have; ids of assets in paths become their names."""
    names = {row["asset"]: row["name"] for row in story.wave()["moves"]}
    pattern = re.compile("|".join(map(re.escape, names)) or "$^")
    return {
        host.name: {pattern.sub(lambda hit: names[hit[0]], path): seen for path, seen in walked(host.upper).items()}
        for host in story.lab.hosts(story.tenant)
    }


def unlike(peace: Story, fire: Story) -> list[str]:
    """What differs between the machines of two waves, one line each; times of users' files count, others do not."""
    ours, theirs = trees(peace), trees(fire)
    lines = []
    for host in sorted(ours):
        for path in sorted({*ours[host], *theirs[host]}):
            if not any(Path(path).match(pattern) or _below(path, pattern) for pattern in ASIDE):
                lines += [f"{host} {line}" for line in _compared(path, ours[host].get(path), theirs[host].get(path))]
    return lines


def _below(path: str, pattern: str) -> bool:
    return pattern.endswith("/*") and path.startswith(pattern[:-1])


def _compared(path: str, one: Seen | None, other: Seen | None) -> list[str]:
    shown = path.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    if one is None or other is None:
        return [f"only {'in peace' if other is None else 'under fire'}: {shown}"]
    names = [name for name in Seen.__slots__ if name != "mtime_ns" or path.startswith("/home/")]
    return [f"{name} of {shown}" for name in names if getattr(one, name) != getattr(other, name)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """The comparison. ``lost`` and ``doubled`` are lines of (asset, step, direction); ``rest``: what else is wrong."""

    lost: tuple[str, ...]
    doubled: tuple[str, ...]
    differs: tuple[str, ...]
    rest: tuple[str, ...]

    @property
    def well(self) -> bool:
        """Whether nothing is wrong at all."""
        return not (self.lost or self.doubled or self.differs or self.rest)


def judged(peace: Night, fire: Night) -> Judged:
    """Compare both waves by what the machines hold, and by how the books ended."""
    pairs = [(receipts(peace.story), receipts(fire.story))]
    pairs.append((done_by_the_books(peace.story), done_by_the_books(fire.story)))
    states = {state for state, _cause in fire.story.states().values()}
    rest = [f"in motion: {name} {state}" for name, state in in_motion(fire.story).items()]
    rest += [f"process {pid} is left" for pid in left_working(fire.story)]
    if (peace.code, fire.code, states, fire.story.wave()["view"]["state"]) != (0, 0, {"moved"}, "closed"):
        rest.append(f"exit codes {peace.code} and {fire.code}, states {sorted(states)}")
    return Judged(
        lost=tuple(" ".join(key) for wanted, found in pairs for key in wanted if not found.get(key)),
        doubled=tuple(
            " ".join(key)
            for wanted, found in pairs
            for key in found
            if key[2] != "probe" and found[key] > wanted.get(key, 0)
        ),
        differs=tuple(unlike(peace.story, fire.story)),
        rest=tuple(rest),
    )


def both_nights(place: Path, lab: Lab, *, seats: int, kills: int, seed: int) -> tuple[Night, Night]:
    """Both waves, one after the other; ``seats`` old workstations with a successor each."""
    peace = in_peace(a_story(place / "peace", lab, tenant="frieden", seats=seats))
    story = a_story(place / "fire", lab, tenant="feuer", seats=seats)
    return peace, under_fire(story, kills=kills, span_s=peace.took_s, seed=seed)


def told(peace: Night, fire: Night, verdict: Judged) -> None:
    """Print the figures."""
    for kill in fire.kills:
        print(f"  {kill.at_s:6.1f} s  SIGKILL to {kill.victim:<22} during {', '.join(kill.steps) or 'no step'}")
    print(f"in peace {peace.took_s:.0f} s; {len(fire.kills)} kills {fire.took_s:.0f} s")
    count, done = sum(receipts(fire.story).values()), sum(done_by_the_books(fire.story).values())
    print(f"{done} steps of assets done by the books, {count} receipts of steps that happen once on the machines:")
    print(f"{len(verdict.lost)} lost, {len(verdict.doubled)} doubled")
    print(f"{len(verdict.differs)} differences between the machines' file trees")
    for line in (*verdict.lost, *verdict.doubled, *verdict.rest, *verdict.differs[:40]):
        print(f"  {line}")


def main(words: Sequence[str]) -> int:
    """Read the command line, play both nights, print."""
    parser = argparse.ArgumentParser(prog="python -m bench.kills", description=__doc__.partition("\n")[0])
    parser.add_argument("--hosts", type=int, default=20, help="workstations and successors together")
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args(words)
    if lacks := what_lacks():
        print(f"not possible here: {'; '.join(lacks)}")
        return 1
    with tempfile.TemporaryDirectory(prefix="kahn-kills-") as folder:
        lab = Lab(Path(folder) / "lab")
        try:
            seats = max(1, asked.hosts // 2)
            peace, fire = both_nights(Path(folder), lab, seats=seats, kills=asked.kills, seed=asked.seed)
            verdict = judged(peace, fire)
            print(f"{2 * seats} hosts with a vault and a jump host, seed {asked.seed}")
            told(peace, fire, verdict)
        finally:
            lab.down()
    return 0 if verdict.well and len(fire.kills) == asked.kills else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
