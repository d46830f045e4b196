"""The gate for what is needed outside the wave."""

from __future__ import annotations

from inventory.model import Asset, AssetId, AssetKind, Dependency, DependencyKind, Snapshot
from orchestrator.core.lifecycle import MOVE_GROUPS, MoveState
from orchestrator.core.ready_line import ReadyLine
from orchestrator.core.ready_needs import IN_DOUBT, needs_line
from tests.orchestrator.core.builders import a_wave

WAVE = a_wave(batches={"b1": 2})
FIRST, SECOND = (move.asset for move in WAVE.moves)
DIRECTORY, BETWEEN = AssetId("dir"), AssetId("between")


def line(
    *pairs: tuple[AssetId, AssetId], kind: DependencyKind = DependencyKind.HARD, doubtful: bool = True
) -> ReadyLine:
    """The gate where the directory server is in doubt in W07."""
    server = Asset(id=DIRECTORY, tenant=WAVE.tenant, kind=AssetKind.SERVER, name="srv-ad", values={})
    dependencies = tuple(Dependency(tenant=WAVE.tenant, asset=one, needs=other, kind=kind) for one, other in pairs)
    snapshot = Snapshot(tenant=WAVE.tenant, assets=(server,), dependencies=dependencies)
    return needs_line(WAVE, snapshot, {DIRECTORY: "W07"} if doubtful else {})


def test_only_what_leans_on_something_in_doubt_stays_behind() -> None:
    found = line((FIRST, DIRECTORY))
    assert (found.verdict, found.assets) == ("held", (FIRST,))
    assert "srv-ad" in found.says.text and "W07" in found.says.text


def test_needs_are_followed_over_any_number_of_steps_and_through_circles() -> None:
    found = line((FIRST, BETWEEN), (BETWEEN, DIRECTORY), (BETWEEN, FIRST), (DIRECTORY, BETWEEN))
    assert found.assets == (FIRST,)


def test_what_is_only_convenient_or_settled_holds_nothing() -> None:
    assert line((FIRST, DIRECTORY), kind=DependencyKind.SOFT).verdict == "ok"
    assert line((FIRST, DIRECTORY), doubtful=False).verdict == "ok"
    assert line((DIRECTORY, SECOND)).verdict == "ok", "it is the other one that needs this one"


def test_nobody_relies_on_what_is_neither_settled_nor_untouched() -> None:
    assert frozenset(MoveState) - MOVE_GROUPS["at rest"] == IN_DOUBT
