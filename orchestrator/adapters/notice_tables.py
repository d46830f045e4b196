"""Rows of notices and calls."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKeyConstraint, Index, Text, text
from sqlmodel import Field

from inventory.tables import PlainText, Row, UtcMicros

_OPEN = text("closed_us IS NULL")


class NoticeRow(Row, table=True):
    """One thing that people are called for; ``number`` is that of the journal entry behind it."""

    __tablename__ = "notice"
    __table_args__ = (
        ForeignKeyConstraint(["tenant", "number"], ["journal.tenant", "journal.seq"]),
        Index("ix_notice_open", "at_us", sqlite_where=_OPEN, postgresql_where=_OPEN),
    )
    tenant: str = Field(sa_type=PlainText, primary_key=True)
    number: int = Field(sa_type=BigInteger, primary_key=True, sa_column_kwargs={"autoincrement": False})
    at_us: datetime = Field(sa_type=UtcMicros)
    kind: str = Field(sa_type=Text)
    wave: str = Field(sa_type=PlainText)
    revision: int = Field(sa_type=BigInteger)
    cause: str = Field(sa_type=PlainText)
    asset: str = Field(sa_type=PlainText)
    closed_us: datetime | None = Field(sa_type=UtcMicros, nullable=True)
    closed_by: str = Field(sa_type=PlainText)


class NoticeCallRow(Row, table=True):
    """One contact's share of a notice: how often it was tried, when next, and when it arrived."""

    __tablename__ = "notice_call"
    __table_args__ = (ForeignKeyConstraint(["tenant", "number"], ["notice.tenant", "notice.number"]),)
    tenant: str = Field(sa_type=PlainText, primary_key=True)
    number: int = Field(sa_type=BigInteger, primary_key=True, sa_column_kwargs={"autoincrement": False})
    contact: str = Field(sa_type=PlainText, primary_key=True)
    tries: int = Field(sa_type=BigInteger)
    next_us: datetime = Field(sa_type=UtcMicros)
    delivered_us: datetime | None = Field(sa_type=UtcMicros, nullable=True)
    trouble: str = Field(sa_type=PlainText)
