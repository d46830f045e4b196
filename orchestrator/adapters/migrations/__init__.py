"""The database's tables, release by release; run by ``upgrade`` and never by hand."""

from __future__ import annotations

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

_LOCK = 0x6B61686E_30303031
"""Key of the advisory lock under which PostgreSQL migrates: the letters ``kahn`` and a number."""


def newest() -> str:
    """The revision that this release works with."""
    return ScriptDirectory.from_config(_config()).get_current_head() or ""


def known(revision: str) -> bool:
    """Whether this release knows the revision."""
    return any(one.revision == revision for one in ScriptDirectory.from_config(_config()).walk_revisions())


def found(connection: Connection) -> str:
    """The revision of this database; empty when it has none."""
    return MigrationContext.configure(connection).get_current_revision() or ""


def take_turns(connection: Connection) -> None:
    """Let one migration run at a time. SQLite's write lock is held already; PostgreSQL gets one until commit."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SET LOCAL lock_timeout = 0"))
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})


def upgrade(connection: Connection, *, to: str = "head") -> None:
    """Bring the tables to the newest or a named revision, inside the caller's transaction."""
    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, to)


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", "orchestrator.adapters:migrations")
    return config
