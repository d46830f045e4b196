"""Rows of the orchestrator, from tenants' policies to run events. The tenant is part of every key and unique name.

Append-only tables are guarded by triggers (see migrations): journal, run_event, wave_act, wave_revision, plan;
rows of journal_text can only lose their text.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKeyConstraint,
    Index,
    LargeBinary,
    Text,
    UniqueConstraint,
    text,
)
from sqlmodel import Field

from inventory.tables import PlainText, Row, UtcMicros

_LIVE = text("live")


class PolicyRow(Row, table=True):
    """What a tenant allows, as canonical JSON."""

    __tablename__ = "policy"
    __table_args__ = (ForeignKeyConstraint(["tenant"], ["tenant.id"]),)
    tenant: str = Field(sa_type=PlainText, primary_key=True)
    record: bytes = Field(sa_type=LargeBinary)


class AccessProfileRow(Row, table=True):
    """One access profile of a tenant, as canonical JSON."""

    __tablename__ = "access_profile"
    __table_args__ = (ForeignKeyConstraint(["tenant"], ["tenant.id"]),)
    tenant: str = Field(sa_type=PlainText, primary_key=True)
    name: str = Field(sa_type=PlainText, primary_key=True)
    record: bytes = Field(sa_type=LargeBinary)


class MappingProfileRow(Row, table=True):
    """One mapping profile of a tenant's lists, as canonical JSON."""

    __tablename__ = "mapping_profile"
    __table_args__ = (ForeignKeyConstraint(["tenant"], ["tenant.id"]),)
    tenant: str = Field(sa_type=PlainText, primary_key=True)
    name: str = Field(sa_type=PlainText, primary_key=True)
    record: bytes = Field(sa_type=LargeBinary)


class JournalHeadRow(Row, table=True):
    """The last entry of a tenant's chain; its row lock orders the writers."""

    __tablename__ = "journal_head"
    __table_args__ = (ForeignKeyConstraint(["tenant"], ["tenant.id"]),)
    tenant: str = Field(sa_type=PlainText, primary_key=True)
    seq: int = Field(sa_type=BigInteger)
    hash: str = Field(sa_type=Text)


class JournalRow(Row, table=True):
    """One sealed entry. ``canonical`` is what the hash covers; the other columns repeat it for searching."""

    __tablename__ = "journal"
    __table_args__ = (
        ForeignKeyConstraint(["tenant"], ["tenant.id"]),
        UniqueConstraint("tenant", "hash"),
        Index(None, "tenant", "subject", "seq"),
    )
    tenant: str = Field(sa_type=PlainText, primary_key=True)
    seq: int = Field(sa_type=BigInteger, primary_key=True, sa_column_kwargs={"autoincrement": False})
    at_us: datetime = Field(sa_type=UtcMicros)
    kind: str = Field(sa_type=PlainText)
    subject: str = Field(sa_type=PlainText)
    previous: str = Field(sa_type=Text)
    hash: str = Field(sa_type=Text)
    canonical: bytes = Field(sa_type=LargeBinary)


class JournalTextRow(Row, table=True):
    """One free text of an entry with its salt; both become NULL when it is redacted."""

    __tablename__ = "journal_text"
    __table_args__ = (ForeignKeyConstraint(["tenant", "seq"], ["journal.tenant", "journal.seq"]),)
    tenant: str = Field(sa_type=PlainText, primary_key=True)
    seq: int = Field(sa_type=BigInteger, primary_key=True, sa_column_kwargs={"autoincrement": False})
    name: str = Field(sa_type=PlainText, primary_key=True)
    salt: str | None = Field(sa_type=Text, nullable=True)
    text: str | None = Field(sa_type=PlainText, nullable=True)


class PersonRow(Row, table=True):
    """A person as a pseudonym with a key. One key belongs to one person of a tenant."""

    __tablename__ = "person"
    __table_args__ = (
        ForeignKeyConstraint(["tenant"], ["tenant.id"]),
        UniqueConstraint("tenant", "public_key"),
    )
    tenant: str = Field(sa_type=PlainText, primary_key=True)
    id: str = Field(sa_type=PlainText, primary_key=True)
    public_key: str = Field(sa_type=PlainText)
    active: bool


