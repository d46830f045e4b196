"""Rows about each tenant's NetBox. The tenant is part of every key."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKeyConstraint, LargeBinary, Text
from sqlmodel import Field

from inventory.tables import PlainText, Row, UtcMicros


class NetboxRow(Row, table=True):
    """A tenant's NetBox: how it is reached (canonical JSON, never a token) and how far the sync is, at ``at_us``."""

    __tablename__ = "netbox"
    __table_args__ = (ForeignKeyConstraint(["tenant"], ["tenant.id"]),)
    tenant: str = Field(sa_type=PlainText, primary_key=True)
    record: bytes = Field(sa_type=LargeBinary)
    read_at: str = Field(sa_type=Text)
    change: int = Field(sa_type=BigInteger)
    writes: str = Field(sa_type=Text)
    complete: int = Field(sa_type=BigInteger)
    told: str = Field(sa_type=PlainText)
    at_us: datetime = Field(sa_type=UtcMicros)


class NetboxLinkRow(Row, table=True):
    """One object of the NetBox and the asset it stands for. ``own`` is a JSON object of Kahn's custom fields there."""

    __tablename__ = "netbox_link"
    __table_args__ = (
        ForeignKeyConstraint(["tenant"], ["netbox.tenant"]),
        ForeignKeyConstraint(["tenant", "asset"], ["asset.tenant", "asset.id"]),
    )
    tenant: str = Field(sa_type=PlainText, primary_key=True)
    type: str = Field(sa_type=PlainText, primary_key=True)
    remote: int = Field(sa_type=BigInteger, primary_key=True, sa_column_kwargs={"autoincrement": False})
    asset: str = Field(sa_type=PlainText)
    own: str = Field(sa_type=PlainText)
    noted: str = Field(sa_type=PlainText)
    missing_since: datetime | None = Field(sa_type=UtcMicros, nullable=True)
