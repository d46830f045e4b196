"""Single entries of a policy file: read with their place, refused with it."""

from __future__ import annotations

from datetime import date, time
from typing import Any

import pytest

from inventory.model import AssetKind
from orchestrator.core.constraints import Scope
from orchestrator.core.policy_entry import Entry, PolicyFileWrong, clock, day, scope_of, texts, whole


def an_entry(value: Any) -> Entry:
    return Entry(file="policy.toml", key="here", value=value)


def test_a_day_ends_at_24_00_but_does_not_begin_then() -> None:
    assert clock(an_entry("24:00"), is_end=True) == time()
    with pytest.raises(PolicyFileWrong, match="such as 22:00"):
        clock(an_entry("24:00"))


def test_a_date_out_of_reach_is_refused() -> None:
    assert day(an_entry(date(2027, 1, 1))) == date(2027, 1, 1)
    with pytest.raises(PolicyFileWrong, match="out of reach"):
        day(an_entry(date(1900, 1, 1)))


def test_a_whole_number_is_no_truth_value() -> None:
    assert whole(an_entry(None), low=0, high=9, missing=4) == 4
    with pytest.raises(PolicyFileWrong, match="whole number"):
        whole(an_entry(True), low=0, high=9)


def test_a_list_of_texts_has_no_empty_ones() -> None:
    with pytest.raises(PolicyFileWrong, match="here: a list of texts"):
        texts(an_entry(["a", " "]))


def test_a_scope_is_read_from_the_keys_beside_others() -> None:
    found = scope_of(an_entry({"name": "x", "kinds": ["server"], "sites": ["Rathaus"]}))
    assert found == Scope(kinds=(AssetKind.SERVER,), sites=("Rathaus",))
