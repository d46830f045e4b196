"""Each asset is in exactly one place."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import given

from inventory.model import Asset, AssetKind, Snapshot
from orchestrator.core.lifecycle import MoveState, WaveState
from orchestrator.core.places import (
    DEFINITIONS,
    PLACE_OF_STATE,
    TO_MOVE,
    Place,
    WaveCase,
    place_of,
    tally,
    whereabouts,
)
from tests.orchestrator.core.builders import OPENS, Game, a_wave, failing_at
from tests.orchestrator.core.played import a_case, before_start, briefly, games, inventory_of, key

LATER = timedelta(days=7)


def places_of(*cases: WaveCase, snapshot: Snapshot | None = None) -> dict[str, Place]:
    found = whereabouts(snapshot or inventory_of(cases[0].content), cases, None, now=OPENS)
    return {str(one.asset): one.place for one in found}


@briefly
@given(games())
def test_numbers_add_up_however_a_wave_goes(game: Game) -> None:
    found = whereabouts(inventory_of(game.content, more=3), [a_case(game)], None, now=game.now)
    counted = tally(one.place for one in found)
    assert counted.to_move == 10 == counted.of(*TO_MOVE)
    assert len({one.asset for one in found}) == 10


@briefly
@given(games())
def test_only_what_is_moved_counts_as_moved(game: Game) -> None:
    found = whereabouts(inventory_of(game.content), [a_case(game)], None, now=game.now)
    moved = {one.asset for one in found if one.place is Place.MOVED}
    assert moved == {asset for asset, move in game.progress.moves.items() if move.state is MoveState.MOVED}


def test_every_state_of_a_move_has_a_place_and_every_place_a_definition() -> None:
    assert set(PLACE_OF_STATE) == set(MoveState) - {MoveState.PLANNED}
    assert [one.place for one in DEFINITIONS] == list(Place)


def test_every_state_of_a_wave_says_where_a_waiting_asset_is() -> None:
    game = Game(a_wave())
    move = next(iter(game.progress.moves.values()))
    for state in WaveState:
        wave = WaveCase(content=game.content, progress=type(game.progress)(
            revision=1, state=state, cause="", moves=game.progress.moves))  # fmt: skip
        assert place_of(wave, move, now=OPENS) in (*Place, None)


def test_an_asset_without_a_wave_is_unplanned_and_one_that_is_retained_stays() -> None:
    game = Game(a_wave(batches={"canary": 1}))
    tenant = game.content.tenant
    kept = Asset(id="k1", tenant=tenant, kind=AssetKind.WORKSTATION, name="kept", values={"strategy": "retain"})  # type: ignore[arg-type]
    lone = Asset(id="k2", tenant=tenant, kind=AssetKind.WORKSTATION, name="lone")  # type: ignore[arg-type]
    snapshot = Snapshot(tenant=tenant, assets=(kept, lone), dependencies=())
    assert places_of(snapshot=snapshot) == {"k1": Place.STAYS, "k2": Place.UNPLANNED}


def test_what_a_wave_will_retire_does_not_stay_where_it_is() -> None:
    tenant = Game(a_wave(batches={"canary": 1})).content.tenant
    goes = Asset(id="k1", tenant=tenant, kind=AssetKind.WORKSTATION, name="old", values={"strategy": "retire"})  # type: ignore[arg-type]
    snapshot = Snapshot(tenant=tenant, assets=(goes,), dependencies=())
    assert places_of(snapshot=snapshot) == {"k1": Place.STAYS}
    (found,) = whereabouts(snapshot, (), None, now=OPENS, retiring=frozenset({goes.id}))
    assert found.place is Place.UNPLANNED


def test_a_successor_and_a_vault_are_never_counted() -> None:
    tenant = a_wave().tenant

    def machine(name: str, **values: str) -> Asset:
        return Asset(id=name, tenant=tenant, kind=AssetKind.WORKSTATION, name=name, values=values)  # type: ignore[arg-type]

    assets = (machine("old", successor="new"), machine("new"), machine("safe", role="vault"))
    assert places_of(snapshot=Snapshot(tenant=tenant, assets=assets, dependencies=())) == {"old": Place.UNPLANNED}


def test_what_went_back_and_is_planned_again_is_where_its_new_wave_puts_it() -> None:
    game = Game(a_wave(batches={"canary": 2}), choose=failing_at("a02", "copy")).play()
    window = game.content.window
    again = a_case(
        before_start(Game(a_wave(batches={"canary": 2})), acts=1),
        key=key("W02"),
        window=type(window)(opens=window.opens + LATER, closes=window.closes + LATER, zone=window.zone, local="x"),
    )
    assert places_of(a_case(game))["a02"] is Place.ROLLED_BACK
    assert places_of(a_case(game), again)["a02"] is Place.PROPOSED


def test_a_draft_and_a_wave_whose_window_has_passed_say_nothing() -> None:
    game = Game(a_wave())
    for acts in (0, 1, 2):
        late = whereabouts(inventory_of(game.content), [a_case(before_start(game, acts=acts))], None, now=OPENS + LATER)
        assert {one.place for one in late} == {Place.UNPLANNED}


def test_a_moved_asset_that_left_the_inventory_is_still_counted() -> None:
    game = Game(a_wave(batches={"canary": 1})).play()
    assert places_of(a_case(game), snapshot=Snapshot(tenant=game.content.tenant, assets=(), dependencies=())) == {
        "a01": Place.MOVED
    }
