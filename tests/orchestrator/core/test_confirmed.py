"""Gates that people open."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from inventory.model import AssetId
from orchestrator.core.confirmed import Confirmation, confirmed_lines
from orchestrator.core.demands import KNOWN, Demand, Reach
from orchestrator.core.ready_line import ReadyLine
from tests.orchestrator.core.builders import OPENS, a_wave

WAVE = a_wave(batches={"b1": 3})
DAY = timedelta(days=1)
A01, A02, A03 = (AssetId(one) for one in ("a01", "a02", "a03"))


def said(gate: str, *, days_ago: float = 1, **more: object) -> Confirmation:
    return replace(Confirmation(gate=gate, by="p-1", at=OPENS - days_ago * DAY), **more)  # type: ignore[arg-type]


def line(demand: Demand, *confirmations: Confirmation) -> ReadyLine:
    (found,) = confirmed_lines(WAVE, [demand], confirmations, now=OPENS)
    return found


@pytest.mark.parametrize("name", sorted(KNOWN))
def test_without_a_confirmation_every_gate_is_closed_with_owner_and_remedy(name: str) -> None:
    found = line(KNOWN[name])
    assert found.verdict == ("held" if KNOWN[name].reach is Reach.ASSET else "blocks")
    assert found.owner and found.remedy and "kahn gate confirm" in found.remedy.text


def test_each_reach_lets_only_what_it_is_about_count() -> None:
    council, release, staff = KNOWN["staff-council"], KNOWN["vendor-release"], Demand(name="key-handed-over")
    tree = WAVE.runbook.tree
    assert line(council, said("staff-council")).verdict == "ok"
    assert line(council, said("data-protection")).verdict == "blocks"
    assert line(release, said("vendor-release", runbook=tree)).verdict == "ok"
    assert line(release, said("vendor-release", runbook="another tree")).verdict == "blocks"
    assert line(release, said("vendor-release")).verdict == "blocks"
    assert line(staff, said("key-handed-over", wave="W01")).verdict == "ok"
    assert line(staff, said("key-handed-over", wave="W02")).verdict == "blocks"


def test_the_latest_word_counts_and_a_withdrawal_closes_the_gate() -> None:
    gate = KNOWN["staff-council"]
    yes, no = said("staff-council", days_ago=3), said("staff-council", days_ago=2, withdrawn=True)
    assert line(gate, yes, no).verdict == "blocks"
    assert line(gate, yes, no, said("staff-council")).verdict == "ok"


def test_a_confirmation_ends_with_its_day_and_with_its_age() -> None:
    gate = replace(KNOWN["staff-council"], max_age_days=10)
    assert line(gate, said("staff-council", until=OPENS + DAY)).verdict == "ok"
    assert line(gate, said("staff-council", until=OPENS)).verdict == "blocks"
    assert line(gate, said("staff-council", days_ago=10)).verdict == "ok"
    assert line(gate, said("staff-council", days_ago=10.1)).verdict == "blocks"


def test_one_from_the_future_does_not_count_yet() -> None:
    """`--at` asks about a time; what is said later is not known then."""
    assert line(KNOWN["staff-council"], said("staff-council", days_ago=-1)).verdict == "blocks"


def test_staff_is_counted_against_the_size_of_the_wave() -> None:
    gate = replace(KNOWN["staff"], per_person=2)
    assert line(gate, said("staff", wave="W01", people=2)).verdict == "ok"
    few = line(gate, said("staff", wave="W01", people=1))
    assert (few.verdict, few.says.text) == ("blocks", "1 people are there, 2 are needed")


def test_an_asset_without_a_fresh_restored_backup_stays_behind_alone() -> None:
    gate = KNOWN["backup-restored"]
    fresh, old = said("backup-restored", assets=(A01,)), said("backup-restored", days_ago=31, assets=(A02,))
    found = line(gate, old, fresh)
    assert (found.verdict, found.assets) == ("held", (A02, A03))
    assert "apc-a02, apc-a03" in found.says.text and "31 days old" in found.says.text
    assert line(gate, said("backup-restored", assets=(A01, A02, A03))).verdict == "ok"
