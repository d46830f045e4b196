"""The store in memory: a twin of the database that passes the same tests, quick enough for thousands of waves."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, fields, replace
from typing import Any

from inventory.changes import ChangeSet, Holdings
from inventory.mapping import MappingProfile
from inventory.model import Asset, AssetId, Snapshot, TenantId
from inventory.ports import AssetStore
from inventory.store import UnknownTenant
from orchestrator import ports
from orchestrator.core.access import AccessProfile
from orchestrator.core.launches import DispatchStop, LaunchBook
from orchestrator.core.notices import Call, Notice, NoticeBook
from orchestrator.core.occurrence import Occurrence, OccurrenceBook
from orchestrator.core.people import PeopleBook, Person
from orchestrator.core.plan import Plan
from orchestrator.core.policy import Policy
from orchestrator.core.refusals import KeyTaken, NameTaken, PlanOvertaken, TenantExists, UnknownPerson
from orchestrator.core.wave import PersonId, SignedAct
from orchestrator.ports import Books, MoveRow, SealedEntry, WaveRow
from orchestrator.run_ports import RunBook, RunRow, SpoolLine
from tests.simulation.memory_journal import MemoryJournal
from tests.simulation.memory_launches import MemoryLaunches
from tests.simulation.memory_notices import MemoryNotices
from tests.simulation.memory_occurrences import MemoryOccurrences
from tests.simulation.memory_runs import MemoryAttempt, MemoryRuns
from tests.simulation.memory_waves import MemoryWaves


@dataclass
class Rows:
    """Everything that is stored. Values are never changed in place: a copy of the mappings is a copy of it all."""

    policies: dict[TenantId, Policy] = field(default_factory=dict)
    access: dict[tuple[TenantId, str], AccessProfile] = field(default_factory=dict)
    mappings: dict[tuple[TenantId, str], MappingProfile] = field(default_factory=dict)
    people: dict[tuple[TenantId, str], Person] = field(default_factory=dict)
    assets: dict[tuple[TenantId, AssetId], Asset] = field(default_factory=dict)
    plans: dict[tuple[TenantId, str], Plan] = field(default_factory=dict)
    current: dict[TenantId, str] = field(default_factory=dict)
    waves: dict[tuple[TenantId, str], WaveRow] = field(default_factory=dict)
    moves: dict[tuple[TenantId, str, int, AssetId], MoveRow] = field(default_factory=dict)
    acts: dict[tuple[TenantId, str, int], tuple[SignedAct, ...]] = field(default_factory=dict)
    sides: dict[tuple[TenantId, str, int, str], str] = field(default_factory=dict)
    journal: dict[TenantId, tuple[SealedEntry, ...]] = field(default_factory=dict)
    runs: dict[str, RunRow] = field(default_factory=dict)
    attempts: dict[tuple[str, AssetId], MemoryAttempt] = field(default_factory=dict)
    events: dict[str, dict[int, SpoolLine]] = field(default_factory=dict)
    notices: dict[tuple[TenantId, int], Notice] = field(default_factory=dict)
    calls: dict[tuple[TenantId, int, str], Call] = field(default_factory=dict)
    stops: dict[str, DispatchStop] = field(default_factory=dict)
    occurrences: dict[tuple[TenantId, str, int], Occurrence] = field(default_factory=dict)
    launches: dict[tuple[TenantId, str], str] = field(default_factory=dict)
    counters: dict[str, int] = field(default_factory=dict)

    def copy(self) -> Rows:
        """Another one that can be changed alone."""
        return Rows(**{one.name: dict(getattr(self, one.name)) for one in fields(self)})


class MemoryBooks(ports.Books):
    """Everything that is stored, within one open transaction."""

    def __init__(self, rows: Rows) -> None:
        self.rows = rows
        self.assets: AssetStore = MemoryAssets(rows)
        self.journal: ports.Journal = MemoryJournal(rows)
        self.people: PeopleBook = MemoryPeople(rows)
        self.tenants: ports.TenantBook = MemoryTenants(rows)
        self.plans: ports.PlanBook = MemoryPlans(rows)
        self.waves: ports.WaveBook = MemoryWaves(rows)
        self.runs: RunBook = MemoryRuns(rows)
        self.launches: LaunchBook = MemoryLaunches(rows)
        self.occurrences: OccurrenceBook = MemoryOccurrences(rows)
        self.notices: NoticeBook = MemoryNotices(rows)
        self.netbox: Any = None  # no part of driving

    def epoch(self) -> int:
        """The present driver epoch."""
        return self.rows.counters.get("epoch", 0)

    def raise_epoch(self, *, above: int = 0) -> int:
        """One more, and more than ``above``."""
        self.rows.counters["epoch"] = max(self.epoch(), above) + 1
        return self.epoch()

    def driven(self) -> bool | None:
        """Nobody looks who drives in a world without people."""
        return None


class MemoryStore:
    """A store of one process. ``committed`` hears the rows after each commit."""

    def __init__(self, rows: Rows | None = None, *, committed: Callable[[Rows], None] = lambda _rows: None) -> None:
        self.rows = rows or Rows()
        self.committed = committed
        self._open = False
        self._seated = False

    @contextmanager
    def transaction(self) -> Iterator[Books]:
        """Read and write; all or nothing."""
        with self._alone():
            draft = self.rows.copy()
            yield MemoryBooks(draft)
            self.rows = draft
        self.committed(draft)

    @contextmanager
    def reading(self) -> Iterator[Books]:
        """Read one moment: whoever writes meanwhile changes another copy."""
        with self._alone():
            yield MemoryBooks(self.rows)

    @contextmanager
    def seat(self) -> Iterator[bool]:
        """The driver's seat."""
        mine, self._seated = not self._seated, True
        try:
            yield mine
        finally:
            self._seated = self._seated and not mine

    @contextmanager
    def _alone(self) -> Iterator[None]:
        if self._open:
            raise RuntimeError("a transaction is open in this thread already")
        self._open = True
        try:
            yield
        finally:
            self._open = False


