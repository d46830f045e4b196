"""The demonstration where no real host is possible: the same story on simulated machines, and it says so."""

from __future__ import annotations

import json

from orchestrator.lab import stand_in
from orchestrator.lab.demo import (
    ENGINEER,
    Demo,
    lay_ground,
    plan_and_approve,
    successor,
    take_inventory,
    tell_the_end,
)

SIMULATED_SEATS = 8


def play_on_simulated_machines(demo: Demo) -> None:
    """The same story on simulated machines, where no real ones are possible; and a plain word about it."""
    lay_ground(demo)
    demo.chapter("SIMULATED MACHINES: a stand-in plays Ansible's part; books, runs and supervisors are real")
    config = demo.home / "kahn.toml"
    program = stand_in.install(demo.place)
    text = simulated_config(config.read_text(encoding="utf-8"), program=str(program))
    config.write_text(text, encoding="utf-8")
    demo.check(str(program) in text, "the configuration does not name the stand-in")
    rows = demo.place / "stadt-machines.json"
    rows.write_text(json.dumps({"kahn_inventory": 1, "machines": simulated_rows(SIMULATED_SEATS)}), encoding="utf-8")
    demo.kahn("stadt", "access", "add", "lab", "--user", "root", "--key", str(demo.place / "people" / ENGINEER))
    demo.chapter("Inventory, plan and approval")
    take_inventory(demo, "stadt", seed=1)
    plan_and_approve(demo, "stadt")
    cut, broken = trouble_on_simulated_machines(demo)
    demo.chapter("The wave, with one machine cut off and one whose restore fails")
    demo.live("stadt", "wave", "run", "W01", hear=lambda _line: None, expect=(1, 4))
    view = demo.quietly("stadt", "wave", "show", "W01")
    states = {row["name"]: (row["state"], row["cause"]) for row in view["moves"]}
    demo.check(states[cut] == ("held", "unreachable"), f"{cut} is {states[cut]}")
    demo.check(states[broken] == ("rolled_back", "disk_full"), f"{broken} is {states[broken]}")
    tell_the_end(demo)
    demo.say("")
    demo.say("REAL HOSTS WERE NOT EXERCISED: the machines of this wave were simulated, nothing was moved anywhere.")


def simulated_config(text: str, *, program: str) -> str:
    """The configuration where a program plays Ansible's part, and no machine is there to be looked at."""
    text = text.replace('ansible_playbook = ""', f'ansible_playbook = "{program}"')
    return text.replace('look_at_hosts = "yes"', 'look_at_hosts = "no"')


def simulated_rows(seats: int) -> list[dict[str, str]]:
    """Machines as rows of the native form: old workstations with successors, and a vault, at addresses of nobody."""
    key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBf5P5mV6eDq2yIYqkEo3KpVJpsVmjYbLhIYtDq7yM5q"
    names = [f"{kind}-{number:04d}" for kind in ("apc", "neu") for number in range(1, seats + 1)]
    rows = []
    for number, name in enumerate([*names, "vault"], start=1):
        row = {"name": name, "kind": "workstation", "address": f"192.0.2.{number}", "host_key": key, "access": "lab"}
        row |= {"os_name": "Debian GNU/Linux 12", "mac": f"02:00:00:00:00:{number:02x}"}
        if name == "vault":
            row |= {"kind": "server", "role": "vault"}
        if name.startswith("apc-"):
            row["successor"] = successor(name)
        rows.append(row)
    return rows


def trouble_on_simulated_machines(demo: Demo) -> tuple[str, str]:
    """One machine of the second batch is cut off, on another one the restore fails; their names."""
    content = demo.quietly("stadt", "wave", "show", "W01")["content"]
    names = {move["asset"]: move["name"] for move in content["moves"]}
    second = next(batch for batch in content["batches"] if batch["name"] == "b1")
    hosts = demo.home / "hosts"
    hosts.mkdir()
    cut, broken = second["assets"][:2]
    (hosts / f"{cut}.fault").write_text("unreachable preflight", encoding="utf-8")
    (hosts / f"{broken}.fault").write_text("failed restore disk_full", encoding="utf-8")
    return names[cut], names[broken]
