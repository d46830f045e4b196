"""Labs for tests: the fixture ``lab`` (session-wide, no tenants yet, gone at the end) and what a lab leaves behind."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from orchestrator.lab.lab import Lab
from orchestrator.lab.possible import what_lacks


def lab_or_skip(directory: Path) -> Lab:
    """A lab object for a directory; skips the test, saying why, where no lab is possible."""
    lacks = what_lacks()
    if lacks:
        pytest.skip(f"real hosts were not exercised: {'; '.join(lacks)}")
    return Lab(directory)


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """One lab for the whole test session; each test module ups tenants of its own name in it."""
    made = lab_or_skip(tmp_path_factory.mktemp("lab") / "state")
    try:
        yield made
    finally:
        made.down()


def traces(directory: Path, lab_id: str, *, foreign: frozenset[int] = frozenset()) -> tuple[str, ...]:
    """Everything on this machine that speaks of one lab; shares no code with the lab's own cleaning.

    ``foreign`` are network namespaces (inode numbers) that were there before; see ``network_spaces``.
    """
    words = (str(directory), lab_id)
    found = [f"mount {line}" for line in Path("/proc/self/mounts").read_text().splitlines() if _names(line, words)]
    found += [f"namespace {path.name}" for path in Path("/run/netns").glob(f"{lab_id}*")]
    found += [f"link {line}" for line in _output("ip", "-o", "link") if _names(line, words)]
    found += [f"packet filter {line}" for line in _output("nft", "list", "ruleset") if _names(line, (*words, "kahn"))]
    found += [f"group {path}" for tree in ("unified", "") for path in Path("/sys/fs/cgroup", tree).glob(f"{lab_id}*")]
    found += [f"file {directory}"] if directory.exists() else []
    return tuple(found + [f"process {line}" for line in _processes(words, foreign)])


def network_spaces() -> frozenset[int]:
    """Inode numbers of the network namespaces some process lives in."""
    return frozenset(space for space, _ in _living().values())


def _names(line: str, words: tuple[str, ...]) -> bool:
    return any(word in line for word in words)


def _output(*words: str) -> list[str]:
    return subprocess.run(words, capture_output=True, text=True, check=False).stdout.splitlines()


def _living() -> dict[int, tuple[int, str]]:
    """Network namespace and command line of every process but our own line of parents."""
    found = {}
    for place in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            words = (place / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            found[int(place.name)] = ((place / "ns/net").stat().st_ino, words)
    return {pid: facts for pid, facts in found.items() if pid != os.getpid()}


def _outside(foreign: frozenset[int]) -> dict[int, str]:
    """Processes whose network namespace is neither older than the test nor has a name now."""
    living, named = _living(), set(foreign)
    for path in Path("/run/netns").glob("*"):
        with suppress(OSError):
            named.add(path.stat().st_ino)
    return {pid: line for pid, (space, line) in living.items() if space not in named}


DYING_S = 20
"""Another worker's lab may begin or go just now: its processes live for a moment in a namespace without a name."""


def _processes(words: tuple[str, ...], foreign: frozenset[int]) -> list[str]:
    """Processes naming the lab, or staying in a namespace that is neither older nor any other lab's."""
    strange = _outside(foreign) if foreign else {}
    end = time.monotonic() + DYING_S
    while strange and time.monotonic() < end:
        time.sleep(1)
        still_strange = _outside(foreign)
        strange = {pid: line for pid, line in still_strange.items() if pid in strange}
    still = _living()
    lost = [f"{pid} {line}" for pid, line in strange.items()]
    return lost + [f"{pid} {line}" for pid, (_, line) in still.items() if _names(line, words)]
