"""The cheapest way to part a group that no window can take."""

from __future__ import annotations

from inventory.dependencies import Binding
from inventory.model import AssetId, Dependency, DependencyKind
from orchestrator.core.planner.first_fit import FirstFitPlanner
from orchestrator.core.planner.splits import LARGEST, Splits
from tests.estates import a_request, an_estate, needs, old

HARD = DependencyKind.HARD


def clique(numbers: range) -> list[Dependency]:
    return [needs(old(n), old(m), HARD) for n in numbers for m in numbers if n < m]


def test_two_clusters_on_one_thread_are_parted_there() -> None:
    edges = (*clique(range(6)), *clique(range(6, 12)), needs(old(3), old(8), HARD))
    estate = an_estate(12, edges=edges)
    split = Splits(estate, Binding()).cheapest([old(n) for n in range(12)], limit=6)
    assert split is not None
    assert ([(one.asset, one.needs) for one in split.needs], split.sizes) == ([(old(3), old(8))], (6, 6))
    (reason,) = FirstFitPlanner().propose(a_request(estate)).why_not
    assert reason.says.endswith("Loosening old-0003 - old-0008 would part it into 6, 6.")


def test_what_hangs_together_tightly_is_cut_again_and_again() -> None:
    estate = an_estate(12, edges=tuple(clique(range(12))))
    split = Splits(estate, Binding()).cheapest([old(n) for n in range(12)], limit=10)
    assert split is not None and split.sizes[0] <= 10
    assert len(split.needs) == 21


def test_a_huge_group_is_not_looked_at() -> None:
    huge = [AssetId(str(n)) for n in range(LARGEST + 1)]
    assert Splits(an_estate(1), Binding()).cheapest(huge, limit=5) is None
