"""First fit over every rule: what must come first is placed first, pins before all."""

from __future__ import annotations

from inventory.model import AssetKind
from orchestrator.core.constraints import First, Planning, Scope
from orchestrator.core.plan import Plan
from orchestrator.core.planner.first_fit import FirstFitPlanner
from tests.estates import a_policy, a_request, an_asset, an_estate, old
from tests.ruled_estates import RUNBOOKS, a_procedure, a_server


def key_of(plan: Plan) -> dict[str, str]:
    return {str(asset): str(wave.key) for wave in plan.waves for asset in wave.assets}


def test_a_pilot_goes_first_though_others_would_stand_before_it() -> None:
    pilot = First(name="pilot", first=Scope(names=("old-0007",)), days_between=2)
    plan = FirstFitPlanner().propose(a_request(an_estate(12), policy=a_policy(planning=Planning(first=(pilot,)))))
    assert key_of(plan)["old-0007"] == "W01"
    assert [wave.window.local[:14] for wave in plan.waves] == ["Mon 2026-11-23", "Wed 2026-11-25", "Thu 2026-11-26"]


def test_a_seat_waits_until_its_procedure_works_from_the_new_device() -> None:
    server, procedure = a_server("srv"), a_procedure("EWO", "srv")
    seat = an_asset("seat", kind=AssetKind.SEAT, machine="old-0001", procedures=("EWO",))
    town = an_estate(2, also=(server, procedure, seat))
    asked = Planning(seats_wait=True)
    plan = FirstFitPlanner().propose(a_request(town, policy=a_policy(planning=asked, runbooks=RUNBOOKS)))
    keys = key_of(plan)
    assert keys["srv"] < keys["old-0001"]
    stays = FirstFitPlanner().propose(a_request(town, policy=a_policy(planning=asked)))
    (reason,) = [one for one in stays.why_not if one.rule == "seats_wait"]
    assert (reason.assets, "'ewo' works from the new device" in reason.says) == ((old(1),), True)
    ready = Planning(seats_wait=True, works_from_new=("ewo",))
    free = FirstFitPlanner().propose(a_request(town, policy=a_policy(planning=ready)))
    assert "old-0001" in key_of(free)
