"""Names of a procedure that Kahn changes itself, at real name servers: BIND with Knot behind it, and the reverse."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from orchestrator.adapters.runbooks import SHIPPED
from orchestrator.lab.host import HostSpec
from orchestrator.lab.lab import Lab
from tests.labs import lab
from tests.playbooks.moving_procedures import Town, Wish, a_town
from tests.playbooks.name_servers import KEY_FILE, PACKAGES, PRIMARY, SECONDARY, SECRET, SETTINGS, NameServers
from tests.playbooks.test_move_procedure_long import FAILS, kill_all
from tests.scenarios.story import ENGINEER, wait_until

__all__ = ["lab"]
pytestmark = [pytest.mark.lab, pytest.mark.long]
TTL_S = 20
MORE = 'dns_names = ["wohngeldNUMBER.stadt.example"]\n' + SETTINGS


def a_named_town(place: Path, lab: Lab, tenant: str, *, kind: str, **wish: Any) -> tuple[Town, NameServers]:
    town = a_town(place, lab, tenant=tenant, wish=Wish(rows=40, documents=5, gate_packages=PACKAGES, more=MORE, **wish))
    numbers = range(1, town.count + 1)
    names = tuple(f"wohngeld{n}" for n in numbers)
    records = "".join(f"wohngeld{n} {TTL_S} A {town.host(f'alt-{n}').address}\n" for n in numbers)
    servers = NameServers(host=town.host("gate"), kind=kind, granted=names, records=records)
    return town, servers.up()


def everywhere(servers: NameServers, number: int = 1) -> set[tuple[tuple[str, ...], int]]:
    """What the servers say of that name; one answer where they agree."""
    told = (servers.told(one, f"wohngeld{number}.stadt.example") for one in (PRIMARY, SECONDARY))
    return {(tuple(found), seconds) for found, seconds in told}


@pytest.mark.parametrize("kind", ["bind", "knot"])
def test_the_time_to_live_is_lowered_and_waited_out_the_name_led_over_and_all_of_it_put_back(
    lab: Lab, tmp_path: Path, kind: str
) -> None:
    town, servers = a_named_town(tmp_path / "story", lab, f"namen-{kind}", kind=kind)
    old, new = town.host("alt-1").address, town.host("rz-1").address
    begun = time.monotonic()
    forward = town.story.tried("wave", "run", "W01")
    assert town.story.states() == {"alt-1": ("moved", "")}, forward
    assert time.monotonic() - begun > TTL_S and "names_cached" in str(town.story.facts())
    assert everywhere(servers) == {((new,), TTL_S)}, "at the end of its soak the name lives as long as before"
    back = town.story.tried("wave", "rollback", "W01", "--yes", "--reason", "Probe", person=ENGINEER)
    assert town.story.states() == {"alt-1": ("rolled_back", "asked")}, back
    assert everywhere(servers) == {((old,), TTL_S)}
    assert servers.serial(PRIMARY) == servers.serial(SECONDARY)
    secret = SECRET in "".join(one.read_text(errors="replace") for one in town.story.home.rglob("*") if one.is_file())
    assert not secret and SECRET not in str(town.story.facts())


def test_a_failure_at_every_step_leaves_record_and_time_to_live_as_they_were(lab: Lab, tmp_path: Path) -> None:
    runbook = tmp_path / "move-procedure"
    shutil.copytree(SHIPPED / "move-procedure", runbook)
    for number, name in enumerate(("prepare-target", "wait-for-names", "cut-over", "verify-cut-over"), start=1):
        with (runbook / f"{name}.yml").open("a") as opened:
            opened.write(FAILS % f"alt-{number}")
    more = {"runbook": runbook, "count": 4, "policy": {"max_tries": 1}}
    town, servers = a_named_town(tmp_path / "story", lab, "namen-bruch", kind="bind", **more)
    ended = town.story.tried("wave", "run", "W01")
    assert {state for state, _ in town.story.states().values()} == {"rolled_back"}, (town.story.states(), ended)
    for number in range(1, 5):
        assert everywhere(servers, number) == {((town.host(f"alt-{number}").address,), TTL_S)}, number
        assert town.host(f"alt-{number}").run("systemctl", "is-active", "wohngeld.service").strip() == "active"


def test_a_controller_that_dies_while_it_waits_or_switches_goes_on_and_the_waiting_is_not_shortened(
    lab: Lab, tmp_path: Path
) -> None:
    town, servers = a_named_town(tmp_path / "story", lab, "namen-tod", kind="knot")
    old, new = town.host("alt-1").address, town.host("rz-1").address
    notes = town.host("gate").root / "var/lib/kahn"
    begun = town.story.begin("wave", "run", "W01")
    wait_until(lambda: any('"since"' in one.read_text() for one in notes.glob("*/names")), within_s=300, every_s=0.1)
    lowered = time.monotonic()
    assert kill_all(town.story.home) >= 1
    begun.wait(60)
    assert everywhere(servers) == {((old,), 2)}
    begun = town.story.begin("wave", "run", "W01")
    wait_until(lambda: any('"none"' in one.read_text() for one in notes.glob("*/writer")), within_s=300, every_s=0)
    assert time.monotonic() - lowered > TTL_S - 1, "the switch began before the old time to live was over"
    assert kill_all(town.story.home) >= 1
    begun.wait(60)
    for _ in range(3):
        ended = town.story.tried("wave", "run", "W01")
        state = town.story.states()["alt-1"][0]
        if state in ("moved", "rolled_back"):
            break
    assert state in ("moved", "rolled_back"), ended
    wanted = ((new,), TTL_S) if state == "moved" else ((old,), TTL_S)
    assert everywhere(servers) == {wanted}
    if state == "moved":
        town.story.tried("wave", "rollback", "W01", "--yes", "--reason", "Probe", person=ENGINEER)
    assert everywhere(servers) == {((old,), TTL_S)}


# ---------------------------------------------------------------------- what servers refuse, without a wave


ASKED = """
import json, time, kahn_update as u
from kahn_names import Names
from kahn_outcome import Trouble
def cause(act):
    try: act()
    except Trouble as trouble: return [trouble.cause, trouble.says]
    return ["", ""]
