"""One story as a user lives it: a state directory, people with keys, a tenant with lab hosts, and ``kahn`` to call."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from typer.testing import CliRunner

from orchestrator.cli.main import app, global_first
from orchestrator.lab.host import Host
from orchestrator.lab.lab import Lab, inventory_rows, seat_specs
from orchestrator.lab.seed import seed_user_files

ENGINEER, APPROVER = "anna", "bert"
TEST_RUNBOOKS = Path(__file__).resolve().parents[1] / "runbooks"
PATIENCE_S = 400


class NotAsExpected(AssertionError):
    """A command ended otherwise than the story needs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """One tenant of one state directory (``place``/home), with its hosts in a lab."""

    place: Path
    lab: Lab
    tenant: str

    @property
    def home(self) -> Path:
        return self.place / "home"

    # -- calling kahn

    def command(self, *words: str, person: str = "") -> tuple[list[str], dict[str, str]]:
        """The command line inside the lab's controller namespace, and its environment."""
        kahn = (sys.executable, "-m", "orchestrator.cli.main", "--home", str(self.home), "--tenant", self.tenant)
        environment = {**os.environ, "PYTHONUNBUFFERED": "1", "KAHN_LANG": "en"}
        if person:
            environment |= {"KAHN_PERSON": person, "KAHN_KEY": str(self.place / "people" / person)}
        argv = [*kahn, *words]
        return list(self.lab.inside(*argv)) if self.lab.exists else argv, environment

    def tried(self, *words: str, person: str = "", within_s: float = PATIENCE_S) -> Ended:
        """Run a command that reaches hosts to its end, whatever that is, as a program of its own."""
        argv, environment = self.command("--plain", *words, person=person)
        done = subprocess.run(
            argv, env=environment, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=within_s
        )
        return Ended(code=done.returncode, out=done.stdout, err=done.stderr)

    def kahn(self, *words: str, person: str = "") -> str:
        """Run a command that stays in the books for what it says, in this process. Raises NotAsExpected."""
        signer = {"KAHN_PERSON": person, "KAHN_KEY": str(self.place / "people" / person)} if person else {}
        front = ["--home", str(self.home), "--tenant", self.tenant]
        done = CliRunner().invoke(app, [*front, *global_first(list(words))], env={"KAHN_LANG": "en", **signer})
        if done.exit_code != 0:
            said = getattr(done.exception, "facts", {})
            raise NotAsExpected(f"kahn {' '.join(words)}: {done.exception} {said}\n{done.output}") from done.exception
        return done.stdout

    def answer(self, *words: str) -> Any:
        """Run a command that stays in the books for its JSON answer. Raises NotAsExpected."""
        return json.loads(self.kahn("--json", *words))

    def begin(self, *words: str) -> subprocess.Popen[str]:
        """Start a command and leave it running; what it says goes to a file of its own."""
        argv, environment = self.command("--plain", *words)
        with (self.place / "begun.log").open("a") as log:
            return subprocess.Popen(argv, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log, text=True)

    # -- looking

    def host(self, name: str) -> Host:
        return self.lab.host(name, tenant=self.tenant)

    def wave(self, key: str = "W01") -> Any:
        """The wave as `kahn wave show` tells it."""
        return self.answer("wave", "show", key)

    def states(self, key: str = "W01") -> dict[str, tuple[str, str]]:
        """Asset name -> (state, cause code)."""
        return {row["name"]: (row["state"], row["cause"]) for row in self.wave(key)["moves"]}

    def facts(self, wave: str = "W01") -> tuple[dict[str, Any], ...]:
        """The wave's entries in the journal, oldest first, as the store holds them."""
        return journal(self.home, tenant=self.tenant, wave=wave)


def journal(home: Path, *, tenant: str, wave: str) -> tuple[dict[str, Any], ...]:
    """Entries of one wave, read from the database file without Kahn's code: kind and body."""
    with sqlite3.connect(f"file:{home / 'kahn.sqlite'}?mode=ro", uri=True, timeout=60) as database:
        rows = database.execute(
            "select canonical from journal where tenant = ? and subject = ? order by seq", (tenant, f"wave:{wave}")
        ).fetchall()
    entries = [json.loads(canonical) for (canonical,) in rows]
    return tuple({"kind": entry["kind"], **entry["body"]} for entry in entries)


# ---------------------------------------------------------------------- building one


