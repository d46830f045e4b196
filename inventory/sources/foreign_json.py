"""JSON exports of other programs: recognised by their keys, read strictly, entries as plain dictionaries."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from inventory.errors import ExpectedError
from inventory.sources.cells import decoded
from inventory.sources.json_text import json_document
from inventory.sources.limits import read_bytes, read_start

Entry = Mapping[str, Any]


def json_start(path: Path) -> str:
    """The first part of a JSON text; empty when the file is none or cannot be read."""
    try:
        start = decoded(path, read_start(path), is_start=True).lstrip("\ufeff \t\r\n")
    except ExpectedError:
        return ""
    return start if start.startswith(("{", "[")) else ""


def has_keys(start: str, *keys: str) -> bool:
    """Whether each of the keys stands in the text as a key of an object."""
    return all(re.search(rf'"{re.escape(key)}"\s*:', start) for key in keys)


def document_of(path: Path) -> object:
    """The whole document. Raises ExpectedError."""
    return json_document(path, decoded(path, read_bytes(path)))


def entry(value: object) -> Entry:
    """The value as an object; an empty one when it is something else."""
    return value if isinstance(value, dict) else {}


def entries(value: object) -> Iterator[Entry]:
    """The objects of a list, or the one object that stands where a list is expected."""
    for one in value if isinstance(value, list) else [value]:
        if isinstance(one, dict):
            yield one


def listed(value: object) -> Sequence[object]:
    """The value as a list; one plain value as a list of it, nothing as an empty one."""
    if isinstance(value, list):
        return value
    return [] if value in (None, "") else [value]


def text(value: object) -> str:
    """A plain value as text; empty for nothing and for what is no plain value."""
    if isinstance(value, bool) or value is None or isinstance(value, dict | list):
        return ""
    return str(value).strip()


def number(value: object) -> float:
    """A number, also when written as text; 0 for anything else."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value) if value >= 0 else 0.0
    digits = text(value).replace(",", ".")
    return float(digits) if re.fullmatch(r"[0-9]{1,18}(\.[0-9]{1,9})?", digits) else 0.0
