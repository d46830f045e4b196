"""The ground of a trial of network boot. That it boots is proven by the whole trial (test_trial.py, long)."""

from __future__ import annotations

from orchestrator.core.runbook import RoleSource
from orchestrator.lab.boot_ground import BOOT, boot_stage


def test_the_tool_is_the_boot_server_and_what_it_keeps_is_seen_as_what_it_gives() -> None:
    stage = boot_stage()
    assert stage.names[RoleSource.TOOL] == BOOT.name and BOOT in stage.specs
    assert "/var/lib/kahn-netboot/orders" in stage.seen_otherwise
