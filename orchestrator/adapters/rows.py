"""Small moves every book makes: read stored canonical bytes back, guard a unique name, keep an index key short."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import TypeVar, cast

from pydantic import ValidationError
from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from orchestrator.core.canonical import restore
from orchestrator.core.refusals import StoreDamaged

T = TypeVar("T")
_KEPT_IN_MEMORY = 512


def value_of(cls: type[T], canonical: bytes, *, subject: str, fingerprint: str | None = None) -> T:
    """The value behind stored canonical bytes. Raises StoreDamaged when they do not match the fingerprint."""
    found = hashlib.sha256(canonical).hexdigest()
    if fingerprint is not None and found != fingerprint:
        raise StoreDamaged(subject=subject, why=f"its bytes give {found[:12]}, the row says {fingerprint[:12]}")
    try:
        return cast("T", _restored(cast("Hashable", cls), bytes(canonical)))
    except (ValidationError, ValueError) as cause:
        raise StoreDamaged(subject=subject, why="its bytes cannot be read") from cause


@lru_cache(maxsize=_KEPT_IN_MEMORY)
def _restored(cls: Hashable, canonical: bytes) -> object:
    return restore(cast("type[object]", cls), json.loads(canonical))


@contextmanager
def unless_taken(connection: Connection, refusal: Exception) -> Iterator[None]:
    """Within: a row that breaks a unique name or a reference is undone alone, and ``refusal`` raised in its place."""
    try:
        with connection.begin_nested():
            yield
    except IntegrityError as cause:
        raise refusal from cause
