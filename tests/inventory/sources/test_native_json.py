"""The native form as one JSON document."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from inventory.observation import Reading
from inventory.sources.limits import BrokenFile
from inventory.sources.native_json import NativeJson
from tests.inventory.builders import JINJA, a_file, codes


def read(folder: Path, **sections: Any) -> Reading:
    path = a_file(folder, json.dumps({"kahn_inventory": 1, **sections}))
    assert NativeJson().recognises(path)
    return NativeJson().read(path)


def broken(folder: Path, text: str) -> str:
    with pytest.raises(BrokenFile) as raised:
        NativeJson().read(a_file(folder, text))
    return str(raised.value)


def test_every_section_is_read_with_names_under_name(tmp_path: Path) -> None:
    reading = read(
        tmp_path,
        sites=[{"name": "Rathaus"}],
        machines=[
            {"name": "srv", "kind": "vm", "site": "Rathaus", "ram_mib": 4096, "procedures": ["GIS"], "note": None}
        ],
        dependencies=[{"from": "GIS", "needs": "srv", "kind": "data"}],
    )
    assert [(one.name, dict(one.values)) for one in reading.observations] == [
        ("Rathaus", {}),
        ("srv", {"site": "Rathaus", "ram_mib": 4096, "procedures": ("GIS",)}),
    ]
    assert [(one.asset, one.needs) for one in reading.dependencies] == [("GIS", "srv")]


def test_an_unknown_key_or_section_is_refused_once_and_the_rest_is_read(tmp_path: Path) -> None:
    sites = [{"name": "A", "__ansible_unsafe": JINJA}, {"name": "B", "__ansible_unsafe": JINJA}]
    reading = read(tmp_path, sites=sites, vars={"ansible_connection": "local"})
    assert [one.name for one in reading.observations] == ["A", "B"]
    assert codes(reading) == ["INV-008", "INV-008"]


def test_a_wrong_entry_is_refused_with_section_position_and_itself(tmp_path: Path) -> None:
    reading = read(tmp_path, machines=["srv", {"name": "srv", "kind": "vm", "ram_mib": True}])
    assert [(one.place.row, one.place.column) for one in reading.refusals] == [(1, "machines"), (2, "machines.ram_mib")]
    assert reading.refusals[1].row == ("machines", '{"name": "srv", "kind": "vm", "ram_mib": true}')
    assert reading.headings == ("section", "entry")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('{"kahn_inventory": 1, "sites": [{"name": "A", "name": "B"}]}', "twice"),
        ('{"kahn_inventory": 1, "sites": [], "sites": []}', "twice"),
        ('{"kahn_inventory": 1, "x": NaN}', "NaN"),
        ('{"kahn_inventory": 1, "x": -Infinity}', "Infinity"),
        ('{"kahn_inventory": 1, "x": 1e999}', "too large"),
        ('{"kahn_inventory": 1, "x": ' + "9" * 5000 + "}", "too large"),
        ('{"kahn_inventory": 1, "x": ' + "[" * 5 + "]" * 5 + "}", "deep"),
        ("[" * 100_000, "deep"),
        ('{"a":' * 100_000, "deep"),
        ('{"kahn_inventory": 1, "sites": {}}', "list"),
        ('{"kahn_inventory": 2}', "version"),
        ('{"kahn_inventory": true}', "version"),
        ('{"sites": []}', "kahn_inventory"),
        ("[]", "kahn_inventory"),
        ('{"kahn_inventory": 1', "JSON"),
        ('{"kahn_inventory": 1, "sites": [{"name": "\\ud800"}]}', "half a character"),
        ("", "JSON"),
    ],
)
def test_a_document_that_breaks_the_rules_is_refused_whole(tmp_path: Path, text: str, why: str) -> None:
    assert why in broken(tmp_path, text)


def test_a_large_number_is_refused_where_it_stands(tmp_path: Path) -> None:
    assert codes(read(tmp_path, machines=[{"name": "srv", "kind": "vm", "ram_mib": 2**63}])) == ["INV-001"]


def test_control_characters_written_as_escapes_are_refused(tmp_path: Path) -> None:
    sites = [{"name": "a\0"}, {"name": "a\n"}, {"name": "A", "note": "\x1b[2J"}]
    reading = read(tmp_path, sites=sites)
    assert [one.name for one in reading.observations] == ["a"]
    assert len(reading.refusals) == 2
