"""Calendar entries of a plan: one a wave, with an identity that stays."""

from __future__ import annotations

from datetime import UTC, datetime

from orchestrator.core.planner.first_fit import FirstFitPlanner
from orchestrator.core.wave_calendar import WaveFacts, calendar_entries
from tests.estates import a_policy, a_request, an_estate

SINCE = datetime(2026, 11, 20, tzinfo=UTC)


def test_one_entry_a_wave_with_its_places_and_what_the_books_say() -> None:
    estate = an_estate(6)
    plan = FirstFitPlanner().propose(a_request(estate, policy=a_policy(assets_per_window=4)))
    facts = {"W01": WaveFacts(state="approved", revision=3, since=SINCE)}
    first, second = calendar_entries(plan, estate, facts=facts)
    assert (first.uid, first.state, first.revision, first.since) == ("wave-w01.stadt@kahn", "approved", 3, SINCE)
    assert (second.uid, second.state, second.revision, second.since) == ("wave-w02.stadt@kahn", "", 1, None)
    assert first.assets == 4 and sum(count for _, count in first.departments) == 4
    assert first.sites == (("", 4),)


def test_a_new_plan_of_the_same_waves_keeps_their_identities() -> None:
    estate = an_estate(6)
    rules = a_policy(assets_per_window=4)
    plans = [FirstFitPlanner().propose(a_request(one, policy=rules)) for one in (estate, an_estate(7))]
    uids = [[entry.uid for entry in calendar_entries(plan, estate, facts={})] for plan in plans]
    assert uids[0] == uids[1][:2]
