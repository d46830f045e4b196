"""The journal in the database: canonical bytes per entry, chained by SHA-256, one chain per tenant.

Version 1 of an entry's bytes is the RFC 8785 form of ``v tenant seq at_us kind subject by body texts previous``;
``texts`` maps each free text's name to the SHA-256 of its salt and its UTF-8 bytes. Salt and text lie apart and go
together when a text is redacted, so that a short text cannot be guessed back from its hash.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from inventory.model import TenantId
from inventory.store import UnknownTenant
from inventory.tables import instant, micros, storable, table_of
from orchestrator.adapters.tables import JournalHeadRow, JournalRow, JournalTextRow
from orchestrator.core.canonical import canonical_bytes, plain
from orchestrator.core.refusals import EntryRefused, StoreDamaged
from orchestrator.ports import ChainVerdict, Entry, SealedEntry

GENESIS = "0" * 64
_JOURNAL, _HEAD, _TEXT = table_of(JournalRow), table_of(JournalHeadRow), table_of(JournalTextRow)
_LONGEST_WORD = 300
_ROWS_AT_ONCE = 1_000


class JournalBook:
    """The append-only truth about decisions and facts. Works inside the caller's transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def append(self, tenant: TenantId, entries: Sequence[Entry], *, at: datetime) -> tuple[SealedEntry, ...]:
        """Write the entries in order. Raises UnknownTenant, EntryRefused, UnstorableText."""
        if not entries:
            return ()
        seq, previous = self._head(tenant)
        sealed, rows, texts = [], [], []
        for entry in entries:
            seq += 1
            salts = {name: secrets.token_hex(16) for name in entry.texts}
            place = {"v": 1, "tenant": tenant, "seq": seq, "at_us": micros(at), "previous": previous}
            canonical = _sealed_bytes(entry, place=place, salts=salts)
            found = hashlib.sha256(canonical).hexdigest()
            sealed.append(_reread(tenant, seq, canonical, found, texts=dict(entry.texts)))
            rows.append(
                {"tenant": tenant, "seq": seq, "at_us": at, "kind": entry.kind, "subject": entry.subject,
                 "previous": previous, "hash": found, "canonical": canonical}
            )  # fmt: skip
            texts += [
                {"tenant": tenant, "seq": seq, "name": name, "salt": salts[name], "text": text}
                for name, text in entry.texts.items()
            ]
            previous = found
        self._connection.execute(insert(_JOURNAL), rows)
        if texts:
            self._connection.execute(insert(_TEXT), texts)
        self._connection.execute(update(_HEAD).where(_HEAD.c.tenant == tenant).values(seq=seq, hash=previous))
        return tuple(sealed)

    def read(self, tenant: TenantId, *, subject: str = "", after: int = 0) -> tuple[SealedEntry, ...]:
        """Entries with seq > after, oldest first, of one subject or of all. Redacted texts are left out."""
        wanted = (_JOURNAL.c.tenant == tenant) & (_JOURNAL.c.seq > after)
        if subject:
            wanted &= _JOURNAL.c.subject == subject
        found = self._connection.execute(select(_JOURNAL).where(wanted).order_by(_JOURNAL.c.seq)).all()
        if not found:
            return ()
        known = self._texts(tenant, first=found[0].seq, last=found[-1].seq)
        return tuple(
            _reread(
                tenant,
                row.seq,
                row.canonical,
                row.hash,
                texts={name: text for name, (_, text) in known.get(row.seq, {}).items() if text is not None},
            )
            for row in found
        )

    def redact(self, tenant: TenantId, *, seq: int, name: str) -> None:
        """Erase one free text and its salt; its hash stays and the chain stays whole. Raises EntryRefused."""
        erased = self._connection.execute(
            update(_TEXT)
            .where(_TEXT.c.tenant == tenant, _TEXT.c.seq == seq, _TEXT.c.name == name)
            .values(text=None, salt=None)
        )
        if erased.rowcount != 1:
            raise EntryRefused(why=f"entry {seq} has no text {name!r}")

    def verify(self, tenant: TenantId) -> ChainVerdict:
        """Recompute the whole chain: bytes, hashes, order, columns, texts, and the head it must end with."""
        previous, expected = GENESIS, 0
        for row, texts in self._rows_with_texts(tenant):
            expected += 1
            why = _fault(tenant, row, texts, seq=expected, previous=previous)
            if why:
                return ChainVerdict(entries=expected - 1, broken_at=expected, why=why, head=previous)
            previous = row.hash
        head = self._connection.execute(select(_HEAD).where(_HEAD.c.tenant == tenant)).one_or_none()
        if head is None or (head.seq, head.hash) != (expected, previous):
            said = f"entry {head.seq}" if head else "nothing"
            why = f"the chain ends at entry {expected}, but its head names {said}"
            return ChainVerdict(entries=expected, broken_at=expected + 1, why=why, head=previous)
        return ChainVerdict(entries=expected, broken_at=0, head=previous)

    def export(self, tenant: TenantId) -> Iterator[str]:
        """The chain as JSON lines for ``verify_chain.py``: tenant, seq, hash, canonical text, and texts with salts."""
        for row, texts in self._rows_with_texts(tenant):
            line = {
                "tenant": tenant,
                "seq": row.seq,
                "hash": row.hash,
                "canonical": bytes(row.canonical).decode(),
                "texts": {n: {"salt": salt, "text": text} for n, (salt, text) in texts.items() if text is not None},
            }
            yield json.dumps(line, sort_keys=True, ensure_ascii=True)

    def _head(self, tenant: TenantId) -> tuple[int, str]:
        head = self._connection.execute(
            select(_HEAD.c.seq, _HEAD.c.hash).where(_HEAD.c.tenant == tenant).with_for_update()
        ).one_or_none()
        if head is None:
            raise UnknownTenant(tenant=tenant)
        return int(head.seq), str(head.hash)

    def _texts(self, tenant: TenantId, *, first: int, last: int) -> dict[int, dict[str, tuple[str, str | None]]]:
        found: dict[int, dict[str, tuple[str, str | None]]] = {}
        for row in self._connection.execute(
            select(_TEXT).where(_TEXT.c.tenant == tenant, _TEXT.c.seq.between(first, last))
        ):
            found.setdefault(row.seq, {})[row.name] = (row.salt, row.text)
        return found

    def _rows_with_texts(self, tenant: TenantId) -> Iterator[tuple[Row[Any], dict[str, tuple[str, str | None]]]]:
        last = -1
        while rows := self._connection.execute(
            select(_JOURNAL)
            .where(_JOURNAL.c.tenant == tenant, _JOURNAL.c.seq > last)
            .order_by(_JOURNAL.c.seq)
            .limit(_ROWS_AT_ONCE)
        ).all():
            texts = self._texts(tenant, first=rows[0].seq, last=rows[-1].seq)
            yield from ((row, texts.get(row.seq, {})) for row in rows)
            last = rows[-1].seq


