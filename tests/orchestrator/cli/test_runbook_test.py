"""`kahn runbook test` from a terminal: what cannot be tried is refused, and a finding is said in words."""

from __future__ import annotations

import os
import signal

import pytest

from orchestrator.cli import runbook_test
from orchestrator.cli.context import Context
from orchestrator.cli.runbook_test import CannotTry, NoDouble, lines_of, unseen_lines, word_of
from orchestrator.core.trial import Finding, Ground, Trial, Tried, Unseen
from tests.known_town import call
from tests.orchestrator.cli.lone import command_app


def test_a_runbook_of_people_alone_is_refused_before_any_host_is_made() -> None:
    with pytest.raises(CannotTry, match="all of it is done by people"):
        call(command_app(runbook_test.try_runbook), Context(), "replace-seat-by-hand")


def test_a_runbook_for_windows_is_refused_where_nothing_can_speak_in_windows_place(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(runbook_test, "double_lacks", lambda: "psrpcore")
    with pytest.raises(NoDouble, match="psrpcore"):
        call(command_app(runbook_test.try_runbook), Context(), "replace-windows-seat")


def test_a_trial_against_a_double_says_so_in_its_first_and_its_last_line(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Played:
        def run(self) -> Trial:
            return Trial(runbook="r", steps=(), back=Finding(verdict=Tried.WELL), ground=Ground.DOUBLE)

    monkeypatch.setattr(runbook_test, "trial_of", lambda *_words, **_more: Played())
    first, *_others, last = call(
        command_app(runbook_test.try_runbook), Context(), "replace-windows-seat"
    ).stdout.splitlines()
    assert first == last and "PROTOCOL DOUBLE" in first
    assert "no Windows machine was reached" in first and "opens no gate" in first


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_whoever_interrupts_is_told_and_a_second_time_disturbs_nothing(
    monkeypatch: pytest.MonkeyPatch, number: signal.Signals
) -> None:
    class Interrupted:
        def run(self) -> Trial:
            try:
                os.kill(os.getpid(), number)
                signal.sigtimedwait([], 30)  # the signal ends the wait
            finally:
                os.kill(os.getpid(), signal.SIGINT)
            raise AssertionError

    before = signal.getsignal(number)
    monkeypatch.setattr(runbook_test, "trial_of", lambda *_words, **_more: Interrupted())
    ended = call(command_app(runbook_test.try_runbook), Context(), "replace-windows-seat")
    assert ended.exit_code == 130 and "Interrupted; taking the throw-away hosts away." in ended.output
    assert signal.getsignal(number) == before


@pytest.mark.parametrize(
    ("finding", "word"),
    [
        (Finding(verdict=Tried.WELL), "ok"),
        (Finding(verdict=Tried.WELL, told="failed task_failed"), "as before (failed task_failed)"),
        (Finding(verdict=Tried.DIFFERS, told="unknown result_lost"), "DIFFERS (unknown result_lost)"),
        (Finding(verdict=Tried.BROKEN, told="failed \x1b[2J"), r"BROKEN (failed \x1b[2J)"),
        (Finding(verdict=Tried.NOT_TRIED, told="it has no undo"), "not tried (it has no undo)"),
    ],
)
def test_each_finding_has_its_word_and_what_a_host_said_stays_harmless(finding: Finding, word: str) -> None:
    assert word_of(finding) == word


def test_what_differs_is_listed_by_host_and_path() -> None:
    back = Finding(verdict=Tried.DIFFERS, differences=("apc-0001: opt/three",))
    assert lines_of(Trial(runbook="r", steps=(), back=back)) == ["  apc-0001: opt/three"]


def test_what_nobody_looked_at_is_said_in_words_each() -> None:
    trial = Trial(runbook="r", steps=(), back=Finding(verdict=Tried.WELL), unseen=tuple(Unseen))
    said = unseen_lines(trial)
    assert said[0] == "Not looked at:" and len(set(said)) == len(Unseen) + 1
