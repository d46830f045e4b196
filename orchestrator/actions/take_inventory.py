"""Import: what the read files would change, shown first; written only when told, and only onto what was shown."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

from inventory.changes import ChangeSet, applied
from inventory.errors import ExpectedError
from inventory.merge import merge
from inventory.model import AssetId, Snapshot
from inventory.observation import Reading, Refusal
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

    before: Snapshot
    steps: tuple[Step, ...]

    @property
    def is_empty(self) -> bool:
        """Whether writing would change nothing."""
        return all(step.changes.is_empty for step in self.steps)

    @property
    def refused(self) -> int:
        """How many rows and columns are not taken."""
        return sum(len(step.changes.refusals) for step in self.steps)


def compare(snapshot: Snapshot, files: Iterable[FileRead], *, new_id: Callable[[], AssetId]) -> Intake:
    """What the files would change, without writing anything."""
    by_source: dict[str, list[FileRead]] = {}
    for one in files:
        by_source.setdefault(one.reading.source, []).append(one)
    steps: list[Step] = []
    now = snapshot
    for source, some in by_source.items():
        changes = merge(now, _together(source, some), new_id=new_id)
        steps.append(Step(source=source, files=tuple(some), changes=changes))
        now = applied(now, changes)
    return Intake(before=snapshot, steps=tuple(steps))


def take_inventory(books: Books, intake: Intake, *, at: datetime, by: str = "kahn") -> int:
    """Write the shown difference in the open transaction; returns how many changes there were.

    Raises InventoryMoved when the inventory is no longer the one the difference was made for.
    """
    tenant = intake.before.tenant
    if intake.is_empty:
        return 0
    if books.assets.snapshot(tenant) != intake.before:
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
    }
