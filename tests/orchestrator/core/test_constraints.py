"""Values of rules: their defaults ask for nothing."""

from __future__ import annotations

from inventory.model import AssetKind
from orchestrator.core.constraints import EVERYWHERE, Level, Planning, Scope


def test_a_scope_without_lists_leaves_nothing_out() -> None:
    assert Scope().is_all and EVERYWHERE.is_all
    assert not Scope(kinds=(AssetKind.SERVER,)).is_all


def test_the_default_objective_names_every_level_once_and_looks_for_nothing_better() -> None:
    assert sorted(Planning().objective) == sorted(Level)
    assert Planning().search == 0
