"""One night on real hosts: a procedure with the seats that use it, a gateway, a vault, and what may go wrong there.

The runbook is the shipped one for workstations with one more step, which leads the users to the new machine. Budgets
and breakers stand as a town would have them.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from orchestrator.lab.host import HostSpec
from orchestrator.lab.lab import Lab, inventory_rows, seat_specs
from orchestrator.lab.seed import seed_user_files
from tests.scenarios.story import (
    PATIENCE_S,
    TEST_RUNBOOKS,
    Ended,
    Story,
    a_place,
    a_policy,
    a_tenant,
    an_approved_wave,
    an_import,
    wait_until,
)

SHIPPED = Path(__file__).resolve().parents[2] / "playbooks" / "replace-workstation"
RUNBOOK = "replace-behind-gateway"
EWO, USES_EWO, GATE = "ewo", "apc-0001", "gate"
CITIZENS_OFFICE = 40
"""How many people work with the procedure."""
BREAKERS_ON: dict[str, object] = {
    "canary_size": 1, "batch_size": 5, "batch_budget": 0.4, "wave_budget": 0.3, "auto_rollback_max": 3,
    "same_error_max": 3, "unreachable_share": 0.5, "probe_tries": 3, "probe_gap_s": 10,
}  # fmt: skip
SPARE_MIB, LARGE_MIB = 48, 60
"""What stays free in the full vault, and what the two large seats want to put there; the others need far less."""
LONGEST_S = 1800
"""How long anything may take in this night, on a machine that others load as well."""
CONTACTS = """
[[channel]]
name = "page"
kind = "command"
argv = ["/bin/sh", "-c", "cat >> {place}/calls"]

[[contact]]
tenant = "{tenant}"
name = "lage"
channel = "page"
"""


@dataclass
class GatewayNight:
    """The town and its night. People are anna, who leads, and bert."""

    story: Story
    service: subprocess.Popen[str] | None = None

    # ------------------------------------------------------------------ what happens

    def service_begins(self) -> None:
        """`kahn serve`: it starts the approved wave, whose window is open."""
        self.service = self.story.begin("serve")

    def service_ends(self) -> None:
        if self.service is not None and self.service.poll() is None:
            self.service.terminate()
            self.service.wait(timeout=PATIENCE_S)

    def vault_fills(self) -> None:
        """Something else fills the vault's disk, up to a small rest."""
        root = self.story.host("vault").root
        free = shutil.disk_usage(root).free
        with open(root / "var/other", "wb") as other:
            for _ in range((free >> 20) - SPARE_MIB):
                other.write(bytes(1 << 20))

    def vault_is_cleared(self) -> None:
        (self.story.host("vault").root / "var/other").unlink()

    def gateway_is_slow(self) -> None:
        (self.story.host(GATE).root / "etc/kahn-test-slow").touch()

    def gateway_is_cut_off(self) -> None:
        self.story.lab.fault(self.story.host(GATE), "cut")

    def gateway_goes_on(self) -> None:
        """What was begun on it comes to its end, whoever sees that."""
        (self.story.host(GATE).root / "etc/kahn-test-enough").touch()

    def gateway_is_back(self) -> None:
        self.story.lab.fault(self.story.host(GATE), "join")

    def signed(self, person: str, *words: str) -> Ended:
        """A person's command, as a program of its own."""
        return self.story.tried(*words, "--yes", "--reason", "As we saw", person=person, within_s=LONGEST_S)

    def waits_for(self, holds: Any, *, within_s: float = LONGEST_S) -> Any:
        return wait_until(holds, within_s=within_s, every_s=0.3)

    # ------------------------------------------------------------------ what is so

    def batches(self) -> dict[str, list[str]]:
        """Batch -> names of its assets, as approved."""
        content = self.story.wave()["content"]
        names = {move["asset"]: move["name"] for move in content["moves"]}
        return {batch["name"]: [names[asset] for asset in batch["assets"]] for batch in content["batches"]}

    def intended(self, step: str, *, batch: str) -> bool:
        """Whether a step was intended for a batch."""
        runs = (fact for fact in self.story.facts() if fact["kind"] == "run.intended")
        return any((fact["batch"], fact["step"], fact["direction"]) == (batch, step, "do") for fact in runs)

    def leads_to(self, name: str = EWO) -> tuple[str, str]:
        """Where the gateway's file and its relay lead the users of a procedure."""
        root = self.story.host(GATE).root
        paths = (root / folder / name for folder in ("etc/relay", "var/lib/relay"))
        file, relay = (path.read_text() if path.exists() else "old" for path in paths)
        return file, relay

    def screen(self, *, wave: str = "W01") -> str:
        """What `kahn wave show` says, in one line, so that line breaks of a terminal do not matter."""
        return " ".join(self.story.kahn("--plain", "wave", "show", wave).split())

    def calls(self) -> str:
        """What the people on duty were told so far."""
        path = self.story.place / "calls"
        return path.read_text() if path.exists() else ""


