"""Sites, buildings and rooms, read off the records."""

from __future__ import annotations

from inventory.model import AssetKind
from inventory.places import rooms_of
from tests.inventory.builders import knowing, said


def test_everything_stands_in_its_room_and_a_machine_without_place_where_its_seat_is() -> None:
    known = knowing(
        said("Rathaus", AssetKind.SITE),
        said("Bau", AssetKind.DEPARTMENT),
        said("pc-1", AssetKind.WORKSTATION),
        said("pc-2", AssetKind.WORKSTATION, site="Rathaus", building="Haus B", room="1.12"),
        said("Platz", AssetKind.SEAT, site="Rathaus", building="HAUS B", room="1.12", machine="pc-1", department="Bau"),
        said("srv", site="Rathaus"),
        said("nb", AssetKind.NOTEBOOK),
        said("GIS", AssetKind.PROCEDURE, site="Rathaus"),
    )
    found = [(one.site, one.building, one.room, dict(one.kinds), one.departments) for one in rooms_of(known.assets)]
    assert found == [
        ("Rathaus", "HAUS B", "1.12", {"seat": 1, "workstation": 2}, ("Bau",)),
        ("Rathaus", "", "", {"server": 1}, ()),
        ("", "", "", {"notebook": 1}, ()),
    ]
