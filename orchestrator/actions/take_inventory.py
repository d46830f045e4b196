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
from inventory.model import AssetId, Snapshot, TenantId
from inventory.observation import Reading, Refusal
from inventory.precedence import InventoryRules
from inventory.tables import micros
from orchestrator.actions.decide_asset import decisions_in
from orchestrator.ports import Books, Entry

FEW = 20
"""So many assets may always be taken away or changed."""
IMPORTED, SUBJECT = "inventory.imported", "inventory"


class InventoryMoved(ExpectedError):
    """The inventory changed after the difference was shown."""

    code, says = "INV-019", "The inventory of {tenant} has changed since the difference was shown; nothing was written."
    remedy = "Import again: the difference will be made anew."
    exit_code = 6


class ListIncomplete(ExpectedError):
    """A list that is called complete has rows that cannot be taken."""

    code, says = "INV-041", "{count} rows of {source} were refused, so nobody can tell what is missing from the list."
    remedy = "Correct the refused rows first, or import without --vanished: then nothing is taken away."
    exit_code = 8


class TooMuchAtOnce(ExpectedError):
    """An import that would take away or change more than the policy allows at once."""

    code, says = "INV-042", "This import would {what} {count} of {all} assets; the policy allows {most}."
    remedy = "Look whether it is the right file, whole; if it is meant so, repeat with --allow-many."
    exit_code = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class FileRead:
    """One file and what it says; of a file that was compared, without its rows."""

    file: str
    reading: Reading
    observed_us: int = 0
    """How old its contents are, microseconds since 1970 UTC; 0: as of now."""
    digest: str = ""
    """SHA-256 of its contents with the version that read it, for files that say the same whenever they are read."""


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


def compare(
    holdings: Holdings,
    files: Iterable[FileRead],
    *,
    new_id: Callable[[], AssetId],
    at: datetime,
    is_complete: bool = False,
) -> Intake:
    """What the files would change, without writing anything.

    ``is_complete``: the files of each source are its whole list; what is missing is gone there. Raises ListIncomplete.
    """
    waiting = _by_source(files)
    steps: list[Step] = []
    now = holdings
    for source in tuple(waiting):
        if steps:
            now = applied(now, steps[-1].changes)
        told = tuple(map(_told, waiting[source]))
        ages = {one.file: one.observed_us for one in told if one.observed_us}
        when = When(imported_us=micros(at), observed_us=ages, is_complete=is_complete)
        # The rows are handed over and not kept here, so that the merge can let them go.
        changes = merge(
            now, with_named_ends(_together(source, waiting.pop(source)), now.snapshot), new_id=new_id, when=when
        )
        if is_complete and changes.refusals:
            raise ListIncomplete(count=changes.tally.rejected or len(changes.refusals), source=source)
        steps.append(Step(source=source, files=told, changes=changes))
    return Intake(before=holdings, steps=tuple(steps))


def _taken_out(waiting: dict[str, list[FileRead]], source: str, snapshot: Snapshot) -> Reading:
    return with_named_ends(_together(source, waiting.pop(source)), snapshot)


def _by_source(files: Iterable[FileRead]) -> dict[str, list[FileRead]]:
    found: dict[str, list[FileRead]] = {}
    for one in files:
        found.setdefault(one.reading.source, []).append(one)
    return found


def check_shares(intake: Intake, rules: InventoryRules) -> None:
    """Refuse an import that takes away, or gives other values to, more assets than the policy allows at once.

    Fields that were not known before are no change. Raises TooMuchAtOnce.
    """
    known = len(intake.before.assets)
    gone = {one.asset.id for step in intake.steps for one in step.changes.gone if one.into is None}
    other = {
        one.asset.id
        for step in intake.steps
        for one in step.changes.changed
        if any(change.before is not None for change in one.changes)
    }
    for what, found, share in (("take away", gone, rules.most_gone), ("change", other, rules.most_changed)):
        if len(found) > max(FEW, int(known * share)):
            raise TooMuchAtOnce(what=what, count=len(found), all=known, most=max(FEW, int(known * share)))


def taken_before(books: Books, tenant: TenantId) -> frozenset[tuple[str, int]]:
    """Digest and age of every file that was taken in whole; taking it in again cannot change anything."""
    return frozenset(
        (str(digest), int(observed_us))
        for one in books.journal.read(tenant, subject=SUBJECT)
        if one.entry.kind == IMPORTED
        for digest, observed_us in one.entry.body.get("taken", ())
    )


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
    if len(some) == 1:
        return some[0]
    return Reading(
        source=source,
        observations=tuple(one for reading in some for one in reading.observations),
        dependencies=tuple(one for reading in some for one in reading.dependencies),
        refusals=tuple(one for reading in some for one in reading.refusals),
    )


def _told(one: FileRead) -> FileRead:
    """The file without its rows: what is left to be said of it."""
    return replace(one, reading=replace(one.reading, observations=(), dependencies=()))


def _figures(step: Step) -> dict[str, object]:
    return {
        "source": step.source,
        "files": len(step.files),
        "taken": [] if step.changes.refusals else [[one.digest, one.observed_us] for one in step.files if one.digest],
        "appeared": dict(sorted(Counter(str(one.asset.kind) for one in step.changes.appeared).items())),
        "changed": len(step.changes.changed),
        "dependencies": len(step.changes.dependencies),
        "refused": len(step.changes.refusals),
        "unchanged": step.changes.unchanged,
        "gone": len(step.changes.gone),
        "confirmed": step.changes.confirmed,
        "overruled": step.changes.overruled,
    }
