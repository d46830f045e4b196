"""Who still asks the old server: what the packet filter's program says, and what of it may be told."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.playbooks.modules import shared

watches = shared("kahn_watch")
SAID = {
    "nftables": [
        {"metainfo": {"json_schema_version": 1}},
        {"table": {"family": "inet", "name": "x"}},
        {"set": {"name": "four", "elem": [
            {"elem": {"val": "10.0.0.7", "timeout": 86400, "expires": 86390, "counter": {"packets": 2, "bytes": 120}}},
            {"elem": {"val": "10.0.0.8", "timeout": 86400, "expires": 82800, "counter": {"packets": 40, "bytes": 1}}},
        ]}},
        {"set": {"name": "six"}},
    ]
}  # fmt: skip


def a_program(place: Path, monkeypatch: pytest.MonkeyPatch, *, code: int = 0, said: str = json.dumps(SAID)) -> Path:
    """A program nft that notes what it was told and says that."""
    (place / "said").write_text(said)
    program = place / "nft"
    program.write_text(f'#!/bin/sh\necho "$@" >>{place}/heard\ncat >>{place}/heard\ncat {place}/said\nexit {code}\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{place}:/usr/bin:/bin")
    return place / "heard"


def test_beginnings_of_connections_are_counted_per_address_before_any_filter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard = a_program(tmp_path, monkeypatch)
    watch = watches.Watch("srv-1", 8080)
    assert watch.begin() == "" and watch.table == watches.Watch("srv-1", 1).table != watches.Watch("srv-2", 1).table
    told = heard.read_text()
    assert "hook input priority -300" in told and "flush chain" in told
    assert "tcp dport 8080 tcp flags & (syn | ack) == syn update @four { ip saddr timeout 86400s counter }" in told


def test_rows_are_read_with_the_most_connections_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    a_program(tmp_path, monkeypatch)
    assert watches.Watch("srv-1", 8080).seen() == [["10.0.0.8", 40, 3600], ["10.0.0.7", 2, 10]]


def test_a_machine_that_cannot_count_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    a_program(tmp_path, monkeypatch, code=1)
    watch = watches.Watch("srv-1", 8080)
    assert watch.seen() is None and not watch.end()
    (tmp_path / "nft").write_text("#!/bin/sh\necho Operation not permitted >&2\nexit 1\n")
    assert watch.begin() == "Operation not permitted\\n"
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))
    assert "no program nft" in watch.begin()


def test_what_makes_no_sense_is_as_if_nobody_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = {"nftables": [{"set": {"name": "four", "elem": [{"elem": {"val": "10.0.0.7", "expires": 1}}]}}]}
    for said in ("", "[]", json.dumps(wrong)):
        a_program(tmp_path, monkeypatch, said=said)
        assert watches.Watch("srv-1", 8080).seen() is None


def told(rows: Any) -> Any:
    return watches.told(rows, {"10.0.0.7": "kasse", "10.0.1.7": "kasse", "10.0.0.8": "amt"}, 100_000)


def test_machines_are_told_by_name_and_other_addresses_only_counted() -> None:
    rows = [["10.0.0.8", 40, 3600], ["10.9.9.1", 5, 10], ["10.9.9.2", 1, 90], ["10.0.0.7", 2, 10], ["10.0.1.7", 3, 5]]
    found = told(rows)
    assert found["machines"] == [
        {"name": "amt", "count": 40, "last": 96_400},
        {"name": "kasse", "count": 5, "last": 99_995},
    ]
    assert found["others"] == {"addresses": 2, "count": 6, "last": 99_990} and "10.9.9" not in str(found)


@pytest.mark.parametrize("rows", [None, "x", [["10.0.0.7", "2", 1]], [[["10.0.0.7"], 2, 1]], [["10.0.0.7", 2]], [7]])
def test_rows_of_a_hostile_machine_that_are_none_are_left_out(rows: Any) -> None:
    assert told(rows)["machines"] == [] and told(rows)["others"]["addresses"] == 0


def test_more_machines_than_anybody_reads_are_only_counted() -> None:
    known = {f"10.0.0.{n}": f"pc-{n:02}" for n in range(25)}
    found = watches.told([[address, 1, 0] for address in known], known, 100)
    assert (len(found["machines"]), found["more"]) == (20, 5)


def test_the_whole_answer_has_its_beginning_or_says_why_nobody_counts() -> None:
    found = watches.answer({"why": "", "rows": [["10.0.0.7", 1, 0]], "since": 7}, [["10.0.0.7", "kasse"]], 100)
    assert (found["since"], found["machines"][0]["name"]) == (7, "kasse")
    assert watches.answer({"why": "no\nnft", "rows": [], "since": 0}, None, 100) == {"why": "no\\nnft"}
