"""Triggers that keep append-only tables append-only, whoever writes."""

from __future__ import annotations

from alembic import op

revision = "0003"
down_revision = "0002"

APPEND_ONLY = ("asset_change", "journal", "plan", "run_event", "wave_act", "wave_revision", "wave_side")
_ONLY_ERASES = (
    "NEW.text IS NULL AND NEW.salt IS NULL AND NEW.tenant = OLD.tenant AND NEW.seq = OLD.seq AND NEW.name = OLD.name"
)


def upgrade() -> None:
    """Apply."""
    if op.get_bind().dialect.name == "postgresql":
        _guard_postgresql()
    else:
        _guard_sqlite()


def _guard_sqlite() -> None:
    for table in (*APPEND_ONLY, "journal_text"):
        _sqlite_trigger(table, on="DELETE", unless="0")
    for table in APPEND_ONLY:
        _sqlite_trigger(table, on="UPDATE", unless="0")
    _sqlite_trigger("journal_text", on="UPDATE", unless=_ONLY_ERASES)


def _sqlite_trigger(table: str, *, on: str, unless: str) -> None:
    op.execute(
        f"CREATE TRIGGER keep_{table}_{on.lower()} BEFORE {on} ON {table} WHEN NOT ({unless}) "
        f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
    )


def _guard_postgresql() -> None:
    op.execute(
        "CREATE FUNCTION kahn_append_only() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation';"
        " END $$"
    )
    for table in APPEND_ONLY:
        _postgresql_trigger(table, on="UPDATE OR DELETE", name="row", when="")
    _postgresql_trigger("journal_text", on="DELETE", name="row", when="")
    _postgresql_trigger("journal_text", on="UPDATE", name="redaction", when=f"WHEN (NOT ({_ONLY_ERASES}))")
    for table in (*APPEND_ONLY, "journal_text"):
        op.execute(
            f"CREATE TRIGGER keep_{table}_whole BEFORE TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION kahn_append_only()"
        )


def _postgresql_trigger(table: str, *, on: str, name: str, when: str) -> None:
    op.execute(
        f"CREATE TRIGGER keep_{table}_{name} BEFORE {on} ON {table} "
        f"FOR EACH ROW {when} EXECUTE FUNCTION kahn_append_only()"
    )
