"""Windows that rules forbid to machines, as masks."""

from __future__ import annotations

from datetime import date

from orchestrator.core.constraints import EVERYWHERE, Occasion, Planning, Scope, Task
from orchestrator.core.planner.bans import Bans
from orchestrator.core.planner.draft import draft_of
from orchestrator.core.planner.traits import traits_of
from tests.estates import a_policy, a_request, an_estate, old


def bans_of(planning: Planning) -> Bans:
    draft = draft_of(a_request(an_estate(3), policy=a_policy(planning=planning, horizon_days=4)))
    return Bans(draft, traits_of(draft.request.snapshot, [old(0), old(1)]), minutes=lambda one: 0.0)


def test_without_rules_every_window_is_open() -> None:
    bans = bans_of(Planning())
    assert bans.of([old(0)]) == ((), ())
    assert bans.mask(()) == 0b1111


def test_a_freeze_shuts_the_windows_it_touches_for_those_it_is_about() -> None:
    vote = Occasion(name="vote", on=(date(2026, 11, 25),), scope=Scope(departments=("Amt 1",)))
    bans = bans_of(Planning(occasions=(vote,)))
    assert bans.of([old(0)]) == ((), ())
    hit, _ = bans.of([old(0), old(1)])
    assert [bans.found[n].rule for n in hit] == ["frozen"]
    assert bans.mask(hit) == 0b1001, "the night before ends on that day"


def test_a_lead_time_stands_apart_because_it_has_an_exception() -> None:
    bans = bans_of(Planning(tasks=(Task(name="notice", days_before=2, scope=EVERYWHERE),)))
    hard, (lead,) = bans.of([old(0)])
    assert (hard, bans.found[lead].allowed) == ((), 0b1100)
