"""``kahn asset list`` and ``show`` on a real store."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from inventory.errors import ExpectedError
from inventory.model import Snapshot
from orchestrator.cli.asset import NoSuchColumn, app
from orchestrator.cli.context import Context
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


def test_a_list_is_filtered_and_says_so_when_nothing_matches(home: Context, tmp_path: Path) -> None:
    called(
        home,
        "import",
        a_file(tmp_path, "machine;kind;ram_mib;Attr.Kostenstelle\nsrv-1;vm;4096;4711\nsrv-2;server;1;\n"),
    )
    assert [one["name"] for one in document(home, "list", "kind=vm", "srv")] == ["srv-1"]
    shown = called(home, "list", "--columns", "name,ram_mib", "--limit", "1").output
    assert "srv-2  1" in shown and "srv-1" not in shown and "1 of 2 assets" in shown
    assert called(home, "list", "kind=printer").exit_code == 5
    assert isinstance(error(home, "list", "--columns", "colour"), NoSuchColumn)
    assert "4711" in called(home, "list", "--columns", "Name,Attr.Kostenstelle").output


def test_one_asset_is_shown_with_its_dependencies_and_history(home: Context, tmp_path: Path) -> None:
    called(home, "import", a_file(tmp_path, "machine;kind;note\na;vm;one\nb;vm;\n"))
    called(
        home,
        "import",
        a_file(tmp_path, "machine;kind;note\na;vm;two\n"),
        a_file(tmp_path, "from;needs;kind\na;b;hard\n", "d.csv"),
    )
    text = called(home, "show", "A", "--history").output
    assert "a needs b (hard)" in text and "one -> two" in text
    (found,) = document(home, "show", "a", "--history")
    (need,) = found["dependencies"]
    assert (need["from"], need["needs"], need["kind"], need["source"]) == ("a", "b", "hard", "native-csv")
    assert [(one["field"], one["after"]) for one in found["history"] if one["field"] == "note"] == [
        ("note", "one"), ("note", "two")
    ]  # fmt: skip
