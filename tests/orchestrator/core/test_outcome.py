"""What a spool proves about each asset move, and what it does not."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.core.outcome import Outcome, outcomes
from orchestrator.run_ports import SpoolLine
from tests.run_orders import line


def outcome(*lines: SpoolLine, exited: bool = True, **more: Any) -> Outcome:
    """The outcome of pc-1."""
    return outcomes(lines, hosts=("pc-1",), started=more.pop("started", True), exited=exited, **more)["pc-1"]


def kind_and_cause(*lines: SpoolLine, **more: Any) -> tuple[str, str]:
    found = outcome(*lines, **more)
    return found.kind, found.cause


CLAIMED = (line(1, "task_start", part="claim"), line(2, "ok", part="claim", rc=0))
BEGUN = (*CLAIMED, line(3, "task_start"))


def test_done_is_the_ok_of_the_last_task_even_without_the_supervisors_exit() -> None:
    assert kind_and_cause(*BEGUN, line(4, "ok"), line(5, "done", part="done"), exited=False) == ("done", "")


def test_a_run_that_played_nothing_on_the_host_is_not_done() -> None:
    assert kind_and_cause(*CLAIMED, line(3, "done", part="done")) == ("not_started", "nothing_played")


def test_a_play_that_matched_no_host_leaves_the_step_unknown() -> None:
    lines = (*CLAIMED, line(3, "no_hosts", host=""), line(4, "task_start"), line(5, "ok"), line(6, "done", part="done"))
    assert kind_and_cause(*lines) == ("unknown", "play_without_hosts")


def test_a_failed_task_is_failed_with_the_cause_its_module_gave() -> None:
    assert kind_and_cause(*BEGUN, line(4, "failed", kahn={"cause": "disk_full"})) == ("failed", "disk_full")


def test_a_failed_task_of_an_ordinary_module_is_failed_without_a_better_cause() -> None:
    assert kind_and_cause(*BEGUN, line(4, "failed", rc=2, msg="no")) == ("failed", "task_failed")


def test_a_failure_without_any_answer_of_the_machine_is_none() -> None:
    """By PSRP a line that breaks in mid-task looks like a failure of the task."""
    assert kind_and_cause(*BEGUN, line(4, "failed", lost=True)) == ("unknown", "result_lost")
    reached = (line(1, "task_start", part="claim"), line(2, "failed", part="claim", lost=True))
    assert kind_and_cause(*reached) == ("not_started", "unreachable")


def test_a_rescued_or_ignored_failure_does_not_count_once_done_is_reached() -> None:
    rescued = (*BEGUN, line(4, "failed"), line(5, "task_start"), line(6, "ok"), line(7, "done", part="done"))
    assert kind_and_cause(*rescued) == ("done", "")


def test_an_ignored_failure_is_no_failure_when_the_run_stops_behind_it() -> None:
    assert kind_and_cause(*BEGUN, line(4, "failed", ignored=True)) == ("unknown", "stopped_midway")


def test_a_failure_stays_a_failure_when_an_always_block_ran_behind_it() -> None:
    lines = (*BEGUN, line(4, "failed", msg="first"), line(5, "task_start"), line(6, "ok"))
    assert kind_and_cause(*lines) == ("failed", "task_failed")


def test_a_failure_behind_which_more_ran_is_unknown_when_the_supervisor_is_lost() -> None:
    lines = (*BEGUN, line(4, "failed"), line(5, "task_start"), line(6, "ok"))
    assert kind_and_cause(*lines, exited=False) == ("unknown", "supervisor_lost")


def test_a_failure_that_is_the_last_word_counts_without_exit() -> None:
    assert kind_and_cause(*BEGUN, line(4, "failed"), exited=False) == ("failed", "task_failed")


def test_unreachable_before_the_step_began_is_not_started_and_later_unknown() -> None:
    assert kind_and_cause(line(1, "task_start", part="claim"), line(2, "unreachable", part="claim")) == (
        "not_started",
        "unreachable",
    )
    assert kind_and_cause(*BEGUN, line(4, "unreachable")) == ("unknown", "unreachable")


@pytest.mark.parametrize(
    ("rc", "cause"), [(75, "epoch_refused"), (76, "begun_elsewhere"), (1, "claim_failed"), (None, "claim_failed")]
)
def test_a_refused_claim_is_not_started_because_no_step_began(rc: int | None, cause: str) -> None:
    fields: dict[str, Any] = {"part": "claim"} | ({} if rc is None else {"rc": rc})
    refused = line(2, "failed", **fields)
    assert kind_and_cause(line(1, "task_start", part="claim"), refused) == ("not_started", cause)


def test_a_missing_end_receipt_is_failed_by_its_own_name() -> None:
    assert kind_and_cause(*BEGUN, line(4, "ok"), line(5, "failed", part="end", rc=1)) == (
        "failed",
        "end_receipt_failed",
    )


def test_a_host_the_run_never_reached_is_not_started_only_with_exit_and_a_whole_spool() -> None:
    assert kind_and_cause(line(1, "run_start", host=""), last_seq=1) == ("not_started", "not_reached")
    assert kind_and_cause(line(1, "run_start", host=""), exited=False) == ("unknown", "supervisor_lost")
    assert kind_and_cause(line(1, "run_start", host=""), last_seq=2) == ("unknown", "spool_damaged")
    assert kind_and_cause(line(2, "run_start", host="")) == ("unknown", "spool_damaged")
    assert kind_and_cause(damaged="line 3 fails its checksum") == ("unknown", "spool_damaged")


def test_a_run_without_start_never_touched_anything() -> None:
    assert kind_and_cause(started=False, exited=False) == ("not_started", "never_started")


def test_a_task_that_was_sent_and_gave_no_result_is_unknown() -> None:
    assert kind_and_cause(*BEGUN) == ("unknown", "result_lost")
    assert kind_and_cause(*BEGUN, exited=False) == ("unknown", "supervisor_lost")


def test_a_host_stopped_between_two_tasks_is_unknown() -> None:
    assert kind_and_cause(*BEGUN, line(4, "ok")) == ("unknown", "stopped_midway")


def test_done_before_the_damage_stays_done() -> None:
    assert kind_and_cause(*BEGUN, line(4, "ok"), line(5, "done", part="done"), damaged="later") == ("done", "")


def test_the_evidence_holds_the_last_report_of_our_own_modules() -> None:
    lines = (*BEGUN, line(4, "ok", kahn={"answer": "partial"}), line(5, "done", part="done"))
    assert outcome(*lines).evidence["kahn"] == {"answer": "partial"}


def test_lines_of_hosts_that_are_no_move_of_the_run_change_nothing() -> None:
    assert set(outcomes([line(1, "done", host="other")], hosts=("pc-1",), started=True, exited=True)) == {"pc-1"}


_LINES = st.lists(
    st.tuples(
        st.sampled_from(["task_start", "ok", "failed", "unreachable", "skipped"]),
        st.sampled_from(["claim", "step", "end", "done"]),
        st.booleans(),
    ),
    max_size=12,
)


@given(events=_LINES, exited=st.booleans(), damaged=st.booleans())
def test_every_spool_gives_one_known_answer_and_never_done_without_its_line(
    events: list[tuple[str, str, bool]], exited: bool, damaged: bool
) -> None:
    lines = [line(seq, kind, part=part, ignored=ign) for seq, (kind, part, ign) in enumerate(events, start=1)]
    found = outcome(*lines, exited=exited, damaged="x" if damaged else "")
    assert found.kind in ("failed", "not_started", "unknown")
    assert found.kind != "not_started" or all(part == "claim" for _, part, _ in events)


@pytest.mark.parametrize("word", ["wave_held", "group_went_back", "asked", "window_ended"])
def test_a_machine_cannot_put_words_into_the_mouth_of_the_rules(word: str) -> None:
    """Whatever is held with the cause wave_held goes on by itself: a host that named it would be tried for ever."""
    assert kind_and_cause(*BEGUN, line(4, "failed", kahn={"cause": word})) == ("failed", "task_failed")
