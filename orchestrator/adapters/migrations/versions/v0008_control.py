"""The stop of all dispatch, launches by key, and states that the database itself refuses to change unlawfully."""

from __future__ import annotations

from collections.abc import Mapping

import sqlalchemy as sa
from alembic import op

from orchestrator.adapters.state_guards import guard_states

revision = "0008"
down_revision = "0007"

WAVE_STATES: Mapping[str, str] = {
    "draft": "proposed",
    "proposed": "approved draft",
    "approved": "draft proposed scheduled checking",
    "scheduled": "draft proposed missed checking",
    "missed": "draft checking",
    "checking": "running held",
    "running": "soaking paused held aborting closed rolling_back needs_person rolled_back",
    "soaking": "running paused held aborting rolling_back",
    "paused": "running held aborting rolling_back closed",
    "held": "running aborting rolling_back closed",
    "aborting": "rolling_back needs_person",
    "rolling_back": "rolled_back needs_person closed held",
    "needs_person": "running aborting rolling_back closed",
    "closed": "rolling_back",
    "rolled_back": "",
}
MOVE_STATES: Mapping[str, str] = {
    "planned": "running held",
    "running": "moved failed unknown held rolling_back",
    "failed": "rolling_back held needs_person",
    "unknown": "probing running needs_person",
    "probing": "running failed unknown needs_person",
    "rolling_back": "rolled_back needs_person",
    "held": "running rolling_back",
    "moved": "rolling_back",
    "needs_person": "rolling_back held",
    "rolled_back": "",
}
RUN_STATES: Mapping[str, str] = {"intended": "running ended", "running": "ended", "ended": ""}


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "dispatch_stop",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("id = 1", name="ck_dispatch_stop_one_row"),
        sa.PrimaryKeyConstraint("id", name="pk_dispatch_stop"),
    )
    op.create_table(
        "launch",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("wave", sa.Text(), nullable=False),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["tenant", "wave"], ["wave.tenant", "wave.key"], name="fk_launch_tenant_wave"),
        sa.PrimaryKeyConstraint("tenant", "key", name="pk_launch"),
    )
    for table, first, lawful in (
        ("wave", "draft", WAVE_STATES),
        ("asset_move", "planned", MOVE_STATES),
        ("run", "intended", RUN_STATES),
    ):
        pairs = [(before, after) for before, afters in lawful.items() for after in afters.split()]
        guard_states(op.get_bind(), table=table, first=first, pairs=pairs)
