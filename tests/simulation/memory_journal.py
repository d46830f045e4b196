"""The journal in memory: the same chain, over plainer bytes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from inventory.model import TenantId
from inventory.store import UnknownTenant
from orchestrator.core.canonical import plain
from orchestrator.core.refusals import EntryRefused
from orchestrator.ports import ChainVerdict, Entry, SealedEntry

if TYPE_CHECKING:
    from tests.simulation.memory_store import Rows

GENESIS = "0" * 64


class MemoryJournal:
    """One chain a tenant."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    def append(self, tenant: TenantId, entries: Sequence[Entry], *, at: datetime) -> tuple[SealedEntry, ...]:
        """Write the entries in order."""
        if entries and tenant not in self._rows.journal:
            raise UnknownTenant(tenant=tenant)
        chain = self._rows.journal.get(tenant, ())
        made: list[SealedEntry] = []
        for entry in entries:
            last = made[-1] if made else chain[-1] if chain else None
            made.append(_sealed(tenant, entry, at=at, last=last))
        if made:
            self._rows.journal[tenant] = (*chain, *made)
        return tuple(made)

    def read(self, tenant: TenantId, *, subject: str = "", after: int = 0) -> tuple[SealedEntry, ...]:
        """Entries with seq > after, oldest first, of one subject or of all."""
        found = self._rows.journal.get(tenant, ())[after:]
        return tuple(one for one in found if one.entry.subject == subject) if subject else found

    def redact(self, tenant: TenantId, *, seq: int, name: str) -> None:
        """Nothing here is ever redacted."""
        raise EntryRefused(why=f"entry {seq} has no text {name!r}")

    def verify(self, tenant: TenantId) -> ChainVerdict:
        """Recompute the whole chain."""
        last: SealedEntry | None = None
        for one in self._rows.journal.get(tenant, ()):
            again = _sealed(tenant, one.entry, at=one.at, last=last)
            if (again.hash, again.seq) != (one.hash, one.seq):
                return ChainVerdict(entries=one.seq - 1, broken_at=one.seq, why="its bytes do not match its hash")
            last = one
        return ChainVerdict(entries=last.seq if last else 0, broken_at=0, head=last.hash if last else GENESIS)


def _sealed(tenant: TenantId, entry: Entry, *, at: datetime, last: SealedEntry | None) -> SealedEntry:
    seq, previous = (last.seq + 1, last.hash) if last else (1, GENESIS)
    try:
        body = json.dumps(plain(entry.body), allow_nan=False)
    except (ValueError, TypeError) as cause:
        raise EntryRefused(why=f"its body has no canonical form ({cause})") from cause
    line = (
        f"{tenant} {seq} {at.timestamp()} {entry.kind} {entry.subject} {entry.by} {body} {dict(entry.texts)} {previous}"
    )
    found = hashlib.sha256(line.encode()).hexdigest()
    kept = Entry(kind=entry.kind, subject=entry.subject, body=json.loads(body), by=entry.by, texts=dict(entry.texts))
    return SealedEntry(tenant=tenant, seq=seq, at=at, entry=kept, previous=previous, hash=found)