class MemoryTenants:
    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    def add(self, tenant: TenantId, *, policy: Policy) -> None:
        if tenant in self._rows.policies:
            raise TenantExists(tenant=tenant)
        self._rows.policies[tenant] = policy
        self._rows.journal[tenant] = ()

    def all(self) -> tuple[TenantId, ...]:
        return tuple(sorted(self._rows.policies))

    def policy(self, tenant: TenantId) -> Policy:
        if tenant not in self._rows.policies:
            raise UnknownTenant(tenant=tenant)
        return self._rows.policies[tenant]

    def set_policy(self, tenant: TenantId, policy: Policy) -> None:
        self.policy(tenant)
        self._rows.policies[tenant] = policy

    def put_access(self, tenant: TenantId, profile: AccessProfile) -> None:
        self.policy(tenant)
        self._rows.access[tenant, profile.name] = profile

    def access(self, tenant: TenantId) -> tuple[AccessProfile, ...]:
        return tuple(one for (owner, _name), one in sorted(self._rows.access.items()) if owner == tenant)

    def put_mapping(self, tenant: TenantId, profile: MappingProfile) -> None:
        self.policy(tenant)
        self._rows.mappings[tenant, profile.name] = profile

    def mappings(self, tenant: TenantId) -> tuple[MappingProfile, ...]:
        return tuple(one for (owner, _name), one in sorted(self._rows.mappings.items()) if owner == tenant)

    def drop_mapping(self, tenant: TenantId, name: str) -> bool:
        return self._rows.mappings.pop((tenant, name), None) is not None


class MemoryPeople:
    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    def add(self, tenant: TenantId, *, name: str, public_key: str) -> Person:
        if tenant not in self._rows.policies:
            raise UnknownTenant(tenant=tenant)
        for person in self.everyone(tenant):
            if person.name == name:
                raise NameTaken(name=name)
            if person.public_key == public_key:
                raise KeyTaken(person=person.id)
        number = self._rows.counters["people"] = self._rows.counters.get("people", 0) + 1
        made = Person(id=PersonId(f"p-{number:08x}"), name=name, public_key=public_key, active=True)
        self._rows.people[tenant, made.id] = made
        return made

    def find(self, tenant: TenantId, name_or_id: str) -> Person:
        for person in self.everyone(tenant):
            if name_or_id in (person.id, person.name):
                return person
        raise UnknownPerson(person=name_or_id, tenant=tenant)

    def everyone(self, tenant: TenantId) -> tuple[Person, ...]:
        return tuple(one for (owner, _id), one in sorted(self._rows.people.items()) if owner == tenant)

    def erase(self, tenant: TenantId, person: PersonId) -> None:
        self._rows.people[tenant, person] = replace(self.find(tenant, person), name="", active=False)

    def set_deputy(self, tenant: TenantId, *, person: PersonId, of: PersonId) -> None:
        deputy = self.find(tenant, person)
        self._rows.people[tenant, deputy.id] = replace(deputy, deputy_of=(*deputy.deputy_of, of))


class MemoryAssets:
    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    def snapshot(self, tenant: TenantId) -> Snapshot:
        found = tuple(one for (owner, _id), one in sorted(self._rows.assets.items()) if owner == tenant)
        return Snapshot(tenant=tenant, assets=found, dependencies=())

    def holdings(self, tenant: TenantId) -> Holdings:
        """Without claims: who said what is no part of driving."""
        return Holdings(snapshot=self.snapshot(tenant), version=self.version(tenant))

    def version(self, tenant: TenantId) -> int:
        return len(self._rows.assets)

    def apply(self, changes: ChangeSet) -> int:
        for one in changes.appeared:
            self._rows.assets[changes.tenant, one.asset.id] = one.asset
        for changed in changes.changed:
            self._rows.assets[changes.tenant, changed.asset.id] = changed.asset
        return len(changes.appeared) + len(changes.changed)

    def history(self, tenant: TenantId, names: Any) -> tuple[dict[str, object], ...]:
        return ()


class MemoryPlans:
    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    def current(self, tenant: TenantId) -> Plan | None:
        return self.get(tenant, self._rows.current.get(tenant, ""))

    def get(self, tenant: TenantId, fingerprint: str) -> Plan | None:
        return self._rows.plans.get((tenant, fingerprint))

    def put(self, tenant: TenantId, plan: Plan, *, at: Any) -> None:
        if plan.parent != self._rows.current.get(tenant, ""):
            raise PlanOvertaken(parent=plan.parent or "no plan", current=self._rows.current.get(tenant, "none"))
        fingerprint = plan.fingerprint
        self._rows.plans[tenant, fingerprint] = plan
        self._rows.current[tenant] = fingerprint
