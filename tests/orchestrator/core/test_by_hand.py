"""Work that people do: who waits for whom, and what a word about it amounts to."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from inventory.model import AssetId
from orchestrator.core.by_hand import (
    COMPARED,
    NotAtTheDesk,
    NotTheSame,
    OtherWork,
    check_word,
    desk_work_for,
    desk_works,
    ending_of,
)
from orchestrator.core.command import StartRun
from orchestrator.core.decisions import About, decisions_of
from orchestrator.core.places import WaveCase
from orchestrator.core.runbook import Baseline, Direction, Effect, Role, RoleSource, Runbook, Step
from tests.orchestrator.core.builders import OPENS, Game, a_wave

EXCHANGE = Step(
    name="exchange",
    title="Exchange the machine at the desk",
    on="source",
    effect=Effect.IDEMPOTENT,
    deadline_s=120,
    checklist=("old machine is off", "new machine shows the logon"),
    undo_checklist=("new machine is away", "old machine shows the logon"),
    present="technician and user",
)
AT_DESKS = Runbook(
    name="at-desks",
    title="At desks",
    ansible="modern",
    roles=(Role(name="source", machine=RoleSource.ASSET),),
    baseline=Baseline(on="source", checklist=("programs in use are noted",)),
    steps=(EXCHANGE,),
)
FIRST, SECOND = AssetId("a01"), AssetId("a02")


def a_game() -> Game:
    """Two assets of one batch at the desk, another one still at its baseline."""
    game = Game(a_wave(batches={"b1": 3}, runbook=AT_DESKS))
    game.intend(StartRun(batch="b1", step="exchange", direction=Direction.DO, assets=(FIRST, SECOND)))
    game.now += timedelta(minutes=1)
    game.intend(StartRun(batch="b1", step="", direction=Direction.BASELINE, assets=(AssetId("a03"),)))
    return game


def test_a_checklist_belongs_to_what_a_run_is_for() -> None:
    assert AT_DESKS.by_hand(Direction.DO, "exchange") == EXCHANGE.checklist
    assert AT_DESKS.by_hand(Direction.UNDO, "exchange") == EXCHANGE.undo_checklist
    for direction in (Direction.BASELINE, Direction.COMPARE):
        assert AT_DESKS.by_hand(direction, "") == ("programs in use are noted",)
    for direction in (Direction.PROBE, Direction.SERVICE):
        assert AT_DESKS.by_hand(direction, "exchange") == ()
    assert EXCHANGE.has_undo and not AT_DESKS.touches_machines
    assert a_wave().runbook.touches_machines and a_wave().runbook.by_hand(Direction.DO, "copy") == ()


def test_what_waits_for_hands_is_listed_once_for_all_its_assets() -> None:
    game = a_game()
    first, other = desk_works(game.content, game.progress)
    assert (first.about, first.assets, first.present) == ("do:exchange", (FIRST, SECOND), "technician and user")
    assert (other.about, other.points, other.since) == ("baseline:", ("programs in use are noted",), game.now)
    assert desk_works(a_wave(), Game(a_wave()).play().progress) == ()


def test_one_word_is_about_one_thing() -> None:
    game = a_game()
    assert desk_work_for(game.content, game.progress, (SECOND,)).about == "do:exchange"
    with pytest.raises(NotTheSame, match="do:exchange"):
        desk_work_for(game.content, game.progress, (FIRST, AssetId("a03")))
    done = Game(a_wave()).play()
    with pytest.raises(NotAtTheDesk, match="apc-a01"):
        desk_work_for(done.content, done.progress, (FIRST,))


def test_a_word_is_for_what_is_waited_for_and_nothing_else() -> None:
    game = a_game()
    exchange, baseline = desk_works(game.content, game.progress)
    assert (exchange.word, baseline.word) == ("exchange", "before")
    check_word(game.content, exchange, "exchange", exchange.assets)
    with pytest.raises(OtherWork, match="waits for exchange, not for before"):
        check_word(game.content, exchange, "before", exchange.assets)


def test_a_signed_comparison_counts_as_equal_and_a_difference_as_a_difference() -> None:
    _exchange, baseline = desk_works((game := a_game()).content, game.progress)
    assert ending_of(baseline, by="p-1", done=True)["evidence"]["kahn"] == {"baseline": COMPARED}
    failed = ending_of(baseline, by="p-1", done=False)
    assert failed["outcome"] == "failed" and failed["evidence"] == {"by_hand": {"by": "p-1", "points": []}}
    compare = replace(baseline, direction=Direction.COMPARE)
    differs = ending_of(compare, by="p-1", done=False)
    assert differs["outcome"] == "done" and differs["evidence"]["kahn"]["now"] != COMPARED
    assert ending_of(compare, by="p-1", done=True)["evidence"]["kahn"] == {"baseline": COMPARED, "now": COMPARED}


def test_who_looks_sees_what_waits_at_the_desk_with_its_points_and_the_command() -> None:
    game = a_game()
    found = decisions_of([WaveCase(content=game.content, progress=game.progress)], now=OPENS)
    (exchange, _baseline) = [one for one in found if one.about is About.BY_HAND]
    assert exchange.who.text == "technician and user"
    assert exchange.commands[0] == "kahn wave done W01 exchange -- apc-a01 apc-a02"
    assert exchange.helps is not None and "new machine shows the logon" in exchange.helps.text
