"""The database's tables, release by release; run by ``upgrade`` and never by hand."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, inspect, text

_LOCK = 0x6B61686E_30303031
"""Key of the advisory lock under which PostgreSQL migrates: the letters ``kahn`` and a number."""


def newest() -> str:
    """The revision that this release works with."""
    return _revisions()[-1]


def known(revision: str) -> bool:
    """Whether this release knows the revision."""
    return revision in _revisions()


def found(connection: Connection) -> str:
    """The revision of this database; empty when it has none."""
    if not inspect(connection).has_table("alembic_version"):
        return ""
    return connection.scalar(text("SELECT version_num FROM alembic_version")) or ""


def _revisions() -> list[str]:
    """Every revision of this release, oldest first, by the names of their files.

    Alembic would answer the same after loading each of them, in every command that opens a store.
    """
    return sorted(path.name[1:5] for path in Path(__file__).with_name("versions").glob("v[0-9]*_*.py"))


def take_turns(connection: Connection) -> None:
    """Let one migration run at a time. SQLite's write lock is held already; PostgreSQL gets one until commit."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SET LOCAL lock_timeout = 0"))
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})


def upgrade(connection: Connection, *, to: str = "head") -> None:
    """Bring the tables to the newest or a named revision, inside the caller's transaction."""
    from alembic import command  # only who changes tables needs it
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", "orchestrator.adapters:migrations")
    config.attributes["connection"] = connection
    command.upgrade(config, to)
