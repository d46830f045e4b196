"""What moves together, in which order, and what the graph says of itself."""

from __future__ import annotations

import random
from time import process_time

from inventory.dependencies import Part, Structure, departments_of, structure_of, succession_of
from inventory.model import AssetId, AssetKind, DependencyKind, Snapshot
from tests.estates import a_pair, an_asset, an_estate, needs, old

HARD, LICENCE, DATA = DependencyKind.HARD, DependencyKind.LICENCE, DependencyKind.DATA
SERVER, PROCEDURE, SEAT = AssetKind.SERVER, AssetKind.PROCEDURE, AssetKind.SEAT


def part_with(structure: Structure, name: str) -> Part:
    return next(part for part in structure.parts if name in part.assets)


def test_hard_and_licence_dependencies_bind_and_others_do_not() -> None:
    edges = (needs("old-0000", "old-0001", HARD), needs("old-0001", "old-0002", LICENCE), needs("old-0003", "old-0000"))
    structure = structure_of(an_estate(4, edges=edges))
    bound = part_with(structure, "old-0000")
    assert (bound.assets, bound.bound_by) == ((old(0), old(1), old(2)), ("hard", "licence"))
    assert part_with(structure, "old-0003").bound_by == ("alone",)


def test_assets_that_need_each_other_in_a_circle_stay_together_and_the_way_round_is_told() -> None:
    edges = (needs("old-0000", "old-0001"), needs("old-0001", "old-0002", DATA), needs("old-0002", "old-0000"))
    structure = structure_of(an_estate(3, edges=edges))
    assert part_with(structure, "old-0001").bound_by == ("cycle",)
    (cycle,) = structure.cycles
    assert (cycle.path, cycle.knot) == ((old(0), old(1), old(2)), 3)


def test_a_bound_group_that_others_lead_back_into_takes_them_in() -> None:
    """Else no order would exist: the group needs B, and B needs the group."""
    edges = (needs("old-0000", "old-0001", HARD), needs("old-0000", "old-0002"), needs("old-0002", "old-0001"))
    structure = structure_of(an_estate(3, edges=edges))
    assert part_with(structure, "old-0002").bound_by == ("cycle", "hard")
    assert structure.cycles == ()


def test_what_is_needed_stands_before_what_needs_it() -> None:
    edges = (needs("old-0000", "old-0001"), needs("old-0001", "old-0002"))
    structure = structure_of(an_estate(3, edges=edges))
    order = [part.assets[0] for part in structure.parts]
    assert order.index(old(2)) < order.index(old(1)) < order.index(old(0))
    assert all(need < index for index, part in enumerate(structure.parts) for need in part.needs)


def test_a_seat_binds_nothing() -> None:
    seat = an_asset("Platz 1", kind=SEAT, machine="old-0000")
    edges = (needs("Platz 1", "old-0000", HARD), needs("Platz 1", "old-0001", HARD))
    structure = structure_of(an_estate(2, also=(seat,), edges=edges))
    assert part_with(structure, "old-0000").assets == (old(0),)


def test_a_vault_or_template_that_all_depend_on_binds_nothing() -> None:
    template = an_asset("muster", kind=AssetKind.TEMPLATE)
    edges = tuple(needs(old(number), hub, HARD) for number in range(2) for hub in ("vault-1", "muster"))
    structure = structure_of(an_estate(2, also=(template,), edges=edges))
    assert part_with(structure, "old-0000").assets == (old(0),)


def test_a_successor_counts_as_the_machine_it_replaces() -> None:
    structure = structure_of(an_estate(2, edges=(needs("old-0001", "new-0000", HARD),)))
    assert part_with(structure, "old-0000").assets == (old(0), old(1))
    assert not any("new-0000" in part.assets for part in structure.parts)


def test_a_procedure_binds_its_servers_but_not_the_workstations_that_use_it() -> None:
    also = (
        an_asset("db-1", kind=SERVER),
        an_asset("app-1", kind=SERVER),
        an_asset("EWO", kind=PROCEDURE, machines=("DB-1", "app-1")),
        *a_pair(7, procedures=("ewo",)),
    )
    structure = structure_of(an_estate(also=also))
    assert part_with(structure, "EWO").assets == ("EWO", "app-1", "db-1")
    assert part_with(structure, "EWO").bound_by == ("procedure",)
    seat_part = part_with(structure, "old-0007")
    assert structure.parts[seat_part.needs[0]] is part_with(structure, "EWO")


