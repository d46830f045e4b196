"""What a person reads before deciding about an asset that nobody saw."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from inventory.model import AssetId
from orchestrator.core.decide import next_commands
from orchestrator.core.evidence import Evidence, evidence_of
from orchestrator.core.lifecycle_parts import StepState
from orchestrator.core.runbook import Direction
from tests.orchestrator.core.builders import Answer, Game, a_wave, all_good, failing_at


def blind(asset: AssetId, step: str, direction: Direction, nth: int) -> Answer:
    """The switch of a01 is lost sight of, and no probe can tell."""
    if (asset, step) == ("a01", "switch") and direction in (Direction.DO, Direction.PROBE):
        evidence: Mapping[str, Any] = {"msg": "\x1b[2J half"} if direction is Direction.DO else {}
        return ("unknown" if direction is Direction.DO else "unreachable"), evidence
    return all_good(asset, step, direction, nth)


def page(game: Game, asset: str = "a01") -> Evidence:
    return evidence_of(game.content, game.progress, game.facts, AssetId(asset))


def test_the_page_says_what_was_done_what_was_begun_and_what_every_look_told() -> None:
    game = Game(a_wave(batches={"b1": 2}, groups=(("a01", "a02"),), probe_tries=2), blind).play()
    found = page(game)
    assert found.state == "needs_person" and found.name == "apc-a01"
    assert [line.state for line in found.steps] == [StepState.DONE, StepState.DONE, StepState.BEGUN]
    looks = [(one.direction, one.outcome) for one in found.seen]
    assert looks[-3:] == [(Direction.DO, "unknown"), *[(Direction.PROBE, "unreachable")] * 2]
    assert (found.would_undo, found.leans_on_it, found.signatures) == (("switch", "copy"), ("apc-a02",), 2)
    assert not found.no_return_reached and found.baseline == "d1"
    assert "until a person acts" in found.if_nobody_acts.says


def test_an_attempt_that_lives_is_shown_as_begun_and_not_ended() -> None:
    game = Game(a_wave(batches={"b1": 1}))
    for command in next_commands(game.content, game.progress, game.now):
        game.carry_out(command)
    (baseline,) = next_commands(game.content, game.progress, game.now)
    game.intend(baseline)  # type: ignore[arg-type]
    assert [(one.direction, one.outcome) for one in page(game).seen] == [(Direction.BASELINE, "")]


def test_a_look_at_the_second_address_is_told_as_such() -> None:
    content = a_wave(batches={"b1": 1}, probe_tries=3)
    (move,) = content.moves
    machines = tuple(replace(one, second_address="10.99.0.1") for one in move.machines)
    two_ways = replace(content, moves=(replace(move, machines=machines),))
    found = page(Game(two_ways, blind, cause_of=lambda outcome: outcome).play())
    probes = [one.second_way for one in found.seen if one.direction is Direction.PROBE]
    assert probes == [False, True, False] and found.machines["source"].endswith(" / 10.99.0.1")


def test_an_asset_of_another_wave_has_no_page_here() -> None:
    with pytest.raises(KeyError):
        page(Game(a_wave()), "a99")


@pytest.mark.parametrize(("now", "as_before"), [("d1", True), ("d2", False), (None, False)])
def test_a_comparison_tells_whether_it_is_as_before_and_what_differs(now: str | None, as_before: bool) -> None:
    def choose(asset: AssetId, step: str, direction: Direction, nth: int) -> Answer:
        if direction is Direction.COMPARE:
            return "done", {"kahn": {"baseline": "d1", "now": now, "differences": ["/etc/x: new", 7]}}
        return failing_at("a01", "copy")(asset, step, direction, nth)

    found = page(Game(a_wave(batches={"b1": 1}), choose).play())
    *earlier, compared = found.seen
    assert (compared.direction, compared.as_before) == (Direction.COMPARE, as_before)
    assert compared.differences == (() if as_before else ("/etc/x: new",))
    assert {one.as_before for one in earlier} == {None}
