"""What a runbook asks of the inventory."""

from __future__ import annotations

from orchestrator.adapters.runbooks import SHIPPED, load_runbook
from orchestrator.core.asks import asks_of
from orchestrator.core.runbook import RoleSource


def test_each_shipped_runbook_asks_for_the_machines_of_its_own_roles() -> None:
    asks = {name: asks_of(load_runbook(SHIPPED / name)) for name in ("replace-workstation", "move-procedure")}
    assert RoleSource.VAULT in asks["replace-workstation"].machines and asks["replace-workstation"].reached
    moved = asks["move-procedure"]
    assert moved.machines == (RoleSource.ASSET, RoleSource.GATEWAY, RoleSource.JUMP, RoleSource.SUCCESSOR)
    assert moved.procedure and not asks["replace-workstation"].procedure


def test_work_by_hand_reaches_no_machine() -> None:
    asks = asks_of(load_runbook(SHIPPED / "replace-seat-by-hand"))
    assert not asks.reached and asks.machines == (RoleSource.ASSET, RoleSource.SUCCESSOR)
