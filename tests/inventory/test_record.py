"""Claims to one record, field by field."""

from __future__ import annotations

from dataclasses import replace

import pytest

from inventory.claims import Claim, claim_of
from inventory.decisions import Decision, Verdict, on_fields
from inventory.model import AssetKind, Value
from inventory.precedence import Precedence
from inventory.record import Rules, folded, is_same_meant, words
from tests.inventory.builders import said


def a_claim(source: str, at: int, *, kind: AssetKind = AssetKind.SERVER, **values: Value) -> Claim:
    return claim_of(replace(said("srv", kind, row=at, **values), source=source), observed_us=at, imported_us=at)


def decided(verdict: Verdict, **more: str) -> Rules:
    decision = Decision(seq=1, verdict=verdict, ours=(("ad", "machine:srv"),), by="p-1", at_us=9, field="note", **more)  # type: ignore[arg-type]
    return Rules(decided=on_fields([decision]))


BOTH = a_claim("ad", 1, note="from ad", ram_mib=1), a_claim("glpi", 2, note="from glpi")


def test_each_field_is_that_of_the_newest_word_and_says_whose() -> None:
    record = folded(BOTH, Rules())
    assert dict(record.values) == {"note": "from glpi", "ram_mib": 1}
    assert [record.source_of(name) for name in ("note", "ram_mib", "name")] == ["glpi", "ad", "glpi"]


def test_the_tenants_order_of_sources_goes_before_age() -> None:
    rules = Rules(precedence=Precedence(order={"note": ("ad",)}))
    assert folded(BOTH, rules).values["note"] == "from ad"


def test_a_decision_goes_before_all_sources_and_survives_a_newer_word() -> None:
    newer = a_claim("rvtools", 8, note="from rvtools")
    assert folded((*BOTH, newer), decided(Verdict.SOURCE, source="ad")).values["note"] == "from ad"
    value = folded((*BOTH, newer), decided(Verdict.VALUE, value="by hand"))
    assert (value.values["note"], value.source_of("note")) == ("by hand", "person")


def test_what_is_gone_from_its_source_gives_way_to_what_is_there() -> None:
    gone = replace(a_claim("glpi", 2, note="from glpi"), gone_us=3)
    assert folded((BOTH[0], gone), Rules()).values["note"] == "from ad"
    assert folded((gone,), Rules()).is_gone


def test_a_real_serial_number_goes_before_a_placeholder() -> None:
    some = a_claim("ad", 1, serial="S-1"), a_claim("glpi", 2, serial="To be filled by O.E.M.")
    assert folded(some, Rules()).values["serial"] == "S-1"


def test_an_exact_kind_goes_before_a_general_one() -> None:
    assert folded((a_claim("rvtools", 1, kind=AssetKind.VM), a_claim("ad", 2)), Rules()).kind is AssetKind.VM


def test_every_word_on_a_field_is_kept_what_counts_first() -> None:
    (first, second) = words(BOTH, Rules())["note"]
    assert [(one.source, one.origin.row, one.counts) for one in (first, second)] == [
        ("glpi", 2, True),
        ("ad", 1, False),
    ]
    by_hand = words(BOTH, decided(Verdict.VALUE, value="by hand"))["note"]
    assert [one.source for one in by_hand] == ["person", "glpi", "ad"]


@pytest.mark.parametrize(
    ("field", "one", "other", "same"),
    [
        ("site", "Rathaus", "RATHAUS ", True),
        ("name", "srv", "srv.stadt.example", True),
        ("kind", "server", "vm", True),
        ("kind", "printer", "vm", False),
        ("mac", ("a", "b"), ("b",), True),
        ("mac", ("a",), ("b",), False),
        ("ram_mib", 1, 2, False),
    ],
)
def test_what_says_the_same_in_other_words_is_no_conflict(field: str, one: Value, other: Value, same: bool) -> None:
    assert is_same_meant(field, one, other) is same
