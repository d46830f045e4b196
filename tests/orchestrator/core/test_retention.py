"""Old machines are kept so long, and what was erased never comes back."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from inventory.model import AssetId
from orchestrator.core.decisions import About, decisions_of
from orchestrator.core.lifecycle import MoveState, WaveState
from orchestrator.core.places import Place, place_of
from orchestrator.core.progress import WaveProgress
from orchestrator.core.retention import (
    ErasedForGood,
    ErasedLater,
    Erasure,
    NotKept,
    StillKept,
    WaveStillOpen,
    check_erasable,
    due_in,
    kept_machines,
    may_be_erased_from,
    refuse_erased,
)
from orchestrator.core.runbook import Role, RoleSource
from orchestrator.core.wave import WaveContent
from tests.orchestrator.core.builders import OPENS, Game, a_runbook, a_wave
from tests.orchestrator.core.played import a_case

RETIRING = a_wave(runbook=replace(a_runbook(), retires=True), keep_days=30)
ONE, TWO = AssetId("a01"), AssetId("a02")
TODAY = date(2027, 3, 1)


def closed(content: WaveContent = RETIRING, state: MoveState = MoveState.RETIRED) -> WaveProgress:
    """A closed wave, all of whose assets reached that state at its opening."""
    progress = Game(content).progress
    moves = {one: replace(move, state=state, since=OPENS) for one, move in progress.moves.items()}
    return replace(progress, state=WaveState.CLOSED, moves=moves)


def played(content: WaveContent) -> Game:
    game = Game(content)
    game.play()
    return game


def test_what_its_runbook_retires_ends_as_retired_and_counts_as_such() -> None:
    game = played(RETIRING)
    assert set(game.states.values()) == {"retired"} and game.progress.state is WaveState.CLOSED
    assert set(played(a_wave()).states.values()) == {"moved"}
    case = a_case(game)
    assert {place_of(case, move, now=game.now) for move in game.progress.moves.values()} == {Place.RETIRED}
    erased = replace(game.progress.moves[ONE], state=MoveState.ERASED)
    assert place_of(case, erased, now=game.now) is Place.RETIRED
    assert place_of(a_case(Game(a_wave())), erased, now=game.now) is Place.MOVED


def test_the_days_are_counted_on_the_wall_of_the_window() -> None:
    late = datetime(2026, 12, 31, 23, 30, tzinfo=UTC)  # half past midnight in Berlin
    assert may_be_erased_from(RETIRING, late) == date(2027, 1, 31)
    assert may_be_erased_from(a_wave(keep_days=0), late) == date(2027, 1, 1)
    assert may_be_erased_from(a_wave(keep_days=10_000_000), late) == date.max


def test_nothing_is_erased_before_its_day_nor_in_the_future() -> None:
    day = may_be_erased_from(RETIRING, OPENS)
    with pytest.raises(StillKept) as refused:
        check_erasable(RETIRING, closed(), [ONE], on=day - timedelta(days=1), today=day)
    assert str(day) in str(refused.value)
    check_erasable(RETIRING, closed(), [ONE, TWO], on=day, today=day)
    with pytest.raises(ErasedLater):
        check_erasable(RETIRING, closed(), [ONE], on=day + timedelta(days=1), today=day)


@pytest.mark.parametrize("state", [MoveState.ROLLED_BACK, MoveState.HELD, MoveState.ERASED, MoveState.NEEDS_PERSON])
def test_only_what_is_kept_is_erased(state: MoveState) -> None:
    with pytest.raises(NotKept):
        check_erasable(RETIRING, closed(state=state), [ONE], on=TODAY, today=TODAY)


def test_a_machine_that_goes_on_in_place_leaves_nothing_to_erase_but_one_with_a_successor_does() -> None:
    inside = a_wave()
    with pytest.raises(NotKept):
        check_erasable(inside, closed(inside, MoveState.MOVED), [ONE], on=TODAY, today=TODAY)
    roles = (Role(name="source", machine=RoleSource.ASSET), Role(name="target", machine=RoleSource.SUCCESSOR))
    onwards = a_wave(runbook=replace(a_runbook(), roles=roles))
    check_erasable(onwards, closed(onwards, MoveState.MOVED), [ONE], on=TODAY, today=TODAY + timedelta(days=9))
    assert kept_machines(inside, closed(inside, MoveState.MOVED), ()) == ()


def test_a_wave_that_may_still_take_machines_back_keeps_them() -> None:
    for state in set(WaveState) - {WaveState.CLOSED}:
        with pytest.raises(WaveStillOpen):
            check_erasable(RETIRING, replace(closed(), state=state), [ONE], on=TODAY, today=TODAY)


def test_what_was_erased_is_told_with_its_certificate_and_never_goes_back() -> None:
    game = played(RETIRING)
    erasure = Erasure(on=TODAY, certificate="nachweis.pdf", sha256="a" * 64, by="p1")
    game.note("move.erased", assets=[ONE], on="2027-03-01", certificate="nachweis.pdf", sha256="a" * 64, by="p1")
    body = {"asset": ONE, "from": "retired", "to": "erased", "event": "erase", "step": "switch", "cause": ""}
    game.note("move.state", **body)
    first, second, *_rest = kept_machines(RETIRING, game.progress, game.facts)
    assert (first.erasure, second.erasure) == (erasure, None) and not first.is_due(datetime.max.replace(tzinfo=UTC))
    midnight = datetime.combine(second.until, time(), tzinfo=ZoneInfo(RETIRING.window.zone))
    assert second.is_due(midnight) and not second.is_due(midnight - timedelta(seconds=1))
    elsewhere = replace(second, zone="Pacific/Auckland")
    assert elsewhere.is_due(midnight - timedelta(hours=3)), "days are counted where the wave's window was planned"
    for asked in ((ONE,), (TWO, ONE), ()):
        with pytest.raises(ErasedForGood, match="apc-a01"):
            refuse_erased(RETIRING, game.progress, asked)
    refuse_erased(RETIRING, game.progress, (TWO,))


def test_people_are_asked_once_the_time_is_over_and_not_before() -> None:
    game = played(RETIRING)
    first = may_be_erased_from(RETIRING, OPENS)
    assert due_in(RETIRING, game.progress, first - timedelta(days=1)) == ()
    assert len(due_in(RETIRING, game.progress, first)) == 4
    assert due_in(RETIRING, replace(game.progress, state=WaveState.ROLLING_BACK), first) == ()
    assert due_in(RETIRING, closed(state=MoveState.ERASED), first) == ()
    (asked,) = decisions_of([a_case(game)], now=OPENS + timedelta(days=31))
    assert asked.about is About.ERASE and "kahn wave erased W01" in asked.commands[1]
    midnight = datetime.combine(first, time(), tzinfo=ZoneInfo(RETIRING.window.zone))
    assert asked.since == midnight, "it waits since the day came, not since the machine was switched off"
    assert decisions_of([a_case(game)], now=OPENS + timedelta(days=3)) == ()
