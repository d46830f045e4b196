"""``kahn asset impact``: who notices, of whatever a filter means."""

from __future__ import annotations

from pathlib import Path

import pytest

from inventory.filtering import InvalidFilter
from orchestrator.cli.context import Context
from tests.inventory.builders import a_file
from tests.orchestrator.cli.test_asset import called, document, error
from tests.orchestrator.cli.test_asset_show import NOTHING
from tests.planning_town import a_home

TOWN = """{"kahn_inventory": 1, "sites": [{"name": "Rathaus"}], "departments": [{"name": "Bau"}],
"machines": [{"name": "pc", "kind": "workstation"}, {"name": "srv", "kind": "vm", "databases": ["PostgreSQL ewo"]}],
"procedures": [{"name": "MESO", "users": 40,
"databases": ["ewo"], "interfaces": ["Land: XMeld"], "contact": "leitung"}],
"seats": [{"name": "Platz 1", "site": "Rathaus", "building": "Haus B", "room": "1.12", "machine": "pc",
"department": "Bau", "procedures": ["MESO"]}]}"""


@pytest.fixture
def home(tmp_path: Path) -> Context:
    made = a_home(tmp_path, estate=NOTHING)
    assert called(made, "import", a_file(tmp_path, TOWN, "town.json")).exit_code == 0
    return made


def test_a_room_a_site_and_a_department_tell_who_notices(home: Context) -> None:
    found = document(home, "impact", "site:rathaus", "room:1.12")
    assert (found["moving"], found["seats"], found["departments"]) == (["Platz 1"], ["Platz 1"], ["Bau"])
    text = called(home, "show", "Rathaus").output
    assert "It holds 1 seat, 1 workstation." in text and "seats 1" in text
    assert document(home, "show", "department:Bau")[0]["impact"]["inside"] == ["Platz 1", "pc"]


def test_the_machine_of_its_data_tells_the_procedure_and_a_procedure_its_partners(home: Context) -> None:
    assert document(home, "show", "srv")[0]["impact"]["procedures"] == ["MESO"]
    assert "exchanges data with: Land" in called(home, "impact", "name=MESO").output


def test_an_unknown_number_of_people_is_not_called_none(home: Context, tmp_path: Path) -> None:
    called(home, "import", a_file(tmp_path, "procedure;machines\nGIS;pc\n", "gis.csv"))
    with_seat, without = called(home, "show", "pc").output, called(home, "impact", "name=GIS").output
    assert "people up to 1" in with_seat and "nobody knowing how many people" in without


def test_a_filter_that_means_nothing_or_is_wrong_says_so(home: Context) -> None:
    assert called(home, "impact", "site:nowhere").exit_code == 5
    assert isinstance(error(home, "impact", "colour:red"), InvalidFilter)


def test_a_contact_is_told_from_where_people_stand_and_not_kept_in_the_inventory(home: Context, tmp_path: Path) -> None:
    assert "nobody known here" in called(home, "show", "MESO").output
    with home.world.store.reading() as books:
        anna = next(one for one in books.people.everyone(home.tenant) if one.name == "anna")
    renamed = a_file(tmp_path, f"procedure;contact\nMESO;{anna.id}\n", "contacts.csv")
    assert called(home, "import", renamed).exit_code == 0
    assert f"The contact {anna.id} is anna." in called(home, "show", "MESO").output
    with home.world.transaction() as books:
        books.people.erase(home.tenant, anna.id)
    assert document(home, "show", "MESO")[0]["contact_is"] == "a person whose name is erased"
    notices = '[[channel]]\nname = "post"\nkind = "command"\nargv = ["/bin/true"]\n'
    notices += f'[[contact]]\nname = "leitung"\ntenant = "{home.tenant}"\nchannel = "post"\nto = "x"\n'
    (home.world.settings.home / "notices.toml").write_text(notices)
    called(home, "import", a_file(tmp_path, "procedure;contact\nMESO;leitung\n", "contacts2.csv"))
    assert document(home, "show", "MESO")[0]["contact_is"] == "called through post"
