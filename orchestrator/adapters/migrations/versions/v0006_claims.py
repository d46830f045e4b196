"""Claims: what each source says of each asset, field by field; assets that are no more.

What an older release knew only as one record per asset becomes claims of the sources that last changed each field.
"""

from __future__ import annotations

import json
from collections import defaultdict
from typing import Any

import sqlalchemy as sa
from alembic import op

from inventory.claims import record_key
from inventory.model import AssetKind

revision = "0006"
down_revision = "0005"

_UNKNOWN = "before-claims"
"""Source of what no history tells of."""


def upgrade() -> None:
    """Apply."""
    op.add_column("asset", sa.Column("gone_us", sa.BigInteger(), nullable=True))
    op.add_column("asset", sa.Column("merged_into", sa.Text(), nullable=True))
    op.add_column("dependency", sa.Column("evidence", sa.Text(), nullable=False, server_default=sa.text("''")))
    op.add_column("dependency", sa.Column("mib_per_day", sa.Double(), nullable=False, server_default=sa.text("0")))
    op.add_column("dependency", sa.Column("source", sa.Text(), nullable=False, server_default=sa.text("''")))
    op.add_column("dependency", sa.Column("observed_us", sa.BigInteger(), nullable=False, server_default=sa.text("0")))
    claim = op.create_table(
        "claim",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("asset", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("record", sa.Text(), nullable=False),
        sa.Column("older", sa.Text(), nullable=True),
        sa.Column("file", sa.Text(), nullable=False),
        sa.Column("row", sa.BigInteger(), nullable=False),
        sa.Column("observed_us", sa.BigInteger(), nullable=False),
        sa.Column("imported_us", sa.BigInteger(), nullable=False),
        sa.Column("first_us", sa.BigInteger(), nullable=False),
        sa.Column("gone_us", sa.BigInteger(), nullable=False),
        sa.Column("aliases", sa.Text(), nullable=True),
        sa.Column("kind_is_guess", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["tenant", "asset"], ["asset.tenant", "asset.id"], name="fk_claim_tenant_asset"),
        sa.PrimaryKeyConstraint("tenant", "source", "key", name="pk_claim"),
    )
    op.create_index("ix_claim_tenant_asset", "claim", ["tenant", "asset"], unique=False)
    connection = op.get_bind()
    assets = connection.execute(sa.text("SELECT tenant, id, kind, name, record FROM asset ORDER BY tenant, id")).all()
    for start in range(0, len(assets), 1_000):
        rows = [row for asset in assets[start : start + 1_000] for row in _claims_of(connection, asset)]
        op.bulk_insert(claim, rows)


def _claims_of(connection: sa.Connection, asset: Any) -> list[dict[str, Any]]:
    told = connection.execute(
        sa.text("SELECT field, source, at_us FROM asset_change WHERE tenant = :tenant AND asset = :asset ORDER BY seq"),
        {"tenant": asset.tenant, "asset": asset.id},
    )
    last = {row.field: (str(row.source), int(row.at_us)) for row in told}
    by_source: dict[str, dict[str, Any]] = defaultdict(dict)
    for field, value in json.loads(asset.record).items():
        by_source[last.get(field, (_UNKNOWN, 0))[0]][field] = value
    by_source.setdefault(last.get("name", (_UNKNOWN, 0))[0], {})
    return [_row(asset, source, values, last) for source, values in by_source.items()]


def _row(asset: Any, source: str, values: dict[str, Any], last: dict[str, tuple[str, int]]) -> dict[str, Any]:
    times = {field: last[field][1] for field in (*values, "name") if field in last and last[field][0] == source}
    newest = max(times.values(), default=0)
    older = {field: ["", 0, at, at] for field, at in times.items() if field in values and at != newest}
    return {
        "tenant": asset.tenant,
        "source": source,
        "key": record_key(AssetKind(asset.kind), asset.name),
        "asset": asset.id,
        "kind": asset.kind,
        "name": asset.name,
        "record": json.dumps(values, separators=(",", ":")),
        "older": json.dumps(older) if older else None,
        "file": "",
        "row": 0,
        "observed_us": newest,
        "imported_us": newest,
        "first_us": min(times.values(), default=0),
        "gone_us": 0,
        "aliases": None,
        "kind_is_guess": False,
    }
