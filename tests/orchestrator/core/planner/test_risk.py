"""Points of a wave, each with its reason."""

from __future__ import annotations

from inventory.model import AssetKind
from orchestrator.core.planner.first_fit import FirstFitPlanner
from orchestrator.core.planner.risk import with_risks
from tests.estates import a_policy, a_request, an_asset, an_estate
from tests.ruled_estates import a_procedure


def test_the_first_wave_and_what_is_very_high_give_points_with_their_reasons() -> None:
    procedure = a_procedure("Standesamt", protection="sehr hoch")
    seat = an_asset("seat", kind=AssetKind.SEAT, machine="old-0000", procedures=("Standesamt",))
    estate, policy = an_estate(12, also=(procedure, seat)), a_policy()
    first, second = with_risks(FirstFitPlanner().propose(a_request(estate)).waves, estate, policy)
    assert first.risk is not None and second.risk is not None
    assert first.risk.score == 50
    assert first.risk.reasons == (
        "the first wave by replace-workstation",
        "1 of protection class sehr hoch",
        "10 assets, of 10 that a window takes",
    )
    assert (second.risk.score, second.risk.reasons) == (0, ())