def a_policy(**changed: object) -> str:
    """A tenant's policy: one window around now, no holidays, one batch, everything may fail. Values are TOML."""
    now = datetime.now(UTC)
    values: dict[str, object] = {
        "zone": '"Europe/Berlin"',
        "holidays": '""',
        "assets_per_window": 24,
        "canary_size": 0,
        "batch_size": 24,
        "batch_budget": 1.0,
        "wave_budget": 1.0,
        "auto_rollback_max": 24,
        "same_error_max": 0,
        "unreachable_share": 1.0,
        "max_tries": 2,
        "probe_tries": 4,
        "probe_gap_s": 2,
        "forks": 16,
        "opens": (now - timedelta(minutes=10)).isoformat(timespec="seconds"),
        "closes": (now + timedelta(hours=3)).isoformat(timespec="seconds"),
        **changed,
    }
    opens, closes, runbook = values.pop("opens"), values.pop("closes"), values.pop("runbook", "")
    lines = [f"{key} = {value}" for key, value in values.items()]
    lines += ["[runbooks]", f'workstation = "{runbook}"'] if runbook else []
    return "\n".join([*lines, "[[window]]", f"opens = {opens}", f"closes = {closes}", ""])


def a_place(place: Path, lab: Lab, *, tenant: str) -> Story:
    """A state directory and two people's keys; no tenant yet."""
    (place / "people").mkdir(parents=True)
    for name in (ENGINEER, APPROVER):
        key = place / "people" / name
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", key], check=True)
    story = Story(place=place, lab=lab, tenant=tenant)
    story.kahn("init", str(story.home))
    return story


def a_tenant(story: Story, *, policy: str) -> Story:
    """The tenant, its people, and the way to its hosts (which are up)."""
    written = story.place / f"{story.tenant}.toml"
    written.write_text(policy)
    story.kahn("tenant", "add", story.tenant, "--policy", str(written))
    for name in (ENGINEER, APPROVER):
        story.kahn("person", "add", name, "--key", str(story.place / "people" / f"{name}.pub"))
    way = story.lab.access(story.tenant)
    jump = f"{way.jump_user}@{way.jump_address}:{way.jump_port}"
    story.kahn(
        "access", "add", "lab", "--user", way.user, "--key", str(way.key_path), "--jump", jump,
        "--jump-host-key", way.jump_host_key,
    )  # fmt: skip
    return story


def an_import(story: Story, rows: dict[str, Any] | None = None) -> None:
    """Take the lab's machines (or these rows) into the inventory."""
    found = rows or inventory_rows(story.lab.access(story.tenant))
    written = story.place / f"{story.tenant}-machines.json"
    written.write_text(json.dumps({"kahn_inventory": 1, **found}))
    story.kahn("asset", "import", str(written), "--yes")


def an_approved_wave(story: Story) -> None:
    """Proposed by one person, approved by another."""
    story.kahn("plan", "propose", "--yes", person=ENGINEER)
    story.kahn("wave", "approve", "W01", "--yes", person=APPROVER)


def hosts_for(lab: Lab, *, tenant: str, seats: int, files: int = 12) -> None:
    """Seats: old workstations with two users' files each, empty successors, a vault, a jump host."""
    lab.up(tenant=tenant, specs=seat_specs(seats))
    for number in range(1, seats + 1):
        if files:
            seed_user_files(lab.host(f"apc-{number:04d}", tenant=tenant), seed=number, files=files, users=2)


def a_story(place: Path, lab: Lab, *, tenant: str, seats: int, runbook: str = "", **policy: object) -> Story:
    """Hosts up, inventory in, wave W01 approved. ``runbook`` is one of tests/runbooks."""
    hosts_for(lab, tenant=tenant, seats=seats, files=0 if runbook else 12)
    story = a_place(place, lab, tenant=tenant)
    if runbook:
        shutil.copytree(TEST_RUNBOOKS / runbook, story.home / "runbooks" / runbook)
        policy["runbook"] = runbook
    a_tenant(story, policy=a_policy(**policy))
    an_import(story)
    an_approved_wave(story)
    return story


def a_second_tenant(first: Story, *, tenant: str, seats: int, runbook: str = "", **policy: object) -> Story:
    """The same of another tenant in the same state directory and lab."""
    hosts_for(first.lab, tenant=tenant, seats=seats, files=0 if runbook else 12)
    story = replace(first, tenant=tenant)
    a_tenant(story, policy=a_policy(**policy, **({"runbook": runbook} if runbook else {})))
    an_import(story)
    an_approved_wave(story)
    return story


def wait_until(holds: Callable[[], object], *, within_s: float = 120, every_s: float = 0.05) -> Any:
    """The first true answer. Raises NotAsExpected when none came in time."""
    until = time.monotonic() + within_s
    while time.monotonic() < until:
        if found := holds():
            return found
        time.sleep(every_s)
    raise NotAsExpected(f"nothing came within {within_s} s: {holds}")
