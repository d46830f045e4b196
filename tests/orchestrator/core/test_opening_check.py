"""The opening check: after the last batch each procedure is asked once more at the hour at which its counter opens."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from inventory.model import AssetId
from orchestrator.core.command import ChangeWave
from orchestrator.core.decide import next_commands
from orchestrator.core.lifecycle import WaveEvent, WaveState
from orchestrator.core.opening_check import Opening, opening_of, openings_of
from orchestrator.core.order import play_for
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


def resumed(game: Game, *, after: timedelta) -> Game:
    """People let it go on after that time."""
    game.now += after
    game.carry_out(ChangeWave(event=WaveEvent.RESUME))
    return played(game)


def test_after_a_bad_opening_people_who_let_it_go_on_wait_for_no_other_day() -> None:
    games: list[Game] = []
    content = a_procedures_wave()
    games.append(Game(content, bad_from(content.window.closes, games)))  # type: ignore[arg-type]
    game = played(games[0])
    game.now = morning(game)
    assert resumed(played(game), after=timedelta(minutes=5)).progress.state is WaveState.CLOSED


def test_a_soak_that_was_interrupted_over_the_hour_asks_at_once_when_it_goes_on() -> None:
    game = played(Game(a_procedures_wave()))
    opens = morning(game)
    game.carry_out(ChangeWave(event=WaveEvent.HOLD, cause="held_by_person"))
    game.now = opens
    assert resumed(game, after=timedelta(minutes=15)).progress.state is WaveState.CLOSED
    assert checks(game) == 2 and game.now - opens < timedelta(hours=1)


def test_a_soak_that_was_interrupted_before_the_hour_still_waits_for_it() -> None:
    game = played(Game(a_procedures_wave()))
    opens = morning(game)
    game.carry_out(ChangeWave(event=WaveEvent.HOLD, cause="held_by_person"))
    assert resumed(game, after=timedelta(minutes=5)).progress.state is WaveState.SOAKING
    game.now = opens
    assert played(game).progress.state is WaveState.CLOSED


ENDED = replace(a_runbook(), service=ServiceCheck(on="source", playbook="service.yml", at_end="settle.yml"))


def a_named_wave(*, soak_s: int = 0, batches: int = 1, opens_at: str = "") -> WaveContent:
    """As before; Kahn changes the names of every procedure."""
    wave = replace(a_procedures_wave(opens_at, soak_s=soak_s, batches=batches), runbook=ENDED)
    settings = replace(procedure_settings(), opens_at=opens_at, dns_names=("a.example",), dns_key_file="/etc/key")
    return replace(wave, moves=tuple(replace(move, procedure=settings) for move in wave.moves))


def looks(game: Game) -> list[tuple[str, bool]]:
    return [(run.batch, run.last) for run in game.started if run.direction is Direction.SERVICE]


def test_with_names_of_its_own_a_wave_without_a_soak_asks_once_and_ends_it_with_that() -> None:
    game = played(Game(a_named_wave()))
    assert game.progress.state is WaveState.CLOSED and looks(game) == [("b0", True)]
    (last,) = [run for run in game.started if run.direction is Direction.SERVICE]
    assert play_for(game.content, last).playbooks == ("settle.yml",)
    assert play_for(game.content, replace(last, last=False)).playbooks == ("service.yml",)


def test_only_the_check_after_the_last_batch_and_its_soak_is_the_last_one() -> None:
    game = played(Game(a_named_wave(soak_s=600, batches=2)))
    for _ in range(2):
        game.now += timedelta(seconds=601)
        played(game)
    assert game.progress.state is WaveState.CLOSED
    assert looks(game) == [("b0", False), ("b0", False), ("b0", False), ("b1", False), ("b0", True), ("b1", True)]


def test_where_a_counter_opens_that_check_is_the_last_one() -> None:
    game = played(Game(a_named_wave(opens_at="07:30")))
    game.now = morning(game)
    assert played(game).progress.state is WaveState.CLOSED and looks(game) == [("b0", False), ("b0", True)]


def test_a_runbook_with_an_end_but_no_names_does_not_soak_for_it() -> None:
    game = played(Game(replace(a_procedures_wave(""), runbook=ENDED)))
    assert game.progress.state is WaveState.CLOSED and looks(game) == []
