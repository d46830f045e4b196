"""Tables of the inventory, people, tenants' settings and the journal."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Apply."""
    _owners()
    _inventory()
    _settings()
    _people()
    _journal()


def _owners() -> None:
    op.create_table(
        "driver_epoch",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("id = 1", name="ck_driver_epoch_one_row"),
        sa.PrimaryKeyConstraint("id", name="pk_driver_epoch"),
    )
    op.create_table(
        "tenant",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
        sa.Column("history_seq", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_tenant"),
    )


def _inventory() -> None:
    op.create_table(
        "asset",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("name_group", sa.Text(), nullable=False),
        sa.Column("name_key", sa.Text(), nullable=False),
        sa.Column("record", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["tenant"], ["tenant.id"], name="fk_asset_tenant"),
        sa.PrimaryKeyConstraint("tenant", "id", name="pk_asset"),
        sa.UniqueConstraint("tenant", "name_group", "name_key", name="uq_asset_tenant_name_group_name_key"),
    )
    op.create_table(
        "asset_change",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("asset", sa.Text(), nullable=False),
        sa.Column("field", sa.Text(), nullable=False),
        sa.Column("before", sa.Text(), nullable=True),
        sa.Column("after", sa.Text(), nullable=True),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["tenant", "asset"], ["asset.tenant", "asset.id"], name="fk_asset_change_tenant_asset"),
        sa.PrimaryKeyConstraint("tenant", "seq", name="pk_asset_change"),
    )
    op.create_index("ix_asset_change_tenant_asset_seq", "asset_change", ["tenant", "asset", "seq"], unique=False)
    op.create_table(
        "dependency",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("asset", sa.Text(), nullable=False),
        sa.Column("needs", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["tenant", "asset"], ["asset.tenant", "asset.id"], name="fk_dependency_tenant_asset"),
        sa.ForeignKeyConstraint(["tenant", "needs"], ["asset.tenant", "asset.id"], name="fk_dependency_tenant_needs"),
        sa.PrimaryKeyConstraint("tenant", "asset", "needs", "kind", name="pk_dependency"),
    )


def _settings() -> None:
    op.create_table(
        "access_profile",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("record", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["tenant"], ["tenant.id"], name="fk_access_profile_tenant"),
        sa.PrimaryKeyConstraint("tenant", "name", name="pk_access_profile"),
    )
    op.create_table(
        "policy",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("record", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["tenant"], ["tenant.id"], name="fk_policy_tenant"),
        sa.PrimaryKeyConstraint("tenant", name="pk_policy"),
    )


def _people() -> None:
    op.create_table(
        "person",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("public_key", sa.Text(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["tenant"], ["tenant.id"], name="fk_person_tenant"),
        sa.PrimaryKeyConstraint("tenant", "id", name="pk_person"),
        sa.UniqueConstraint("tenant", "public_key", name="uq_person_tenant_public_key"),
    )
    op.create_table(
        "person_deputy",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("deputy_of", sa.Text(), nullable=False),
        sa.CheckConstraint("person <> deputy_of", name="ck_person_deputy_two_people"),
        sa.ForeignKeyConstraint(
            ["tenant", "deputy_of"], ["person.tenant", "person.id"], name="fk_person_deputy_tenant_deputy_of"
        ),
        sa.ForeignKeyConstraint(
            ["tenant", "person"], ["person.tenant", "person.id"], name="fk_person_deputy_tenant_person"
        ),
        sa.PrimaryKeyConstraint("tenant", "person", "deputy_of", name="pk_person_deputy"),
    )
    op.create_table(
        "person_name",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("name_key", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant", "person"], ["person.tenant", "person.id"], name="fk_person_name_tenant_person"
        ),
        sa.PrimaryKeyConstraint("tenant", "person", name="pk_person_name"),
        sa.UniqueConstraint("tenant", "name_key", name="uq_person_name_tenant_name_key"),
    )


def _journal() -> None:
    op.create_table(
        "journal",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("previous", sa.Text(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("canonical", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["tenant"], ["tenant.id"], name="fk_journal_tenant"),
        sa.PrimaryKeyConstraint("tenant", "seq", name="pk_journal"),
        sa.UniqueConstraint("tenant", "hash", name="uq_journal_tenant_hash"),
    )
    op.create_index("ix_journal_tenant_subject_seq", "journal", ["tenant", "subject", "seq"], unique=False)
    op.create_table(
        "journal_head",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["tenant"], ["tenant.id"], name="fk_journal_head_tenant"),
        sa.PrimaryKeyConstraint("tenant", name="pk_journal_head"),
    )
    op.create_table(
        "journal_text",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("salt", sa.Text(), nullable=True),
        sa.Column("text", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["tenant", "seq"], ["journal.tenant", "journal.seq"], name="fk_journal_text_tenant_seq"
        ),
        sa.PrimaryKeyConstraint("tenant", "seq", "name", name="pk_journal_text"),
    )
