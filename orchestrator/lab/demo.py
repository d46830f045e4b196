"""The whole main job in one go on real throw-away hosts: ``make demo``. Cleans up, also when interrupted.

Everything is done through the command line that a user has; the lab only provides the hosts and the faults.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from orchestrator.lab.host import Host
from orchestrator.lab.lab import Lab, inventory_rows, seat_specs
from orchestrator.lab.possible import what_lacks
from orchestrator.lab.seed import seed_user_files

TOWN_SEATS = 20
ENGINEER, APPROVER, SECOND = "anna", "bert", "clara"
OUTSIDE_PATHS = ("etc", "home", "root", "opt", "srv", "usr/local")


@dataclass
class Demo:
    """One demonstration: where it works, and how it speaks."""

    place: Path
    began: float = field(default_factory=time.monotonic)

    def __post_init__(self) -> None:
        self.home = self.place / "home"
        self.lab = Lab(self.place / "lab", tell=lambda notice: self.say(f"  {notice}"))

    def say(self, text: str) -> None:
        """A line with the seconds since the start."""
        sys.stdout.write(f"[{time.monotonic() - self.began:5.0f} s] {text}\n")
        sys.stdout.flush()

    def chapter(self, text: str) -> None:
        """A heading."""
        self.say("")
        self.say(f"== {text}")

    # ------------------------------------------------------------------ kahn, as a user calls it

    def command(self, tenant: str, *words: str, person: str = "") -> tuple[list[str], dict[str, str]]:
        """The command line (inside the lab's controller namespace where there is one) and its environment."""
        argv = [sys.executable, "-m", "orchestrator.cli.main", "--home", str(self.home), "--tenant", tenant, *words]
        environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
        if person:
            environment |= {"KAHN_PERSON": person, "KAHN_KEY": str(self.place / "people" / person)}
        return list(self.lab.inside(*argv)) if self.lab.exists else argv, environment

    def kahn(self, tenant: str, *words: str, person: str = "", expect: tuple[int, ...] = (0,)) -> str:
        """Run a command, show it and what it says. Raises DemoBroken when it ends otherwise than expected."""
        self.say(f"$ kahn --tenant {tenant} {' '.join(words)}" + (f"    (as {person})" if person else ""))
        argv, environment = self.command(tenant, *words, person=person)
        ended = subprocess.run(argv, env=environment, capture_output=True, text=True, stdin=subprocess.DEVNULL)
        for line in (ended.stdout + ended.stderr).splitlines():
            self.say(f"    {line}")
        self.check(ended.returncode in expect, f"`kahn {' '.join(words)}` ended with {ended.returncode}, not {expect}")
        return ended.stdout

    def quietly(self, tenant: str, *words: str, expect: tuple[int, ...] = (0,)) -> Any:
        """Run a command for its JSON answer."""
        argv, environment = self.command(tenant, "--json", *words)
        ended = subprocess.run(argv, env=environment, capture_output=True, text=True, stdin=subprocess.DEVNULL)
        self.check(ended.returncode in expect, f"`kahn {' '.join(words)}`: {ended.stderr}")
        return json.loads(ended.stdout)

    def live(self, tenant: str, *words: str, hear: Callable[[str], None], expect: tuple[int, ...]) -> None:
        """Run a long command and show each line when it comes; ``hear`` may act on it."""
        self.say(f"$ kahn --tenant {tenant} {' '.join(words)}")
        argv, environment = self.command(tenant, "--plain", *words)
        with subprocess.Popen(
            argv, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        ) as running:
            assert running.stdout is not None
            for line in running.stdout:
                self.say(f"    {line.rstrip()}")
                hear(line)
        self.check(running.returncode in expect, f"`kahn {' '.join(words)}` ended with {running.returncode}")

    def check(self, holds: bool, otherwise: str) -> None:
        """The demonstration proves what it says, or stops. Raises DemoBroken."""
        if not holds:
            raise DemoBroken(otherwise)


class DemoBroken(Exception):
    """The demonstration found something that is not as it should be."""


# ---------------------------------------------------------------------- the story


def lay_ground(demo: Demo) -> None:
    """State directory, people, tenants with a calendar of their own that is open now, access profiles."""
    demo.chapter("A state directory, two tenants, three people with keys of their own")
    people = demo.place / "people"
    people.mkdir(parents=True)
    for name in (ENGINEER, APPROVER, SECOND):
        command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", str(people / name)]
        subprocess.run(command, check=True)
    demo.kahn("stadt", "init", str(demo.home))
    policy = demo.place / "policy.toml"
    policy.write_text(lab_policy(datetime.now(UTC)), encoding="utf-8")
    for tenant in ("stadt", "kreis"):
        demo.kahn(tenant, "tenant", "add", tenant, "--policy", str(policy))
        for name in (ENGINEER, APPROVER, SECOND):
            demo.kahn(tenant, "person", "add", name, "--key", str(people / f"{name}.pub"))


def lab_policy(now: datetime) -> str:
    """The policy of a lab tenant: one window around now, no public holidays, small batches. No rule is bypassed."""
    opens, closes = now - timedelta(minutes=10), now + timedelta(hours=3)
    return f"""
zone = "Europe/Berlin"
holidays = ""
assets_per_window = 12
canary_size = 2
batch_size = 4
batch_budget = 0.5
wave_budget = 0.5
auto_rollback_max = 3
max_tries = 2
probe_tries = 3
probe_gap_s = 5
forks = 10

[[window]]
opens = {opens.isoformat(timespec="seconds")}
closes = {closes.isoformat(timespec="seconds")}
"""


def raise_hosts(demo: Demo, tenant: str, *, seats: int, seed: int) -> None:
    """Old workstations with users' files, empty successors, a vault and a jump host; and the way to reach them."""
    demo.lab.up(tenant=tenant, specs=seat_specs(seats))
    for host in demo.lab.hosts(tenant):
        if host.name.startswith("apc-"):
            seed_user_files(host, seed=seed, files=24, users=2)
    access = demo.lab.access(tenant)
    jump = f"{access.jump_user}@{access.jump_address}:{access.jump_port}"
    demo.kahn(
        tenant, "access", "add", "lab", "--user", access.user, "--key", str(access.key_path), "--jump", jump,
        "--jump-host-key", access.jump_host_key,
    )  # fmt: skip
    rows = demo.place / f"{tenant}-machines.json"
    rows.write_text(json.dumps({"kahn_inventory": 1, **inventory_rows(access)}), encoding="utf-8")


def take_inventory(demo: Demo, tenant: str, *, seed: int) -> None:
    """A made-up town, then what the lab knows of its machines; the second import of the same changes nothing."""
    town, machines = demo.place / f"{tenant}-town.json", demo.place / f"{tenant}-machines.json"
    demo.kahn(tenant, "town", "--seats", str(TOWN_SEATS), "--seed", str(seed), "--no-successors", "--out", str(town))
    demo.kahn(tenant, "asset", "import", str(town), "--yes")
    os.utime(machines)  # seen later than the made-up town was made: of two claims of one source the younger counts
    demo.kahn(tenant, "asset", "import", str(machines), "--yes")
    demo.say("  and once more, to see that it repeats without effect:")
    demo.kahn(tenant, "asset", "import", str(machines), "--yes")


def plan_and_approve(demo: Demo, tenant: str) -> None:
    """Propose; the proposer may not approve; somebody else does."""
    demo.kahn(tenant, "plan", "propose", "--yes", person=ENGINEER)
    demo.say("  The proposer tries to approve her own wave:")
    demo.kahn(tenant, "wave", "approve", "W01", "--yes", person=ENGINEER, expect=(3,))
    demo.say("  And a wave without approval does not start:")
    demo.kahn(tenant, "wave", "run", "W01", expect=(3,))
    demo.kahn(tenant, "wave", "approve", "W01", "--yes", person=APPROVER)
    if demo.quietly(tenant, "wave", "show", "W01")["standing"]["missing"]:
        demo.say("  A procedure of the highest protection class is used here: a second approver is needed.")
        demo.kahn(tenant, "wave", "approve", "W01", "--yes", person=SECOND)
    demo.kahn(tenant, "wave", "check", "W01")


@dataclass(frozen=True, slots=True, kw_only=True)
class Victims:
    """Which assets of the second batch meet which trouble."""

    cut: str
    full: str
    meddled: str


def run_with_faults(demo: Demo) -> Victims:
    """One host is cut off, one successor's disk fills up, somebody works on another successor too early."""
    content = demo.quietly("stadt", "wave", "show", "W01")["content"]
    names = {move["asset"]: move["name"] for move in content["moves"]}
    second = next(batch for batch in content["batches"] if batch["name"] == "b1")
    victims = Victims(**dict(zip(("cut", "full", "meddled"), (names[one] for one in second["assets"]), strict=False)))
    demo.chapter("The wave, with one host cut off, one full disk, one successor that somebody already uses")
    demo.say(f"  {victims.cut} is cut off; the disk of {successor(victims.full)} fills up once its files are saved;")
    demo.say(f"  on {successor(victims.meddled)} somebody writes into files as soon as they arrive.")

    def host(name: str) -> Host:
        return demo.lab.host(name, tenant="stadt")

    demo.lab.fault(host(victims.cut), "cut")
    before = {name: outside_fingerprint(host(name)) for name in (victims.full, victims.meddled)}
    demo.lab.fault(host(successor(victims.meddled)), "meddle")
    filled = threading.Event()

    def hear(line: str) -> None:
        if "b1" in line and "lock-old" in line and not filled.is_set():
            filled.set()
            demo.lab.fault(host(successor(victims.full)), "fill")
            demo.say(f"  (the disk of {successor(victims.full)} is full now)")

    demo.live("stadt", "wave", "run", "W01", hear=hear, expect=(4,))
    demo.chapter("Proof, from outside: the demonstration reads the hosts' own file systems")
    for name, digest in before.items():
        demo.check(outside_fingerprint(host(name)) == digest, f"{name} is not as it was before")
        demo.say(f"  {name}: rolled back, and its files, owners, modes, links and contents are exactly as before")
    return victims


def successor(name: str) -> str:
    """The lab's name of the machine that replaces it."""
    return name.replace("apc-", "neu-")


def outside_fingerprint(host: Host) -> str:
    """SHA-256 over path, mode, owner, size and content of the host's own files, read from outside."""
    digest = hashlib.sha256()
    for top in OUTSIDE_PATHS:
        for path in sorted((host.root / top).rglob("*")):
            found = path.lstat()
            name = str(path.relative_to(host.root))
            head = f"{name} {found.st_mode:o} {found.st_uid} {found.st_gid}"
            digest.update(head.encode("utf-8", "surrogateescape"))
            if path.is_symlink():
                digest.update(os.readlink(path).encode("utf-8", "surrogateescape"))
            elif path.is_file():
                digest.update(path.read_bytes())
    return digest.hexdigest()


def count_states(demo: Demo, victims: Victims) -> None:
    """Each fault led to its state, and the numbers add up."""
    view = demo.quietly("stadt", "wave", "show", "W01")
    states = {row["name"]: (row["state"], row["cause"]) for row in view["moves"]}
    demo.check(states[victims.cut] == ("held", "unreachable"), f"{victims.cut} is {states[victims.cut]}")
    demo.check(states[victims.full] == ("rolled_back", "disk_full"), f"{victims.full} is {states[victims.full]}")
    meddled = states[victims.meddled]
    demo.check(meddled == ("rolled_back", "manifest_differs"), f"{victims.meddled} is {meddled}")
    demo.check(len(states) == len(view["content"]["moves"]), "the numbers do not add up")
    moved = sum(state == "moved" for state, _cause in states.values())
    demo.say(f"  {len(states)} assets: {moved} moved, {len(states) - moved} not; every number adds up.")


def tell_the_end(demo: Demo) -> None:
    """Report, status, and what to try next."""
    demo.chapter("What management reads in the morning")
    report = demo.place / "report.html"
    demo.kahn("stadt", "report", "make", "management", "-o", str(report))
    demo.kahn("stadt", "status", expect=(0, 4))
    kahn = Path(sys.executable).parent / "kahn"
    demo.chapter("Done. The hosts are gone now; the books are still there. Try:")
    tries = ("status", "--tenant stadt wave show W01", "--tenant stadt plan why-not", "--lang de status", "doctor")
    for words in tries:
        demo.say(f"  KAHN_HOME={demo.home} {kahn} {words}")
    demo.say(f"  and open {report}")


def play(demo: Demo) -> None:
    """The story on real hosts."""
    lay_ground(demo)
    demo.chapter("Real hosts: two tenants with equal host names and addresses, each behind its own jump host")
    raise_hosts(demo, "stadt", seats=8, seed=1)
    raise_hosts(demo, "kreis", seats=3, seed=2)
    for tenant, seed in (("stadt", 1), ("kreis", 2)):
        demo.chapter(f"Inventory, plan and approval of {tenant}")
        take_inventory(demo, tenant, seed=seed)
        plan_and_approve(demo, tenant)
    victims = run_with_faults(demo)
    count_states(demo, victims)
    demo.chapter("The other tenant: same names, same addresses, its own wave")
    demo.live("kreis", "wave", "run", "W01", hear=lambda _line: None, expect=(0,))
    tell_the_end(demo)


def clear_sockets(home: Path) -> None:
    """Take away the directories of control sockets that runs ended together with the lab could not clear themselves."""
    for manifest in home.glob("runs/*/manifest.json"):
        sockets = Path(json.loads(manifest.read_text(encoding="utf-8"))["sockets"])
        if sockets.name.startswith(".kahn-") and sockets.is_dir() and not sockets.is_symlink():
            shutil.rmtree(sockets, ignore_errors=True)


@contextmanager
def cleaned_up(demo: Demo) -> Iterator[None]:
    """Whatever happens, the lab is gone afterwards."""

    def stop(_number: int, _frame: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)
        if not what_lacks():
            demo.lab.down()
            clear_sockets(demo.home)
        signal.signal(signal.SIGTERM, before)
        signal.signal(signal.SIGINT, signal.default_int_handler)


def main(words: list[str]) -> int:
    """Play the demonstration; 0 when everything it claims was true."""
    place = Path(words[0] if words else ".state/demo").resolve()
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    demo = Demo(place=place)
    lacks = what_lacks()
    try:
        with cleaned_up(demo):
            if lacks:
                demo.say(f"No real hosts are possible here: {'; '.join(lacks)}.")
                from orchestrator.lab.demo_simulated import play_on_simulated_machines

                play_on_simulated_machines(demo)
            else:
                play(demo)
    except KeyboardInterrupt:
        demo.say("Interrupted; everything was taken down again.")
        return 130
    except DemoBroken as broken:
        demo.say(f"THE DEMONSTRATION FAILED: {broken}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
