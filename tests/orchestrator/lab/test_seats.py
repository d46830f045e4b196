"""Seats of the lab as machines of a wave."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.core.runbook import Role, RoleSource
from orchestrator.lab.access import HostAccess, LabAccess
from orchestrator.lab.errors import LabHostUnknown
from orchestrator.lab.seats import seat_move, seat_profile
from tests.orchestrator.core.builders import a_runbook, replace

ACCESS = LabAccess(
    tenant="stadt", user="root", port=22, key_path=Path("/k"), jump_user="root", jump_address="10.0.0.9", jump_port=22,
    jump_host_key="ssh-ed25519 J", wake_broadcast="10.0.0.255", wake_port=9, known_hosts_path=Path("/h"),
    hosts=tuple(
        HostAccess(name=name, kind="workstation", address=f"10.0.0.{number}", mac=f"02:00:00:00:00:0{number}",
                   host_key=f"ssh-ed25519 {name}", role="", successor="")
        for number, name in enumerate(("apc-0002", "neu-0002", "vault"), start=1)
    ),
)  # fmt: skip


def test_each_role_of_the_runbook_is_played_by_the_seats_own_host() -> None:
    sources = {"alt": RoleSource.ASSET, "neu": RoleSource.SUCCESSOR, "tresor": RoleSource.VAULT}
    runbook = replace(a_runbook(), roles=tuple(Role(name=name, machine=source) for name, source in sources.items()))
    move = seat_move(ACCESS, runbook, 2)
    assert (move.asset, move.name) == ("seat-0002", "apc-0002")
    assert [(one.role, one.name, one.address) for one in move.machines] == [
        ("alt", "apc-0002", "10.0.0.1"),
        ("neu", "neu-0002", "10.0.0.2"),
        ("tresor", "vault", "10.0.0.3"),
    ]


def test_a_seat_that_the_lab_does_not_have_is_refused() -> None:
    with pytest.raises(LabHostUnknown):
        seat_move(ACCESS, a_runbook(), 3)


def test_hosts_are_reached_through_the_jump_host_with_its_key_known() -> None:
    jump = seat_profile(ACCESS).jump
    assert jump is not None and (jump.address, jump.host_key) == ("10.0.0.9", "ssh-ed25519 J")
