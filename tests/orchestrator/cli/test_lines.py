"""Journal entries as lines."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory.model import AssetId, TenantId
from orchestrator.cli.lines import entry_line
from orchestrator.core.canonical import plain
from orchestrator.ports import Entry, SealedEntry
from tests.orchestrator.core.builders import Game, a_wave, failing_at
from tests.orchestrator.core.played import briefly, games

AT = datetime(2026, 12, 1, 1, 10, 11, tzinfo=UTC)
NAMES = {AssetId("a01"): "apc-0417"}


def line(kind: str, /, *, zone: str = "Europe/Berlin", **body: Any) -> str | None:
    entry = Entry(kind=kind, subject="wave:W01", body=plain(body))
    sealed = SealedEntry(tenant=TenantId("stadt"), seq=1, at=AT, entry=entry, previous="", hash="")
    return entry_line(sealed, NAMES, zone=zone)


def attempt(outcome: str, direction: str = "do", /, **evidence: Any) -> str | None:
    return line(
        "attempt.ended", run="r1", asset="a01", step="save", direction=direction, outcome=outcome,
        cause="" if outcome == "done" else "vault_full", evidence=evidence,
    )  # fmt: skip


def test_a_step_that_ended_well_is_ok() -> None:
    assert attempt("done") == "02:10:11 apc-0417 save ok"
    assert attempt("done", "undo") == "02:10:11 apc-0417 undo save ok"


def test_a_failure_tells_its_cause_and_the_message() -> None:
    assert attempt("failed", msg="no space\nleft") == (
        "02:10:11 apc-0417 save FAILED: the vault is full (no space left)"
    )


def test_what_nobody_saw_is_unknown_and_never_failed() -> None:
    assert "UNKNOWN" in str(attempt("unknown")) and "FAILED" not in str(attempt("unknown"))


def test_a_probe_and_a_comparison_tell_their_answer() -> None:
    assert str(attempt("done", "probe", kahn={"answer": "not_done"})).endswith("probe save ok: not done")
    assert str(attempt("done", "compare", kahn={"baseline": "d", "now": "d"})).endswith("as before")
    assert str(attempt("done", "compare", kahn={"baseline": "d", "now": "e"})).endswith("NOT as before")


def test_a_step_of_people_says_that_it_waits_for_them_and_where_to_look() -> None:
    body: dict[str, Any] = {"batch": "b1", "direction": "do", "step": "swap", "attempts": {"a01": "t1", "a02": "t2"}}
    assert line("run.intended", **body) == "02:10:11 b1 swap on 2 assets"
    told = line("run.intended", **body, at_desk="agreed")
    assert told == "02:10:11 b1 swap on 2 assets: waits for a person, see kahn status --needs-me"


def test_a_gate_is_one_line_with_all_its_numbers() -> None:
    sizes: dict[str, Any] = {"bad": 4, "allowed": 2, "size": 12, "wave_bad": 4, "wave_allowed": 4, "wave_size": 40}
    assert line("batch.gated", batch="b2", verdict="red", **sizes) == (
        "02:10:11 GATE b2 RED: not moved 4 of 12, allowed 2; wave: 4 of 40, allowed 4"
    )


def test_without_a_zone_the_time_is_utc_and_says_so() -> None:
    assert str(line("batch.begun", zone="", batch="b1", assets=["a"])).startswith("01:10:11Z ")
    assert str(line("batch.begun", zone="No/Where", batch="b1", assets=["a"])).startswith("01:10:11Z ")


@pytest.mark.parametrize("body", [{}, {"asset": 3}, {"to": "nowhere"}])
def test_an_entry_of_another_version_is_told_and_stops_nothing(body: dict[str, Any]) -> None:
    for kind in ("move.state", "attempt.ended", "wave.state", "batch.gated", "act"):
        assert "cannot read" in str(line(kind, **body))


def test_an_unknown_kind_is_passed_over() -> None:
    assert line("something.else") is None


@given(st.text())
def test_nothing_from_a_host_can_command_a_terminal(text: str) -> None:
    told = str(attempt("failed", msg=text))
    assert told.isprintable()


@briefly
@given(games())
def test_every_entry_of_every_wave_can_be_told(game: Game) -> None:
    for fact in game.facts:
        told = line(fact.kind, **fact.body)
        assert told is None or told.isprintable()


def test_a_rolled_back_move_is_called_proven() -> None:
    game = Game(a_wave(), choose=failing_at("a01", "copy")).play()
    told = [line(fact.kind, **fact.body) for fact in game.facts]
    assert "02:10:11 apc-0417 -> rolled back, proven: failed_cause" in told
