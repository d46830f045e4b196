"""``kahn plan`` on a real store, with real keys."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from inventory.errors import ExpectedError
from inventory.model import AssetKind
from orchestrator.actions.pin_asset import UnknownAsset
from orchestrator.actions.propose_plan import EmptyPlan
from orchestrator.cli.context import Context, NoPerson
from orchestrator.cli.plan import BadTime, NoPlan, app
from tests.estates import a_pair, a_policy, an_estate
from tests.planning_town import AROUND_THE_CLOCK, a_home, add_assets
from tests.ruled_estates import a_procedure, a_server

SKEWED = an_estate(5, also=a_pair(4, address=""))


@pytest.fixture
def town(tmp_path: Path) -> Context:
    return a_home(tmp_path, estate=SKEWED)


def called(town: Context, *words: str) -> Result:
    return CliRunner().invoke(app, words, obj=Context(home=town.home, tenant_name="stadt", plain=True, yes=True))


def said(town: Context, *words: str) -> str:
    result = called(town, *words)
    assert result.exception is None, result.exception
    return str(result.output)


def document(town: Context, *words: str) -> Any:
    asking = Context(home=town.home, tenant_name="stadt", plain=True, yes=True, json=True)
    result = CliRunner().invoke(app, words, obj=asking)
    assert result.exception is None, result.exception
    return json.loads(result.stdout)


def refusal(town: Context, *words: str) -> ExpectedError:
    error = called(town, *words).exception
    assert isinstance(error, ExpectedError)
    return error


def by_anna(town: Context) -> tuple[str, ...]:
    return ("--as", "anna", "--key", str(town.settings.home.parent / "anna"))


def test_a_dry_run_shows_waves_and_leftovers_and_stores_nothing(town: Context) -> None:
    text = said(town, "propose", "--dry-run")
    assert "4 assets in one wave, 1 left over, 5 in all." in text
    assert "W01" in text and "canary 2" in text and "no_address" in text and "Nothing was stored." in text
    assert isinstance(refusal(town, "show"), NoPlan)


def test_a_proposal_is_stored_and_its_waves_are_signed_by_the_person_at_the_keyboard(town: Context) -> None:
    text = said(town, "propose", *by_anna(town))
    assert "W01 is new and proposed." in text
    assert "Next, by a second person: `kahn wave approve W01`." in text
    with town.world.store.reading() as books:
        plan, wave = books.plans.current(town.tenant), books.waves.get(town.tenant, "W01")
        (act,) = books.waves.acts(town.tenant, "W01")
    assert plan is not None and wave.plan == plan.fingerprint
    assert (wave.state, act.act.kind) == ("proposed", "propose")


def test_a_server_whose_procedure_the_policy_does_not_describe_is_left_over_and_the_rest_is_stored(
    tmp_path: Path,
) -> None:
    runbooks = {AssetKind.WORKSTATION: "replace-workstation", AssetKind.SERVER: "move-procedure"}
    policy = a_policy(weekly=(AROUND_THE_CLOCK,), holidays="", runbooks=runbooks)
    servers = (a_server("srv-1", successor="srv-2"), a_server("srv-2"), a_server("gw", role="gateway"))
    town = a_home(tmp_path, estate=an_estate(3, also=(*servers, a_procedure("EWO", "srv-1"))), policy=policy)
    assert "W01 is new and proposed." in said(town, "propose", *by_anna(town))
    left = said(town, "why-not", "srv-1")
    assert "describes none that runs there" in left
    assert said(town, "check").endswith("No rule is broken.\n")


def test_a_runbook_that_does_not_exist_leaves_its_machines_over(tmp_path: Path) -> None:
    policy = a_policy(weekly=(AROUND_THE_CLOCK,), holidays="", runbooks={AssetKind.WORKSTATION: "nowhere"})
    town = a_home(tmp_path, policy=policy)
    error = refusal(town, "propose", *by_anna(town))
    assert isinstance(error, EmptyPlan) and "RBK-002" in str(error)


def test_proposing_without_a_person_stores_nothing(town: Context) -> None:
    assert isinstance(refusal(town, "propose"), NoPerson)
    assert isinstance(refusal(town, "show"), NoPlan)


def test_proposing_again_changes_no_wave_and_says_so(town: Context) -> None:
    said(town, "propose", *by_anna(town))
    text = said(town, "propose", *by_anna(town))
    assert "No asset changes its wave and no wave its window." in text
    assert "W01 stays as it is, with its approvals." in text


def test_a_new_machine_changes_the_plan_and_the_difference_is_told(town: Context) -> None:
    said(town, "propose", *by_anna(town))
    add_assets(town, *a_pair(9))
    text = said(town, "propose", *by_anna(town))
    assert "1 new in W01: old-0009." in text
    assert "W01 changed and is proposed again; approvals it had are void." in text
    assert "1 new in W01: old-0009." in said(town, "diff")
    assert document(town, "diff")["added"] == [["old-0009", "W01"]]


def test_nothing_to_plan_shows_the_reasons_and_fails(tmp_path: Path) -> None:
    town = a_home(tmp_path, estate=an_estate(also=a_pair(0, address="")))
    result = called(town, "propose", "--dry-run")
    assert isinstance(result.exception, EmptyPlan)
    assert "no_address" in result.output


def test_the_plan_in_force_is_shown_with_its_fingerprint(town: Context) -> None:
    said(town, "propose", *by_anna(town))
    found = document(town, "show")
    assert found["fingerprint"] in said(town, "show", found["fingerprint"])
    assert [(wave["key"], wave["assets"]) for wave in found["waves"]] == [("W01", 4)]
    assert [(line["rule"], line["count"]) for line in found["left_over"]] == [("no_address", 1)]


def test_why_an_asset_is_where_it_is_or_is_not(town: Context) -> None:
    said(town, "propose", *by_anna(town))
    assert "old-0000 is in W01" in said(town, "explain", "OLD-0000")
    assert "It has no address." in said(town, "why-not", "old-0004")
    assert "no_address (1): It has no address. Import its `address`.\n    old-0004" in said(town, "why-not")
    assert document(town, "explain", "new-0001")["wave"] == ""
    assert isinstance(refusal(town, "explain", "nobody"), UnknownAsset)


def test_the_dependencies_are_explained_without_a_plan(town: Context) -> None:
    assert "No circles, hubs or odd entries" in said(town, "explain")


def test_the_plan_in_force_is_checked_against_what_is_known_now(town: Context) -> None:
    said(town, "propose", *by_anna(town))
    assert "No rule is broken." in said(town, "check")
    add_assets(town, *a_pair(9))
    result = called(town, "check")
    assert result.exit_code == 3
    assert "dropped" in result.output and "'old-0009'" in result.output


def test_a_pin_is_written_listed_used_and_taken_away(town: Context) -> None:
    text = said(town, "pin", "old-0000", "--not-before", "2099-12-01", "--reason", "holiday", "--as", "anna")
    assert "old-0000 is pinned to not before 2099-11-30 23:00+00:00." in text or "2099-12-01 00:00" in text
    assert document(town, "pin")[0]["name"] == "old-0000"
    assert "pinned_not_before" in said(town, "propose", "--dry-run")
    assert "old-0000 is not pinned any more." in said(town, "pin", "old-0000", "--remove", "--as", "anna")
    assert "Nothing is pinned." in said(town, "pin")


def test_machines_pinned_apart_are_planned_into_two_waves(town: Context) -> None:
    assert "4 assets in one wave" in said(town, "propose", "--dry-run")
    text = said(town, "pin", "old-0000", "--not-with", "old-0001", "--as", "anna")
    assert "old-0000 is kept apart from old-0001." in text
    assert len(document(town, "pin")[0]["not_with"]) == 1
    assert "4 assets in 2 waves" in said(town, "propose", "--dry-run")


def test_a_pin_needs_a_person_a_known_machine_and_a_readable_time(town: Context) -> None:
    assert isinstance(refusal(town, "pin", "old-0000", "--not-before", "2099-12-01"), NoPerson)
    assert isinstance(refusal(town, "pin", "nobody", "W01", "--as", "anna"), UnknownAsset)
    for text in ("tomorrow", "2026-13-01", "99999-01-01T00:00"):
        assert isinstance(refusal(town, "pin", "old-0000", "--not-before", text, "--as", "anna"), BadTime)
    assert "Nothing is pinned." in said(town, "pin")


def test_a_dry_pin_writes_nothing(town: Context) -> None:
    assert "is pinned to" in said(town, "pin", "old-0000", "--not-before", "2099-12-01", "--dry-run")
    assert "Nothing is pinned." in said(town, "pin")


def test_names_with_markup_and_control_characters_do_nothing_to_the_terminal(tmp_path: Path) -> None:
    town = a_home(tmp_path, estate=an_estate(1, also=a_pair(7, successor="[bold red]{0}{{ 7*7 }}[/]")))
    text = said(town, "propose", "--dry-run")
    assert "{{ 7*7 }}" in text and "\x1b" not in text
