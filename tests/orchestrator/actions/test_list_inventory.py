"""Machines as hosts for people's own playbooks."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from inventory.ansible_inventory import EmittedHost
from inventory.model import Asset, AssetId, AssetKind, InvalidValue, Snapshot
from inventory.naming import parse_name
from orchestrator.actions.list_inventory import hosts_of
from orchestrator.core.access import AccessProfile, JumpHost
from orchestrator.core.lifecycle import MoveState
from orchestrator.core.netbox import Way
from tests.estates import TENANT, an_asset
from tests.inventory.builders import own
from tests.orchestrator.core.builders import KEY

LAB = AccessProfile(name="lab", user="kahn", key_file="/keys/lab", port=2222, become=True)
FAR = AccessProfile(name="far", user="kahn", key_file="/keys/far", jump=JumpHost(address="10.0.0.1", host_key=KEY))
REACHED: dict[str, Any] = {"address": "10.1.0.7", "access": "lab", "host_key": KEY}


def hosts(*assets: Asset, ways: dict[AssetId, Way] | None = None) -> dict[str, EmittedHost]:
    snapshot = Snapshot(tenant=TENANT, assets=assets, dependencies=())
    found = hosts_of(snapshot, {"lab": LAB, "far": FAR}, ways or {})
    return {str(one.variables["kahn_id"]): one for one in found}


def test_a_machine_is_grouped_by_state_wave_site_department_procedure_system_and_kind() -> None:
    values: dict[str, Any] = {"site": "Altes Rathaus", "department": "Bürgeramt", "os_name": "Windows 7"}
    asset = an_asset("apc-1", procedures=("MESO", "Wohngeld"), **values, **REACHED)
    way = Way(wave="W01", revision=1, state=MoveState.NEEDS_PERSON, since=datetime(2026, 12, 1, tzinfo=UTC))
    found = hosts(asset, ways={asset.id: way})["apc-1"]
    assert found.groups == (
        "tenant_stadt", "kind_workstation", "state_needs_person", "wave_w01", "site_altes_rathaus",
        "department_buergeramt", "os_windows_7", "procedure_meso", "procedure_wohngeld",
    )  # fmt: skip
    assert (found.variables["kahn_state"], found.variables["kahn_wave"]) == ("needs_person", "W01")


def test_two_texts_that_come_to_one_name_never_share_a_group() -> None:
    found = hosts(an_asset("a", site="Amt/Süd"), an_asset("b", site="Amt Sued"), an_asset("c", site="Amt Nord"))
    sites = [next(group for group in found[name].groups if group.startswith("site_")) for name in "abc"]
    assert len(set(sites)) == 3 and sites[2] == "site_amt_nord"
    assert all(re.fullmatch(r"site_amt_sued_[0-9a-f]{8}", one) for one in sites[:2])


def test_how_it_is_reached_comes_from_its_profile_alone() -> None:
    reach = hosts(an_asset("apc-1", **REACHED))["apc-1"].reach
    assert reach is not None
    assert (reach.address, reach.port, reach.user, reach.key_file, reach.become) == (
        "10.1.0.7", 2222, "kahn", "/keys/lab", True
    )  # fmt: skip
    far = hosts(an_asset("apc-1", **{**REACHED, "access": "far"}))["apc-1"].reach
    assert far is not None and far.hop is not None and far.hop.address == "10.0.0.1"


def test_a_machine_that_cannot_be_reached_is_listed_and_says_why() -> None:
    reasons = {
        "a": an_asset("a"),
        "b": an_asset("b", **{**REACHED, "access": "gone"}),
        "c": an_asset("c", **{**REACHED, "host_key": "no key"}),
        "d": an_asset("d", **{**REACHED, "address": "-oProxyCommand=id"}),
    }
    found = hosts(*reasons.values())
    assert [found[name].reach for name in reasons] == [None] * 4
    assert all("kahn_unreachable" in found[name].groups for name in reasons)
    assert found["a"].variables["kahn_unreachable_because"] == "no address, access, host_key"
    assert found["b"].variables["kahn_unreachable_because"] == "its access profile does not exist"


def test_names_that_mean_something_to_ansible_are_made_plain() -> None:
    names = ("apc-1", "Büro PC (alt)", "state_unplanned", "kahn_machines", "PC #3", "x" * 80)
    found = {one.host for one in hosts(*(an_asset(name) for name in names)).values()}
    assert {"apc-1"} < found and len(found) == len(names)
    assert any(host.startswith("buero-pc-alt--") for host in found)
    assert not {"state_unplanned", "kahn_machines"} & found


def test_places_and_procedures_are_no_hosts() -> None:
    assert hosts(an_asset("Rathaus", kind=AssetKind.SITE), an_asset("MESO", kind=AssetKind.PROCEDURE)) == {}


def _good(name: str) -> bool:
    try:
        return parse_name(AssetKind.SERVER, name) == name
    except InvalidValue:
        return False


@given(
    st.lists(st.text(min_size=1, max_size=30).filter(_good), max_size=6, unique_by=str.casefold),
    st.lists(st.text(min_size=1, max_size=40), min_size=1, max_size=4),
)
def test_whatever_names_there_are_hosts_and_groups_are_safe_and_apart(names: list[str], sites: list[str]) -> None:
    assets = [
        Asset(
            id=AssetId(f"a-{at}"),
            tenant=TENANT,
            kind=AssetKind.SERVER,
            name=name,
            values={"site": sites[at % len(sites)]},
        )
        for at, name in enumerate(names)
    ]
    found = hosts(*assets)
    assert len({one.host for one in found.values()}) == len(assets)
    by_group: dict[str, str] = {}
    for asset in assets:
        group = [one for one in found[str(asset.id)].groups if one.startswith("site_")]
        assert len(group) == 1
        assert by_group.setdefault(group[0], asset.text("site")) == asset.text("site")


def test_attributes_of_a_towns_own_lie_in_a_map_of_their_own_and_are_never_a_variable() -> None:
    attributes = own(ansible_host="192.0.2.66", kostenstelle="{{ 7 * 7 }}")
    found = hosts(an_asset("apc-1", **attributes, **REACHED))["apc-1"]
    assert found.variables["kahn_asset"]["attributes"] == {
        "ansible_host": "192.0.2.66", "kostenstelle": "{{ 7 * 7 }}"
    }  # fmt: skip
    assert not any(name.startswith(("attr", "ansible")) for name in found.variables)
    assert found.reach is not None and found.reach.address == "10.1.0.7"
