"""The store in memory passes the tests of the databases: the very same functions, with another store."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType

import pytest

from tests.orchestrator.adapters import (
    test_journal_book,
    test_notices_book,
    test_occurrences_book,
    test_runs_book,
    test_store,
    test_waves_book,
)
from tests.orchestrator.adapters.test_journal_book import written
from tests.orchestrator.adapters.test_runs_book import run, town
from tests.simulation.memory_store import MemoryStore

__all__ = ["run", "town", "written"]

ONLY_OF_A_DATABASE = {
    "needs its address, its files, or threads": ("database_url", "empty_url", "tmp_path", "monkeypatch"),
    "asks for the class of the database's book": ("test_an_attempt_ends_once_and_is_remembered",),
    "is about bytes, texts and columns": (
        "test_a_redacted_text_is_gone_and_the_chain_stays_whole",
        "test_equal_texts_have_different_hashes",
        "test_hostile_text_comes_back_unchanged",
        "test_text_that_no_database_can_hold_is_refused_and_nothing_is_written",
        "test_a_word_that_would_not_fit_an_index_is_refused",
        "test_a_body_without_canonical_form_is_refused",
        "test_any_json_body_comes_back_in_a_whole_chain_or_is_refused",
        "test_a_host_name_that_no_database_can_hold_is_refused",
        "test_hostile_output_comes_back_unchanged",
    ),
    "is about several threads or connections": (
        "test_eight_writers_at_once_lose_no_entry_and_break_no_chain",
        "test_reading_sees_one_moment_and_does_not_hold_up_a_writer",
        "test_nothing_can_be_written_while_reading",
        "test_a_missing_postgresql_database_is_named",
        "test_a_server_that_is_not_there_is_named_without_its_password",
    ),
}
NOT_HERE = {name for names in ONLY_OF_A_DATABASE.values() for name in names}


def shared_tests(*modules: ModuleType) -> list[Callable[..., None]]:
    """Test functions of these modules that ask for a store and for nothing that only a database has."""
    found = []
    for module in modules:
        for name, function in sorted(vars(module).items()):
            wants = (
                set(function.__code__.co_varnames[: function.__code__.co_argcount])
                if callable_test(name, function)
                else set()
            )
            if wants and not wants & NOT_HERE and name not in NOT_HERE:
                found.append(function)
    return found


def callable_test(name: str, thing: object) -> bool:
    """Whether it is a test function."""
    return name.startswith("test_") and hasattr(thing, "__code__")


BOOKS = (test_store, test_journal_book, test_notices_book, test_waves_book, test_runs_book, test_occurrences_book)
for one in shared_tests(*BOOKS):
    globals()[one.__name__] = one


@pytest.fixture
def store() -> MemoryStore:
    """An empty store."""
    return MemoryStore()


def test_most_tests_of_the_databases_are_shared() -> None:
    assert len(shared_tests(*BOOKS)) >= 50
