"""What people decided, and which word counts last."""

from __future__ import annotations

from inventory.claims import ClaimKey
from inventory.decisions import Decision, Verdict, on_fields, pairs_of

ONE, OTHER, THIRD = ("ad", "machine:a"), ("glpi", "machine:b"), ("rvtools", "machine:c")


def a_decision(seq: int, verdict: Verdict, *theirs: ClaimKey, field: str = "") -> Decision:
    return Decision(seq=seq, verdict=verdict, ours=(ONE,), theirs=theirs, field=field, by="p-1", at_us=seq)


def test_a_pair_counts_both_ways_round_and_the_last_word_on_it_holds() -> None:
    same, different = a_decision(1, Verdict.SAME, OTHER, THIRD), a_decision(2, Verdict.DIFFERENT, OTHER)
    pairs = pairs_of([different, same])
    assert pairs.same == {(ONE, THIRD), (THIRD, ONE)}
    assert pairs.different == {(ONE, OTHER), (OTHER, ONE)}


def test_decisions_on_fields_are_found_by_the_claims_they_hold_on_to() -> None:
    late, early = a_decision(2, Verdict.SOURCE, field="note"), a_decision(1, Verdict.VALUE, field="note")
    assert on_fields([late, early, a_decision(3, Verdict.SAME, OTHER)]) == {ONE: (early, late)}
