"""What is handed over with each asset that moved."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from inventory.model import AssetId
from orchestrator.core.handover import LONGEST_LIST, Handover, handovers
from orchestrator.core.lifecycle import MoveState
from orchestrator.core.runbook import Direction
from tests.orchestrator.core.builders import Answer, Chooser, Game, a_wave, all_good

REPORT = {"printers": 1, "jobs": True, "left": ["printer Kasse: no CUPS"], "left_count": 3}


def reporting(report: Mapping[str, Any], *, then: str = "") -> Chooser:
    """Every `copy` reports this; the switch of a01 ends as ``then``."""

    def choose(asset: AssetId, step: str, direction: Direction, nth: int) -> Answer:
        if then and (asset, step, direction) == ("a01", "switch", Direction.DO):
            return then, {}
        if (step, direction) == ("copy", Direction.DO):
            return "done", {"kahn": report}
        return all_good(asset, step, direction, nth)

    return choose


def played(report: Mapping[str, Any], *, then: str = "") -> tuple[Handover, ...]:
    game = Game(a_wave(batches={"b1": 2}), reporting(report, then=then)).play()
    return handovers(game.content, game.progress, game.facts)


def test_what_was_set_up_and_what_is_left_is_told_for_each_asset() -> None:
    one, other = played(REPORT)
    assert (one.name, one.state, other.name) == ("apc-a01", MoveState.MOVED, "apc-a02")
    assert one.by_hand == ("printer Kasse: no CUPS",) and one.more == 2
    assert one.made == {"printers": 1, "jobs": 0}


def test_of_what_was_taken_back_nothing_is_handed_over() -> None:
    one, other = played(REPORT, then="failed")
    assert one.state is not MoveState.MOVED and (one.by_hand, one.more, one.made) == ((), 0, {})
    assert other.by_hand


def test_a_machine_that_reports_nonsense_or_too_much_is_bounded() -> None:
    (one, _other) = played({"left": "all", "left_count": -5, "printers": 10**30, "shares": "two"})
    assert (one.by_hand, one.more, one.made) == ((), 0, {"printers": 0, "shares": 0})
    (one, _other) = played({"left": [f"x{number}" for number in range(100)], "left_count": 100})
    assert (len(one.by_hand), one.more) == (LONGEST_LIST, 100 - LONGEST_LIST)
