"""Zeek's logs as JSON say the same as its tables."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from inventory.sources.zeek_json import is_zeek_json, json_log
from tests.inventory.sources.reading import read_text
from tests.inventory.sources.test_zeek import CONN, LINES

ENDS: dict[str, Any] = {"id.orig_h": "10.0.0.1", "id.resp_h": "10.0.0.9", "id.resp_p": 1433}
ENTRIES: list[dict[str, Any]] = [
    {"_path": "conn", "ts": 1521911721.6, **ENDS, "orig_bytes": 1048576, "resp_bytes": 1048576},
    {"_path": "conn", "ts": "2018-03-25T17:15:21.600000Z", **ENDS, "service": "mssql", "resp_bytes": 1048576},
    {"_path": "conn", "ts": 1521911721.6, **ENDS, "id.orig_h": "10.0.0.9"},
]


def written(entries: list[dict[str, Any]]) -> str:
    return "".join(json.dumps(one) + "\n" for one in entries)


def test_connections_become_the_very_dependencies_of_the_table(tmp_path: Path) -> None:
    reading = read_text(tmp_path, gzip.compress(f"{written(ENTRIES)}broken\n".encode()), "zeek")
    table = read_text(tmp_path, CONN + LINES, "zeek")
    (one,), (other,) = reading.dependencies, table.dependencies
    assert (one.evidence, one.mib_per_day, one.observed_us) == (other.evidence, other.mib_per_day, other.observed_us)
    assert "2 lines" in reading.notes[0]


def test_services_are_told_of_their_address(tmp_path: Path) -> None:
    entry = {"ts": 2.0, "host": "10.0.0.9", "port_num": 443, "port_proto": "tcp", "service": ["SSL"]}
    (one,) = read_text(tmp_path, written([entry, {**entry, "service": "SSL"}]), "zeek").observations
    assert (one.name, one.values["services"]) == ("address:10.0.0.9", ("tcp/443", "tcp/443 ssl"))


@pytest.mark.parametrize(("field", "log"), [("request_type", "kerberos"), ("share_type", "smb_mapping"), ("query", "")])
def test_a_log_that_does_not_say_which_it_is_is_known_by_its_fields(field: str, log: str) -> None:
    assert json_log(written([{**ENDS, field: "x"}]))[0]["path"] == [log]


def test_users_are_not_taken_and_endless_numbers_are_none(tmp_path: Path) -> None:
    odd = json.dumps({**ENDS, "username": "erika"})[:-1] + f', "ts": Infinity, "orig_bytes": {"9" * 5000}}}\n'
    reading = read_text(tmp_path, odd, "zeek")
    assert "erika" not in repr(reading) and reading.dependencies[0].mib_per_day == 0


@pytest.mark.parametrize("start", ["[1]", '{"id.orig_h": "a"}', "{", '"x"', "", "[" * 100_000])
def test_what_names_no_two_ends_is_no_log(start: str) -> None:
    assert not is_zeek_json(start)