def tried(server="127.0.0.1", name="wohngeld1", now="10.0.0.1", then="10.0.0.2", off_s=0):
    zone, real = "stadt.example", time.time
    records = [u.Record(name + "." + zone, one, 20) for one in (now, then)]
    u.time.time = lambda: real() + off_s
    try: return cause(lambda: u.replace((server, 53), u.Key(KEY), zone, *records))
    finally: u.time.time = real
def led(name): return cause(lambda: Names({"dns_names": [name + ".stadt.example"]}).fit("10.0.0.1"))
"""
RECORDS = (
    "wohngeld1 20 A 10.0.0.1\nfremd 20 A 10.0.0.1\nviele 20 A 10.0.0.1\nviele 20 A 10.0.0.9\nauch 20 CNAME wohngeld1\n"
)


@pytest.fixture(scope="module", params=["bind", "knot"])
def alone(lab: Lab, request: pytest.FixtureRequest) -> Iterator[NameServers]:
    """Both servers on one host, nothing else."""
    tenant = f"nur-{request.param}"
    gate = HostSpec(name="gate", kind="server", disk_mib=256, packages=PACKAGES)
    lab.up(tenant=tenant, specs=(gate,))
    host = lab.host("gate", tenant=tenant)
    yield NameServers(host=host, kind=request.param, granted=("wohngeld1", "auch", "viele"), records=RECORDS).up()


def asked(servers: NameServers, what: str) -> str:
    """The cause that Kahn's own program names on that host."""
    cause, says = servers.program(ASKED.replace("KEY", repr(KEY_FILE)) + f"print(json.dumps({what}))")
    assert SECRET not in says
    return str(cause)


def test_each_refusal_of_a_real_server_is_known_by_its_cause(alone: NameServers) -> None:
    serial = alone.serial(PRIMARY)
    refused = "names_refused" if alone.kind == "bind" else "names_key_wrong"  # Knot tells no difference
    assert asked(alone, "tried(name='fremd')") == asked(alone, "tried(name='fehlt')") == refused
    assert asked(alone, "tried(now='10.0.0.7')") == "names_changed"
    assert asked(alone, "tried(name='auch')") == "names_changed", "an alias has no address of its own"
    assert asked(alone, "tried(name='viele')") == "names_changed", "one of several is not all"
    assert asked(alone, "tried(off_s=4000)") == "names_clock_wrong"
    assert asked(alone, "tried(server='127.0.0.2')") == "names_key_wrong", "a secondary knows no key"
    assert asked(alone, "tried(server='127.0.0.3')") == "names_unanswered"
    assert asked(alone, "led('auch')") == "names_alias" and asked(alone, "led('viele')") == "names_differ"
    alone.key(SECRET.replace("a2", "b2"))
    assert asked(alone, "tried()") == "names_key_wrong"
    (alone.host.root / KEY_FILE.lstrip("/")).write_text(
        (alone.host.root / KEY_FILE.lstrip("/")).read_text().replace("kahn", "fremd")
    )
    assert asked(alone, "tried()") == "names_key_wrong"
    alone.key()
    assert alone.serial(PRIMARY) == serial and asked(alone, "tried()") == ""
    assert alone.told(PRIMARY, "wohngeld1.stadt.example") == (["10.0.0.2"], 20)
