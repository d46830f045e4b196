"""The gate for freezes of some assets: it looks at what is left of the window, and holds whole groups."""

from __future__ import annotations

from datetime import UTC, date, time, timedelta
from typing import Any

import pytest

from inventory.model import Asset, AssetKind, Snapshot
from orchestrator.core.constraints import Every, Hours, Occasion, Planning, Recurring, Scope, Weekday
from orchestrator.core.policy import Freeze, Policy
from orchestrator.core.ready_freezes import narrow_freeze_line
from orchestrator.core.ready_line import ReadyLine
from tests.orchestrator.core.builders import OPENS, a_wave

WAVE = a_wave(batches={"b1": 3}, groups=(("a01", "a02"), ("a03",)))
CLOSES = WAVE.window.closes
DAY = OPENS.astimezone(UTC).date()
SNAPSHOT = Snapshot(
    tenant=WAVE.tenant,
    assets=tuple(
        Asset(id=one.asset, tenant=WAVE.tenant, kind=AssetKind.WORKSTATION, name=str(one.asset), values={"site": site})
        for one, site in zip(WAVE.moves, ("Rathaus", "Bauhof", "Bauhof"), strict=True)
    ),
    dependencies=(),
)
TOWN_HALL, NOWHERE = Scope(sites=("Rathaus",)), Scope(sites=("Schule",))
EVERY_DAY = tuple(Weekday)


def line(policy: Policy, *, now: Any = OPENS) -> ReadyLine:
    return narrow_freeze_line(WAVE, SNAPSHOT, policy, now=now)


@pytest.mark.parametrize(
    "policy",
    [
        Policy(freezes=(Freeze(name="x", first=DAY, last=DAY, scope=TOWN_HALL),)),
        Policy(
            planning=Planning(
                occasions=(Occasion(name="x", on=(DAY + timedelta(days=2),), days_before=2, scope=TOWN_HALL),)
            )
        ),
        Policy(
            planning=Planning(
                recurring=(Recurring(name="x", every=Every.MONTH, first_day=1, last_day=-1, scope=TOWN_HALL),)
            )
        ),
        Policy(
            planning=Planning(
                hours=(Hours(name="x", days=EVERY_DAY, opens=time(0), closes=time(23, 59), scope=TOWN_HALL),)
            )
        ),
    ],
)
def test_a_freeze_of_some_keeps_them_back_with_all_that_moves_together_with_them(policy: Policy) -> None:
    found = line(policy)
    assert (found.verdict, found.assets) == ("held", ("a01", "a02"))
    assert "2 assets stay behind: x keeps" in found.says.text


def test_hours_of_everybody_are_looked_at_here_and_days_of_everybody_elsewhere() -> None:
    hours = Hours(name="counter", days=EVERY_DAY, opens=time(0), closes=time(23, 59))
    assert line(Policy(planning=Planning(hours=(hours,)))).assets == ("a01", "a02", "a03")
    assert line(Policy(freezes=(Freeze(name="x", first=DAY, last=DAY),))).verdict == "ok"


def test_what_is_over_when_the_wave_starts_or_begins_after_it_or_is_for_others_keeps_nobody_back() -> None:
    early = Freeze(name="x", first=DAY - timedelta(days=9), last=DAY - timedelta(days=2), scope=TOWN_HALL)
    late = Freeze(name="x", first=DAY + timedelta(days=3), last=date(2100, 1, 1), scope=TOWN_HALL)
    others = Freeze(name="x", first=DAY, last=DAY, scope=NOWHERE)
    for freeze in (early, late, others):
        assert line(Policy(freezes=(freeze,))).verdict == "ok"
    assert line(Policy(freezes=(Freeze(name="x", first=DAY, last=DAY, scope=TOWN_HALL),)), now=CLOSES).verdict == "ok"
