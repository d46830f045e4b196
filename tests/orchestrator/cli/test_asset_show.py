"""``kahn asset show``: who says so, since when, and who notices."""

from __future__ import annotations

from pathlib import Path

import pytest
from defusedxml.ElementTree import parse

from inventory.model import Snapshot
from orchestrator.cli.asset_import import CannotWrite
from orchestrator.cli.asset_show import NoSuchAsset, age
from orchestrator.cli.context import Context
from tests.estates import TENANT
from tests.inventory.builders import a_file
from tests.orchestrator.cli.test_asset import called, document, error
from tests.planning_town import a_home

NOTHING = Snapshot(tenant=TENANT, assets=(), dependencies=())


@pytest.fixture
def home(tmp_path: Path) -> Context:
    made = a_home(tmp_path, estate=NOTHING)
    machines = a_file(tmp_path, "machine;kind;ram_mib\nsrv;vm;4096\n", "machines.csv")
    procedures = a_file(tmp_path, "procedure;machines;users\nMESO;srv;40\n", "procedures.csv")
    office = a_file(tmp_path, "Rechnername;Typ;RAM (MB);Bemerkung\nSRV;VM;2048;alt\n", "office.csv")
    called(made, "import", machines, procedures, "--observed", "2026-03-31")
    called(made, "import", office, "--observed", "2026-04-01")
    return made


def test_each_field_shows_its_source_with_file_row_and_age_and_who_notices(home: Context) -> None:
    text = called(home, "show", "srv").output
    assert "office-csv" in text
    assert "! ram_mib: 2048 counts; others say 4096 (native-csv)" in text
    assert "people up to 40, procedures 1" in text
    (found,) = document(home, "show", "srv")
    first, second = found["provenance"]["ram_mib"]
    assert first["file"].endswith("office.csv")
    assert (first["value"], first["observed"][:10], first["counts"]) == (2048, "2026-04-01", True)
    assert (second["source"], second["row"], found["conflicts"]) == ("native-csv", 2, ["ram_mib"])
    assert found["impact"]["procedures"] == ["MESO"]


def test_the_picture_is_an_svg_with_the_asset_in_it(home: Context, tmp_path: Path) -> None:
    file = tmp_path / "srv.svg"
    assert str(file) in called(home, "show", "machine:srv", "--picture", file).output
    assert "MESO" in [one.text for one in parse(file).iter("{http://www.w3.org/2000/svg}text")]
    assert isinstance(error(home, "show", "srv", "--picture", tmp_path / "no" / "where.svg"), CannotWrite)


def test_a_name_that_nothing_has_is_refused(home: Context) -> None:
    assert isinstance(error(home, "show", "nobody"), NoSuchAsset)
    assert isinstance(error(home, "show", "machine:nobody"), NoSuchAsset)


def test_age_is_told_in_days_and_an_unknown_one_as_such() -> None:
    day_us = 86_400_000_000
    assert [age(at, now_us=10 * day_us) for at in (0, 9 * day_us + 1, 3 * day_us)] == ["?", "today", "7 d"]
