"""``python -m tests.simulation``: thousands of waves in which everything goes wrong, or one, told line by line."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass

from tests.simulation.faults import ALL
from tests.simulation.play import Played, play

AT_LEAST_EACH = 50
"""So often each fault is played in 2,000 seeds: the rarest one was 74 times."""
AT_LEAST_A_SEED = 30
"""Faults of a seed on average in 2,000: 30.4 were."""
WORKERS = min(os.cpu_count() or 1, 4)
AFTERWARDS_S = 3600
"""Virtual seconds that every seed waits at its end for late effects; they do not count as simulated work."""


def out(text: str) -> None:
    """One line for whoever asked."""
    sys.stdout.write(text + "\n")


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What is kept of one seed. ``broken``: what was violated, empty when nothing was."""

    seed: int
    faults: tuple[str, ...] = ()
    virtual_s: float = 0.0
    states: tuple[str, ...] = ()
    broken: str = ""


def one(seed: int) -> Result:
    """Play one seed and keep what counts."""
    try:
        played = play(seed)
    except Exception as problem:
        return Result(seed=seed, broken=f"{type(problem).__name__}: {problem}")
    states = tuple(state.partition("/")[0] for state in played.states.values())
    faults = tuple(name for _place, name in played.faults)
    return Result(seed=seed, faults=faults, virtual_s=played.virtual_s - AFTERWARDS_S, states=states)


def effective(seed: int) -> tuple[int, int]:
    """Of the faults of a seed, how many change what the system and the hosts did when they alone are left out."""
    whole = play(seed)
    changed = sum(play(seed, without=frozenset({place})).story != whole.story for place, _name in whole.faults)
    return changed, len(whole.faults)


def smallest(seed: int) -> tuple[frozenset[str], str]:
    """A small set of faults of a failing seed that still fails: those to leave out, and how it fails."""
    without, why = frozenset[str](), one(seed).broken
    for place in _places(seed, without):
        fewer = without | {place}
        found = _broken(seed, fewer)
        if found:
            without, why = fewer, found
    return without, why


def _broken(seed: int, without: frozenset[str]) -> str:
    try:
        play(seed, without=without)
    except Exception as problem:
        return f"{type(problem).__name__}: {problem}"
    return ""


def _places(seed: int, without: frozenset[str]) -> tuple[str, ...]:
    """Places of the faults of a seed, in order, also when it fails."""
    try:
        return tuple(place for place, _name in play(seed, without=without).faults)
    except Exception as problem:
        lines = (line.split() for line in getattr(problem, "trace", ()))
        return tuple(words[2] for words in lines if words[1] == "fault")


def many(seeds: Sequence[int], *, workers: int) -> Iterator[Result]:
    """All seeds, on all cores."""
    if workers == 1:
        yield from map(one, seeds)
        return
    with ProcessPoolExecutor(workers) as pool:
        yield from pool.map(one, seeds, chunksize=20)


def _left_out(sample: Sequence[int]) -> list[tuple[int, int]]:
    """``effective`` for each of the seeds, on all cores."""
    if not sample:
        return []
    with ProcessPoolExecutor(min(WORKERS, len(sample))) as pool:
        return list(pool.map(effective, sample))


def floors(seeds: int) -> tuple[int, float]:
    """How often each fault is played at least, and how many a seed: fewer than 2,000 seeds leave more to chance."""
    return (AT_LEAST_EACH, AT_LEAST_A_SEED) if seeds >= 2000 else (seeds // 64, 0.9 * AT_LEAST_A_SEED)


def told(results: Iterable[Result], *, sample: Sequence[int], demanding: bool) -> int:
    """Print the figures; 0 when nothing was violated and every fault was played often enough."""
    began = time.monotonic()
    found = list(results)
    took = max(time.monotonic() - began, 0.001)
    broken = [one for one in found if one.broken]
    counted = Counter(name for one in found for name in one.faults)
    states = Counter(state for one in found for state in one.states)
    virtual = sum(one.virtual_s for one in found)
    out(f"{len(found)} seeds in {took:.0f} s; {virtual / 3600:.0f} simulated hours")
    out(f"{virtual / took:.0f} times as fast as real time")
    out("ends: " + ", ".join(f"{count} {state}" for state, count in states.most_common()))
    for name, says in ALL.items():
        out(f"  {counted[name]:6d}  {name:<20} {says}")
    average = sum(counted.values()) / max(len(found) - len(broken), 1)
    out(f"{sum(counted.values())} faults, {average:.1f} a seed")
    least, least_a_seed = floors(len(found))
    rare = [name for name in ALL if counted[name] < least]
    pairs = _left_out(sample)
    changed, thrown = sum(one for one, _all in pairs), sum(one for _changed, one in pairs)
    if sample:
        out(f"left out one by one in {len(sample)} seeds: {changed} of {thrown} change what was done or written")
    for one in broken[:20]:
        out(f"VIOLATED in seed {one.seed}: {one.broken}")
        out(f"  replay: python -m tests.simulation --seed {one.seed}    shrink: --seed {one.seed} --shrink")
    if demanding and rare:
        out(f"PLAYED LESS THAN {least} TIMES: {', '.join(rare)}")
    few = demanding and average < least_a_seed
    if few:
        out(f"FEWER THAN {least_a_seed:g} FAULTS A SEED ON AVERAGE")
    return int(bool(broken) or bool(demanding and rare) or few)


def show(played: Played | BaseException) -> int:
    """Print one trace and how it ended."""
    trace = played.trace if isinstance(played, Played) else getattr(played, "trace", ())
    out("\n".join(trace))
    if isinstance(played, Played):
        out(f"sha256 of this trace: {played.digest}")
        return 0
    out(f"VIOLATED: {type(played).__name__}: {played}")
    return 1


def main(words: Sequence[str]) -> int:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--seed", type=int, help="play this seed only and print its trace")
    parser.add_argument("--without", default="", help="places of faults to leave out, separated by commas")
    parser.add_argument("--no-faults", action="store_true", help="play the seed with no fault at all")
    parser.add_argument("--shrink", action="store_true", help="find fewer faults with which the seed still fails")
    parser.add_argument("--seeds", type=int, default=200, help="how many seeds to play")
    parser.add_argument("--first", type=int, default=0, help="the first of them")
    parser.add_argument("--sample", type=int, default=0, help="in so many seeds leave each fault out once")
    asked = parser.parse_args(words)
    without = frozenset(filter(None, asked.without.split(",")))
    if asked.seed is None:
        seeds = range(asked.first, asked.first + asked.seeds)
        return told(many(seeds, workers=WORKERS), sample=seeds[: asked.sample], demanding=asked.seeds >= 500)
    if asked.shrink:
        without, why = smallest(asked.seed)
        out(why or "nothing is violated")
        out(f"replay: python -m tests.simulation --seed {asked.seed} --without {','.join(sorted(without))}")
    try:
        return show(play(asked.seed, off=asked.no_faults, without=without))
    except Exception as problem:
        return show(problem)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
