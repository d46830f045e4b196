"""What is open in an inventory."""

from __future__ import annotations

from dataclasses import replace

from inventory.conflicts import conflicts, provenance, questions
from inventory.decisions import Decision, Verdict
from inventory.model import Value
from inventory.observation import Observation
from tests.inventory.builders import knowing, said


def by(source: str, name: str, **values: Value) -> Observation:
    return replace(said(name), values=values, source=source)


def test_a_field_on_which_two_sources_disagree_is_a_conflict_with_every_word() -> None:
    known = knowing(by("ad", "srv", note="one", ram_mib=1), by("glpi", "srv", note="two", ram_mib=1))
    (found,) = conflicts(known)
    assert (found.field, [one.source for one in found.words], found.is_decided) == ("note", ["glpi", "ad"], False)


def test_the_same_in_other_words_and_one_sources_own_change_are_none() -> None:
    assert conflicts(knowing(by("ad", "SRV", note="One  "), by("glpi", "srv.stadt.example", note="one"))) == ()
    assert conflicts(knowing(by("ad", "srv", note="one"))) == ()


def test_a_decision_closes_a_conflict_and_its_words_stay() -> None:
    known = knowing(by("ad", "srv", note="one"), by("glpi", "srv", note="two"))
    decision = Decision(
        seq=1, verdict=Verdict.SOURCE, ours=(("ad", "machine:srv"),), field="note", source="ad", by="p", at_us=1
    )
    (found,) = conflicts(replace(known, decisions=(decision,)))
    assert found.is_decided and [one.value for one in found.words] == ["one", "two"]


def test_conflicts_of_some_assets_leave_the_others_out() -> None:
    known = knowing(by("ad", "srv", note="one"), by("glpi", "srv", note="two"))
    assert conflicts(known, of=[]) == ()


def test_a_mark_that_does_not_tell_is_a_question_with_the_assets_in_question() -> None:
    known = knowing(by("ad", "a", serial="S-1"), by("ad", "b", serial="S-1"))
    (found,) = questions(known)
    assert (found.mark, [one.name for one in found.assets], found.why) == (("serial", "s-1"), ["a", "b"], "source")


def test_provenance_tells_for_each_field_who_said_it_and_where() -> None:
    known = knowing(by("ad", "srv", note="one"))
    (word,) = provenance(known, known.assets[0].id)["note"]
    assert (word.source, word.origin.file, word.origin.row, word.counts) == ("ad", "list.csv", 2, True)
    assert provenance(known, known.assets[0].id).keys() == {"kind", "name", "note"}
