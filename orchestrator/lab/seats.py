"""Seats of the lab as the machines of a wave: how they are reached, and which machine plays which role."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from inventory.model import AssetId
from orchestrator.core.access import AccessProfile, JumpHost
from orchestrator.core.runbook import RoleSource, Runbook
from orchestrator.core.wave import WaveMachine, WaveMove
from orchestrator.lab.access import LabAccess

PROFILE = "lab"


def seat_names(number: int) -> Mapping[RoleSource, str]:
    """Names of the hosts of a seat, by where a role's machine comes from."""
    return MappingProxyType(
        {
            RoleSource.ASSET: f"apc-{number:04d}",
            RoleSource.SUCCESSOR: f"neu-{number:04d}",
            RoleSource.VAULT: "vault",
            RoleSource.JUMP: "jump",
        }
    )


def seat_asset(number: int) -> AssetId:
    """The asset that a seat is."""
    return AssetId(f"seat-{number:04d}")


def seat_profile(access: LabAccess) -> AccessProfile:
    """How every host of the lab is reached: as root, by the lab's own key, through the jump host."""
    jump = JumpHost(
        address=access.jump_address, host_key=access.jump_host_key, port=access.jump_port, user=access.jump_user
    )
    return AccessProfile(name=PROFILE, user=access.user, key_file=str(access.key_path), port=access.port, jump=jump)


def seat_move(access: LabAccess, runbook: Runbook, number: int) -> WaveMove:
    """The move of a seat by that runbook. Raises LabHostUnknown, KeyError (no such machine in the lab)."""
    return move_of(access, runbook, number=number, names=seat_names(number))


def move_of(access: LabAccess, runbook: Runbook, *, number: int, names: Mapping[RoleSource, str]) -> WaveMove:
    """The move of an asset that those hosts play. Raises LabHostUnknown, KeyError (nobody plays that role)."""
    return WaveMove(
        asset=seat_asset(number),
        name=names[RoleSource.ASSET],
        department="",
        site="",
        users=1,
        machines=tuple(machine_of(access, role.name, names[role.machine]) for role in runbook.roles),
    )


def machine_of(access: LabAccess, role: str, name: str) -> WaveMachine:
    """That host in that role. Raises LabHostUnknown."""
    found = access.host(name)
    return WaveMachine(
        role=role, name=name, address=found.address, host_key=found.host_key, access=PROFILE, mac=(found.mac,)
    )