class PersonNameRow(Row, table=True):
    """The name behind a pseudonym: the one erasable table."""

    __tablename__ = "person_name"
    __table_args__ = (
        ForeignKeyConstraint(["tenant", "person"], ["person.tenant", "person.id"]),
        UniqueConstraint("tenant", "name_key"),
    )
    tenant: str = Field(sa_type=PlainText, primary_key=True)
    person: str = Field(sa_type=PlainText, primary_key=True)
    name: str = Field(sa_type=PlainText)
    name_key: str = Field(sa_type=PlainText)


class PersonDeputyRow(Row, table=True):
    """``person`` may stand in for ``deputy_of``."""

    __tablename__ = "person_deputy"
    __table_args__ = (
        ForeignKeyConstraint(["tenant", "person"], ["person.tenant", "person.id"]),
        ForeignKeyConstraint(["tenant", "deputy_of"], ["person.tenant", "person.id"]),
        CheckConstraint("person <> deputy_of", name="two_people"),
    )
    tenant: str = Field(sa_type=PlainText, primary_key=True)
    person: str = Field(sa_type=PlainText, primary_key=True)
    deputy_of: str = Field(sa_type=PlainText, primary_key=True)


class PlanRow(Row, table=True):
    """A plan as its canonical bytes, whose SHA-256 is the fingerprint. A parent has one child. Append-only."""

    __tablename__ = "plan"
    __table_args__ = (
        ForeignKeyConstraint(["tenant"], ["tenant.id"]),
        UniqueConstraint("tenant", "parent"),
    )
    tenant: str = Field(sa_type=PlainText, primary_key=True)
    fingerprint: str = Field(sa_type=PlainText, primary_key=True)
    parent: str = Field(sa_type=PlainText)
    at_us: datetime = Field(sa_type=UtcMicros)
    canonical: bytes = Field(sa_type=LargeBinary)


class PlanCurrentRow(Row, table=True):
    """Which plan is in force."""

    __tablename__ = "plan_current"
    __table_args__ = (ForeignKeyConstraint(["tenant", "fingerprint"], ["plan.tenant", "plan.fingerprint"]),)
    tenant: str = Field(sa_type=PlainText, primary_key=True)
    fingerprint: str = Field(sa_type=PlainText)


class WaveRevisionRow(Row, table=True):
    """What one revision of a wave holds: canonical bytes whose SHA-256 is the fingerprint. Append-only."""

    __tablename__ = "wave_revision"
    __table_args__ = (
        ForeignKeyConstraint(["tenant", "plan"], ["plan.tenant", "plan.fingerprint"]),
        UniqueConstraint("tenant", "wave", "revision", "fingerprint"),
    )
    tenant: str = Field(sa_type=PlainText, primary_key=True)
    wave: str = Field(sa_type=PlainText, primary_key=True)
    revision: int = Field(sa_type=BigInteger, primary_key=True, sa_column_kwargs={"autoincrement": False})
    fingerprint: str = Field(sa_type=PlainText)
    plan: str = Field(sa_type=PlainText)
    at_us: datetime = Field(sa_type=UtcMicros)
    canonical: bytes = Field(sa_type=LargeBinary)


class WaveTableRow(Row, table=True):
    """A wave as it is now; changed by compare-and-set on (revision, state, version)."""

    __tablename__ = "wave"
    __table_args__ = (
        ForeignKeyConstraint(
            ["tenant", "key", "revision"], ["wave_revision.tenant", "wave_revision.wave", "wave_revision.revision"]
        ),
    )
    tenant: str = Field(sa_type=PlainText, primary_key=True)
    key: str = Field(sa_type=PlainText, primary_key=True)
    revision: int = Field(sa_type=BigInteger)
    state: str = Field(sa_type=Text)
    version: int = Field(sa_type=BigInteger)
    cause: str = Field(sa_type=PlainText)
    since_us: datetime = Field(sa_type=UtcMicros)
    run_seq: int = Field(sa_type=BigInteger)


class WaveSideRow(Row, table=True):
    """On which side of a revision a person stands, ``propose`` or ``approve``: the key allows one side only."""

    __tablename__ = "wave_side"
    __table_args__ = (
        ForeignKeyConstraint(
            ["tenant", "wave", "revision"], ["wave_revision.tenant", "wave_revision.wave", "wave_revision.revision"]
        ),
        ForeignKeyConstraint(["tenant", "person"], ["person.tenant", "person.id"]),
        UniqueConstraint("tenant", "wave", "revision", "person", "side"),
        CheckConstraint("side IN ('propose', 'approve')", name="side_known"),
    )
    tenant: str = Field(sa_type=PlainText, primary_key=True)
    wave: str = Field(sa_type=PlainText, primary_key=True)
    revision: int = Field(sa_type=BigInteger, primary_key=True, sa_column_kwargs={"autoincrement": False})
    person: str = Field(sa_type=PlainText, primary_key=True)
    side: str = Field(sa_type=Text)


