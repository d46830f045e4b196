"""A request looked at once: groups, and the rule that keeps each other asset out."""

from __future__ import annotations

from inventory.model import DependencyKind
from orchestrator.core.constraints import Planning
from orchestrator.core.plan import Pin
from orchestrator.core.planner.draft import draft_of, number_of, units_of
from tests.estates import a_policy, a_request, an_estate, needs, old


def test_a_circle_is_one_group_unless_the_policy_lets_it_be_bridged() -> None:
    circle = an_estate(3, edges=tuple(needs(old(n), old((n + 1) % 3)) for n in range(3)))
    for binds, groups in ((True, 1), (False, 3)):
        policy = a_policy(planning=Planning(cycles_bind=binds))
        units, reasons = units_of(draft_of(a_request(circle, policy=policy)))
        assert (len(units), reasons) == (groups, {})


def test_a_shared_service_binds_nothing() -> None:
    edges = tuple(needs(old(n), old(9), DependencyKind.HARD) for n in range(5))
    for planning in (Planning(hub_at=5), Planning(hubs=("OLD-0009",))):
        units, _ = units_of(draft_of(a_request(an_estate(10, edges=edges), policy=a_policy(planning=planning))))
        assert len(units) == 10


def test_what_is_bound_cannot_be_pinned_apart() -> None:
    estate = an_estate(2, edges=(needs(old(0), old(1), DependencyKind.HARD),))
    _, reasons = units_of(draft_of(a_request(estate, pins=(Pin(asset=old(0), not_with=(old(1),)),))))
    assert {fault.rule for fault in reasons.values()} == {"pins_disagree"}


def test_a_key_that_is_none_has_no_number() -> None:
    assert (number_of("W07"), number_of("Wx")) == (7, -1)
