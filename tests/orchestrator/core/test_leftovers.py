"""What stands in no wave."""

from __future__ import annotations

from inventory.model import AssetId
from orchestrator.core.leftovers import leftovers_of
from orchestrator.core.places import Place, Whereabouts
from orchestrator.core.plan import Plan, WhyNot
from orchestrator.core.planner.eligibility import RULE_NAMES
from tests.orchestrator.core.builders import OPENS, a_wave

TENANT = a_wave().tenant


def a_place(number: int, *, rule: str = "", place: Place = Place.UNPLANNED) -> Whereabouts:
    return Whereabouts(asset=AssetId(f"a{number}"), name=f"pc-{number}", department="", place=place, rule=rule)


def a_plan(*rules: str, says: str = "It says so.") -> Plan:
    why = tuple(WhyNot(assets=(AssetId(rule),), rule=rule, says=says, remedy="Mend it.") for rule in rules)
    return Plan(tenant=TENANT, parent="", made_from="", not_before=OPENS, seed=0, waves=(), why_not=why)


def test_leftovers_are_counted_by_rule_most_first_and_add_up() -> None:
    places = [a_place(1, rule="no_address"), a_place(2, rule="window_full"), a_place(3, rule="window_full"), a_place(4)]
    lines = leftovers_of(a_plan("no_address", "window_full"), places)
    assert [(line.rule, len(line.names)) for line in lines] == [("window_full", 2), ("", 1), ("no_address", 1)]


def test_what_is_in_a_wave_is_no_leftover() -> None:
    assert leftovers_of(None, [a_place(1, place=Place.MOVED), a_place(2, place=Place.STAYS)]) == ()


def test_every_rule_of_the_planner_has_words_for_people() -> None:
    rules = [rule for rule in RULE_NAMES if rule != "retained"]
    lines = leftovers_of(a_plan(*rules), [a_place(n, rule=rule) for n, rule in enumerate(rules)])
    assert all(line.says.text != "It says so." for line in lines)


def test_the_words_of_a_foreign_planner_are_no_template() -> None:
    (line,) = leftovers_of(a_plan("own_rule", says="{asset} is odd"), [a_place(1, rule="own_rule")])
    assert line.says.text == "{asset} is odd"
