"""Two Windows seats that are none: models behind protocol doubles, in a town of one seat."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from inventory.changes import Changed, ChangeSet, FieldChange
from inventory.model import AssetId
from inventory.psrp_options import Psrp
from orchestrator.actions.drive_wave import Driver, rests
from orchestrator.actions.sign import Intent
from orchestrator.actions.take_back import ask_rollback
from orchestrator.actions.work_by_hand import say_how_it_went
from orchestrator.adapters.clock import SystemClock
from orchestrator.adapters.runbook_trees import freeze_runbook
from orchestrator.adapters.runbooks import SHIPPED, load_runbook
from orchestrator.adapters.runs import AnsibleRuns
from orchestrator.adapters.store import DatabaseStore
from orchestrator.core.access import AccessProfile
from orchestrator.core.by_hand import desk_works
from orchestrator.core.policy import Policy
from orchestrator.core.wave import ActKind
from orchestrator.lab.certificates import a_certificate
from orchestrator.lab.psrp_double import Double, a_double
from orchestrator.lab.windows_models import SEAT_FILES as FILES
from orchestrator.lab.windows_models import Seat, two_seats
from tests.run_orders import PLAYBOOK
from tests.towns import STADT, TestClock, Town
from tests.waiting import PATIENCE_S

__all__ = ["FILES"]
OLD, NEW, RUNBOOK = "apc-001", "neu-001", "replace-windows-seat"


@dataclass(kw_only=True)
class WindowsTown:
    """A town in a real store whose one machine runs Windows; real Ansible, real signatures, protocol doubles."""

    town: Town
    runs: AnsibleRuns
    old: Seat
    new: Seat
    doubles: tuple[Double, Double]

    def drive(self, *, until: str) -> None:
        """Let the driver work until people are waited for (``desk``) or the wave rests. Raises AssertionError."""
        outside = self.town.outside(runs=self.runs, clock=SystemClock())
        with self.town.store.transaction() as books:
            driver = Driver(outside, epoch=books.raise_epoch(above=self.runs.epoch()))
        ends = time.monotonic() + 10 * PATIENCE_S
        while time.monotonic() < ends:
            if not driver.tick():
                wave, progress = self.town.wave()
                if rests(wave, progress) or (until == "desk" and self.waiting()):
                    return
                time.sleep(0.05)
        raise AssertionError(f"the wave did not get there: {self.town.states()}")

    def waiting(self) -> list[str]:
        """What people are waited for."""
        wave, progress = self.town.wave()
        return [one.about for one in desk_works(wave.content, progress)]

    def say(self, *, done: bool = True) -> str:
        """A person signs for what is waited for."""
        (about,) = self.waiting()
        intent = Intent(
            kind=ActKind.DID if done else ActKind.DID_NOT,
            reason="" if done else "no desk",
            assets=(AssetId(f"{OLD}-id"),),
            about=about,
        )
        with self.town.outside().desk() as desk:
            say_how_it_went(desk, desk.books.waves.get(STADT, "W01"), keyboard=self.town.bert, intent=intent)
        return about

    def take_back(self) -> None:
        """Anna asks for the rollback of the whole wave."""
        intent = Intent(kind=ActKind.ROLL_BACK, reason="as it was", assets=(AssetId(f"{OLD}-id"),))
        with self.town.outside().desk() as desk:
            ask_rollback(desk, desk.books.waves.get(STADT, "W01"), keyboard=self.town.anna, intent=intent)


@contextmanager
def a_windows_town(place: Path, sockets: Path) -> Iterator[WindowsTown]:
    """Up to a wave of one seat that has been claimed."""
    old, new = two_seats()
    kit = Kit(runbook=RUNBOOK, vars="windows_seats", os_name="Windows 11 Pro")
    modules = ({"kahn_windows_seat": old}, {"kahn_windows_seat": new})
    with a_town_of(kit, modules, place=place, sockets=sockets) as (town, runs, doubles):
        yield WindowsTown(town=town, runs=runs, old=old, new=new, doubles=doubles)


@dataclass(frozen=True, kw_only=True)
class Kit:
    """A shipped runbook, its file of variables and what it has beside the share, and the system that it is for."""

    runbook: str
    vars: str
    os_name: str
    described: str = ""


Modules = Mapping[str, Callable[[Mapping[str, Any]], Mapping[str, Any]]]


@contextmanager
def a_town_of(
    kit: Kit, modules: tuple[Modules, Modules], *, place: Path, sockets: Path
) -> Iterator[tuple[Town, AnsibleRuns, tuple[Double, Double]]]:
    """A claimed wave of one machine, whose double and successor's answer from these modules."""
    with ExitStack() as open_:
        old, new = (
            open_.enter_context(a_double(certificate=a_certificate(place / name), modules=dict(answers)))
            for name, answers in zip(("tls-old", "tls-new"), modules, strict=True)
        )
        folder = _own_copy(place, kit)
        runs = AnsibleRuns(
            state=place / "state",
            trees=place / "state/trees",
            ansible_playbook=PLAYBOOK,
            clock=SystemClock(),
            sockets=sockets,
        )
        store = DatabaseStore.create_or_upgrade(f"sqlite:///{place}/kahn.sqlite")
        open_.callback(store.close)
        runbook = load_runbook(folder)
        (place / "state/trees").mkdir(parents=True)
        freeze_runbook(runbook, folder, place / "state/trees", shared=SHIPPED)
        town = Town(
            store=store, runs=runs, folder=place, seats=1, policy=Policy(canary_size=0, probe_gap_s=1),
            runbook=runbook, clock=TestClock(moment=datetime.now(UTC)),
        )  # fmt: skip
        _onto_windows(town, place, (old, new), os_name=kit.os_name)
        town.propose()
        town.approve()
        town.start()
        yield town, runs, (old, new)


def _own_copy(place: Path, kit: Kit) -> Path:
    """The shipped runbook with a share of one's own, as a user makes it."""
    folder = place / "runbooks" / kit.runbook
    shutil.copytree(SHIPPED / kit.runbook, folder)
    (place / "share.password").write_text("anteil\n")
    lookup = f"{{{{ lookup('ansible.builtin.file', '{place}/share.password') }}}}"
    lines = (
        "windows_share: \\\\vault.example\\kahn",
        "windows_share_user: kahn",
        f'windows_share_password: "{lookup}"',
        kit.described,
    )
    (folder / f"group_vars/{kit.vars}.yml").write_text("\n".join(lines) + "\n")
    return folder


def _onto_windows(town: Town, place: Path, doubles: tuple[Double, ...], *, os_name: str) -> None:
    """The machine and its successor are reached by PSRP: the doubles, by their certificates."""
    (place / "password").write_text("geheim\n")
    ways = {OLD: ("localhost", doubles[0]), NEW: ("127.0.0.1", doubles[1])}
    with town.store.transaction() as books:
        known = {one.name: one for one in books.assets.snapshot(STADT).assets}
        changed = []
        for name, (address, double) in ways.items():
            profile = AccessProfile(
                name=name, user="kahn", key_file=str(place / "password"), port=double.port, psrp=Psrp(login="basic")
            )
            books.tenants.put_access(STADT, profile)
            values = {"address": address, "host_key": double.host_key, "access": name, "os_name": os_name}
            before = known[name]
            changes = tuple(
                FieldChange(field=key, before=before.values.get(key), after=one, source="test")
                for key, one in values.items()
            )
            changed.append(Changed(asset=replace(before, values={**before.values, **values}), changes=changes))
        books.assets.apply(ChangeSet(tenant=STADT, changed=tuple(changed)))
