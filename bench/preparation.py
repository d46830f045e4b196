"""Kahn's own preparation of successors beside the same work done by a tuned ``ansible-playbook``.

    python -m bench.preparation --seats 20 --times 3

Needs root and Linux. The step is `prepare-successor` of replace-workstation with its verification: accounts and
groups of the old host's people are read, carried over, made with the same numbers and password hashes, and checked. The
contender is the playbook in ``bench/preparation.yml``, written as an expert would, with forks from the cores,
pipelining, kept connections, the same inventory and host keys. Both take turns on the same hosts, which are put back
after each turn. Kahn's time is that of the whole run: directory, supervisor, first contact, receipts, proof. CPU
seconds are those of the controller's side; hosts and controller share the machine, so the wall clock counts both.

Exit code 0: the same rows in all account files after every turn.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from bench.overhead import PR_SET_CHILD_SUBREAPER, Cost, cost_of
from orchestrator.lab.lab import Lab
from orchestrator.lab.possible import what_lacks
from orchestrator.lab.seed import seed_user_files
from orchestrator.supervisor.processes import end_connections
from tests.playbooks.seats import Seats
from tests.run_orders import PLAYBOOK

STEP = "prepare-successor"
BOOK = Path(__file__).with_name("preparation.yml")
FILES = ("passwd", "shadow", "group", "gshadow")
Rows = dict[int, dict[str, frozenset[str]]]


def by_kahn(seats: Seats, everybody: Sequence[int]) -> None:
    """The step as a run of Kahn's, which must succeed everywhere."""
    seats.must(STEP, *everybody)


def by_an_expert(place: Path, forks: int) -> None:
    """The contender with the inventory of a finished run and settings of its own."""
    manifest = json.loads((place / "manifest.json").read_text())
    sockets = Path(manifest["sockets"])
    sockets.mkdir()
    for command in manifest["hops"]:  # as whoever knows ssh opens them before
        subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    config = place / "expert.cfg"
    config.write_text(
        f"[defaults]\nforks = {forks}\nhost_key_checking = True\nnocolor = True\n"
        f"inventory = {place / 'inventory.yml'}\n"
        "[inventory]\nenable_plugins = ansible.builtin.yaml\n[ssh_connection]\npipelining = True\n"
    )
    environment = {"ANSIBLE_CONFIG": str(config), "HOME": str(place), "PATH": os.environ["PATH"], "LANG": "C.UTF-8"}
    done = subprocess.run([PLAYBOOK, BOOK], env=environment, cwd=place, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    end_connections(place.name, sockets=str(sockets))
    shutil.rmtree(sockets, ignore_errors=True)


def rows(seats: Seats) -> Rows:
    """Seat -> account file -> its rows, as they lie on the successor's disk."""
    return {
        seat: {name: frozenset((seats.new(seat).root / "etc" / name).read_text().splitlines()) for name in FILES}
        for seat in range(1, seats.count + 1)
    }


def put_back(seats: Seats, kept: dict[int, Path]) -> None:
    """The successors' /etc as before the contender's turn."""
    for seat, copy in kept.items():
        etc = seats.new(seat).root / "etc"
        for path in etc.iterdir():
            if path.is_file() and not (copy / path.name).exists():
                path.unlink()
        for path in copy.iterdir():
            shutil.copy2(path, etc / path.name)
            os.chown(etc / path.name, path.stat().st_uid, path.stat().st_gid)


def keep(seats: Seats, place: Path) -> dict[int, Path]:
    """Copies of the plain files in each successor's /etc."""
    found = {}
    for seat in range(1, seats.count + 1):
        found[seat] = place / str(seat)
        found[seat].mkdir(parents=True)
        for path in (seats.new(seat).root / "etc").iterdir():
            if path.is_file() and not path.is_symlink():
                shutil.copy2(path, found[seat] / path.name)
                os.chown(found[seat] / path.name, path.stat().st_uid, path.stat().st_gid)
    return found


def turns(seats: Seats, place: Path, *, times: int) -> tuple[list[Cost], list[Cost], bool]:
    """Costs of Kahn's runs and of the contender's, in turns, and whether all left the same rows."""
    everybody = tuple(range(1, seats.count + 1))
    kept = keep(seats, place)
    forks = min(2 * seats.count, 10 * (os.cpu_count() or 1))
    ours, theirs, found = list[Cost](), list[Cost](), list[Rows]()
    for _ in range(times):
        ours.append(cost_of(lambda: by_kahn(seats, everybody)))
        found.append(rows(seats))
        run = max((seats.state / "runs").iterdir(), key=lambda one: one.stat().st_mtime)
        seats.undo(STEP, *everybody)
        with seats.lab.controller():
            theirs.append(cost_of(lambda run=run: by_an_expert(run, forks)))  # type: ignore[misc]
        found.append(rows(seats))
        put_back(seats, kept)
    return ours, theirs, all(one == found[0] for one in found) and found[0] != rows(seats)


def main(words: Sequence[str]) -> int:
    """Read the command line, take turns, print medians."""
    parser = argparse.ArgumentParser(prog="python -m bench.preparation", description=__doc__.partition("\n")[0])
    parser.add_argument("--seats", type=int, default=20)
    parser.add_argument("--times", type=int, default=3)
    asked = parser.parse_args(words)
    if lacks := what_lacks():
        print(f"not possible here: {'; '.join(lacks)}")
        return 1
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1)
    with tempfile.TemporaryDirectory(prefix="kahn-preparation-") as folder:
        place, lab = Path(folder), Lab(Path(folder) / "lab")
        try:
            seats = Seats(lab, tenant="bench", count=asked.seats, state=place / "state")
            for seat in range(1, asked.seats + 1):
                seed_user_files(seats.old(seat), seed=seat, files=2, users=2)
            ours, theirs, same = turns(seats, place / "kept", times=asked.times)
        finally:
            lab.down()
    wall = [statistics.median(one.wall_s for one in costs) for costs in (ours, theirs)]
    cpu = [statistics.median(one.cpu_s for one in costs) for costs in (ours, theirs)]
    print(f"{asked.seats} seats of two people, {asked.times} times each in turns, medians")
    print(f"ansible-playbook, tuned: {wall[1]:7.1f} s, {cpu[1]:7.1f} s of the controller's CPU")
    print(f"Kahn's own step:         {wall[0]:7.1f} s, {cpu[0]:7.1f} s of the controller's CPU")
    print(f"{wall[1] / wall[0]:.1f} x faster, {cpu[1] / cpu[0]:.1f} x less CPU")
    print("account files: the same rows" if same else "account files: NOT the same rows")
    return 0 if same else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
