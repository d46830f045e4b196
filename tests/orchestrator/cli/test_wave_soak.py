"""What people read of a soak: opening checks and who still asks the old server."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from orchestrator.cli.wave_soak import NAMES, asked_words, asker_lines, opening_lines
from orchestrator.core.asked_old import AskedOld, Asker
from orchestrator.core.opening_check import Opening, OpeningLine
from orchestrator.core.wave_view import AskedOldLine, view_of_case
from tests.orchestrator.core.builders import Game, a_wave
from tests.orchestrator.core.played import a_case

SINCE = datetime(2026, 12, 1, 22, 0, tzinfo=UTC)
DESK = Asker(name="kasse", count=12, last=SINCE + timedelta(minutes=5))


def test_machines_are_named_and_unknown_addresses_counted_by_the_clock_of_the_window() -> None:
    found = AskedOld(since=SINCE, machines=(DESK,), others=3, others_count=40, others_last=SINCE + timedelta(minutes=9))
    assert asked_words(found, "Europe/Berlin") == (
        "the old server is still asked since 23:00:00: kasse (12 times, last 23:05:00); "
        "addresses that the inventory does not know: 3 (40 times, last 23:09:00)"
    )


def test_nobody_and_nobody_who_counts_are_two_things() -> None:
    assert asked_words(AskedOld(since=SINCE), "") == "nobody asked the old server since 22:00:00Z"
    assert "nobody counts" in asked_words(AskedOld(since=None, why="no nft"), "")


def test_many_machines_are_cut_and_their_number_said() -> None:
    found = AskedOld(since=SINCE, machines=(DESK,) * (NAMES + 2), more=5)
    assert "further machines of the inventory: 7" in asked_words(found, "")


def test_the_screen_has_a_line_for_each_old_server_that_is_asked_and_for_each_opening() -> None:
    game = Game(a_wave()).play()
    view = view_of_case(a_case(game), now=game.now)
    quiet = AskedOldLine(name="a", asked=AskedOld(since=SINCE))
    loud = AskedOldLine(name="b\x1b", asked=AskedOld(since=SINCE, machines=(DESK,)))
    opening = OpeningLine(name="amt", at=SINCE, stands=Opening.BAD)
    view = replace(view, asked_old=(quiet, loud), openings=(opening,))
    (line,) = asker_lines(view)
    assert "kasse" in str(line) and "\x1b" not in str(line)
    (said,) = opening_lines(view, loud="bold")
    assert "DOES NOT SERVE" in str(said)
