"""The databases themselves refuse a state that no table of the lifecycle allows."""

from __future__ import annotations

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.exc import IntegrityError

from inventory.model import AssetId
from orchestrator.adapters.database import engine_for, parsed
from orchestrator.adapters.state_guards import guard_states
from orchestrator.core import lifecycle, lifecycle_parts, occurrence
from orchestrator.ports import Store
from tests.orchestrator.adapters.builders import NOW, a_run, a_town

MACHINES = {
    "wave": (lifecycle.WaveState, lifecycle.WAVE_TABLE, "draft"),
    "asset_move": (lifecycle.MoveState, lifecycle.MOVE_TABLE, "planned"),
    "run": (lifecycle_parts.RunState, lifecycle_parts.RUN_TABLE, "intended"),
    "occurrence": (occurrence.OccurrenceState, occurrence.OCCURRENCE_TABLE, "due"),
}


def lawful(table: str) -> set[tuple[str, str]]:
    """Pairs that the code allows."""
    _states, rules, _first = MACHINES[table]
    return {(before, after) for before, follow in rules.items() for after in follow.values()}  # type: ignore[attr-defined]


@pytest.mark.parametrize("table", MACHINES)
def test_the_database_allows_exactly_the_pairs_of_the_lifecycle(database_url: str, table: str) -> None:
    """When this fails after a change of states: write a migration that calls ``guard_states`` with the new pairs."""
    states, _rules, first = MACHINES[table]
    with engine_for(parsed(database_url)).connect() as connection:
        definition = _trigger_of(connection, table)
        for before in states:
            for after in states:
                if before is not after:
                    assert (f"'{before}>{after}'" in definition) is ((before, after) in lawful(table)), (before, after)
        assert f"'{first}'" in _trigger_of(connection, table, which="first")


def _trigger_of(connection: Connection, table: str, *, which: str = "change") -> str:
    name = f"lawful_{table}_{which}"
    if connection.dialect.name == "sqlite":
        return str(connection.execute(text("SELECT sql FROM sqlite_master WHERE name = :n"), {"n": name}).scalar_one())
    found = text("SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE tgname = :n")
    return str(connection.execute(found, {"n": name}).scalar_one())


def test_an_unlawful_pair_is_refused_and_a_lawful_one_taken(database_url: str) -> None:
    with engine_for(parsed(database_url)).connect() as connection:
        with connection.begin():
            connection.execute(text("CREATE TABLE lamp (id INTEGER PRIMARY KEY, state TEXT)"))
            guard_states(connection, table="lamp", first="off", pairs=[("off", "on"), ("on", "broken")])
            connection.execute(text("INSERT INTO lamp VALUES (1, 'off')"))
            connection.execute(text("UPDATE lamp SET state = 'on'"))
            connection.execute(text("UPDATE lamp SET state = 'on'"))
        for statement in (
            "UPDATE lamp SET state = 'off'",
            "UPDATE lamp SET state = 'on:broken'",
            "INSERT INTO lamp VALUES (2, 'on')",
        ):
            with pytest.raises(IntegrityError), connection.begin():
                connection.execute(text(statement.replace(":", "\\:")))
        with connection.begin():
            assert connection.execute(text("SELECT state FROM lamp")).scalars().all() == ["on"]
            guard_states(connection, table="lamp", first="off", pairs=[("on", "off")])
            connection.execute(text("UPDATE lamp SET state = 'off'"))
            connection.execute(text("DROP TABLE lamp"))


def test_the_end_of_an_attempt_can_never_be_changed_and_none_begins_ended(store: Store, database_url: str) -> None:
    with store.transaction() as books:
        run = a_run(a_town(books).wave, 1, "a0")
        books.runs.intend(run, at=NOW)
        books.runs.end_attempt(run.id, AssetId("a0"), outcome="unknown", cause="", at=NOW)
    with engine_for(parsed(database_url)).connect() as connection:
        for statement in (
            "UPDATE attempt SET outcome = 'done'",
            "UPDATE attempt SET outcome = ''",
            "INSERT INTO attempt (run, asset, id, tenant, place, live, outcome, cause) "
            "VALUES ('r1', 'b', 'id2', 'town', 1, true, 'done', '')",
        ):
            with pytest.raises(IntegrityError), connection.begin():
                connection.execute(text(statement))
