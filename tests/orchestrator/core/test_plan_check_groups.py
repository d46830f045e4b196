"""The check's own idea of what moves together agrees with the graph library's."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory.dependencies import structure_of
from inventory.model import AssetKind, Dependency, DependencyKind, Snapshot
from orchestrator.core.plan_check_groups import answered_for, together
from tests.estates import a_tangled_estate, an_asset, an_estate, needs


def sets_of(estate: Snapshot) -> set[frozenset[str]]:
    stands_for = together(estate)
    found: dict[str, set[str]] = {}
    for asset, first in stands_for.items():
        found.setdefault(first, set()).add(asset)
    return {frozenset(group) for group in found.values() if len(group) > 1}


def parts_of(estate: Snapshot) -> set[frozenset[str]]:
    return {frozenset(part.assets) for part in structure_of(estate).parts if len(part.assets) > 1}


NAMES = st.integers(0, 7).map(lambda number: f"s{number}")
EDGES = st.lists(st.builds(needs, NAMES, NAMES, st.sampled_from(list(DependencyKind))), max_size=20)


HOSTS = st.lists(st.lists(NAMES, max_size=3), max_size=4)


@given(EDGES, HOSTS)
def test_both_find_the_same_groups(edges: list[Dependency], hosts: list[list[str]]) -> None:
    servers = tuple(an_asset(f"s{number}", kind=AssetKind.SERVER) for number in range(8))
    procedures = tuple(
        an_asset(f"p{number}", kind=AssetKind.PROCEDURE, machines=tuple(named)) for number, named in enumerate(hosts)
    )
    estate = an_estate(also=(*servers, *procedures), edges=tuple(edges))
    assert sets_of(estate) == parts_of(estate)


@pytest.mark.parametrize("seed", range(4))
def test_both_find_the_same_groups_in_a_larger_estate(seed: int) -> None:
    estate = a_tangled_estate(300, edges=450, seed=seed)
    assert sets_of(estate) == parts_of(estate)


def test_a_circle_of_ten_thousand_does_not_overflow() -> None:
    size = 10_000
    servers = tuple(an_asset(f"s{number:05}", kind=AssetKind.SERVER) for number in range(size))
    edges = tuple(needs(f"s{number:05}", f"s{(number + 1) % size:05}") for number in range(size))
    assert {len(group) for group in sets_of(an_estate(also=servers, edges=edges))} == {size}


def test_a_plan_answers_for_old_machines_and_not_for_their_successors() -> None:
    assert answered_for(an_estate(2)) == {"old-0000", "old-0001"}
