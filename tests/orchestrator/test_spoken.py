"""Values in the chosen language, harmless whatever they hold."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.core.explain import Sentence
from orchestrator.core.lifecycle import MoveState, WaveState
from orchestrator.core.places import Place
from orchestrator.spoken import (
    age,
    cause_says,
    joined,
    moment,
    one_line,
    place_word,
    span,
    spoken,
    state_word,
    visible,
    wave_word,
)
from orchestrator.texts import use_language

NIGHT = datetime(2026, 11, 30, 22, 0, tzinfo=ZoneInfo("Europe/Berlin"))


@pytest.fixture
def german() -> Iterator[None]:
    use_language("de")
    yield
    use_language("en")


@given(st.text())
def test_nothing_that_is_shown_can_command_a_terminal(text: str) -> None:
    assert all(char.isprintable() for char in one_line(text))
    assert all(char.isprintable() or char == "\n" for char in visible(text))


def test_a_long_text_is_cut_and_says_so() -> None:
    assert one_line("x" * 900, longest=20) == "x" * 17 + "..."


def test_facts_are_filled_in_and_never_read_as_templates() -> None:
    inner = Sentence(says="the {what}", facts={"what": "{0}\x1b[31m"})
    assert spoken(Sentence(says="It is {cause}.", facts={"cause": inner})) == r"It is the {0}\x1b[31m."


def test_a_cause_from_a_hostile_host_is_shown_as_it_is() -> None:
    assert cause_says("{0.__class__}\x07") == "{0.__class__}\\x07"


def test_clauses_become_one_sentence() -> None:
    assert joined((Sentence(says="one is held"), Sentence(says="nothing waits for a person"))) == (
        "One is held; nothing waits for a person."
    )


def test_times_are_those_of_the_wall() -> None:
    assert moment(NIGHT) == "Mon 30 Nov 2026, 22:00"
    assert span(NIGHT, NIGHT + timedelta(hours=6)) == "Mon 30 Nov 2026, 22:00–04:00"
    assert span(NIGHT, NIGHT + timedelta(days=3)).endswith("Thu 3 Dec 2026, 22:00")


def test_an_age_is_never_negative() -> None:
    assert age(datetime(2026, 1, 2, tzinfo=UTC), datetime(2026, 1, 1, tzinfo=UTC)) == "0 seconds"


@pytest.mark.usefixtures("german")
def test_german_is_spoken_with_german_times() -> None:
    assert moment(NIGHT) == "Mo. 30. Nov. 2026, 22:00"
    assert wave_word(WaveState.ROLLED_BACK) != "rolled back"


def test_every_state_and_place_has_a_word() -> None:
    assert all(state_word(state) for state in MoveState)
    assert all(place_word(place) for place in Place)
    assert state_word(MoveState.UNKNOWN) == "UNKNOWN"
    assert state_word(MoveState.ROLLED_BACK) == "rolled back, proven"
