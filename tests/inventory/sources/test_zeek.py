"""Zeek's logs give observed dependencies with evidence, and services, of machines that have the address."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from inventory.model import DependencyKind
from inventory.sources.limits import BrokenFile
from tests.inventory.sources.reading import read_text

HEAD = "#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n#path\t{path}\n#fields\t{fields}\n"
CONN = HEAD.format(path="conn", fields="ts\tid.orig_h\tid.resp_h\tid.resp_p\tservice\torig_bytes\tresp_bytes")
LINES = (
    "1521911721.6\t10.0.0.1\t10.0.0.9\t1433\t-\t1048576\t1048576\n"
    "1521998121.6\t10.0.0.1\t10.0.0.9\t1433\tmssql\t-\t1048576\n"
    "1521911721.6\t10.0.0.2\t10.0.0.2\t80\thttp\t-\t-\n"
    "broken\n"
    "#close\t2024\n"
)


def test_connections_become_dependencies_with_their_evidence(tmp_path: Path) -> None:
    reading = read_text(tmp_path, gzip.compress((CONN + LINES).encode()), "zeek")
    (one,) = reading.dependencies
    assert (one.asset, one.needs, one.kind) == ("address:10.0.0.1", "address:10.0.0.9", DependencyKind.SOFT)
    assert one.evidence == "seen by Zeek 2018-03-24 to 2018-03-25: port 1433 conn (1 times), port 1433 mssql (1 times)"
    assert (one.mib_per_day, one.observed_us) == (3.0, 1_521_998_121_600_000)
    assert "2 lines" in reading.notes[0]


def test_users_and_paths_are_not_taken(tmp_path: Path) -> None:
    head = HEAD.format(path="ntlm", fields="ts\tid.orig_h\tid.resp_h\tid.resp_p\tusername\tserver_dns_computer_name")
    reading = read_text(tmp_path, head + "1521911721.6\t10.0.0.1\t10.0.0.9\t445\terika\tsrv.stadt.example\n", "zeek")
    assert "erika" not in repr(reading)
    assert reading.dependencies[0].evidence.endswith("called srv.stadt.example")


def test_services_are_told_of_their_address(tmp_path: Path) -> None:
    head = HEAD.format(path="known_services", fields="ts\thost\tport_num\tport_proto\tservice")
    lines = "1.0\t10.0.0.9\t443\ttcp\tSSL\n2.0\t10.0.0.9\t443\ttcp\tSSL\n3.0\tx\t1\ttcp\t-\n"
    reading = read_text(tmp_path, head + lines, "zeek")
    (one,) = reading.observations
    assert (one.name, one.values["services"], len(reading.refusals)) == ("address:10.0.0.9", ("tcp/443 ssl",), 1)
    assert one.observed_us == 2_000_000


def test_a_log_without_two_ends_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BrokenFile, match="weird"):
        read_text(tmp_path, HEAD.format(path="weird", fields="ts\tname"), "zeek")
    with pytest.raises(BrokenFile, match="#fields"):
        read_text(tmp_path, "#separator \\x09\n#path\tconn\n", "zeek")
