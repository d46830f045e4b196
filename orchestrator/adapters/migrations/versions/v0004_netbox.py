"""Tables of each tenant's NetBox and the links with it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "netbox",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("record", sa.LargeBinary(), nullable=False),
        sa.Column("read_at", sa.Text(), nullable=False),
        sa.Column("change", sa.BigInteger(), nullable=False),
        sa.Column("writes", sa.Text(), nullable=False),
        sa.Column("complete", sa.BigInteger(), nullable=False),
        sa.Column("told", sa.Text(), nullable=False),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["tenant"], ["tenant.id"], name="fk_netbox_tenant"),
        sa.PrimaryKeyConstraint("tenant", name="pk_netbox"),
    )
    op.create_table(
        "netbox_link",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("remote", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("asset", sa.Text(), nullable=False),
        sa.Column("own", sa.Text(), nullable=False),
        sa.Column("noted", sa.Text(), nullable=False),
        sa.Column("missing_since", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["tenant"], ["netbox.tenant"], name="fk_netbox_link_tenant"),
        sa.ForeignKeyConstraint(["tenant", "asset"], ["asset.tenant", "asset.id"], name="fk_netbox_link_tenant_asset"),
        sa.PrimaryKeyConstraint("tenant", "type", "remote", name="pk_netbox_link"),
    )