def test_a_server_that_serves_several_procedures_binds_none_of_them() -> None:
    """Else shared databases would tie a whole town into one group."""
    also = (
        an_asset("db-1", kind=SERVER),
        an_asset("EWO", kind=PROCEDURE, machines=("db-1",)),
        an_asset("Kasse", kind=PROCEDURE, machines=("db-1", "DB-1")),
    )
    structure = structure_of(an_estate(also=also))
    assert [part.assets for part in structure.parts] == [("db-1",), ("EWO",), ("Kasse",)]


def test_a_machine_that_needs_itself_is_told_and_binds_nothing() -> None:
    structure = structure_of(an_estate(1, edges=(needs("old-0000", "old-0000", HARD),)))
    assert structure.self_edges == (old(0),)
    assert (structure.cycles, part_with(structure, "old-0000").bound_by) == ((), ("alone",))


def test_dependencies_on_something_unknown_are_told_and_count_for_nothing() -> None:
    structure = structure_of(an_estate(1, edges=(needs("old-0000", "nobody", HARD),)))
    assert [one.needs for one in structure.dangling] == ["nobody"]
    assert part_with(structure, "old-0000").needs == ()


def test_what_many_need_is_a_hub() -> None:
    edges = tuple(needs(old(number), "old-0000") for number in range(1, 13))
    (hub,) = structure_of(an_estate(13, edges=edges)).hubs
    assert (hub.asset, hub.needed_by) == (old(0), 12)


def test_a_circle_of_ten_thousand_is_one_part_with_its_whole_path() -> None:
    size = 10_000
    assets = tuple(an_asset(f"s{number:05}", kind=SERVER) for number in range(size))
    edges = tuple(needs(f"s{number:05}", f"s{(number + 1) % size:05}") for number in range(size))
    began = process_time()
    structure = structure_of(an_estate(also=assets, edges=edges))
    assert process_time() - began < 10
    assert (len(structure.parts), len(structure.cycles[0].path), structure.cycles[0].knot) == (1, size, size)


def test_a_chain_of_ten_thousand_keeps_its_order() -> None:
    size = 10_000
    assets = tuple(an_asset(f"s{number:05}", kind=SERVER) for number in range(size))
    edges = tuple(needs(f"s{number:05}", f"s{number + 1:05}") for number in range(size - 1))
    structure = structure_of(an_estate(also=assets, edges=edges))
    assert [part.assets[0] for part in structure.parts] == [f"s{number:05}" for number in reversed(range(size))]


def test_the_same_inventory_in_another_order_gives_the_same_structure() -> None:
    estate = an_estate(6, edges=tuple(needs(old(n), old(n * n % 6), HARD if n % 2 else DATA) for n in range(6)))
    assets, edges = list(estate.assets), list(estate.dependencies)
    random.Random(3).shuffle(assets)
    random.Random(4).shuffle(edges)
    assert structure_of(
        Snapshot(tenant=estate.tenant, assets=tuple(assets), dependencies=tuple(edges))
    ) == structure_of(estate)


def test_a_machine_named_by_two_is_a_successor_of_both_and_one_in_a_chain_is_none() -> None:
    also = (*a_pair(0), an_asset("old-9", successor="NEW-0000"), an_asset("a", successor="old-9"))
    succession = succession_of(an_estate(also=also))
    assert succession.replaces == {"new-0000": ("old-0000", "old-9")}
    assert succession.successor[AssetId("a")] == "old-9"


def test_a_machine_without_a_department_has_that_of_its_seat() -> None:
    seat = an_asset("Platz 1", kind=SEAT, machine="PC-1", department="Bürgeramt")
    estate = an_estate(also=(seat, an_asset("pc-1"), an_asset("pc-2", department="Amt 2")))
    assert departments_of(estate) == {"pc-1": "Bürgeramt", "pc-2": "Amt 2", "vault-1": ""}
