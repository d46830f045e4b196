"""A made-up municipality."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from inventory.changes import applied
from inventory.merge import merge
from inventory.observation import Reading
from inventory.sources import read_file
from inventory.sources.town import TownSize, TownWish, make_town, town_json, write_town
from tests.inventory.builders import at, codes, ids, nothing_known


def a_town(seats: int = 60, seed: int = 1, **wish: Any) -> dict[str, Any]:
    return make_town(TownWish(seats=seats, seed=seed, **wish))


def test_the_same_seed_gives_the_same_bytes_and_another_seed_another_town() -> None:
    assert town_json(a_town()) == town_json(a_town())
    assert town_json(a_town()) != town_json(a_town(seed=2))


def test_the_bytes_do_not_depend_on_the_order_of_hashes(tmp_path: Path) -> None:
    """A known figure of one town: it changes only when somebody changes the towns on purpose."""
    town = a_town(seats=20, seed=7)
    assert [len(town[key]) for key in ("sites", "departments", "machines", "seats", "procedures")] == [1, 3, 43, 20, 22]
    assert (town["machines"][3]["name"], town["machines"][3]["successor"]) == ("apc-0001", "apn-0001")


@pytest.mark.parametrize("seats", [20, 333])
@pytest.mark.parametrize("has_successors", [True, False])
def test_a_town_is_imported_whole_and_a_second_time_without_effect(
    tmp_path: Path, seats: int, has_successors: bool
) -> None:
    town = a_town(seats, has_successors=has_successors)
    (path,) = write_town(town, tmp_path / "town.json")
    reading = read_file(path)
    changes = merge(nothing_known(), reading, new_id=ids(nothing_known()), when=at(1))
    assert changes.refusals == ()
    assert len(changes.appeared) == sum(len(town[key]) for key in town if key not in ("kahn_inventory", "dependencies"))
    assert len(changes.dependencies) == len(town["dependencies"])
    after = applied(nothing_known(), changes)
    assert merge(after, reading, new_id=ids(after), when=at(1)).is_empty


def test_both_forms_say_the_same(tmp_path: Path) -> None:
    town = a_town()
    (document,) = write_town(town, tmp_path / "town.json")
    files = write_town(town, tmp_path / "csv")
    assert [path.name for path in files] == [f"{key}.csv" for key in town if key != "kahn_inventory"]
    readings = [read_file(path) for path in files]
    assert {one.source for one in readings} == {"native-csv"}
    from_csv = [(one.kind, one.name, one.values) for reading in readings for one in reading.observations]
    assert from_csv == [(one.kind, one.name, one.values) for one in read_file(document).observations]


def test_each_machine_has_an_address_of_its_own_and_a_seat_a_machine() -> None:
    town = a_town(700)
    addresses = Counter(one["address"] for one in town["machines"])
    assert max(addresses.values()) == 1 and all(one.startswith("10.") for one in addresses)
    assert len({one["machine"] for one in town["seats"]}) == 700


def test_shared_services_bind_nobody_hard() -> None:
    town = a_town(1_400)
    hubs = {
        "Verzeichnisdienst",
        "E-Mail",
        "Dateiablage und Druck",
        "Finanzwesen",
        "DMS/Ratsinfo",
        "Einwohnermeldewesen",
    }
    kinds = Counter((one["kind"], one["needs"] in hubs) for one in town["dependencies"])
    assert kinds["hard", True] == 0 < kinds["hard", False] < kinds["data", False]
    assert [len(town[key]) for key in ("sites", "departments", "procedures", "seats")] == [25, 12, 90, 1_400]


def test_a_dirty_town_has_duplicates_that_an_import_refuses_by_row(tmp_path: Path) -> None:
    (path,) = write_town(a_town(400, is_dirty=True), tmp_path / "town.json")
    reading: Reading = read_file(path)
    changes = merge(nothing_known(), reading, new_id=ids(nothing_known()), when=at(1))
    assert set(codes(changes)) == {"INV-012"} and 10 < len(changes.refusals) < 50


@pytest.mark.parametrize("seats", [0, 19, 100_001])
def test_a_town_has_twenty_to_a_hundred_thousand_seats(seats: int) -> None:
    with pytest.raises(TownSize):
        TownWish(seats=seats, seed=1)
