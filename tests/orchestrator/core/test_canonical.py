"""Canonical bytes, fingerprints, and values back from JSON."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.core.canonical import LATER, canonical_bytes, fingerprint_of, plain, restore, tamed


@dataclass(frozen=True)
class Stop:
    """A value to be written."""

    name: str
    at: datetime
    tags: frozenset[str] = frozenset()


NOON = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)


def test_the_same_instant_in_another_zone_has_the_same_fingerprint() -> None:
    there = NOON.astimezone(timezone(timedelta(hours=2)))
    assert fingerprint_of(Stop("a", NOON)) == fingerprint_of(Stop("a", there))


def test_any_change_of_a_field_is_another_fingerprint() -> None:
    stop = Stop("a", NOON)
    others = (
        replace(stop, name="b"),
        replace(stop, at=NOON + timedelta(microseconds=1)),
        replace(stop, tags=frozenset("x")),
    )
    assert len({fingerprint_of(stop), *map(fingerprint_of, others)}) == 4


def test_keys_and_sets_have_one_order() -> None:
    assert canonical_bytes({"b": 1, "a": frozenset({"z", "y"})}) == b'{"a":["y","z"],"b":1}'


def test_the_fingerprint_is_the_sha256_of_the_bytes() -> None:
    assert fingerprint_of({"a": 1}) == hashlib.sha256(b'{"a":1}').hexdigest()


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 2**53])
def test_what_json_cannot_hold_has_no_canonical_bytes(value: float) -> None:
    with pytest.raises(ValueError):
        canonical_bytes(value)


def test_a_value_comes_back_from_its_json() -> None:
    stop = Stop("Straße", NOON, frozenset({"x"}))
    assert restore(Stop, json.loads(canonical_bytes(stop))) == stop
    assert plain(stop)["at"] == "2026-06-01T12:00:00.000000+00:00"


_ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters()), inner),
)


@given(_ANYTHING)
def test_whatever_a_host_sends_can_be_written_down(sent: object) -> None:
    written = canonical_bytes(tamed(sent))
    assert canonical_bytes(json.loads(written)) == written


def test_what_is_too_deep_or_too_long_is_cut() -> None:
    deep: object = "x"
    for _ in range(100):
        deep = [deep]
    assert len(canonical_bytes(tamed(deep))) < 60
    assert len(tamed(["x"] * 10_000)) == 200
    assert len(tamed("x" * 100_000)) == 4_096


def test_a_number_of_any_size_can_be_written_down_and_read_again() -> None:
    for number in (1e16, -(2.0**60), 1e20, 1e300, 2**53, -(2**64), 10**5_000, -(10**5_000)):
        written = canonical_bytes(tamed({"n": number}))
        assert canonical_bytes(json.loads(written)) == written


@dataclass(frozen=True)
class Station(Stop):
    """The same value in a later version."""

    tracks: int = field(default=0, metadata=LATER)


def test_a_field_that_came_later_leaves_the_bytes_of_what_was_stored_before_alone() -> None:
    assert canonical_bytes(Station("a", NOON)) == canonical_bytes(Stop("a", NOON))
    assert restore(Station, plain(Stop("a", NOON))) == Station("a", NOON)
    assert restore(Station, plain(Station("a", NOON, tracks=2))).tracks == 2
