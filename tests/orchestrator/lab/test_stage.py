"""What a runbook is tried on."""

from __future__ import annotations

from orchestrator.core.runbook import Role, RoleSource
from orchestrator.lab.stage import stage_for
from tests.orchestrator.core.builders import a_runbook, replace


def with_roles(*sources: RoleSource, procedure: bool = False) -> tuple[set[str], set[str]]:
    """Names of the hosts that are raised, and of those that play the runbook's roles."""
    roles = tuple(Role(name=source.value, machine=source) for source in (RoleSource.ASSET, *sources))
    stage = stage_for(replace(a_runbook(), roles=roles, procedure=procedure))
    return {one.name for one in stage.specs}, {stage.names[role.machine] for role in roles}


def test_every_role_is_played_by_a_host_that_is_raised() -> None:
    for procedure in (False, True):
        for source in (RoleSource.SUCCESSOR, RoleSource.VAULT, RoleSource.GATEWAY):
            raised, playing = with_roles(source, procedure=procedure)
            assert playing <= raised


def test_a_seat_gets_a_gateway_only_where_one_is_needed_and_a_procedure_a_vault() -> None:
    assert "gate" not in with_roles(RoleSource.SUCCESSOR)[0]
    assert "vault" not in with_roles(RoleSource.GATEWAY, procedure=True)[0]


def test_the_procedure_is_described_and_its_database_is_seen_by_its_rows() -> None:
    stage = stage_for(replace(a_runbook(), procedure=True))
    assert stage.partners == ("kasse",)
    assert stage.settings is not None and set(stage.settings.databases) <= set(stage.seen_otherwise)
