"""JSON text read strictly: no key twice, no NaN, no endless number, no half character, not nested without end."""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from pathlib import Path

from inventory.errors import because
from inventory.observation import Place
from inventory.sources.limits import BrokenFile

MAX_FOREIGN_DEPTH = 24
"""Exports of other programs nest more deeply than Kahn's own form, but none that is known goes beyond 12."""
_HALF_CHARACTER = re.compile(r"\\u[dD][89a-fA-F]")
_LONGEST_NUMBER = 20


def json_document(path: Path, text: str, *, depth: int = MAX_FOREIGN_DEPTH) -> object:
    """The document. Raises BrokenFile with the place where it goes wrong."""
    place = Place(file=str(path))
    try:
        document: object = json.loads(
            text,
            object_pairs_hook=_without_repeated_keys,
            parse_constant=_refuse_constant,
            parse_float=_finite,
            parse_int=_short_integer,
        )
    except RecursionError as cause:
        raise BrokenFile(place=place, why="it is nested too deeply") from cause
    except json.JSONDecodeError as cause:
        spot = Place(file=str(path), row=cause.lineno)
        raise BrokenFile(
            place=spot, why=because("it is no valid JSON: {a}, character {b}", a=cause.msg, b=cause.colno)
        ) from cause
    except ValueError as cause:
        raise BrokenFile(place=place, why=cause.args[0]) from cause
    if _HALF_CHARACTER.search(text) and not _is_writable(document):
        raise BrokenFile(place=place, why="it holds half a character (an unpaired surrogate)")
    if _is_deeper(document, depth):
        raise BrokenFile(place=place, why="it is nested too deeply")
    return document


def _is_writable(document: object) -> bool:
    try:
        json.dumps(document, ensure_ascii=False).encode()
    except (UnicodeEncodeError, RecursionError):
        return False
    return True


def _is_deeper(value: object, depth: int) -> bool:
    if not isinstance(value, dict | list):
        return False
    inner = value.values() if isinstance(value, dict) else value
    return depth == 0 or any(_is_deeper(one, depth - 1) for one in inner if isinstance(one, dict | list))


def _without_repeated_keys(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        counted = Counter(key for key, _ in pairs)
        repeated = next(key for key, count in counted.items() if count > 1)
        raise ValueError(because("the key {a!r} stands twice in one entry", a=repeated[:60]))
    return found


def _refuse_constant(word: str) -> object:
    raise ValueError(because("{a} is no number", a=word))


def _finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise ValueError(because("{a} is too large", a=digits[:40]))
    return number


def _short_integer(digits: str) -> int:
    if len(digits) > _LONGEST_NUMBER:
        raise ValueError(because("{a} is too large", a=f"{digits[:40]}..."))
    return int(digits)
