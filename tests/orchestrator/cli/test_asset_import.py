"""``kahn asset import`` on a real store, with real files."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from inventory.errors import ExpectedError
from inventory.model import Snapshot
from inventory.sources.limits import FileUnreadable
from inventory.sources.town import TownWish, make_town, write_town
from orchestrator.cli.asset import app
from orchestrator.cli.asset_import import CannotWrite
from orchestrator.cli.context import Context, NotConfirmed
from tests.estates import TENANT
from tests.inventory.builders import JINJA, a_file
from tests.planning_town import a_home

NOTHING = Snapshot(tenant=TENANT, assets=(), dependencies=())
MACHINES = f'machine;kind;ram_mib;note\nsrv-1;vm;4096;"{JINJA}"\nsrv-2;server;viel;=1+1\n'


@pytest.fixture
def home(tmp_path: Path) -> Context:
    return a_home(tmp_path, estate=NOTHING)


def called(home: Context, *words: str | Path, yes: bool = True, as_json: bool = False) -> Result:
    context = Context(home=home.home, tenant_name=TENANT, plain=True, yes=yes, json=as_json)
    return CliRunner().invoke(app, [str(word) for word in words], obj=context)


def document(home: Context, *words: str | Path) -> Any:
    return json.loads(called(home, *words, as_json=True).stdout)


def error(home: Context, *words: str | Path, yes: bool = True) -> ExpectedError:
    found = called(home, *words, yes=yes).exception
    assert isinstance(found, ExpectedError), found
    return found


def names(home: Context) -> list[str]:
    with home.world.store.reading() as books:
        return sorted(one.name for one in books.assets.snapshot(TENANT).assets)


def test_an_import_shows_the_difference_writes_it_and_a_second_one_is_without_effect(
    home: Context, tmp_path: Path
) -> None:
    path = a_file(tmp_path, "machine;kind;ram_mib\nsrv-1;vm;4096\nsrv-2;server;1\n", "machines.csv")
    first = called(home, "import", path)
    assert first.exit_code == 0, first.exception
    assert "new vm: 1" in first.output and "+ server srv-2" in first.output and "2 changes written" in first.output
    again = called(home, "import", path)
    assert (again.exit_code, "Nothing to write" in again.output) == (0, True)
    path.write_text("machine;kind;ram_mib\nsrv-1;vm;8192\n")
    assert "~ srv-1: ram_mib 4096 -> 8192" in called(home, "import", path).output
    assert names(home) == ["srv-1", "srv-2"]


def test_refused_rows_are_named_given_back_and_end_with_exit_code_8(home: Context, tmp_path: Path) -> None:
    path = a_file(tmp_path, MACHINES, "machines.csv")
    result = called(home, "import", path)
    assert result.exit_code == 8
    assert f"{path}, row 3, column 'ram_mib': INV-001" in result.output
    assert (tmp_path / "machines.csv.rejects.csv").stat().st_mode & 0o777 == 0o600
    with (tmp_path / "machines.csv.rejects.csv").open(encoding="utf-8-sig", newline="") as opened:
        heading, row = csv.reader(opened, delimiter=";")
    assert heading == ["machine", "kind", "ram_mib", "note", "row", "code", "says", "remedy"]
    assert row[:6] == ["srv-2", "server", "viel", "'=1+1", "3", "INV-001"]
    assert names(home) == ["srv-1"]


def test_a_row_with_two_troubles_counts_once_as_in_the_table_of_what_was_read(home: Context, tmp_path: Path) -> None:
    path = a_file(tmp_path, "machine;kind;ram_mib;users;colour\na;vm;1;;red\nb;vm;viel;viele;\nc;vm;x;;\n", "two.csv")
    shown = called(home, "import", path, "--dry-run").output
    assert "rejected rows: 2" in shown and "columns not taken: 1" in shown
    (read,) = document(home, "read", path)
    (step,) = document(home, "import", path, "--dry-run")["steps"]
    assert (step["rejected"], step["columns"]) == (read["rejected"], read["columns"]) == (2, 1)
    assert "2 rows of native-csv were refused" in str(error(home, "import", path, "--vanished"))


def test_the_corrected_file_of_refused_rows_completes_the_import(home: Context, tmp_path: Path) -> None:
    path = a_file(tmp_path, MACHINES, "machines.csv")
    called(home, "import", path, "--rejects", tmp_path / "back.csv")
    back = tmp_path / "back.csv"
    back.write_text(back.read_text(encoding="utf-8-sig").replace("viel;", "1024;", 1))
    assert called(home, "import", back).exit_code == 0
    assert document(home, "show", "srv-2")[0]["note"] == "=1+1"


def test_a_dry_run_and_a_missing_yes_write_nothing(home: Context, tmp_path: Path) -> None:
    path = a_file(tmp_path, MACHINES, "machines.csv")
    dry = called(home, "import", path, "--dry-run")
    assert (dry.exit_code, "Nothing was written" in dry.output) == (8, True)
    assert isinstance(error(home, "import", path, yes=False), NotConfirmed)
    assert (names(home), sorted(one.name for one in tmp_path.glob("*.rejects.csv"))) == ([], [])


def test_a_file_that_cannot_be_read_stops_the_whole_import(home: Context, tmp_path: Path) -> None:
    good = a_file(tmp_path, "site\nRathaus\n", "sites.csv")
    assert isinstance(error(home, "import", good, tmp_path / "missing.csv"), FileUnreadable)
    assert isinstance(error(home, "import", a_file(tmp_path, b"PK\x03\x04", "x.xlsx")), FileUnreadable)
    (tmp_path / "empty").mkdir()
    assert isinstance(error(home, "import", tmp_path / "empty"), FileUnreadable)
    assert names(home) == []


def test_refused_rows_that_cannot_be_written_stop_the_import(home: Context, tmp_path: Path) -> None:
    path = a_file(tmp_path, MACHINES, "machines.csv")
    assert isinstance(error(home, "import", path, "--rejects", tmp_path / "no" / "where.csv"), CannotWrite)
    assert names(home) == []


def test_a_directory_of_the_native_form_is_taken_as_one(home: Context, tmp_path: Path) -> None:
    town = make_town(TownWish(seats=20, seed=3))
    write_town(town, tmp_path / "town")
    answer = document(home, "import", tmp_path / "town")
    (step,) = answer["steps"]
    assert (step["source"], len(step["files"]), step["refused"]) == ("native-csv", 6, [])
    assert answer["written"] == sum(len(entries) for entries in town.values() if isinstance(entries, list))


def test_the_answer_as_json_names_file_row_column_code_and_remedy(home: Context, tmp_path: Path) -> None:
    path = a_file(tmp_path, MACHINES, "machines.csv")
    answer = document(home, "import", path)
    assert answer["written"] == 1 and answer["rejects"] == [f"{path}.rejects.csv"]
    (refused,) = answer["steps"][0]["refused"]
    assert (refused["file"], refused["row"], refused["column"], refused["code"]) == (str(path), 3, "ram_mib", "INV-001")


def test_text_from_files_cannot_steer_the_terminal(home: Context, tmp_path: Path) -> None:
    note = "[red]x[/red] \u2028 \x85"
    result = called(home, "import", a_file(tmp_path, f'machine;kind;note\nsrv;vm;"{note}"\n\x1b]0;t\x07;vm;\n'))
    assert "\x1b" not in result.output and "\x07" not in result.output


def test_a_file_of_refused_rows_only_is_not_called_known(home: Context, tmp_path: Path) -> None:
    result = called(home, "import", a_file(tmp_path, "machine;kind\nx3;toaster\n", "machines.csv"))
    assert result.exit_code == 8
    assert "what was not refused" in result.output and "says all this" not in result.output


def test_a_directory_stands_for_the_files_in_it_that_are_recognised(home: Context, tmp_path: Path) -> None:
    folder = tmp_path / "facts"
    folder.mkdir()
    (folder / "app.uat.local").write_text('{"ansible_facts": {"ansible_hostname": "app"}}')
    (folder / "notes.txt").write_text("no inventory")
    (folder / ".hidden.csv").write_text("site\nX\n")
    assert called(home, "import", folder).exit_code == 0
    assert names(home) == ["app"]


AD = (
    "#TYPE Microsoft.ActiveDirectory.Management.ADComputer\r\n"
    "DistinguishedName,DNSHostName,Enabled,Name,ObjectClass,ObjectGUID,OperatingSystem\r\n"
    '"CN=APC-0417,OU=Clients,OU=Bürgeramt,DC=stadt,DC=example",apc-0417.stadt.example,True,APC-0417,computer,'
    "2b1c8e5e-0000-4000-8000-000000000001,Windows 10 Pro\r\n"
)
HOST = "apc-0417.stadt.example"
OPSI: dict[str, Any] = {
    "hosts": [{"type": "OpsiClient", "id": HOST, "inventoryNumber": "INV-17", "opsiHostKey": "k" * 32}],
    "hardware": [{"hostId": HOST, "hardwareClass": "COMPUTER_SYSTEM", "vendor": "FUJITSU", "serialNumber": "YM1"}],
    "products": [
        {"productId": "firefox", "clientId": HOST, "installationStatus": "installed", "productVersion": "115"}
    ],
}
LIST = "Inventarliste;;\n;;\nRechnername;Standort;Kaufdatum\napc-0417;Rathaus;06.05.2016\nSumme;;1\n"


def test_five_files_of_three_programs_make_one_machine_and_a_second_import_changes_nothing(
    home: Context, tmp_path: Path
) -> None:
    folder = tmp_path / "all"
    folder.mkdir()
    (folder / "ad.csv").write_bytes(AD.encode("utf-16"))
    (folder / "liste.csv").write_bytes(LIST.encode("cp1252"))
    for name, objects in OPSI.items():
        (folder / f"{name}.json").write_text(json.dumps(objects))
    assert called(home, "import", folder).exit_code == 0
    assert names(home) == ["APC-0417", "Bürgeramt", "Rathaus"]
    (one,) = document(home, "show", "apc-0417")
    told = {
        "asset_tag": "INV-17",
        "department": "Bürgeramt",
        "purchased": "2016-05-06",
        "serial": "YM1",
        "site": "Rathaus",
    }
    assert told.items() <= one.items() and one["software"] == ["firefox 115"]
    assert document(home, "import", folder)["written"] == 0
