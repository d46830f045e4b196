"""Triggers in which the database itself refuses a change of state that no table of core/lifecycle.py allows.

Which pairs are lawful is written out in a migration, as it was when that release was made: a release with other tables
of states brings a migration that calls ``guard_states`` again. A test compares the database with the code.
"""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection, text

Pair = tuple[str, str]


def guard_states(
    connection: Connection, *, table: str, first: str, pairs: Iterable[Pair], column: str = "state"
) -> None:
    """Let the rows of ``table`` begin in ``first`` and change their state only by one of ``pairs``."""
    lawful = ", ".join(f"'{before}>{after}'" for before, after in sorted(set(pairs)))
    make = _guard_postgresql if connection.dialect.name == "postgresql" else _guard_sqlite
    for statement in make(table, column, first, lawful):
        connection.execute(text(statement.replace(":", "\\:")))


def _guard_sqlite(table: str, column: str, first: str, lawful: str) -> tuple[str, ...]:
    return (
        f"DROP TRIGGER IF EXISTS lawful_{table}_change",
        f"DROP TRIGGER IF EXISTS lawful_{table}_first",
        f"CREATE TRIGGER lawful_{table}_change BEFORE UPDATE OF {column} ON {table} "
        f"WHEN OLD.{column} <> NEW.{column} AND OLD.{column} || '>' || NEW.{column} NOT IN ({lawful}) "
        f"BEGIN SELECT RAISE(ABORT, '{table}: no lawful change of state'); END",
        f"CREATE TRIGGER lawful_{table}_first BEFORE INSERT ON {table} WHEN NEW.{column} <> '{first}' "
        f"BEGIN SELECT RAISE(ABORT, '{table}: not a first state'); END",
    )


def _guard_postgresql(table: str, column: str, first: str, lawful: str) -> tuple[str, ...]:
    return (
        "CREATE OR REPLACE FUNCTION kahn_unlawful_state() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION '%: no lawful state', TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation';"
        " END $$",
        f"DROP TRIGGER IF EXISTS lawful_{table}_change ON {table}",
        f"DROP TRIGGER IF EXISTS lawful_{table}_first ON {table}",
        f"CREATE TRIGGER lawful_{table}_change BEFORE UPDATE OF {column} ON {table} FOR EACH ROW "
        f"WHEN (OLD.{column} <> NEW.{column} AND OLD.{column} || '>' || NEW.{column} NOT IN ({lawful})) "
        "EXECUTE FUNCTION kahn_unlawful_state()",
        f"CREATE TRIGGER lawful_{table}_first BEFORE INSERT ON {table} FOR EACH ROW "
        f"WHEN (NEW.{column} <> '{first}') EXECUTE FUNCTION kahn_unlawful_state()",
    )
