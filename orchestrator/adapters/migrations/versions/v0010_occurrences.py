"""The start of a wave as a row that is claimed once; the end of an attempt as something that never changes again."""

from __future__ import annotations

from collections.abc import Mapping

import sqlalchemy as sa
from alembic import op

from orchestrator.adapters.state_guards import guard_states

revision = "0010"
down_revision = "0009"

OCCURRENCE_STATES: Mapping[str, str] = {
    "due": "claimed missed dropped",
    "missed": "claimed dropped",
    "claimed": "done",
    "dropped": "due claimed",
    "done": "",
}
ENDS = ("done", "failed", "unreachable", "not_started", "unknown")


def upgrade() -> None:
    """Apply. Waves that are scheduled or under way have no row yet; the next event that needs one makes it."""
    op.create_table(
        "occurrence",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("wave", sa.Text(), nullable=False),
        sa.Column("revision", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("starts_us", sa.BigInteger(), nullable=False),
        sa.Column("local", sa.Text(), nullable=False),
        sa.Column("zone", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("since_us", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant", "wave", "revision"],
            ["wave_revision.tenant", "wave_revision.wave", "wave_revision.revision"],
            name="fk_occurrence_tenant_wave_revision",
        ),
        sa.PrimaryKeyConstraint("tenant", "wave", "revision", name="pk_occurrence"),
    )
    is_open = sa.text("state IN ('due', 'claimed', 'missed')")
    op.create_index(
        "uq_occurrence_open",
        "occurrence",
        ["tenant", "wave"],
        unique=True,
        sqlite_where=is_open,
        postgresql_where=is_open,
    )
    pairs = [(before, after) for before, afters in OCCURRENCE_STATES.items() for after in afters.split()]
    guard_states(op.get_bind(), table="occurrence", first="due", pairs=pairs)
    guard_states(op.get_bind(), table="attempt", first="", pairs=[("", end) for end in ENDS], column="outcome")