_SIDE = ["wave_side.tenant", "wave_side.wave", "wave_side.revision", "wave_side.person", "wave_side.side"]


class WaveActRow(Row, table=True):
    """A signed act on one revision. Proposers and approvers refer to their side, so nobody is both. Append-only."""

    __tablename__ = "wave_act"
    __table_args__ = (
        ForeignKeyConstraint(
            ["tenant", "wave", "revision", "fingerprint"],
            ["wave_revision.tenant", "wave_revision.wave", "wave_revision.revision", "wave_revision.fingerprint"],
        ),
        ForeignKeyConstraint(["tenant", "person"], ["person.tenant", "person.id"]),
        ForeignKeyConstraint(["tenant", "for_person"], ["person.tenant", "person.id"]),
        ForeignKeyConstraint(["tenant", "wave", "revision", "person", "side"], _SIDE),
        ForeignKeyConstraint(["tenant", "wave", "revision", "for_person", "side"], _SIDE),
        CheckConstraint("(kind IN ('propose', 'approve')) = (side IS NOT NULL)", name="side_given"),
        CheckConstraint("side IS NULL OR side = kind", name="side_of_kind"),
        CheckConstraint("for_person IS NULL OR for_person <> person", name="two_people"),
    )
    tenant: str = Field(sa_type=PlainText, primary_key=True)
    wave: str = Field(sa_type=PlainText, primary_key=True)
    revision: int = Field(sa_type=BigInteger, primary_key=True, sa_column_kwargs={"autoincrement": False})
    seq: int = Field(sa_type=BigInteger, primary_key=True, sa_column_kwargs={"autoincrement": False})
    fingerprint: str = Field(sa_type=PlainText)
    kind: str = Field(sa_type=Text)
    side: str | None = Field(sa_type=Text, nullable=True)
    person: str = Field(sa_type=PlainText)
    for_person: str | None = Field(sa_type=PlainText, nullable=True)
    canonical: bytes = Field(sa_type=LargeBinary)
    signature: str = Field(sa_type=PlainText)
    public_key: str = Field(sa_type=PlainText)


class AssetMoveRow(Row, table=True):
    """One asset's way through one revision of a wave; changed by compare-and-set on (state, version)."""

    __tablename__ = "asset_move"
    __table_args__ = (
        ForeignKeyConstraint(
            ["tenant", "wave", "revision"], ["wave_revision.tenant", "wave_revision.wave", "wave_revision.revision"]
        ),
        UniqueConstraint("tenant", "wave", "revision", "place"),
    )
    tenant: str = Field(sa_type=PlainText, primary_key=True)
    wave: str = Field(sa_type=PlainText, primary_key=True)
    revision: int = Field(sa_type=BigInteger, primary_key=True, sa_column_kwargs={"autoincrement": False})
    asset: str = Field(sa_type=PlainText, primary_key=True)
    place: int = Field(sa_type=BigInteger)
    name: str = Field(sa_type=PlainText)
    batch: str = Field(sa_type=PlainText)
    state: str = Field(sa_type=Text)
    version: int = Field(sa_type=BigInteger)
    step: str = Field(sa_type=PlainText)
    cause: str = Field(sa_type=PlainText)
    since_us: datetime = Field(sa_type=UtcMicros)


class RunTableRow(Row, table=True):
    """One supervisor's work. ``seq`` counts the wave's runs; ``ingested_*`` mark how far the spool was taken in."""

    __tablename__ = "run"
    __table_args__ = (
        ForeignKeyConstraint(
            ["tenant", "wave", "revision"], ["wave_revision.tenant", "wave_revision.wave", "wave_revision.revision"]
        ),
        UniqueConstraint("tenant", "wave", "seq"),
        CheckConstraint("state IN ('intended', 'running', 'ended')", name="state_known"),
        Index("ix_run_live", "at_us", sqlite_where=text("state <> 'ended'"), postgresql_where=text("state <> 'ended'")),
    )
    id: str = Field(sa_type=PlainText, primary_key=True)
    tenant: str = Field(sa_type=PlainText)
    wave: str = Field(sa_type=PlainText)
    seq: int = Field(sa_type=BigInteger)
    revision: int = Field(sa_type=BigInteger)
    batch: str = Field(sa_type=PlainText)
    step: str = Field(sa_type=PlainText)
    direction: str = Field(sa_type=Text)
    epoch: int = Field(sa_type=BigInteger)
    deadline_us: datetime = Field(sa_type=UtcMicros)
    state: str = Field(sa_type=Text)
    ingested_seq: int = Field(sa_type=BigInteger)
    ingested_offset: int = Field(sa_type=BigInteger)
    at_us: datetime = Field(sa_type=UtcMicros)
    started_us: datetime | None = Field(sa_type=UtcMicros, nullable=True)
    ended_us: datetime | None = Field(sa_type=UtcMicros, nullable=True)


