"""The plan check and the planner see the same in a machine, each with its own eyes."""

from __future__ import annotations

import random

import pytest

from inventory.model import AssetKind
from orchestrator.core.constraints import Each, Scope
from orchestrator.core.plan_check_traits import Viewed
from orchestrator.core.planner.traits import holds, traits_of
from tests.estates import an_asset, an_estate
from tests.ruled_estates import a_scope, a_town


@pytest.mark.parametrize("seed", range(6))
def test_both_hold_the_same_assets_in_a_scope_and_count_the_same(seed: int) -> None:
    town, chance = a_town(20, seed=seed), random.Random(seed)
    viewed = Viewed(town)
    traits = traits_of(town, viewed.movers)
    scopes = [a_scope(chance) for _ in range(12)]
    for asset in viewed.movers:
        one = traits[asset]
        assert [holds(scope, one) for scope in scopes] == [viewed.within(scope, asset) for scope in scopes]
        assert {each: set(one.parts(each)) for each in Each} == {each: viewed.parts(asset, each) for each in Each}
        assert (one.vcpu, one.ram_gib) == (viewed.amount("vcpu", asset), viewed.amount("ram_gib", asset))


def test_a_seats_place_counts_where_the_machine_names_none() -> None:
    machine = an_asset("pc", kind=AssetKind.NOTEBOOK)
    seats = (
        an_asset("a", kind=AssetKind.SEAT, machine="PC", site="Rathaus"),
        an_asset("b", kind=AssetKind.SEAT, machine="pc"),
    )
    viewed = Viewed(an_estate(also=(machine, *seats)))
    assert viewed.place(machine.id, "site") == "rathaus"
    assert viewed.within(Scope(sites=("RATHAUS",), kinds=(AssetKind.NOTEBOOK,)), machine.id)
