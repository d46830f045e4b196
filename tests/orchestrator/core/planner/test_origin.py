"""What a plan was made from has one fingerprint."""

from __future__ import annotations

from dataclasses import replace

from inventory.model import Snapshot
from orchestrator.core.plan import Pin
from orchestrator.core.planner.origin import made_from
from tests.estates import a_policy, a_request, an_estate, needs, old

ESTATE = an_estate(3, edges=(needs("old-0000", "old-0001"), needs("old-0001", "old-0002")))


def test_the_order_of_assets_dependencies_and_pins_makes_no_difference() -> None:
    pins = (Pin(asset=old(0)), Pin(asset=old(1)))
    turned = Snapshot(tenant=ESTATE.tenant, assets=ESTATE.assets[::-1], dependencies=ESTATE.dependencies[::-1])
    assert made_from(a_request(ESTATE, pins=pins)) == made_from(a_request(turned, pins=pins[::-1]))


def test_any_change_of_inventory_policy_pins_or_settled_assets_makes_another() -> None:
    request = a_request(ESTATE)
    others = (
        replace(request, snapshot=an_estate(3)),
        replace(request, policy=a_policy(batch_size=5)),
        replace(request, pins=(Pin(asset=old(0)),)),
        replace(request, settled=frozenset({old(0)})),
    )
    assert len({made_from(one) for one in (request, *others)}) == 5
