"""``kahn inventory`` as Ansible calls it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner, Result

from orchestrator.actions.list_inventory import NoSuchHost
from orchestrator.cli.context import Context
from orchestrator.cli.inventory import inventory
from tests.estates import TENANT, an_asset, an_estate
from tests.inventory.builders import JINJA
from tests.orchestrator.core.builders import KEY
from tests.planning_town import a_home

APP = typer.Typer()
APP.command()(inventory)


@pytest.fixture
def home(tmp_path: Path) -> Context:
    apc = an_asset("PC #7", address="10.1.0.7", access="lab", host_key=KEY, note=JINJA, site="Rathaus")
    return a_home(tmp_path, estate=an_estate(also=(apc,)))


def called(home: Context, *words: str) -> Result:
    context = Context(home=home.home, tenant_name=TENANT, plain=True, yes=True)
    return CliRunner().invoke(APP, list(words), obj=context)


def unmarked_texts(value: Any) -> list[str]:
    if isinstance(value, dict):
        if set(value) == {"__ansible_unsafe"}:
            return []
        return [text for one in value.values() for text in unmarked_texts(one)]
    if isinstance(value, list):
        return [text for one in value for text in unmarked_texts(one)]
    return [value] if isinstance(value, str) else []


def test_the_list_names_groups_and_marks_every_value(home: Context) -> None:
    tree = json.loads(called(home, "--list").stdout)
    variables = tree.pop("_meta")["hostvars"]
    (host,) = (name for name in variables if name.startswith("pc-7--"))
    assert tree["site_rathaus"]["hosts"] == [host] and set(tree["kahn_machines"]["hosts"]) == set(variables)
    assert unmarked_texts(variables) == []
    assert variables[host]["ansible_user"] == {"__ansible_unsafe": "root"}
    assert variables[host]["kahn_asset"]["note"] == {"__ansible_unsafe": JINJA}
    known = home.settings.home / "inventory" / f"{TENANT}.known_hosts"
    assert known.read_text().split()[1:3] == KEY.split()[:2]


def test_one_host_is_found_by_either_name(home: Context) -> None:
    by_name = json.loads(called(home, "--host", "pc #7").stdout)
    tree = json.loads(called(home, "--list").stdout)
    assert by_name in tree["_meta"]["hostvars"].values()
    assert isinstance(called(home, "--host", "nobody").exception, NoSuchHost)


def test_it_says_where_the_plugin_lies(home: Context) -> None:
    assert (Path(called(home, "--plugins").stdout.strip()) / "kahn.py").is_file()


@pytest.mark.parametrize("words", [(), ("--list", "--host", "x")])
def test_one_of_both_is_needed(home: Context, words: tuple[str, ...]) -> None:
    assert called(home, *words).exit_code == 2
