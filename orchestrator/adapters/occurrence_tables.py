"""Rows of occurrences."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKeyConstraint, Index, Text, text
from sqlmodel import Field

from inventory.tables import PlainText, Row, UtcMicros

_OPEN = text("state IN ('due', 'claimed', 'missed')")


class OccurrenceRow(Row, table=True):
    """The start of one revision of a wave. At most one of a wave is open."""

    __tablename__ = "occurrence"
    __table_args__ = (
        ForeignKeyConstraint(
            ["tenant", "wave", "revision"], ["wave_revision.tenant", "wave_revision.wave", "wave_revision.revision"]
        ),
        Index("uq_occurrence_open", "tenant", "wave", unique=True, sqlite_where=_OPEN, postgresql_where=_OPEN),
    )
    tenant: str = Field(sa_type=PlainText, primary_key=True)
    wave: str = Field(sa_type=PlainText, primary_key=True)
    revision: int = Field(sa_type=BigInteger, primary_key=True, sa_column_kwargs={"autoincrement": False})
    starts_us: datetime = Field(sa_type=UtcMicros)
    local: str = Field(sa_type=PlainText)
    zone: str = Field(sa_type=PlainText)
    state: str = Field(sa_type=Text)
    epoch: int = Field(sa_type=BigInteger)
    since_us: datetime = Field(sa_type=UtcMicros)
