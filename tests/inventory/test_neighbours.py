"""What an asset needs, what needs it, and who notices when it moves."""

from __future__ import annotations

from inventory.model import AssetId, AssetKind, Snapshot
from inventory.neighbours import impact, impact_of, ties
from tests.inventory.builders import knowing, needing, said

PROCEDURE, SEAT = AssetKind.PROCEDURE, AssetKind.SEAT
TOWN = knowing(
    said("esx"),
    said("srv", AssetKind.VM, hypervisor="esx"),
    said("pc", AssetKind.WORKSTATION),
    said("Soziales", AssetKind.DEPARTMENT),
    said("MESO", PROCEDURE, machines=("srv",), users=40),
    said("Kasse", PROCEDURE, users=7),
    said("Platz 1", SEAT, machine="pc", procedures=("MESO",), department="Soziales"),
    needing("Kasse", "MESO"),
).snapshot


def the(name: str, known: Snapshot = TOWN) -> AssetId:
    return next(one.id for one in known.assets if one.name == name)


def told(name: str) -> tuple[list[str], list[str], list[str], tuple[str, ...], int, int]:
    found = impact(TOWN, the(name))
    groups = (found.procedures, found.seats, found.machines)
    names = [[one.name for one in some] for some in groups]
    return names[0], names[1], names[2], found.departments, found.users, found.through


def test_ties_come_from_dependencies_and_from_what_records_name() -> None:
    names = {one.id: one.name for one in TOWN.assets}
    assert {(names[tie.asset], tie.word, names[tie.needs]) for tie in ties(TOWN)} == {
        ("srv", "hosted by", "esx"),
        ("MESO", "runs on", "srv"),
        ("Platz 1", "stands at", "pc"),
        ("Platz 1", "uses", "MESO"),
        ("Kasse", "hard", "MESO"),
    }


def test_who_notices_is_whatever_needs_it_directly_or_through_others() -> None:
    assert told("esx") == (["Kasse", "MESO"], ["Platz 1"], ["srv"], ("Soziales",), 40, 3)
    assert told("pc") == ([], ["Platz 1"], [], ("Soziales",), 1, 0)
    assert told("Platz 1") == ([], [], [], (), 0, 0)


def test_a_circle_of_needs_ends_and_does_not_count_the_asset_itself() -> None:
    known = knowing(said("a"), said("b"), needing("a", "b"), needing("b", "a")).snapshot
    assert [one.name for one in impact(known, the("a", known)).machines] == ["b"]


PLACE = knowing(
    said("Rathaus", AssetKind.SITE),
    said("Bauhof", AssetKind.SITE),
    said("Soziales", AssetKind.DEPARTMENT),
    said("srv", site="Rathaus", databases=("ewo",)),
    said("pc", AssetKind.WORKSTATION),
    said("pc-2", AssetKind.WORKSTATION, site="Bauhof"),
    said("MESO", PROCEDURE, databases=("ewo@srv",), users=40, interfaces=("Land: XMeld",)),
    said("Platz 1", SEAT, site="Rathaus", machine="pc", department="Soziales"),
    said("Platz 2", SEAT, site="Bauhof", machine="pc-2", procedures=("MESO",), department="Soziales"),
).snapshot


def noticed(name: str) -> tuple[list[str], list[str], list[str], tuple[str, ...], int, list[str]]:
    found = impact(PLACE, the(name, PLACE))
    groups = (found.procedures, found.seats, found.machines, found.inside)
    names = [[one.name for one in some] for some in groups]
    return names[0], names[1], names[2], found.departments, found.users, names[3]


def test_of_a_site_everything_in_it_moves_and_its_seats_and_whoever_needs_its_machines_notice() -> None:
    inside = ["Platz 1", "srv", "pc"]
    assert noticed("Rathaus") == (["MESO"], ["Platz 1", "Platz 2"], [], ("Soziales",), 40, inside)


def test_the_department_of_a_machine_at_a_place_notices_even_without_a_seat() -> None:
    known = knowing(
        said("Bauhof", AssetKind.SITE), said("Bau", AssetKind.DEPARTMENT), said("srv", site="Bauhof", department="Bau")
    ).snapshot
    assert impact(known, the("Bauhof", known)).departments == ("Bau",)


def test_of_a_department_its_seats_and_their_machines_move() -> None:
    inside = ["Platz 1", "Platz 2", "pc", "pc-2"]
    assert noticed("Soziales") == ([], ["Platz 1", "Platz 2"], [], ("Soziales",), 2, inside)


def test_a_procedure_notices_the_machine_of_its_data_and_its_partners_are_named() -> None:
    assert [one.name for one in impact(PLACE, the("srv", PLACE)).procedures] == ["MESO"]
    assert impact(PLACE, the("MESO", PLACE)).partners == ("Land",)


def test_of_assets_that_move_together_none_notices_as_an_outsider_but_seats_for_themselves() -> None:
    moving = [the(name, PLACE) for name in ("Platz 1", "pc", "srv")]
    found = impact_of(PLACE, moving, themselves=True)
    assert [one.name for one in found.seats] == ["Platz 1", "Platz 2"] and found.machines == ()
    assert impact_of(PLACE, ()).users == 0
