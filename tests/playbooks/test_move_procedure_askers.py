"""move-procedure through a soak: who still asks the old server is counted there, told by name, and forgotten."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.lab.host import Host
from orchestrator.lab.lab import Lab
from tests.labs import lab
from tests.playbooks.moving_procedures import Wish, a_town
from tests.scenarios.story import ENGINEER, wait_until

__all__ = ["lab"]
pytestmark = [pytest.mark.lab, pytest.mark.long]
KNOCK = """
import socket, sys
for _ in range(int(sys.argv[3])):
    line = socket.socket(); line.settimeout(5); line.bind((sys.argv[1], 0))
    try: line.connect((sys.argv[2], 8080)); print("taken")
    except ConnectionRefusedError: print("refused")
    line.close()
"""


def counts(host: Host) -> bool:
    """Whether its kernel counts who asks."""
    return "kahn_" in host.run("nft", "list", "tables")


def test_machines_of_the_inventory_are_named_others_counted_and_no_address_leaves_the_old_server(
    lab: Lab, tmp_path: Path
) -> None:
    wish = Wish(rows=40, documents=5, packages=("nftables",), policy={"soak_minutes": 1})
    town = a_town(tmp_path / "story", lab, tenant="frager", wish=wish)
    old, desk = town.host("alt-1"), town.host("vault")
    stranger = ".".join([*desk.address.split(".")[:3], "250"])
    desk.run("ip", "address", "add", f"{stranger}/24", "dev", desk.run("sh", "-c", _DEVICE).strip())
    running = town.story.begin("wave", "run", "W01")
    wait_until(lambda: counts(old), within_s=900, every_s=0.5)
    for address, times in ((desk.address, 3), (stranger, 2)):
        assert set(desk.run("python3", "-c", KNOCK, address, old.address, str(times)).split()) == {"refused"}
    assert running.wait(900) == 0 and town.story.states() == {"alt-1": ("moved", "")}
    told = town.story.kahn("wave", "show", "W01", "--evidence", "alt-1")
    assert "vault (3 times" in told and "addresses that the inventory does not know: 1 (2 times" in told, told
    assert "vault (3 times" in town.story.kahn("wave", "show", "W01")
    assert not counts(old)
    written = [one for one in town.story.home.rglob("*") if one.is_file() and stranger.encode() in one.read_bytes()]
    assert written == [] and stranger not in str(town.story.facts())
    town.story.tried("wave", "rollback", "W01", "--yes", "--reason", "Probe", person=ENGINEER)
    assert town.story.states() == {"alt-1": ("rolled_back", "asked")} and not counts(old)


_DEVICE = "ip -o -4 address show scope global | awk 'NR==1 {print $2}'"
