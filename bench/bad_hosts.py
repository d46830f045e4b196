"""Waves on real lab hosts of which one in ten is bad, against the same wave without the bad ones: causes and time.

    python -m bench.bad_hosts --hosts 20

Needs root and Linux. First a wave in peace, of the seats that are well in the others; then one wave for each pair of
troubles, two machines of ``--hosts`` bad in each: off and cut, refusing and hung, full disk and changed host key, slow.
Each bad machine must end with the cause that was written down here beforehand, every other seat moved, and no wave may
take longer than 1.3 times the one in peace. ``--only slow`` plays the pairs with that trouble alone;
``--together`` plays one wave that has all of them at once, for which ``--hosts 40`` is a good number.

Exit code 0: all of that is so.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from orchestrator.lab.lab import Lab
from orchestrator.lab.possible import what_lacks
from tests.scenarios.story import Story, a_story

LONGEST_S = 1800
MOST_TIMES = 1.3


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """One way to be bad: the lab's fault with its value, on the old machine or on its successor, and what must come."""

    name: str
    fault: str
    value: str = ""
    on: str = "apc"
    ends: tuple[str, str] = ("held", "unreachable")


PAIRS = (
    (Trouble(name="off", fault="power-off"), Trouble(name="cut", fault="cut")),
    (
        Trouble(name="refusing", fault="refuse", ends=("held", "connection_refused")),
        Trouble(name="hung", fault="hang", ends=("held", "does_not_speak")),
    ),
    (
        Trouble(name="full disk", fault="fill", on="neu", ends=("held", "disk_full")),
        Trouble(name="changed key", fault="rekey", ends=("held", "host_key_changed")),
    ),
    (
        Trouble(name="slow line", fault="rate", value="2mbit", ends=("moved", "")),
        Trouble(name="far away", fault="delay", value="40", ends=("moved", "")),
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """A wave after its end: seconds from the command to its end, and state and cause of each seat."""

    took_s: float
    seats: dict[str, tuple[str, str]]


def play(place: Path, *, seats: int, bad: Sequence[Trouble]) -> Played:
    """One wave in a lab of its own; the first seats are the bad ones."""
    lab = Lab(place / "lab")
    try:
        story = a_story(place / "story", lab, tenant="stadt", seats=seats)
        for number, trouble in enumerate(bad, start=1):
            lab.fault(story.host(f"{trouble.on}-{number:04d}"), trouble.fault, trouble.value)
        return _driven(story)
    finally:
        lab.down()


def _driven(story: Story) -> Played:
    began = time.monotonic()
    story.begin("wave", "run", "W01").wait(timeout=LONGEST_S)
    return Played(took_s=time.monotonic() - began, seats=story.states())


def unlike(played: Played, bad: Sequence[Trouble]) -> list[str]:
    """Seats that did not end as written down, one line each."""
    wanted = {f"apc-{number:04d}": trouble.ends for number, trouble in enumerate(bad, start=1)}
    return [
        f"{name} is {' '.join(found).strip()}, not {' '.join(wanted.get(name, ('moved', ''))).strip()}"
        for name, found in sorted(played.seats.items())
        if found != wanted.get(name, ("moved", ""))
    ]


def told(bad: Sequence[Trouble], played: Played, peace: Played) -> bool:
    """Print one wave's figures; whether it was as it must be."""
    times, wrong = played.took_s / peace.took_s, unlike(played, bad)
    causes = ", ".join(f"{one.name}: {' '.join(one.ends).strip()}" for one in bad)
    print(f"{played.took_s:6.1f} s  {times:4.2f} times as long   {causes}", flush=True)
    for line in wrong:
        print(f"          WRONG: {line}", flush=True)
    return not wrong and times <= MOST_TIMES


def _groups(only: str, *, together: bool) -> list[tuple[Trouble, ...]]:
    """The troubles of each wave to play. Raises ValueError when the word fits none."""
    found = [pair for pair in PAIRS if any(only in one.name for one in pair)]
    if not found:
        raise ValueError(f"no trouble is called {only}")
    return [tuple(one for pair in found for one in pair)] if together else list(found)


def main(words: Sequence[str]) -> int:
    """Read the command line, play the waves, print."""
    parser = argparse.ArgumentParser(prog="python -m bench.bad_hosts", description=__doc__.partition("\n")[0])
    parser.add_argument("--hosts", type=int, default=20, help="workstations and successors together")
    parser.add_argument("--only", default="", help="a word of the troubles to play")
    parser.add_argument("--together", action="store_true", help="all troubles in one wave")
    asked = parser.parse_args(words)
    if lacks := what_lacks():
        print(f"not possible here: {'; '.join(lacks)}")
        return 1
    seats, groups = asked.hosts // 2, _groups(asked.only, together=asked.together)
    well, bad = True, max(map(len, groups))
    with tempfile.TemporaryDirectory(prefix="kahn-bad-") as folder:
        peace = play(Path(folder) / "peace", seats=seats - bad, bad=())
        well &= not unlike(peace, ())
        print(f"{peace.took_s:6.1f} s  in peace: {seats - bad} seats, none of them bad", flush=True)
        for number, group in enumerate(groups):
            played = play(Path(folder) / f"w{number}", seats=seats, bad=group)
            well &= told(group, played, peace)
    print(f"{2 * seats} hosts with a vault and a jump host, {bad} bad in each wave; wanted: at most {MOST_TIMES} times")
    return 0 if well else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
