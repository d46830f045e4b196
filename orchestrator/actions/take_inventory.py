"""Import: what the read files would change, shown first; written only when told, and only onto what was shown."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from inventory.changes import ChangeSet, Holdings, applied
from inventory.endpoints import with_named_ends
from inventory.errors import ExpectedError
from inventory.merge import When, merge
from inventory.model import AssetId, TenantId
from inventory.observation import Reading, Refusal
from inventory.tables import micros
from orchestrator.actions.decide_asset import decisions_in
from orchestrator.ports import Books, Entry

IMPORTED, SUBJECT = "inventory.imported", "inventory"


class InventoryMoved(ExpectedError):
    """The inventory changed after the difference was shown."""

    code, says = "INV-019", "The inventory of {tenant} has changed since the difference was shown; nothing was written."
    remedy = "Import again: the difference will be made anew."
    exit_code = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class FileRead:
    """One file and what it says."""

    file: str
    reading: Reading
    observed_us: int = 0
    """How old its contents are, microseconds since 1970 UTC; 0: as of now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Now:
    """The time (UTC) and fresh ids."""

    at: datetime
    new_id: Callable[[], AssetId]


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """Files of one format, taken together because they may refer to each other, and what they would change."""

    source: str
    files: tuple[FileRead, ...]
    changes: ChangeSet

    def refusals_of(self, one: FileRead) -> tuple[Refusal, ...]:
        """What of this file is not taken."""
        return tuple(refusal for refusal in self.changes.refusals if refusal.place.file == one.file)


@dataclass(frozen=True, slots=True, kw_only=True)
class Intake:
    """What an import would do: steps in order, each on top of those before it."""

    before: Holdings
    steps: tuple[Step, ...]

    @property
    def is_empty(self) -> bool:
        """Whether writing would change nothing."""
        return all(step.changes.is_empty for step in self.steps)

    @property
    def refused(self) -> int:
        """How many rows and columns are not taken."""
        return sum(len(step.changes.refusals) for step in self.steps)


def holdings_in(books: Books, tenant: TenantId) -> Holdings:
    """The tenant's inventory with all it comes from, as an import or a decision needs it."""
    return replace(
        books.assets.holdings(tenant),
        decisions=decisions_in(books, tenant),
        precedence=books.tenants.policy(tenant).inventory.precedence,
    )


def compare(holdings: Holdings, files: Iterable[FileRead], *, new_id: Callable[[], AssetId], at: datetime) -> Intake:
    """What the files would change, without writing anything."""
    by_source: dict[str, list[FileRead]] = {}
    for one in files:
        by_source.setdefault(one.reading.source, []).append(one)
    steps: list[Step] = []
    now = holdings
    for source, some in by_source.items():
        if steps:
            now = applied(now, steps[-1].changes)
        ages = {one.file: one.observed_us for one in some if one.observed_us}
        when = When(imported_us=micros(at), observed_us=ages)
        reading = with_named_ends(_together(source, some), now.snapshot)
        changes = merge(now, reading, new_id=new_id, when=when)
        steps.append(Step(source=source, files=tuple(some), changes=changes))
    return Intake(before=holdings, steps=tuple(steps))


def take_inventory(books: Books, intake: Intake, *, at: datetime, by: str = "kahn") -> int:
    """Write the shown difference in the open transaction; returns how many changes there were.

    Raises InventoryMoved when the inventory is no longer the one the difference was made for.
    """
    tenant = intake.before.tenant
    if intake.is_empty:
        return 0
    if books.assets.version(tenant) != intake.before.version:
        raise InventoryMoved(tenant=tenant)
    written = sum(books.assets.apply(step.changes) for step in intake.steps)
    entries = [Entry(kind=IMPORTED, subject=SUBJECT, body=_figures(step), by=by) for step in intake.steps]
    books.journal.append(tenant, entries, at=at)
    return written


def _together(source: str, files: Iterable[FileRead]) -> Reading:
    some = [one.reading for one in files]
    return Reading(
        source=source,
        observations=tuple(one for reading in some for one in reading.observations),
        dependencies=tuple(one for reading in some for one in reading.dependencies),
        refusals=tuple(one for reading in some for one in reading.refusals),
    )


def _figures(step: Step) -> dict[str, object]:
    return {
        "source": step.source,
        "files": len(step.files),
        "appeared": dict(sorted(Counter(str(one.asset.kind) for one in step.changes.appeared).items())),
        "changed": len(step.changes.changed),
        "dependencies": len(step.changes.dependencies),
        "refused": len(step.changes.refusals),
        "unchanged": step.changes.unchanged,
        "gone": len(step.changes.gone),
        "confirmed": step.changes.confirmed,
        "overruled": step.changes.overruled,
    }