class AttemptRow(Row, table=True):
    """One asset move's part in one run. ``live`` until it ends with a known outcome, or is released."""

    __tablename__ = "attempt"
    __table_args__ = (
        ForeignKeyConstraint(["run"], ["run.id"]),
        UniqueConstraint("run", "place"),
        Index("uq_attempt_live", "tenant", "asset", unique=True, sqlite_where=_LIVE, postgresql_where=_LIVE),
    )
    run: str = Field(sa_type=PlainText, primary_key=True)
    asset: str = Field(sa_type=PlainText, primary_key=True)
    id: str = Field(sa_type=PlainText, unique=True)
    tenant: str = Field(sa_type=PlainText)
    place: int = Field(sa_type=BigInteger)
    live: bool
    outcome: str = Field(sa_type=PlainText)
    cause: str = Field(sa_type=PlainText)
    ended_us: datetime | None = Field(sa_type=UtcMicros, nullable=True)


class AttemptMachineRow(Row, table=True):
    """A machine that nobody else may use while the attempt is ``live``."""

    __tablename__ = "attempt_machine"
    __table_args__ = (
        ForeignKeyConstraint(["run", "asset"], ["attempt.run", "attempt.asset"]),
        Index(
            "uq_attempt_machine_live",
            "tenant",
            "machine_key",
            unique=True,
            sqlite_where=_LIVE,
            postgresql_where=_LIVE,
        ),
    )
    run: str = Field(sa_type=PlainText, primary_key=True)
    asset: str = Field(sa_type=PlainText, primary_key=True)
    machine_key: str = Field(sa_type=PlainText, primary_key=True)
    machine: str = Field(sa_type=PlainText)
    place: int = Field(sa_type=BigInteger)
    tenant: str = Field(sa_type=PlainText)
    live: bool


class RunEventRow(Row, table=True):
    """One line of a run's spool. ``fields`` is a JSON object. Append-only."""

    __tablename__ = "run_event"
    __table_args__ = (ForeignKeyConstraint(["run"], ["run.id"]),)
    run: str = Field(sa_type=PlainText, primary_key=True)
    seq: int = Field(sa_type=BigInteger, primary_key=True, sa_column_kwargs={"autoincrement": False})
    wall_us: int = Field(sa_type=BigInteger)
    kind: str = Field(sa_type=PlainText)
    host: str = Field(sa_type=PlainText)
    record: str = Field(sa_type=Text)


class DriverEpochRow(Row, table=True):
    """How often the driver's seat was taken; one row."""

    __tablename__ = "driver_epoch"
    __table_args__ = (CheckConstraint("id = 1", name="one_row"),)
    id: int = Field(sa_type=BigInteger, primary_key=True, sa_column_kwargs={"autoincrement": False})
    epoch: int = Field(sa_type=BigInteger)


class DispatchStopRow(Row, table=True):
    """Whether a person stopped all dispatch in this store, who, when and why; at most one row."""

    __tablename__ = "dispatch_stop"
    __table_args__ = (CheckConstraint("id = 1", name="one_row"),)
    id: int = Field(sa_type=BigInteger, primary_key=True, sa_column_kwargs={"autoincrement": False})
    by: str = Field(sa_type=PlainText)
    reason: str = Field(sa_type=PlainText)
    at_us: datetime = Field(sa_type=UtcMicros)


class LaunchRow(Row, table=True):
    """A launch by its idempotency key: the same key never launches twice. Append-only."""

    __tablename__ = "launch"
    __table_args__ = (ForeignKeyConstraint(["tenant", "wave"], ["wave.tenant", "wave.key"]),)
    tenant: str = Field(sa_type=PlainText, primary_key=True)
    key: str = Field(sa_type=PlainText, primary_key=True)
    wave: str = Field(sa_type=PlainText)
    at_us: datetime = Field(sa_type=UtcMicros)