def a_gateway_night(place: Path, lab: Lab, *, tenant: str, seats: int = 8) -> GatewayNight:
    """Hosts up, inventory in, wave W01 approved; nothing runs yet."""
    ewo = (HostSpec(name=EWO, kind="server", successor="ewo-neu"), HostSpec(name="ewo-neu", kind="server"))
    gate = HostSpec(name=GATE, kind="server", role="gateway", disk_mib=256)
    lab.up(tenant=tenant, specs=(*seat_specs(seats), *ewo, gate))
    for number, name in enumerate((EWO, *(f"apc-{number:04d}" for number in range(1, seats + 1))), start=1):
        seed_user_files(lab.host(name, tenant=tenant), seed=number, files=12, users=2)
    story = a_place(place, lab, tenant=tenant)
    _runbook(story.home / "runbooks" / RUNBOOK)
    tables = f'[runbooks]\nworkstation = "{RUNBOOK}"\nserver = "{RUNBOOK}"\n[max_outage_min]\nserver = 30\n[[window]]'
    a_tenant(story, policy=a_policy(**BREAKERS_ON).replace("[[window]]", tables))
    (story.home / "notices.toml").write_text(CONTACTS.format(place=place, tenant=tenant))
    (story.home / "notices.toml").chmod(0o600)
    _import(story)
    an_approved_wave(story)
    return GatewayNight(story=story)


def _runbook(folder: Path) -> None:
    """The shipped runbook with a gateway and one more step before the old machine is switched off."""
    shutil.copytree(SHIPPED, folder)
    extra = TEST_RUNBOOKS / "switch-gateway"
    shutil.copytree(extra, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("step.yml"))
    text = (folder / "runbook.yml").read_text().replace("  vault: vault\n", "  vault: vault\n  gateway: gateway\n")
    before, mark, after = text.partition("  # The receipts of this step")
    (folder / "runbook.yml").write_text(before + (extra / "step.yml").read_text() + mark + after)


def _import(story: Story) -> None:
    rows: dict[str, Any] = inventory_rows(story.lab.access(story.tenant))
    rows["procedures"] = [{"name": "Einwohnerwesen", "machines": [EWO], "users": CITIZENS_OFFICE}]
    rows["dependencies"] = [{"from": f"machine:{USES_EWO}", "needs": f"machine:{EWO}", "kind": "hard"}]
    an_import(story, json.loads(json.dumps(rows)))


def large_files(story: Story, *names: str) -> None:
    """These old machines hold more than the full vault takes."""
    for name in names:
        home = next(path for path in sorted((story.host(name).root / "home").iterdir()) if path.is_dir())
        owner = home.stat()
        film = home / "Film.mkv"
        film.write_bytes(bytes(LARGE_MIB << 20))
        shutil.chown(film, owner.st_uid, owner.st_gid)
