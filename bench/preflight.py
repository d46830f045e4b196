"""The fleet preflight on real lab hosts: how long it takes with some of them dead, and what a hung one costs.

    python -m bench.preflight --hosts 100 --dead 10

Needs root and Linux. The hosts are looked at three times: all of them well, then with the dead ones (half of them off,
half cut), then with as many hung (they take the connection and say nothing); always through one jump host.

Exit code 0: every host got its right answer, the dead ones cost at most five seconds in all, and hung ones no more
than the time limit of a single one.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from inventory.model import AssetId
from orchestrator.adapters.fleet import PATIENCE, look_at
from orchestrator.core.fleet import Post, findings
from orchestrator.core.host_keys import Door
from orchestrator.lab.host import HostSpec
from orchestrator.lab.lab import Lab
from orchestrator.lab.possible import what_lacks
from orchestrator.lab.seats import seat_profile

TENANT = "stadt"
MOST_S = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """One look at all hosts: seconds, and the cause of each that something speaks against."""

    took_s: float
    causes: Mapping[str, str]


def posts(lab: Lab) -> tuple[Post, ...]:
    """Every host of the lab as the preflight is given it."""
    access = lab.access(TENANT)
    profile = seat_profile(access)
    return tuple(
        Post(
            machine=host.name,
            door=Door(asset=AssetId(host.name), address=host.address, profile=profile, known=host.host_key),
            assets=(AssetId(host.name),),
            shared=False,
        )
        for host in access.hosts
        if host.name.startswith("apc-")
    )


def look(lab: Lab, asked: Sequence[Post]) -> Look:
    """Look at them once, from where the driver would."""
    with lab.controller():
        began = time.monotonic()
        answers = look_at([post.door for post in asked])
        took_s = time.monotonic() - began
    return Look(took_s=took_s, causes={one.post.machine: one.cause for one in findings(asked, answers) if one.cause})


def told(what: str, seen: Look, *, wanted: Mapping[str, str], most_s: float) -> bool:
    """Print one look; whether it found what is so, in time."""
    counts = ", ".join(f"{count} {cause}" for cause, count in sorted(Counter(seen.causes.values()).items())) or "none"
    right = dict(seen.causes) == dict(wanted)
    print(f"{seen.took_s:6.2f} s  {what:<28} {counts}{'' if right else '   WRONG'}", flush=True)
    return right and seen.took_s <= most_s


def main(words: Sequence[str]) -> int:
    """Read the command line, look three times, print."""
    parser = argparse.ArgumentParser(prog="python -m bench.preflight", description=__doc__.partition("\n")[0])
    parser.add_argument("--hosts", type=int, default=100)
    parser.add_argument("--dead", type=int, default=10)
    given = parser.parse_args(words)
    if lacks := what_lacks():
        print(f"not possible here: {'; '.join(lacks)}")
        return 1
    with tempfile.TemporaryDirectory(prefix="kahn-look-") as folder:
        lab = Lab(Path(folder) / "lab")
        try:
            return 0 if _measured(lab, hosts=given.hosts, dead=given.dead) else 1
        finally:
            lab.down()


def _measured(lab: Lab, *, hosts: int, dead: int) -> bool:
    lab.up(tenant=TENANT, specs=[HostSpec(name=f"apc-{number:04d}", disk_mib=128) for number in range(1, hosts + 1)])
    asked = posts(lab)
    names = [post.machine for post in asked][:dead]
    well = told(f"{hosts} hosts, all well", look(lab, asked), wanted={}, most_s=MOST_S)
    for number, name in enumerate(names):
        lab.fault(lab.host(name, tenant=TENANT), "power-off" if number % 2 else "cut")
    silent = dict.fromkeys(names, "unreachable")
    well &= told(f"{dead} of them off or cut", look(lab, asked), wanted=silent, most_s=MOST_S)
    for number, name in enumerate(names):
        lab.fault(lab.host(name, tenant=TENANT), "power-on" if number % 2 else "join")
        lab.fault(lab.host(name, tenant=TENANT), "hang")
    hung = dict.fromkeys(names, "does_not_speak")
    limit_s = PATIENCE.connect_s + PATIENCE.greet_s
    well &= told(f"{dead} of them hung", look(lab, asked), wanted=hung, most_s=limit_s)
    for name in names:
        lab.fault(lab.host(name, tenant=TENANT), "thaw")
    print(f"wanted: at most {MOST_S:.0f} s, and {limit_s:.0f} s (the limit of one) with hung ones")
    return well


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
