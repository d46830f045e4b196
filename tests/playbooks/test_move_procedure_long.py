"""The long proofs of move-procedure: the measure, a failure forced at every step, and machines that are not fit."""

from __future__ import annotations

import os
import shutil
import signal
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from orchestrator.adapters.runbooks import SHIPPED
from orchestrator.lab.lab import Lab
from tests.labs import lab
from tests.playbooks.moving_procedures import Town, Wish, a_town
from tests.playbooks.test_move_procedure import LEFT
from tests.scenarios.outside import Walked, differences, walked
from tests.scenarios.story import Ended, wait_until

__all__ = ["lab"]
pytestmark = [pytest.mark.lab, pytest.mark.long]
MOST_OUTAGE_S = 5
FAILS = (
    "- name: Fail\n  hosts: all\n  gather_facts: false\n  tasks:\n    - name: Fail\n"
    "      ansible.builtin.fail: {msg: As the test wants it.}\n      when: kahn_name == '%s'\n"
)
STEPS = ("preflight", "prepare-target", "first-copy", "cut-over", "verify-cut-over")


# ---------------------------------------------------------------------- 200,000 rows, 500 documents


def test_two_hundred_thousand_rows_move_within_five_seconds_of_outage_and_no_write_is_lost(
    lab: Lab, tmp_path: Path, record_property: Any
) -> None:
    town = a_town(tmp_path / "story", lab, tenant="mass", wish=Wish(rows=200_000, documents=500))
    users = town.users(write="wert")
    forward = town.story.tried("wave", "run", "W01")
    seen = users.ended()
    assert forward.code == 0, forward
    record_property("outages_s", seen["outages"])
    marks = town.marks("rz-1")
    assert sorted(marks) == sorted(seen["acknowledged"]) and len(marks) > 20 and not seen["down"]
    assert max(seen["outages"]) <= MOST_OUTAGE_S, seen["outages"]


# ---------------------------------------------------------------------- a failure at every step


@dataclass
class Broken:
    """Five procedures in one wave, each with a failure after another step."""

    town: Town
    ended: Ended
    before: dict[str, Walked]
    after: dict[str, Walked] = field(default_factory=dict)
    seen: dict[int, dict[str, Any]] = field(default_factory=dict)


@pytest.fixture(scope="module")
def broken(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broken]:
    place = tmp_path_factory.mktemp("bruch") / "story"
    runbook = place.parent / "move-procedure"
    shutil.copytree(SHIPPED / "move-procedure", runbook)
    for number, name in enumerate(STEPS, start=1):
        with (runbook / f"{name}.yml").open("a") as opened:
            opened.write(FAILS % f"alt-{number}")
    count = len(STEPS)
    town = a_town(place, lab, tenant="bruch", wish=Wish(count=count, runbook=runbook, policy={"max_tries": 1}))
    names = [f"{one}-{n}" for n in range(1, count + 1) for one in ("alt", "rz")]
    before = {name: walked(town.host(name).root) for name in (*names, "gate")}
    users = {n: town.users(n, write=f"wert{n}") for n in range(1, count + 1)}
    ended = town.story.tried("wave", "run", "W01")
    made = Broken(town=town, ended=ended, before=before)
    made.seen = {n: one.ended() for n, one in users.items()}
    made.after = {name: walked(town.host(name).root) for name in before}
    yield made


def test_every_failure_is_taken_back_by_itself(broken: Broken) -> None:
    states = broken.town.story.states()
    # The preflight changes nothing, so there is nothing to take back: the asset is held.
    wanted = {"alt-1": "held"} | {f"alt-{n}": "rolled_back" for n in range(2, 6)}
    assert {name: state for name, (state, _) in states.items()} == wanted, broken.ended


def test_after_every_failure_the_old_server_has_each_acknowledged_write_once(broken: Broken) -> None:
    for number, seen in broken.seen.items():
        assert sorted(broken.town.marks(f"alt-{number}")) == sorted(seen["acknowledged"]), number
        assert not seen["down"] and len(seen["acknowledged"]) > 10


def test_after_every_failure_all_machines_are_as_before(broken: Broken) -> None:
    allowed = {"alt": (*LEFT, "mtime_ns /srv/wohngeld", "* /srv/wohngeld/*"), "rz": LEFT, "gate": LEFT}
    found = {
        name: differences(shot, broken.after[name], allowed=allowed[name.split("-")[0]])
        for name, shot in broken.before.items()
    }
    assert {name: lines for name, lines in found.items() if lines} == {}


