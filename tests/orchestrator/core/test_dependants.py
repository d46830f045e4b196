"""Who leans on whom within a wave."""

from __future__ import annotations

from dataclasses import replace

from inventory.model import AssetId
from orchestrator.core.dependants import goes_back_first, leaning_on, needed_by
from orchestrator.core.runbook import Direction
from orchestrator.core.wave import WaveContent
from tests.orchestrator.core.builders import Answer, Game, a_wave, all_good

A, B, C = AssetId("a01"), AssetId("a02"), AssetId("a03")


def chained(*needs: tuple[AssetId, AssetId], **wave: object) -> WaveContent:
    options: dict[str, object] = {"batches": {"b1": 3}, "wave_budget": 1.0, "batch_budget": 1.0, **wave}
    return replace(a_wave(**options), needs=tuple(sorted(needs)))  # type: ignore[arg-type]


def test_what_is_needed_is_needed_over_any_number_of_steps() -> None:
    wave = chained((A, B), (B, C))
    assert needed_by(wave, A) == {B, C} and leaning_on(wave, C) == {A, B}
    assert needed_by(wave, C) == leaning_on(wave, A) == frozenset()


def test_a_whole_wave_goes_back_in_the_reverse_order_of_its_dependencies() -> None:
    """a01 needs a02 needs a03: a01 is back before a02 begins to go back, and a02 before a03."""
    game = Game(chained((A, B), (B, C))).play()
    game.ask_rollback()
    game.play()
    undone = [asset for run in game.started if run.direction is Direction.UNDO for asset in run.assets]
    assert [undone.index(one) for one in (A, B, C)] == sorted(undone.index(one) for one in (A, B, C))
    first_of_b = next(
        nth for nth, run in enumerate(game.started) if run.direction is Direction.UNDO and B in run.assets
    )
    proof_of_a = next(nth for nth, r in enumerate(game.started) if r.direction is Direction.COMPARE and A in r.assets)
    assert proof_of_a < first_of_b
    assert set(game.states.values()) == {"rolled_back"}


def test_two_that_need_each_other_do_not_wait_for_each_other() -> None:
    game = Game(chained((A, B), (B, A))).play()
    game.ask_rollback()
    assert set(game.play().states.values()) == {"rolled_back"}
    assert goes_back_first(game.content, game.progress, A) == ()


def test_one_that_cannot_go_back_keeps_nobody_waiting() -> None:
    def choose(asset: AssetId, step: str, direction: Direction, nth: int) -> Answer:
        return ("failed", {}) if (asset, direction) == (A, Direction.UNDO) else all_good(asset, step, direction, nth)

    game = Game(chained((A, B), (B, C)), choose).play()
    game.ask_rollback()
    assert game.play().states == {"a01": "needs_person", "a02": "rolled_back", "a03": "rolled_back"}


def test_what_leans_on_an_unknown_asset_waits_until_a_probe_has_told() -> None:
    def choose(asset: AssetId, step: str, direction: Direction, nth: int) -> Answer:
        lost = (asset, step, direction, nth) == (B, "switch", Direction.DO, 1)
        return ("unknown", {}) if lost else all_good(asset, step, direction, nth)

    content = chained((A, B), batches={"b1": 2})
    game = Game(content, choose)
    game.play()
    order = [(run.direction.value, asset) for run in game.started if run.step == "switch" for asset in run.assets]
    assert set(game.states.values()) == {"moved"}
    assert order.index(("probe", B)) < len(order) - 1


def test_what_leans_on_an_asset_that_needs_a_person_stands_until_somebody_decided() -> None:
    def choose(asset: AssetId, step: str, direction: Direction, nth: int) -> Answer:
        if asset == B and step == "copy" and direction is not Direction.UNDO:
            return "unknown", {}
        return all_good(asset, step, direction, nth)

    game = Game(chained((A, B), batches={"b1": 2}, max_tries=1), choose).play()
    assert game.states == {"a01": "held", "a02": "needs_person"}
    assert [run.step for run in game.started if A in run.assets][-1] != "switch"
