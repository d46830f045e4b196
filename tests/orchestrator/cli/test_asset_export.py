"""``kahn asset export`` on a real store."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from openpyxl import load_workbook

from inventory.model import Snapshot
from orchestrator.cli.asset_export import UnknownForm
from orchestrator.cli.asset_import import CannotWrite
from orchestrator.cli.context import Context
from tests.estates import TENANT
from tests.inventory.builders import a_file
from tests.orchestrator.cli.test_asset import called, error
from tests.planning_town import a_home

NOTHING = Snapshot(tenant=TENANT, assets=(), dependencies=())


@pytest.fixture
def home(tmp_path: Path) -> Context:
    made = a_home(tmp_path, estate=NOTHING)
    called(made, "import", a_file(tmp_path, "machine;kind;note\nsrv;vm;=1+1\npc;workstation;x\n"))
    return made


def test_the_same_assets_come_out_in_every_form(home: Context, tmp_path: Path) -> None:
    for form in ("csv", "xlsx", "json"):
        result = called(home, "export", "kind:vm", "-o", tmp_path / f"out.{form}")
        assert (result.exit_code, "One asset is" in result.output) == (0, True), result.output
    assert (tmp_path / "out.csv").read_text(encoding="utf-8-sig").splitlines() == ["kind;name;note", "vm;srv;'=1+1"]
    assert load_workbook(tmp_path / "out.xlsx").active["C2"].value == "=1+1"
    assert json.loads((tmp_path / "out.json").read_text())["machines"] == [
        {"name": "srv", "kind": "vm", "note": "=1+1"}
    ]


def test_an_unknown_form_and_a_place_that_cannot_be_written_are_refused(home: Context, tmp_path: Path) -> None:
    assert isinstance(error(home, "export", "-o", tmp_path / "out.doc"), UnknownForm)
    assert isinstance(error(home, "export", "-o", tmp_path / "no" / "out.csv"), CannotWrite)
    assert called(home, "export", "kind:printer", "-o", tmp_path / "none.csv").exit_code == 5