def text_hash(salt: str, text: str) -> str:
    """SHA-256 over the salt's bytes and the text's UTF-8 bytes."""
    return hashlib.sha256(bytes.fromhex(salt) + text.encode()).hexdigest()


def _sealed_bytes(entry: Entry, *, place: Mapping[str, object], salts: Mapping[str, str]) -> bytes:
    """The entry's canonical bytes, version 1. Raises EntryRefused, UnstorableText."""
    for word in (entry.kind, entry.subject, entry.by, *entry.texts):
        if len(storable(word)) > _LONGEST_WORD:
            raise EntryRefused(why=f"{word[:40]!r}... is longer than {_LONGEST_WORD} characters")
    content = {
        **place,
        "kind": entry.kind,
        "subject": entry.subject,
        "by": entry.by,
        "body": plain(entry.body),
        "texts": {name: text_hash(salts[name], storable(text)) for name, text in entry.texts.items()},
    }
    try:
        canonical = canonical_bytes(content)
        again = canonical_bytes(json.loads(canonical))
    except ValueError as cause:
        raise EntryRefused(why=f"its body has no canonical form ({cause})") from cause
    if again != canonical:
        raise EntryRefused(why="its body has no stable canonical form")
    return canonical


def _reread(tenant: TenantId, seq: int, canonical: object, found: str, *, texts: Mapping[str, str]) -> SealedEntry:
    try:
        if not isinstance(canonical, bytes | memoryview):
            raise TypeError("text in place of bytes")
        content = json.loads(bytes(canonical))
        entry = Entry(
            kind=content["kind"], subject=content["subject"], body=content["body"], by=content["by"], texts=dict(texts)
        )
        at, previous = instant(content["at_us"]), content["previous"]
    except (ValueError, KeyError, TypeError) as error:
        raise StoreDamaged(subject=f"journal entry {seq} of {tenant}", why="its bytes cannot be read") from error
    return SealedEntry(tenant=tenant, seq=seq, at=at, entry=entry, previous=previous, hash=found)


def _fault(
    tenant: TenantId, row: Row[Any], texts: Mapping[str, tuple[str, str | None]], *, seq: int, previous: str
) -> str:
    """What is wrong with the entry that must be number ``seq``; empty when nothing is."""
    if not isinstance(row.canonical, bytes | memoryview):
        return "its bytes were replaced by text"
    canonical = bytes(row.canonical)
    if row.seq != seq:
        return f"entry {seq} is missing"
    if hashlib.sha256(canonical).hexdigest() != row.hash:
        return "its bytes do not match its hash"
    try:
        content = json.loads(canonical)
        again = canonical_bytes(content)
    except ValueError:
        return "its bytes cannot be read"
    if again != canonical or not isinstance(content, dict) or content.get("v") != 1:
        return "its bytes are not in canonical form 1"
    repeated = (tenant, seq, micros(row.at_us), row.kind, row.subject, previous)
    if repeated != tuple(content.get(name) for name in ("tenant", "seq", "at_us", "kind", "subject", "previous")):
        return "its columns do not match its bytes, or it does not follow the entry before"
    if row.previous != previous or set(texts) != set(content["texts"]):
        return "its texts or its link do not match its bytes"
    for name, (salt, text) in texts.items():
        if text is not None and text_hash(salt, text) != content["texts"][name]:
            return f"its text {name!r} was changed"
    return ""
