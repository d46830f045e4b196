"""Reasons for what found no window: the rule that rules out most windows, and how many each takes."""

from __future__ import annotations

from datetime import date

from orchestrator.core.constraints import Capacity, Delivery, Each, Measure, Planning, Scope, Stock, Visit
from orchestrator.core.plan import WhyNot
from orchestrator.core.planner.first_fit import FirstFitPlanner
from orchestrator.core.planner.waves import GROUP_RULES, WINDOW_RULES
from tests.estates import a_policy, a_request, an_estate


def reasons(planning: Planning) -> tuple[WhyNot, ...]:
    policy = a_policy(planning=planning, horizon_days=4)
    return FirstFitPlanner().propose(a_request(an_estate(6), policy=policy)).why_not


def test_a_leftover_names_the_rule_that_rules_out_most_windows() -> None:
    visit = Visit(name="maker", on=(date(2027, 6, 1),), scope=Scope(departments=("Amt 0",)))
    (reason,) = reasons(Planning(visits=(visit,)))
    assert (reason.rule, len(reason.assets)) == ("visit", 2)
    assert reason.says == "Of the 4 windows in reach, 4 are on days without 'maker'."


def test_a_stock_and_a_capacity_are_named_with_their_part() -> None:
    stock = Stock(name="boxes", of=Measure.ASSETS, deliveries=(Delivery(on=date(2026, 11, 23), amount=5),))
    (reason,) = reasons(Planning(stocks=(stock,)))
    assert (reason.rule, "before enough of 'boxes' is delivered" in reason.says) == ("stock", True)
    none = Capacity(name="hands", of=Measure.ASSETS, most=0, each=Each.DEPARTMENT, scope=Scope(departments=("Amt 1",)))
    (reason,) = reasons(Planning(capacities=(none,)))
    assert (reason.rule, "have no room under 'hands (amt 1)'" in reason.says) == ("limit", True)


def test_every_rule_of_a_window_has_words_and_a_remedy() -> None:
    assert {one.name for one in WINDOW_RULES} <= set(GROUP_RULES)
    assert all(one.words and one.remedy for one in WINDOW_RULES)
