"""A plan in plain words."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from inventory.model import AssetId, AssetKind, DependencyKind, Snapshot
from orchestrator.core.constraints import Planning
from orchestrator.core.explain import difference, explain, leftover_lines, structure_sentences, wave_lines
from orchestrator.core.plan import Pin, Plan
from orchestrator.core.planner.first_fit import FirstFitPlanner
from tests.estates import MONDAY, a_pair, a_policy, a_request, an_asset, an_estate, needs, old

HARD = DependencyKind.HARD
ESTATE = an_estate(
    23,
    also=(*a_pair(22, address=""), an_asset("Rathaus", kind=AssetKind.SITE)),
    edges=(needs("old-0000", "old-0003", HARD), needs("old-0001", "old-0004")),
)
PLAN = FirstFitPlanner().propose(a_request(ESTATE))


def words(name: str, *, plan: Plan = PLAN, estate: Snapshot = ESTATE, pins: tuple[Pin, ...] = ()) -> str:
    return " ".join(sentence.text for sentence in explain(plan, estate, AssetId(name), pins=pins).because)


def test_each_wave_is_a_row_with_its_batches_and_departments() -> None:
    first = wave_lines(PLAN, ESTATE)[0]
    assert (first.key, first.local, first.assets, first.groups) == ("W01", "Mon 2026-11-23 22:00-04:30", 10, 9)
    assert first.batches == (("canary", 2), ("b1", 4), ("b2", 4))
    assert sum(count for _name, count in first.departments) == first.assets


def test_leftovers_are_counted_by_rule() -> None:
    (line,) = leftover_lines(PLAN, ESTATE)
    assert (line.rule, line.count, line.says, line.names) == ("no_address", 1, "It has no address.", ("old-0022",))


def test_why_an_asset_is_in_its_wave() -> None:
    assert "W01 runs replace-workstation in the window Mon 2026-11-23 22:00-04:30 Europe/Berlin." in words("old-0000")
    assert "It moves together with old-0003, bound by hard." in words("old-0000")
    assert "It needs old-0003 (hard), and so moves with it." in words("old-0000")
    assert "Nothing binds it" in words("old-0001")
    assert "It needs old-0004 (soft), which is in W0" in words("old-0001")


def test_why_an_asset_is_in_no_wave() -> None:
    assert words("old-0022") == "It has no address. Import its `address`."
    assert explain(PLAN, ESTATE, old(22)).rule == "no_address"
    assert words("new-0001") == "It is the successor of old-0001 and never moved itself."
    assert words("vault-1") == "It serves all waves as vault and is never moved itself."
    assert words("Rathaus") == "A site is never moved itself."
    assert words("nobody") == "It is not in the inventory."


def test_a_pin_is_told_first() -> None:
    pin = Pin(asset=old(1), not_before=MONDAY)
    assert words("old-0001", pins=(pin,)).startswith("A person pinned it to not before 2026-11-23 08:00:00+00:00.")


def test_two_plans_that_are_the_same_have_no_difference() -> None:
    found = difference(PLAN, PLAN, ESTATE)
    assert found.is_empty and found.says == () and found.unchanged == 22


def test_what_moved_came_and_went_between_two_plans_is_told() -> None:
    estate = an_estate(23, also=a_pair(4, address=""), edges=ESTATE.dependencies)
    pin = Pin(asset=old(3), not_before=MONDAY + timedelta(days=2))
    after = FirstFitPlanner().propose(a_request(estate, parent=PLAN, pins=(pin,)))
    found = difference(PLAN, after, estate)
    assert ("old-0003", "W01", "W03") in found.moved
    assert found.added == (("old-0022", next(w.key for w in after.waves if old(22) in w.assets)),)
    assert [name for name, _wave in found.removed] == ["old-0004"]
    told = [sentence.text for sentence in found.says]
    assert any("no longer in W0" in one and "old-0004" in one for one in told)
    assert any("from W01 to W03" in one and "old-0003" in one for one in told)


def test_a_window_that_changed_is_told() -> None:
    wave = PLAN.waves[0]
    earlier = replace(wave, window=replace(wave.window, opens=wave.window.opens - timedelta(hours=1), local="earlier"))
    found = difference(replace(PLAN, waves=(earlier,)), PLAN, ESTATE)
    assert found.windows == (("W01", "earlier", "Mon 2026-11-23 22:00-04:30"),)
    assert found.says[0].text == "The window of W01 changes from earlier to Mon 2026-11-23 22:00-04:30."


def test_circles_hubs_and_nonsense_in_the_dependencies_are_told() -> None:
    circle = tuple(needs(old(number), old((number + 1) % 9)) for number in range(9))
    hub = tuple(needs(old(number), old(20)) for number in range(12))
    odd = (needs("old-0021", "old-0021"), needs("old-0021", "nobody"))
    told = [one.text for one in structure_sentences(an_estate(22, edges=(*circle, *hub, *odd)))]
    assert told == [
        "9 assets need each other and stay together: "
        "old-0000 -> old-0001 -> old-0002 -> old-0003 -> ... (5 more) -> old-0000.",
        "old-0020 is needed by 12 others.",
        "Said to need themselves, which counts for nothing: old-0021.",
        "1 dependencies name something that is not in the inventory.",
    ]


def test_names_with_braces_are_never_taken_for_templates() -> None:
    estate = an_estate(1, also=a_pair(0, successor="{0} {x}"))
    plan = FirstFitPlanner().propose(a_request(estate, policy=a_policy()))
    assert "'{0} {x}'" in words("old-0000", plan=plan, estate=estate)


def test_when_everything_hangs_together_it_is_said_with_the_cheapest_split() -> None:
    edges = [needs(old(n + 1), old(n), HARD) for n in range(13)]
    edges += [needs(old(n + 2), old(n), HARD) for n in (0, 2, 4, 8, 10)]
    told = [one.text for one in structure_sentences(an_estate(14, edges=tuple(edges)), a_policy())]
    assert told[0] == "Everything hangs together: 14 machines are bound into one group."
    assert told[1].startswith("Loosening old-00") and "would part it into" in told[1]
    assert "`hubs`" in told[2]


def test_a_circle_that_does_not_bind_is_said_to_be_bridged() -> None:
    circle = tuple(needs(old(n), old((n + 1) % 3)) for n in range(3))
    policy = a_policy(planning=Planning(cycles_bind=False))
    (told,) = structure_sentences(an_estate(3, edges=circle), policy)
    assert told.text == "3 assets need each other and may be bridged: old-0000 -> old-0001 -> old-0002 -> old-0000."
