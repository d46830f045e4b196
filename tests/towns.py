"""A small town in a real store, with people who have real SSH keys, up to an approved wave."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from inventory.changes import Appeared, ChangeSet
from inventory.model import Asset, AssetId, AssetKind, TenantId, Value
from orchestrator.actions.approve_plan import approve_wave
from orchestrator.actions.desk import Outside
from orchestrator.actions.drive_wave import Driver, rests
from orchestrator.actions.record import wave_at
from orchestrator.actions.sign import Intent, Keyboard
from orchestrator.actions.start_wave import claim_wave
from orchestrator.actions.store_plan import store_plan
from orchestrator.adapters.clock import SystemClock
from orchestrator.adapters.signatures import read_public_key
from orchestrator.core.access import AccessProfile, JumpHost
from orchestrator.core.freeze import Frozen
from orchestrator.core.plan import Plan, PlanRequest
from orchestrator.core.planner.first_fit import FirstFitPlanner
from orchestrator.core.policy import Policy, Window
from orchestrator.core.progress import WaveProgress
from orchestrator.core.runbook import Runbook
from orchestrator.core.wave import ActKind
from orchestrator.ports import Store, WaveRow
from orchestrator.run_ports import PlaybookRunner
from tests.fresh_stores import key_pair
from tests.orchestrator.core.builders import KEY, a_runbook
from tests.remembered_signatures import RememberedSignatures

STADT = TenantId("stadt")


@dataclass
class TestClock:
    """A clock that tests set; ids as in life."""

    __test__ = False  # its name begins like a test

    moment: datetime = datetime(2026, 12, 1, 21, 0, tzinfo=UTC)
    _ids: SystemClock = field(default_factory=SystemClock)

    def now(self) -> datetime:
        """The moment set."""
        return self.moment

    def new_id(self) -> str:
        """A real one."""
        return self._ids.new_id()


def a_keyboard(folder: Path, name: str) -> Keyboard:
    """A person with a key pair of their own."""
    return Keyboard(person=name, key_file=key_pair(folder / f"{name}_key", name))


def public_key(keyboard: Keyboard) -> str:
    """Their public key."""
    return read_public_key(keyboard.key_file.with_suffix(".pub"))


def assets_of(tenant: TenantId, seats: int) -> tuple[Asset, ...]:
    """Old workstations with successors, and a vault."""

    def machine(name: str, number: int, **values: Value) -> Asset:
        common: dict[str, Value] = {
            "address": f"10.9.{number // 250}.{number % 250 + 1}",
            "access": "lab",
            "host_key": KEY,
        }
        kind = AssetKind.SERVER if name == "vault" else AssetKind.WORKSTATION
        return Asset(id=AssetId(f"{name}-id"), tenant=tenant, kind=kind, name=name, values={**common, **values})

    old = [machine(f"apc-{n:03}", n, successor=f"neu-{n:03}") for n in range(1, seats + 1)]
    new = [machine(f"neu-{n:03}", 1000 + n) for n in range(1, seats + 1)]
    return (*old, *new, machine("vault", 5000, role="vault"))


@dataclass
class Town:
    """A town that can be driven: store, clock, runner, people."""

    store: Store
    runs: PlaybookRunner
    folder: Path
    seats: int = 6
    policy: Policy = field(default_factory=Policy)
    runbook: Runbook = field(default_factory=a_runbook)
    clock: TestClock = field(default_factory=TestClock)
    jump: JumpHost | None = None

    def __post_init__(self) -> None:
        self.signatures = RememberedSignatures()
        self.anna, self.bert = a_keyboard(self.folder, "anna"), a_keyboard(self.folder, "bert")
        window = Window(opens=self.clock.now() - timedelta(minutes=5), closes=self.clock.now() + timedelta(hours=4))
        options = {"windows": (window,), "weekly": (), "runbooks": {AssetKind.WORKSTATION: self.runbook.name}}
        self.policy = Policy(**{**_fields(self.policy), **options})  # type: ignore[arg-type]
        with self.store.transaction() as books:
            books.tenants.add(STADT, policy=self.policy)
            books.tenants.put_access(
                STADT, AccessProfile(name="lab", user="root", key_file="/keys/lab", jump=self.jump)
            )
            for keyboard in (self.anna, self.bert):
                books.people.add(STADT, name=keyboard.person, public_key=public_key(keyboard))
            appeared = tuple(Appeared(asset=asset, source="test") for asset in assets_of(STADT, self.seats))
            books.assets.apply(ChangeSet(tenant=STADT, appeared=appeared))

    def outside(self, **other: object) -> Outside:
        """The ports; some may be replaced."""
        ports = {
            "store": self.store,
            "runs": self.runs,
            "clock": self.clock,
            "signatures": self.signatures,
            "tree_there": lambda _runbook: True,
            "tell": lambda _error: None,
        }
        return Outside(**{**ports, **other})  # type: ignore[arg-type]

    def plan(self, **request: object) -> Plan:
        """A plan for what is there now."""
        with self.store.reading() as books:
            snapshot, parent = books.assets.snapshot(STADT), books.plans.current(STADT)
        wanted = {"snapshot": snapshot, "policy": self.policy, "not_before": self.clock.now(), "parent": parent}
        return FirstFitPlanner().propose(PlanRequest(**{**wanted, **request}))  # type: ignore[arg-type]

    def propose(self, plan: Plan | None = None) -> WaveRow:
        """Store a plan and propose its waves, signed by Anna; returns the first wave."""
        plan = plan or self.plan()
        with self.outside().desk() as desk:
            frozen = Frozen(
                snapshot=desk.books.assets.snapshot(STADT),
                policy=self.policy,
                runbooks={self.runbook.name: self.runbook},
                profiles={one.name: one for one in desk.books.tenants.access(STADT)},
                ansible_core="2.19.14",
            )
            store_plan(desk, plan, frozen=frozen, keyboard=self.anna)
            return desk.books.waves.get(STADT, "W01")

    def approve(self, keyboard: Keyboard | None = None, *, wave: str = "W01", **intent: object) -> None:
        """Sign an approval, by Bert if nobody else is named."""
        wanted = Intent(kind=ActKind.APPROVE, **intent)  # type: ignore[arg-type]
        with self.outside().desk() as desk:
            row = desk.books.waves.get(STADT, wave)
            approve_wave(desk, row, keyboard=keyboard or self.bert, intent=wanted, freeze=lambda _runbook: None)

    def start(self) -> None:
        """Claim the wave."""
        with self.outside().desk() as desk:
            claim_wave(desk, desk.books.waves.get(STADT, "W01"), tree_there=lambda _runbook: True)

    def driver(self, **other: object) -> Driver:
        """A fresh driver with a fresh epoch, as after a restart."""
        with self.store.transaction() as books:
            epoch = books.raise_epoch()
        return Driver(self.outside(**other), epoch=epoch)

    def drive(self, driver: Driver | None = None, *, ticks: int = 400) -> None:
        """Tick until the wave rests; the clock moves when nothing happens."""
        driver = driver or self.driver()
        for _ in range(ticks):
            if not driver.tick():
                if rests(*self.wave()):
                    return
                self.clock.moment += timedelta(seconds=20)
        raise AssertionError(f"the wave did not rest: {self.states()}")

    def wave(self) -> tuple[WaveRow, WaveProgress]:
        """The wave and its progress."""
        with self.store.reading() as books:
            return wave_at(books, STADT, "W01")

    def states(self) -> dict[str, str]:
        """State by name, from the table."""
        with self.store.reading() as books:
            return {move.name: move.state.value for move in books.waves.moves(STADT, "W01")}


def _fields(policy: Policy) -> dict[str, object]:
    return {name: getattr(policy, name) for name in policy.__dataclass_fields__}


TownMaker = Callable[..., Town]
