"""What tests of machine-made formats look at: one value of one reading, without its frame."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from inventory.model import Value
from inventory.observation import Observation, Reading
from inventory.sources import recognise
from tests.inventory.builders import a_file


def read_json(folder: Path, document: object, source: str) -> Reading:
    """The document read by the source that recognises it, which must be this one."""
    return read_text(folder, json.dumps(document), source)


def read_text(folder: Path, text: str | bytes, source: str) -> Reading:
    found = recognise(path := a_file(folder, text, "export"))
    assert found.name == source
    return found.read(path)


def only(reading: Reading) -> Observation:
    """The one observation; nothing was refused."""
    assert reading.refusals == ()
    (one,) = reading.observations
    return one


def said(reading: Reading) -> Mapping[str, Value]:
    return only(reading).values


def part(values: Mapping[str, Any], *names: str) -> tuple[Any, ...]:
    return tuple(values.get(name) for name in names)
