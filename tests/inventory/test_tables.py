"""Times and texts go into both databases and come back unchanged, or are refused."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory.tables import UnstorableText, instant, micros, storable, unique_key

PRESENT = st.datetimes(timezones=st.just(UTC)).filter(lambda at: 1900 < at.year < 3000)


@given(PRESENT)
def test_a_time_comes_back_to_the_microsecond(at: datetime) -> None:
    assert instant(micros(at)) == at
    assert instant(micros(at)).tzinfo is UTC


@given(PRESENT, st.integers(-12, 14))
def test_the_same_instant_in_another_zone_is_the_same_number(at: datetime, hours: int) -> None:
    assert micros(at.astimezone(timezone(timedelta(hours=hours)))) == micros(at)


def test_a_time_without_zone_is_no_instant() -> None:
    with pytest.raises(TypeError):
        micros(datetime(2026, 1, 1))  # noqa: DTZ001


@pytest.mark.parametrize("text", ["a\0b", "\ud800", "x\udcff"])
def test_text_that_a_database_would_refuse_or_change_is_refused(text: str) -> None:
    with pytest.raises(UnstorableText, match="STO-014"):
        storable(text)


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")))
def test_any_other_text_is_storable(text: str) -> None:
    assert storable(text) == text


def test_names_that_look_alike_have_one_key() -> None:
    assert unique_key("Bürger  Büro") == unique_key("BÜRGER bu\u0308ro")
    assert unique_key("PC-1") != unique_key("PC-2")


def test_a_key_always_fits_an_index_and_long_ones_stay_apart() -> None:
    longest = "\ufdfa" * 120
    assert len(unique_key(longest)) == len("sha256:") + 64
    assert unique_key(longest) != unique_key(longest[:-1] + "x")
