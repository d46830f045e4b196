"""Calendar entries of a plan: one a wave, with an identity that stays."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

from orchestrator.core.due_tasks import Due, DueTask
from orchestrator.core.planner.first_fit import FirstFitPlanner
from orchestrator.core.wave_calendar import WaveFacts, calendar_entries, task_entries
from tests.estates import TENANT, a_policy, a_request, an_estate

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


def test_a_task_keeps_its_identity_while_its_wave_moves_and_what_is_begun_has_no_entry() -> None:
    day = date(2026, 11, 30)
    task = DueTask(
        name="Notice", wave="W01", due=day, moves_on=day, days_before=0, assets=3, owner="", state=Due.OVERDUE
    )
    facts = {"W01": WaveFacts(state="approved", revision=3, since=SINCE)}
    later = replace(task, due=date(2026, 12, 1), moves_on=date(2026, 12, 1))
    (one,), (other,) = (task_entries((each,), tenant=TENANT, facts=facts) for each in (task, later))
    assert one.uid == other.uid and (one.revision, one.since) == (3, SINCE)
    assert task_entries((replace(task, state=Due.DONE),), tenant=TENANT, facts=facts) == ()
    assert task_entries((replace(task, name="notice"),), tenant=TENANT, facts={})[0].uid != one.uid


def test_a_new_plan_of_the_same_waves_keeps_their_identities() -> None:
    estate = an_estate(6)
    rules = a_policy(assets_per_window=4)
    plans = [FirstFitPlanner().propose(a_request(one, policy=rules)) for one in (estate, an_estate(7))]
    uids = [[entry.uid for entry in calendar_entries(plan, estate, facts={})] for plan in plans]
    assert uids[0] == uids[1][:2]