# ---------------------------------------------------------------------- machines that are not fit


READER = (
    "import sqlite3, time; d = sqlite3.connect('/srv/wohngeld/wohngeld.db');"
    "d.execute('select 1 from payment').fetchone(); print(1, flush=True); time.sleep(900)"
)
UNFIT = {1: "disk_full", 2: "read_only", 3: "database_in_use", 4: "target_not_empty"}


@pytest.fixture(scope="module")
def unfit(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """1: the new server's disk is full; 2: it is read-only; 3: the database is in use; 4: files of that name."""
    wish = Wish(count=4, rows=100, documents=5, policy={"max_tries": 1})
    town = a_town(tmp_path_factory.mktemp("unfit") / "story", lab, tenant="unfit", wish=wish)
    lab.fault(town.host("rz-1"), "fill")
    town.host("rz-2").run("mount", "--bind", "/srv", "/srv")
    town.host("rz-2").run("mount", "-o", "remount,ro,bind", "/srv")
    town.host("alt-3").run("sh", "-c", 'setsid python3 -c "$0" </dev/null >/run/reads 2>&1 &', READER)
    until = time.monotonic() + 60
    while not (town.host("alt-3").root / "run/reads").read_text():
        assert time.monotonic() < until
        time.sleep(0.1)
    town.host("rz-4").run("mkdir", "/srv/wohngeld")
    yield town


def test_each_unfit_machine_has_its_cause_and_users_go_on_working(unfit: Town) -> None:
    users = {number: unfit.users(number) for number in UNFIT}
    ended = unfit.story.tried("wave", "run", "W01")
    seen = {number: one.ended() for number, one in users.items()}
    said = str(unfit.story.facts())
    assert {cause for cause in UNFIT.values() if cause not in said} == set(), said
    assert {state for state, _ in unfit.story.states().values()} <= {"rolled_back", "failed", "held"}, ended
    assert all(set(one["sites"]) == {"alt"} and not one["down"] for one in seen.values())


def test_a_gateway_that_is_away_is_named_and_nothing_is_touched(lab: Lab, tmp_path: Path) -> None:
    wish = Wish(rows=100, documents=5, policy={"max_tries": 1})
    town = a_town(tmp_path / "story", lab, tenant="ohne-tor", wish=wish)
    before = {name: walked(town.host(name).root) for name in ("alt-1", "rz-1")}
    lab.fault(town.host("gate"), "refuse")
    town.story.tried("wave", "run", "W01")
    said = str(town.story.facts())
    lab.fault(town.host("gate"), "heal")
    assert "connection_refused" in said and town.story.wave()["view"]["state"] == "held", said
    allowed = (*LEFT, "mtime_ns /srv/wohngeld")
    changed = {n: differences(shot, walked(town.host(n).root), allowed=allowed) for n, shot in before.items()}
    assert changed == {"alt-1": [], "rz-1": []}


# ---------------------------------------------------------------------- a controller that dies in the middle


def kill_all(home: Path) -> int:
    """Every program of this machine whose words or working directory name the story's state directory; how many."""
    count = 0
    for place in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            words = (place / "cmdline").read_bytes().decode(errors="replace")
            if str(home) in words + os.readlink(place / "cwd") and int(place.name) != os.getpid():
                os.kill(int(place.name), signal.SIGKILL)
                count += 1
    return count


def test_a_controller_that_is_killed_in_the_cut_over_goes_on_when_it_is_started_again(lab: Lab, tmp_path: Path) -> None:
    town = a_town(tmp_path / "story", lab, tenant="tod", wish=Wish(rows=40_000, documents=200))
    users = town.users(write="wert")
    begun = town.story.begin("wave", "run", "W01")
    records = town.host("gate").root / "var/lib/kahn"
    wait_until(
        lambda: [one for one in records.glob("*/writer") if '"none"' in one.read_text()], within_s=300, every_s=0
    )
    assert kill_all(town.story.home) >= 2
    begun.wait(60)
    ended = [town.story.tried("wave", "run", "W01")]
    state = town.story.states()["alt-1"][0]
    if state not in ("moved", "rolled_back"):  # what is unknown is looked at again before anything is done
        ended.append(town.story.tried("wave", "run", "W01"))
        state = town.story.states()["alt-1"][0]
    seen = users.ended()
    assert state in ("moved", "rolled_back"), ended
    marks = town.marks("rz-1" if state == "moved" else "alt-1")
    assert sorted(marks) == sorted(seen["acknowledged"]) and not seen["down"], (state, ended)
