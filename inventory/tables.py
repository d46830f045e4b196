"""Rows of the inventory: tenants, assets, what changed in them, and dependencies. Rows are storage, never the domain.

The tenant is part of every key and every unique name. Two column types serve every table of the house:
``UtcMicros`` (times) and ``PlainText`` (texts that both databases can hold).
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

from sqlalchemy import (
    BigInteger,
    Dialect,
    Double,
    ForeignKeyConstraint,
    Index,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.exc import DontWrapMixin
from sqlalchemy.types import TypeDecorator
from sqlmodel import Field, SQLModel

from inventory.errors import ExpectedError
from inventory.model import name_key

METADATA = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
    }
)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_LONGEST_KEY = 1_000


class UnstorableText(ExpectedError, DontWrapMixin):
    """A text that PostgreSQL or SQLite cannot hold and give back unchanged."""

    code, says = "STO-014", "The text {text!r} cannot be stored: it holds {what}."
    remedy = "Remove that character and try again."
    exit_code = 8


def micros(at: datetime) -> int:
    """The instant as whole microseconds since 1970 UTC. Raises TypeError for a time without zone."""
    return (at - EPOCH) // _MICROSECOND


def instant(at_us: int) -> datetime:
    """The UTC time of so many microseconds since 1970."""
    return EPOCH + timedelta(microseconds=at_us)


def storable(text: str) -> str:
    """The text itself, when both databases can hold it. Raises UnstorableText."""
    if "\0" in text:
        raise UnstorableText(text=text[:60], what="the character NUL")
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError as cause:
            raise UnstorableText(text=text[:60], what="half a surrogate pair") from cause
    return text


def unique_key(name: str) -> str:
    """The form in which names are unique (see ``name_key``); a very long one is replaced by its hash, as an index
    of PostgreSQL holds at most 2,704 bytes. Raises UnstorableText."""
    key = name_key(storable(name))
    return key if len(key.encode()) <= _LONGEST_KEY else "sha256:" + hashlib.sha256(key.encode()).hexdigest()


class UtcMicros(TypeDecorator[datetime]):
    """A time as a 64-bit integer: microseconds since 1970 UTC. Comes back with the zone UTC."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        """To the database."""
        return None if value is None else micros(value)

    def process_result_value(self, value: Any | None, dialect: Dialect) -> datetime | None:
        """From the database."""
        return None if value is None else instant(value)


class PlainText(TypeDecorator[str]):
    """A text without NUL and without half surrogates, so that both databases give it back unchanged."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """To the database. Raises UnstorableText."""
        return None if value is None else storable(value)


class Row(SQLModel):
    """Base of every table of the house; keeps them in one metadata of their own."""

    metadata: ClassVar[MetaData] = METADATA


def table_of(row: type[Row]) -> Table:
    """The SQLAlchemy table behind a row class."""
    return METADATA.tables[str(row.__tablename__)]


class TenantRow(Row, table=True):
    """A tenant. ``history_seq`` is the last number given in asset_change; its row lock orders imports."""

    __tablename__ = "tenant"
    id: str = Field(sa_type=PlainText, primary_key=True)
    at_us: datetime = Field(sa_type=UtcMicros)
    history_seq: int = Field(sa_type=BigInteger)


class AssetRow(Row, table=True):
    """An asset as it is now. ``record`` is a JSON object of its known fields.

    One that is no more has ``gone_us``, and ``merged_into`` where it turned out to be another; its name is free.
    """

    __tablename__ = "asset"
    __table_args__ = (
        ForeignKeyConstraint(["tenant"], ["tenant.id"]),
        UniqueConstraint("tenant", "name_group", "name_key"),
    )
    tenant: str = Field(sa_type=PlainText, primary_key=True)
    id: str = Field(sa_type=PlainText, primary_key=True)
    kind: str = Field(sa_type=PlainText)
    name: str = Field(sa_type=PlainText)
    name_group: str = Field(sa_type=PlainText)
    name_key: str = Field(sa_type=PlainText)
    record: str = Field(sa_type=Text)
    gone_us: int | None = Field(sa_type=BigInteger, nullable=True)
    merged_into: str | None = Field(sa_type=Text, nullable=True)


class ClaimRow(Row, table=True):
    """What one source says of one record. ``record`` is a JSON object of fields, ``older`` one of the origins of those
    that the newest observation does not mention: [file, row, observed, imported]."""

    __tablename__ = "claim"
    __table_args__ = (
        ForeignKeyConstraint(["tenant", "asset"], ["asset.tenant", "asset.id"]),
        Index(None, "tenant", "asset"),
    )
    tenant: str = Field(sa_type=Text, primary_key=True)
    source: str = Field(sa_type=PlainText, primary_key=True)
    key: str = Field(sa_type=PlainText, primary_key=True)
    asset: str = Field(sa_type=Text)
    kind: str = Field(sa_type=Text)
    name: str = Field(sa_type=PlainText)
    record: str = Field(sa_type=Text)
    older: str | None = Field(sa_type=Text, nullable=True)
    file: str = Field(sa_type=PlainText)
    row: int = Field(sa_type=BigInteger)
    observed_us: int = Field(sa_type=BigInteger)
    imported_us: int = Field(sa_type=BigInteger)
    first_us: int = Field(sa_type=BigInteger)
    gone_us: int = Field(sa_type=BigInteger)
    aliases: str | None = Field(sa_type=PlainText, nullable=True)
    kind_is_guess: bool


class AssetChangeRow(Row, table=True):
    """One field of one asset that got another value, and by which source. JSON values; NULL: not known. Append-only.

    An asset that appears has one row with an empty ``field``; its ``after`` is an object of all its fields.
    """

    __tablename__ = "asset_change"
    __table_args__ = (
        ForeignKeyConstraint(["tenant", "asset"], ["asset.tenant", "asset.id"]),
        Index(None, "tenant", "asset", "seq"),
    )
    tenant: str = Field(sa_type=Text, primary_key=True)
    seq: int = Field(sa_type=BigInteger, primary_key=True, sa_column_kwargs={"autoincrement": False})
    asset: str = Field(sa_type=Text)
    field: str = Field(sa_type=Text)
    before: str | None = Field(sa_type=Text, nullable=True)
    after: str | None = Field(sa_type=Text, nullable=True)
    source: str = Field(sa_type=PlainText)
    at_us: int = Field(sa_type=BigInteger)


class DependencyRow(Row, table=True):
    """One asset's need of another, both of one tenant."""

    __tablename__ = "dependency"
    __table_args__ = (
        ForeignKeyConstraint(["tenant", "asset"], ["asset.tenant", "asset.id"]),
        ForeignKeyConstraint(["tenant", "needs"], ["asset.tenant", "asset.id"]),
    )
    tenant: str = Field(sa_type=PlainText, primary_key=True)
    asset: str = Field(sa_type=PlainText, primary_key=True)
    needs: str = Field(sa_type=PlainText, primary_key=True)
    kind: str = Field(sa_type=PlainText, primary_key=True)
    note: str = Field(sa_type=PlainText)
    evidence: str = Field(sa_type=PlainText, sa_column_kwargs={"server_default": text("''")})
    mib_per_day: float = Field(sa_type=Double, sa_column_kwargs={"server_default": text("0")})
    source: str = Field(sa_type=PlainText, sa_column_kwargs={"server_default": text("''")})
    observed_us: int = Field(sa_type=BigInteger, sa_column_kwargs={"server_default": text("0")})
