"""Canonical bytes of values (RFC 8785) and their SHA-256; and values back from plain JSON."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from enum import Enum
from functools import cache
from typing import Any, TypeVar, cast

import rfc8785
from pydantic import TypeAdapter

T = TypeVar("T")

LATER: Mapping[str, bool] = {"later": True}
"""Metadata of a field that a class got later: left out while it holds its default, so that what was stored and signed
before keeps its bytes."""


def plain(value: object) -> Any:
    """The value as JSON-ready data: dataclasses become objects, times ISO 8601 in UTC with microseconds."""
    if isinstance(value, Enum):
        return value.value
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: plain(getattr(value, f.name)) for f in dataclasses.fields(value) if not _left_out(value, f)}
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds")
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {str(key): plain(one) for key, one in value.items()}
    if isinstance(value, tuple | list | frozenset | set):
        ordered = sorted(value, key=str) if isinstance(value, frozenset | set) else value
        return [plain(one) for one in ordered]
    return value


def _left_out(value: object, field: dataclasses.Field[Any]) -> bool:
    if "later" not in field.metadata:
        return False
    made = field.default_factory() if field.default_factory is not dataclasses.MISSING else field.default
    return bool(getattr(value, field.name) == made)


def canonical_bytes(value: object) -> bytes:
    """The one byte form of a value (RFC 8785). Raises ValueError for what JSON cannot hold (NaN, huge integers)."""
    return bytes(rfc8785.dumps(plain(value)))


def fingerprint_of(value: object) -> str:
    """SHA-256 over the canonical bytes, hexadecimal."""
    return hashlib.sha256(canonical_bytes(value)).hexdigest()


@cache
def _adapter(cls: Any) -> TypeAdapter[Any]:
    return TypeAdapter(cls)


def restore(cls: type[T], found: object) -> T:
    """A value of ``cls`` (a dataclass) from what ``plain`` made of it. Raises pydantic.ValidationError."""
    result: T = _adapter(cast("Any", cls)).validate_python(found)
    return result


MAX_DEPTH, MAX_ITEMS, MAX_TEXT, MAX_INTEGER = 8, 200, 4_096, 2**53 - 1


def tamed(value: object, *, depth: int = MAX_DEPTH) -> Any:
    """JSON data from a host, made fit for the journal: bounded in depth, size and range, no NUL, no lone surrogates.

    Whatever does not fit becomes text or is cut; nothing a host sends can stop the driver from writing it down.
    """
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return value if abs(value) <= MAX_INTEGER else _huge(value)
    if isinstance(value, float):  # canonical bytes of a huge float are digits, which nobody reads back as a float
        return value if abs(value) <= MAX_INTEGER else str(value)
    if depth == 0:
        return "..."
    if isinstance(value, Mapping):
        return {_clean(key): tamed(one, depth=depth - 1) for key, one in list(value.items())[:MAX_ITEMS]}
    if isinstance(value, list | tuple):
        return [tamed(one, depth=depth - 1) for one in value[:MAX_ITEMS]]
    return _clean(value)


def _huge(value: int) -> str:
    return str(value) if value.bit_length() <= 256 else f"an integer of {value.bit_length()} bits"


def _clean(value: object) -> str:
    text = str(value)[:MAX_TEXT].replace("\x00", "\N{REPLACEMENT CHARACTER}")
    return text.encode("utf-8", "replace").decode("utf-8")
