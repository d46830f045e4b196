"""``kahn plan edit``, ``export`` and ``import`` on a real store, with real keys."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from inventory.model import DependencyKind
from orchestrator.actions.edit_plan import EditRefused
from orchestrator.cli.context import Context, NoPerson
from orchestrator.cli.plan import app
from orchestrator.cli.plan_edit import PlanFileWrong
from orchestrator.core.plan_edit import EditWaveUnknown, NothingToEdit
from tests.estates import a_policy, an_estate, needs
from tests.planning_town import AROUND_THE_CLOCK, a_home


@pytest.fixture
def town(tmp_path: Path) -> Context:
    """Three waves of at most four; old-0003 and old-0004 move together."""
    estate = an_estate(9, edges=(needs("old-0003", "old-0004", DependencyKind.HARD),))
    policy = a_policy(weekly=(AROUND_THE_CLOCK,), holidays="", assets_per_window=4, canary_size=1)
    town = a_home(tmp_path, estate=estate, policy=policy)
    said(town, "propose")
    return town


def called(town: Context, *words: str, as_json: bool = False, signer: bool = True) -> Result:
    folder = town.settings.home.parent
    env = {"KAHN_PERSON": "anna", "KAHN_KEY": str(folder / "anna")} if signer else {}
    asking = Context(home=town.home, tenant_name="stadt", plain=True, yes=True, json=as_json)
    return CliRunner().invoke(app, words, obj=asking, env=env)


def said(town: Context, *words: str) -> str:
    result = called(town, *words)
    assert result.exception is None, result.exception
    return str(result.output)


def document(town: Context, *words: str) -> Any:
    result = called(town, *words, as_json=True)
    assert result.exception is None, result.exception
    return json.loads(result.stdout)


def waves(town: Context) -> dict[str, str]:
    """Asset id -> wave of the plan in force."""
    plan = document(town, "show")["plan"]
    return {asset: wave["key"] for wave in plan["waves"] for batch in wave["batches"] for asset in batch["assets"]}


def changed_file(town: Context, **waves_of: str) -> Path:
    """The exported plan with these waves (old_0001="W02") typed over."""
    file = town.settings.home.parent / "plan.csv"
    said(town, "export", "-o", str(file))
    with file.open(encoding="utf-8-sig", newline="") as opened:
        rows = list(csv.DictReader(opened, delimiter=";"))
    for row in rows:
        row["wave"] = waves_of.get(row["asset"].replace("-", "_"), row["wave"])
    with file.open("w", encoding="utf-8", newline="") as opened:
        writer = csv.DictWriter(opened, list(rows[0]), delimiter=";")
        writer.writeheader()
        writer.writerows(rows)
    return file


def test_a_single_move_is_checked_shown_stored_and_kept_at_the_next_planning(town: Context) -> None:
    before = waves(town)["old-0003"]
    text = said(town, "edit", "old-0003", "--to", "W03", "--reason", "counter closed")
    assert f"2 from {before} to W03: old-0003, old-0004." in text
    assert "W03 changed and is proposed again; approvals it had are void." in text
    assert "The edits are pinned" in text
    said(town, "propose")
    assert (waves(town)["old-0003"], waves(town)["old-0004"]) == ("W03", "W03")


def test_a_dry_run_needs_nobody_and_stores_nothing(town: Context) -> None:
    before = document(town, "show")["fingerprint"]
    result = called(town, "edit", "old-0000", "--to", "W03", "--dry-run", signer=False)
    assert "Nothing was stored." in result.output
    assert isinstance(called(town, "edit", "old-0000", "--to", "W03", signer=False).exception, NoPerson)
    assert document(town, "show")["fingerprint"] == before


def test_a_move_that_breaks_a_rule_shows_the_finding_and_stores_nothing(town: Context) -> None:
    before = document(town, "show")["fingerprint"]
    full = [name for name, wave in waves(town).items() if wave == "W01"]
    result = called(town, "edit", *full, "--to", "W02")
    assert isinstance(result.exception, EditRefused)
    assert "capacity" in result.output
    assert document(town, "show")["fingerprint"] == before


@pytest.mark.parametrize("suffix", [".csv", ".xlsx"])
def test_an_untouched_file_changes_nothing(town: Context, tmp_path: Path, suffix: str) -> None:
    file = str(tmp_path / f"p{suffix}")
    assert "9 assets are in" in said(town, "export", "-o", file)
    assert "The file changes no wave of any asset" in said(town, "import", file)


def test_an_edited_file_is_taken_in(town: Context) -> None:
    text = said(town, "import", str(changed_file(town, old_0001="W03")))
    assert "to W03: old-0001." in text
    assert waves(town)["old-0001"] == "W03"
    assert document(town, "pin")[0]["name"] == "old-0001"


def test_every_error_of_a_file_is_named_and_nothing_of_it_taken(town: Context) -> None:
    file = changed_file(town, old_0001="W03", old_0002="W77", old_0003="W03")
    result = called(town, "import", str(file))
    assert isinstance(result.exception, PlanFileWrong)
    assert result.exception.facts["count"] == 2
    assert "column wave: The plan has no wave 'W77'; it has W01, W02, W03." in result.output
    assert "moves together with 'old-0004' (hard)" in result.output
    assert waves(town)["old-0001"] != "W03"


def test_a_file_of_an_older_plan_is_refused(town: Context) -> None:
    file = changed_file(town, old_0001="W03")
    said(town, "edit", "old-0000", "--to", "W03")
    error = called(town, "import", str(file)).exception
    assert isinstance(error, PlanFileWrong) and "export that one again" in str(error)


def test_without_a_plan_or_wave_there_is_nothing_to_edit(town: Context, tmp_path: Path) -> None:
    assert isinstance(called(town, "edit", "old-0000", "--to", "W09").exception, EditWaveUnknown)
    (tmp_path / "empty").mkdir()
    empty = a_home(tmp_path / "empty")
    for words in (("edit", "old-0000", "--to", "W01"), ("export", "-o", str(tmp_path / "x.csv"))):
        assert isinstance(called(empty, *words).exception, NothingToEdit)
