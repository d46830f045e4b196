"""The opening check: after the last batch each procedure is asked once more at the hour at which its counter opens."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from inventory.model import AssetId
from orchestrator.core.decide import next_commands
from orchestrator.core.lifecycle import WaveState
from orchestrator.core.opening_check import Opening, opening_of, openings_of
from orchestrator.core.procedures import InvalidProcedure
from orchestrator.core.runbook import Direction, ServiceCheck
from orchestrator.core.waiting import next_without_people
from orchestrator.core.wave import WaveContent
from orchestrator.lab.made_up_procedure import procedure_settings
from tests.orchestrator.core.builders import Answer, Game, a_runbook, a_wave, all_good

SERVED = replace(a_runbook(), service=ServiceCheck(on="source", playbook="service.yml"))


def a_procedures_wave(opens_at: str = "07:30", *, soak_s: int = 0, batches: int = 1) -> WaveContent:
    """A night wave in Berlin; every asset is the server of a procedure that opens at that hour."""
    wave = a_wave(batches={f"b{n}": 1 for n in range(batches)}, soak_s=soak_s, runbook=SERVED)
    settings = replace(procedure_settings(), opens_at=opens_at)
    return replace(wave, moves=tuple(replace(move, procedure=settings) for move in wave.moves))


def played(game: Game) -> Game:
    """Play until nothing more is to be done now."""
    for _ in range(80):
        commands = next_commands(game.content, game.progress, game.now)
        if not commands:
            break
        for command in commands:
            game.carry_out(command)
    return game


def morning(game: Game) -> datetime:
    """The opening of the wave's only procedure."""
    assert game.progress.since is not None
    found = opening_of(game.content, AssetId("a01"), since=game.progress.since)
    assert found is not None
    return found


def checks(game: Game) -> int:
    return sum(run.direction is Direction.SERVICE for run in game.started)


def bad_from(hour: datetime, game_of: list[Game]) -> object:
    def choose(asset: AssetId, step: str, direction: Direction, nth: int) -> Answer:
        bad = direction is Direction.SERVICE and game_of[0].now >= hour
        return ("failed", {}) if bad else all_good(asset, step, direction, nth)

    return choose


def test_the_wave_waits_past_its_window_for_the_hour_asks_then_and_closes() -> None:
    game = played(Game(a_procedures_wave()))
    assert (game.progress.state, checks(game)) == (WaveState.SOAKING, 1)
    opens = morning(game)
    assert opens > game.content.window.closes and f"{opens.astimezone(UTC):%H:%M}" == "06:30"
    assert next_without_people(game.content, game.progress).at == opens
    game.now = opens - timedelta(seconds=1)
    assert next_commands(game.content, game.progress, game.now) == ()
    game.now = opens
    played(game)
    assert (game.progress.state, checks(game)) == (WaveState.CLOSED, 2)


def test_a_procedure_that_does_not_serve_in_the_morning_holds_the_wave_and_says_so() -> None:
    games: list[Game] = []
    content = a_procedures_wave()
    hour = content.window.closes  # from the end of the night on it does not answer
    games.append(Game(content, bad_from(hour, games)))  # type: ignore[arg-type]
    game = played(games[0])
    game.now = morning(game)
    due = openings_of(game.content, game.progress, now=game.now)
    played(game)
    assert (game.progress.state, game.progress.cause) == (WaveState.HELD, "opening_bad")
    assert game.states == {"a01": "moved"} and [one.stands for one in due] == [Opening.DUE]


def test_a_check_that_is_bad_before_the_hour_is_a_bad_service_and_not_a_bad_opening() -> None:
    games: list[Game] = []
    content = a_procedures_wave(soak_s=600)
    games.append(Game(content, bad_from(content.window.opens, games)))  # type: ignore[arg-type]
    assert played(games[0]).progress.cause == "service_bad"


def test_between_batches_nobody_waits_for_the_morning() -> None:
    game = played(Game(a_procedures_wave(batches=2)))
    assert game.states == {"a01": "moved", "a02": "moved"} and game.progress.state is WaveState.SOAKING


def test_without_an_hour_or_a_service_check_nothing_changes() -> None:
    assert played(Game(a_procedures_wave(""))).progress.state is WaveState.CLOSED
    unasked = replace(a_procedures_wave(), runbook=a_runbook())
    assert played(Game(unasked)).progress.state is WaveState.CLOSED


def test_the_screen_knows_the_hour_in_the_zone_of_the_window() -> None:
    game = played(Game(a_procedures_wave()))
    (line,) = openings_of(game.content, game.progress, now=game.now)
    assert (f"{line.at:%H:%M}", line.stands, line.name) == ("07:30", Opening.TO_COME, "apc-a01")


@pytest.mark.parametrize(
    ("day", "opens_at", "utc"),
    [
        (datetime(2026, 3, 28, 23, tzinfo=UTC), "07:30", "2026-03-29 05:30"),  # summer time began in the night
        (datetime(2026, 10, 24, 22, tzinfo=UTC), "07:30", "2026-10-25 06:30"),  # and ended
        (datetime(2026, 3, 28, 23, tzinfo=UTC), "02:30", "2026-03-29 01:00"),  # an hour that does not exist
        (datetime(2026, 11, 26, 6, 30, tzinfo=UTC), "07:30", "2026-11-27 06:30"),  # it has just opened
    ],
)
def test_the_next_opening_is_found_by_the_clock_on_the_wall(day: datetime, opens_at: str, utc: str) -> None:
    found = opening_of(a_procedures_wave(opens_at), AssetId("a01"), since=day)
    assert found is not None and f"{found.astimezone(UTC):%Y-%m-%d %H:%M}" == utc


@pytest.mark.parametrize("hour", ["7:30", "24:00", "07:60", "07:30:00", "morgens", "07:30\n"])
def test_what_is_no_time_of_day_is_refused(hour: str) -> None:
    with pytest.raises(InvalidProcedure, match="no time of day"):
        replace(procedure_settings(), opens_at=hour)
