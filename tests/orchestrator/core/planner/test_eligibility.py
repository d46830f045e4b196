"""Which machines can move, and the first rule that the others fail."""

from __future__ import annotations

import pytest

from inventory.model import Asset, AssetId, AssetKind
from orchestrator.core.planner.eligibility import RULE_NAMES, faults_of
from tests.estates import REACHED, a_pair, a_request, a_vault, an_asset, an_estate, old


def rule_of(*also: Asset, pairs: int = 1, name: str = "old-0000") -> str:
    fault = faults_of(a_request(an_estate(pairs, also=also)))[AssetId(name)]
    return fault.rule if fault else ""


def the_old(**values: object) -> Asset:
    return a_pair(0, **values)[0]  # type: ignore[arg-type]


def the_new(**values: object) -> Asset:
    return an_asset("new-0000", **{"address": "new-0.stadt.example", **REACHED, **values})  # type: ignore[arg-type]


def test_a_complete_pair_fails_no_rule() -> None:
    assert rule_of() == ""


@pytest.mark.parametrize(
    ("rule", "also"),
    [
        ("retained", (the_old(strategy="retain"),)),
        ("no_successor", (the_old(successor=""),)),
        ("successor_unknown", (the_old(successor="nobody"),)),
        ("successor_replaced", (the_old(successor="old-0000"),)),
        ("successor_replaced", (the_old(successor="new-0000"), the_new(successor="x"), an_asset("x"))),
        ("successor_unfit", (the_old(successor="muster"), an_asset("muster", kind=AssetKind.TEMPLATE))),
        ("successor_unfit", (the_old(successor="vault-1"),)),
        ("successor_taken", (an_asset("other", successor="NEW-0000"),)),
        ("no_address", (the_old(address=""),)),
        ("no_address", (the_new(address=""),)),
        ("same_address", (the_old(address="NEW-0.stadt.example"),)),
        ("no_access", (the_old(access=""),)),
        ("no_access", (the_new(access=""),)),
        ("no_host_key", (the_old(host_key=""),)),
        ("no_host_key", (the_new(host_key=""),)),
        ("no_vault", (a_vault(host_key=""),)),
        ("no_vault", (a_vault(role="gateway"),)),
    ],
)
def test_what_is_missing_is_told_by_the_first_rule_that_fails(rule: str, also: tuple[Asset, ...]) -> None:
    assert rule_of(*also) == rule


def test_a_kind_without_a_runbook_is_left_over() -> None:
    assert rule_of(an_asset("printer-1", kind=AssetKind.PRINTER), name="printer-1") == "no_runbook"


def test_the_order_of_the_rules_decides_what_is_said_first() -> None:
    bare = an_asset("old-0000")
    assert rule_of(bare) == "no_successor"
    assert RULE_NAMES.index("no_successor") < RULE_NAMES.index("no_address") < RULE_NAMES.index("no_vault")


def test_places_seats_templates_successors_and_machines_that_serve_all_waves_are_no_moves() -> None:
    also = (
        an_asset("Rathaus", kind=AssetKind.SITE),
        an_asset("Platz 1", kind=AssetKind.SEAT, machine="old-0000"),
        an_asset("EWO", kind=AssetKind.PROCEDURE),
        an_asset("muster", kind=AssetKind.TEMPLATE),
        an_asset("gw", kind=AssetKind.SERVER, role="gateway"),
    )
    assert set(faults_of(a_request(an_estate(1, also=also)))) == {old(0)}


def test_settled_assets_are_not_asked_about() -> None:
    assert set(faults_of(a_request(an_estate(2), settled=frozenset({old(0)})))) == {old(1)}


def test_names_with_braces_and_jinja_are_only_text() -> None:
    fault = faults_of(a_request(an_estate(1, also=(the_old(successor="{{ lookup('pipe','id') }}"),))))[old(0)]
    assert fault is not None and "{{ lookup" in fault.says
