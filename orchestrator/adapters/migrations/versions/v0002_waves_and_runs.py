"""Tables of plans, waves, asset moves and runs."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Apply."""
    _plans()
    _waves()
    _acts()
    _moves_and_runs()
    _attempts()


def _plans() -> None:
    op.create_table(
        "plan",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("parent", sa.Text(), nullable=False),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
        sa.Column("canonical", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["tenant"], ["tenant.id"], name="fk_plan_tenant"),
        sa.PrimaryKeyConstraint("tenant", "fingerprint", name="pk_plan"),
        sa.UniqueConstraint("tenant", "parent", name="uq_plan_tenant_parent"),
    )
    op.create_table(
        "plan_current",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant", "fingerprint"], ["plan.tenant", "plan.fingerprint"], name="fk_plan_current_tenant_fingerprint"
        ),
        sa.PrimaryKeyConstraint("tenant", name="pk_plan_current"),
    )


def _waves() -> None:
    op.create_table(
        "wave_revision",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("wave", sa.Text(), nullable=False),
        sa.Column("revision", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("plan", sa.Text(), nullable=False),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
        sa.Column("canonical", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant", "plan"], ["plan.tenant", "plan.fingerprint"], name="fk_wave_revision_tenant_plan"
        ),
        sa.PrimaryKeyConstraint("tenant", "wave", "revision", name="pk_wave_revision"),
        sa.UniqueConstraint(
            "tenant", "wave", "revision", "fingerprint", name="uq_wave_revision_tenant_wave_revision_fingerprint"
        ),
    )
    op.create_table(
        "wave",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("since_us", sa.BigInteger(), nullable=False),
        sa.Column("run_seq", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant", "key", "revision"],
            ["wave_revision.tenant", "wave_revision.wave", "wave_revision.revision"],
            name="fk_wave_tenant_key_revision",
        ),
        sa.PrimaryKeyConstraint("tenant", "key", name="pk_wave"),
    )


def _acts() -> None:
    op.create_table(
        "wave_side",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("wave", sa.Text(), nullable=False),
        sa.Column("revision", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("side", sa.Text(), nullable=False),
        sa.CheckConstraint("side IN ('propose', 'approve')", name="ck_wave_side_side_known"),
        sa.ForeignKeyConstraint(
            ["tenant", "person"], ["person.tenant", "person.id"], name="fk_wave_side_tenant_person"
        ),
        sa.ForeignKeyConstraint(
            ["tenant", "wave", "revision"],
            ["wave_revision.tenant", "wave_revision.wave", "wave_revision.revision"],
            name="fk_wave_side_tenant_wave_revision",
        ),
        sa.PrimaryKeyConstraint("tenant", "wave", "revision", "person", name="pk_wave_side"),
        sa.UniqueConstraint(
            "tenant", "wave", "revision", "person", "side", name="uq_wave_side_tenant_wave_revision_person_side"
        ),
    )
    op.create_table(
        "wave_act",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("wave", sa.Text(), nullable=False),
        sa.Column("revision", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("side", sa.Text(), nullable=True),
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("for_person", sa.Text(), nullable=True),
        sa.Column("canonical", sa.LargeBinary(), nullable=False),
        sa.Column("signature", sa.Text(), nullable=False),
        sa.Column("public_key", sa.Text(), nullable=False),
        sa.CheckConstraint("(kind IN ('propose', 'approve')) = (side IS NOT NULL)", name="ck_wave_act_side_given"),
        sa.CheckConstraint("for_person IS NULL OR for_person <> person", name="ck_wave_act_two_people"),
        sa.CheckConstraint("side IS NULL OR side = kind", name="ck_wave_act_side_of_kind"),
        sa.ForeignKeyConstraint(
            ["tenant", "for_person"], ["person.tenant", "person.id"], name="fk_wave_act_tenant_for_person"
        ),
        sa.ForeignKeyConstraint(["tenant", "person"], ["person.tenant", "person.id"], name="fk_wave_act_tenant_person"),
        sa.ForeignKeyConstraint(
            ["tenant", "wave", "revision", "fingerprint"],
            ["wave_revision.tenant", "wave_revision.wave", "wave_revision.revision", "wave_revision.fingerprint"],
            name="fk_wave_act_tenant_wave_revision_fingerprint",
        ),
        sa.ForeignKeyConstraint(
            ["tenant", "wave", "revision", "for_person", "side"],
            ["wave_side.tenant", "wave_side.wave", "wave_side.revision", "wave_side.person", "wave_side.side"],
            name="fk_wave_act_tenant_wave_revision_for_person_side",
        ),
        sa.ForeignKeyConstraint(
            ["tenant", "wave", "revision", "person", "side"],
            ["wave_side.tenant", "wave_side.wave", "wave_side.revision", "wave_side.person", "wave_side.side"],
            name="fk_wave_act_tenant_wave_revision_person_side",
        ),
        sa.PrimaryKeyConstraint("tenant", "wave", "revision", "seq", name="pk_wave_act"),
    )


def _moves_and_runs() -> None:
    op.create_table(
        "asset_move",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("wave", sa.Text(), nullable=False),
        sa.Column("revision", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("asset", sa.Text(), nullable=False),
        sa.Column("place", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("batch", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("step", sa.Text(), nullable=False),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("since_us", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant", "wave", "revision"],
            ["wave_revision.tenant", "wave_revision.wave", "wave_revision.revision"],
            name="fk_asset_move_tenant_wave_revision",
        ),
        sa.PrimaryKeyConstraint("tenant", "wave", "revision", "asset", name="pk_asset_move"),
        sa.UniqueConstraint("tenant", "wave", "revision", "place", name="uq_asset_move_tenant_wave_revision_place"),
    )
    op.create_table(
        "run",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("wave", sa.Text(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("batch", sa.Text(), nullable=False),
        sa.Column("step", sa.Text(), nullable=False),
        sa.Column("direction", sa.Text(), nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("deadline_us", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("ingested_seq", sa.BigInteger(), nullable=False),
        sa.Column("ingested_offset", sa.BigInteger(), nullable=False),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
        sa.Column("started_us", sa.BigInteger(), nullable=True),
        sa.Column("ended_us", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("state IN ('intended', 'running', 'ended')", name="ck_run_state_known"),
        sa.ForeignKeyConstraint(
            ["tenant", "wave", "revision"],
            ["wave_revision.tenant", "wave_revision.wave", "wave_revision.revision"],
            name="fk_run_tenant_wave_revision",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_run"),
        sa.UniqueConstraint("tenant", "wave", "seq", name="uq_run_tenant_wave_seq"),
    )
    op.create_index(
        "ix_run_live",
        "run",
        ["at_us"],
        unique=False,
        sqlite_where=sa.text("state <> 'ended'"),
        postgresql_where=sa.text("state <> 'ended'"),
    )


def _attempts() -> None:
    op.create_table(
        "attempt",
        sa.Column("run", sa.Text(), nullable=False),
        sa.Column("asset", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("place", sa.BigInteger(), nullable=False),
        sa.Column("live", sa.Boolean(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("ended_us", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["run"], ["run.id"], name="fk_attempt_run"),
        sa.PrimaryKeyConstraint("run", "asset", name="pk_attempt"),
        sa.UniqueConstraint("id", name="uq_attempt_id"),
        sa.UniqueConstraint("run", "place", name="uq_attempt_run_place"),
    )
    op.create_index(
        "uq_attempt_live",
        "attempt",
        ["tenant", "asset"],
        unique=True,
        sqlite_where=sa.text("live"),
        postgresql_where=sa.text("live"),
    )
    op.create_table(
        "run_event",
        sa.Column("run", sa.Text(), nullable=False),
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("wall_us", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("host", sa.Text(), nullable=False),
        sa.Column("record", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["run"], ["run.id"], name="fk_run_event_run"),
        sa.PrimaryKeyConstraint("run", "seq", name="pk_run_event"),
    )
    op.create_table(
        "attempt_machine",
        sa.Column("run", sa.Text(), nullable=False),
        sa.Column("asset", sa.Text(), nullable=False),
        sa.Column("machine_key", sa.Text(), nullable=False),
        sa.Column("machine", sa.Text(), nullable=False),
        sa.Column("place", sa.BigInteger(), nullable=False),
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("live", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["run", "asset"], ["attempt.run", "attempt.asset"], name="fk_attempt_machine_run_asset"
        ),
        sa.PrimaryKeyConstraint("run", "asset", "machine_key", name="pk_attempt_machine"),
    )
    op.create_index(
        "uq_attempt_machine_live",
        "attempt_machine",
        ["tenant", "machine_key"],
        unique=True,
        sqlite_where=sa.text("live"),
        postgresql_where=sa.text("live"),
    )
