"""Claims to one record per asset."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inventory.changes import FieldChange, Holdings, applied
from inventory.merge import merge
from inventory.model import AssetKind, DependencyKind, Value
from inventory.observation import Observation, ObservedDependency
from inventory.precedence import Precedence
from tests.inventory.builders import (
    JINJA,
    a_reading,
    at,
    codes,
    ids,
    knowing,
    merged,
    needing,
    nothing_known,
    own,
    said,
)

SITE, SERVER, VM, PROCEDURE, SEAT = (
    AssetKind.SITE, AssetKind.SERVER, AssetKind.VM, AssetKind.PROCEDURE, AssetKind.SEAT
)  # fmt: skip
HARD, SOFT = DependencyKind.HARD, DependencyKind.SOFT


def test_what_was_not_known_appears_with_an_id_of_its_own() -> None:
    changes = merged(nothing_known(), said("Rathaus", SITE), said("srv", site="rathaus"))
    assert [(one.asset.id, one.asset.kind, one.asset.name) for one in changes.appeared] == [
        ("a-00000", "site", "Rathaus"),
        ("a-00001", "server", "srv"),
    ]
    assert changes.appeared[1].asset.text("site") == "Rathaus"


def test_the_same_reading_twice_changes_nothing() -> None:
    rows = (said("Rathaus", SITE), said("srv", site="Rathaus", ram_mib=4096), needing("srv", "Rathaus", SOFT))
    known = knowing(*rows)
    again = merge(known, a_reading(*rows), new_id=ids(known), when=at(1))
    assert (again.is_empty, again.unchanged, again.refusals) == (True, 2, ())


def test_the_same_reading_later_changes_no_record_but_the_age_of_what_it_says() -> None:
    rows = (said("Rathaus", SITE), said("srv", site="Rathaus"))
    again = merged(knowing(*rows), *rows)
    assert (again.appeared, again.changed, again.unchanged, again.confirmed) == ((), (), 2, 2)
    assert [one.last_us for one in again.claims or ()] == [2, 2]


def test_a_change_shows_field_before_after_and_source() -> None:
    changes = merged(knowing(said("srv", ram_mib=4096, note="old")), said("srv", ram_mib=8192))
    assert changes.changed[0].changes == (FieldChange(field="ram_mib", before=4096, after=8192, source="test"),)


def test_what_a_source_does_not_mention_stays() -> None:
    known = knowing(said("srv", ram_mib=4096, note="kept"), said("other"))
    after = applied(known, merged(known, said("srv", ram_mib=8192)))
    assert {one.name: dict(one.values) for one in after.assets} == {
        "srv": {"ram_mib": 8192, "note": "kept"},
        "other": {},
    }


def test_the_second_of_two_rows_with_one_name_is_refused_and_both_are_named() -> None:
    changes = merged(nothing_known(), said("APC-1", row=7, note="b"), said("apc-1", row=3, note="a"))
    assert [one.asset.text("note") for one in changes.appeared] == ["a"]
    assert codes(changes) == ["INV-012"]
    assert "row 3" in changes.refusals[0].says and "row 7" in changes.refusals[0].says
    assert changes.refusals[0].row == ("APC-1", "as it stood")


def test_a_row_that_only_repeats_another_is_no_duplicate() -> None:
    changes = merged(
        nothing_known(), said("apc-1", row=3, note="a"), said("apc-1", row=9, note="a"), said("apc-1", row=1)
    )
    assert (len(changes.appeared), changes.refusals) == (1, ())
    assert changes.appeared[0].asset.text("note") == "a"


def test_one_name_in_two_codings_of_its_umlauts_is_one_asset() -> None:
    decomposed = unicodedata.normalize("NFD", "Bürgerbüro")
    changes = merged(nothing_known(), said("Bürgerbüro", SITE, note="a"), said(decomposed, SITE, row=3, note="b"))
    assert codes(changes) == ["INV-012"]


def test_a_reference_to_something_unknown_refuses_the_row_and_names_field_and_name() -> None:
    changes = merged(nothing_known(), said("srv", site="Nirgendwo"), said("other"))
    assert codes(changes) == ["INV-013"] and "site" in changes.refusals[0].says
    assert [one.asset.name for one in changes.appeared] == ["other"]


def test_rows_that_point_at_a_refused_row_are_refused_with_it() -> None:
    rows = (said("a", successor="b"), said("b", successor="c", row=3), said("c", site="Nirgendwo", row=4))
    changes = merged(nothing_known(), *rows, needing("a", "c"))
    assert codes(changes) == ["INV-013", "INV-013", "INV-013", "INV-016"]
    assert changes.is_empty


def test_assets_of_one_reading_may_point_at_each_other_in_any_order() -> None:
    changes = merged(nothing_known(), said("GIS", PROCEDURE, machines=("srv",)), said("srv", procedures=("GIS",)))
    assert (len(changes.appeared), changes.refusals) == (2, ())


def test_a_machine_is_not_its_own_successor() -> None:
    assert codes(merged(nothing_known(), said("srv", successor="SRV"))) == ["INV-014"]


def test_a_field_that_the_kind_does_not_have_is_refused() -> None:
    assert codes(merged(nothing_known(), said("Rathaus", SITE, ram_mib=1))) == ["INV-001"]


def test_a_rename_is_a_change_of_name_that_references_follow() -> None:
    known = knowing(said("old", serial="S-1"), said("Platz 1", SEAT, machine="old"))
    changes = merged(known, said("new", serial="S-1"))
    after = applied(known, changes)
    assert {one.name: one.text("machine") for one in after.assets} == {"new": "", "Platz 1": "new"}
    assert [(one.field, one.before, one.after) for one in changes.changed[0].changes] == [("name", "old", "new")]
    assert merged(after, said("new", serial="S-1")).changed == ()


def test_a_mark_of_one_machine_under_the_name_of_another_joins_nothing() -> None:
    """Both are in one list, so they are two; that one of them has the other's number is a question."""
    known = knowing(said("a", serial="S-1"), said("b", serial="S-2"))
    changes = merged(known, said("b", serial="S-1"))
    assert (codes(changes), changes.gone, changes.appeared) == ([], (), ())
    assert {one.name: one.text("serial") for one in applied(known, changes).assets} == {"a": "S-1", "b": "S-1"}


def test_a_placeholder_does_not_replace_a_real_serial_number() -> None:
    known = knowing(said("a", serial="S-1"))
    other = replace(said("a", serial="To be filled by O.E.M."), source="other")
    assert merged(known, other).changed == ()
    assert merged(knowing(said("a")), said("a", serial="None")).changed


def test_an_office_list_does_not_turn_a_virtual_machine_into_a_plain_server() -> None:
    known = knowing(said("srv", VM))
    assert merged(known, replace(said("srv", SERVER), source="office-csv")).changed == ()
    printer = replace(said("srv", AssetKind.PRINTER), source="office-csv")
    assert merged(known, printer).changed[0].changes[0].field == "kind"


def test_a_dependency_is_taken_once_and_found_again() -> None:
    known = knowing(said("a"), said("b"), needing("a", "B"))
    assert [(one.asset, one.needs, one.kind) for one in known.snapshot.dependencies] == [("a-00000", "a-00001", "hard")]
    assert merged(known, needing("A", "b"), needing("a", "b", row=3)).is_empty


@pytest.mark.parametrize(
    ("asset", "needs", "code"), [("a", "x", "INV-016"), ("x", "a", "INV-016"), ("a", "A", "INV-017")]
)
def test_a_dependency_on_something_unknown_or_itself_is_refused(asset: str, needs: str, code: str) -> None:
    assert codes(merged(knowing(said("a")), needing(asset, needs))) == [code]


def test_a_dependency_whose_name_means_two_things_wants_the_group() -> None:
    known = knowing(said("GIS", PROCEDURE), said("GIS", SERVER), said("b"))
    assert codes(merged(known, needing("b", "GIS"))) == ["INV-018"]
    assert len(merged(known, needing("b", "machine:GIS")).dependencies) == 1


def test_a_dependency_cannot_reach_into_another_tenant() -> None:
    """The snapshot is one tenant's, so another tenant's asset is simply unknown, whatever it is called."""
    assert codes(merged(knowing(said("a")), needing("a", "kreis:srv-1"))) == ["INV-016"]


def test_a_circle_of_ten_thousand_is_taken_as_it_is() -> None:
    rows: list[Observation | ObservedDependency] = [said(f"m{at:05}", row=at) for at in range(10_000)]
    rows += [needing(f"m{at:05}", f"m{(at + 1) % 10_000:05}", row=at) for at in range(10_000)]
    changes = merged(nothing_known(), *rows)
    assert (len(changes.dependencies), changes.refusals) == (10_000, ())


def test_a_chain_of_ten_thousand_rows_falls_with_its_last_in_one_go() -> None:
    rows = [said(f"m{at:05}", successor=f"m{at + 1:05}", row=at) for at in range(10_000)]
    changes = merged(nothing_known(), *rows)
    assert (len(changes.refusals), changes.is_empty) == (10_000, True)


def test_jinja_in_a_text_stays_text() -> None:
    changes = merged(nothing_known(), said("srv", note=JINJA))
    assert changes.appeared[0].asset.text("note") == JINJA


def test_a_source_with_a_higher_rank_keeps_its_word_against_a_newer_one() -> None:
    known = knowing(replace(said("srv", ram_mib=4096), source="rvtools"))
    known = replace(known, precedence=Precedence(order={"ram_mib": ("rvtools",)}))
    office = replace(said("srv", ram_mib=2048, note="x"), source="office-csv")
    changes = merged(known, office)
    assert [(one.field, one.source) for one in changes.changed[0].changes] == [("note", "office-csv")]
    assert merged(known, replace(office, values={"ram_mib": 2048})).overruled == 1


def test_a_word_too_old_loses_its_rank() -> None:
    known = knowing(replace(said("srv", ram_mib=4096), source="rvtools"))
    known = replace(known, precedence=Precedence(order={"ram_mib": ("rvtools",)}, stale_days=30))
    office = a_reading(replace(said("srv", ram_mib=2048), source="office-csv"))
    changes = merge(known, office, new_id=ids(known), when=at(31 * 86_400_000_000))
    assert [one.after for one in changes.changed[0].changes] == [2048]


def test_an_older_file_taken_in_later_replaces_nothing_that_is_newer() -> None:
    known = applied(
        nothing_known(),
        merge(nothing_known(), a_reading(said("srv", ram_mib=2)), new_id=ids(nothing_known()), when=at(9)),
    )
    older = merge(
        known, a_reading(replace(said("srv", ram_mib=1, note="old"), observed_us=5)), new_id=ids(known), when=at(10)
    )
    assert [(one.field, one.after) for one in older.changed[0].changes] == [("note", "old")]


def test_no_word_comes_from_the_future() -> None:
    changes = merged(nothing_known(), replace(said("srv"), observed_us=10**18))
    assert [one.last_us for one in changes.claims or ()] == [1]


def test_two_records_of_one_source_with_one_name_get_a_number() -> None:
    """Two hypervisors may each have a machine of that name."""
    rows = [replace(said("srv", VM, row=at), source_id=f"vm-{at}") for at in (2, 3)]
    known = knowing(*rows)
    assert sorted(one.name for one in known.assets) == ["srv", "srv #2"]
    assert merged(known, *rows).appeared == ()


NAMES = st.sampled_from(["a", "A", "b", "c", "d"])
SERIALS = st.sampled_from(["S-1", "S-2", "S-3", "None"])
UUIDS = st.sampled_from(["4203abcd-0000-0000-0000-000000000001", "cdab0342-0000-0000-0000-000000000001", "0" * 32])
MACS = st.sampled_from(["00:50:56:00:00:01", "00:50:56:00:00:02", "02:42:00:00:00:01"])
FQDNS = st.sampled_from(["a.stadt.example", "b.stadt.example", "a.kreis.example"])
MAYBE: dict[str, st.SearchStrategy[Value]] = {
    "serial": SERIALS,
    "uuid": UUIDS,
    "mac": MACS.map(lambda mac: (mac,)),
    "fqdn": FQDNS,
    "successor": NAMES,
    "ram_mib": st.integers(1, 2),
}


@st.composite
def rows(draw: st.DrawFn, *, source: str = "test", referring: bool = True) -> list[Observation | ObservedDependency]:
    found: list[Observation | ObservedDependency] = []
    for row in range(2, 2 + draw(st.integers(0, 5))):
        wanted = draw(st.sets(st.sampled_from(sorted(MAYBE.keys() - (set() if referring else {"successor"})))))
        values = {name: draw(MAYBE[name]) for name in sorted(wanted)}
        found.append(replace(said(draw(NAMES), draw(st.sampled_from([SERVER, VM])), row=row, **values), source=source))
    found += [needing(draw(NAMES), draw(NAMES), row=row) for row in range(draw(st.integers(0, 3)) if referring else 0)]
    return found


def an_inventory(known: list[Observation | ObservedDependency]) -> Holdings:
    changes = merge(nothing_known(), a_reading(*known), new_id=ids(nothing_known()), when=at(1))
    return applied(nothing_known(), changes)


@given(known=rows(), more=rows(), order=st.randoms(use_true_random=False))
def test_the_order_of_observations_has_no_influence(
    known: list[Observation | ObservedDependency], more: list[Observation | ObservedDependency], order: object
) -> None:
    holdings = an_inventory(known)
    mixed = list(more)
    order.shuffle(mixed)  # type: ignore[attr-defined]
    in_order = merge(holdings, a_reading(*more), new_id=ids(holdings), when=at(2))
    assert merge(holdings, a_reading(*mixed), new_id=ids(holdings), when=at(2)) == in_order


@given(known=rows(), more=rows())
def test_repeating_any_import_changes_nothing_and_keeps_names_unique(
    known: list[Observation | ObservedDependency], more: list[Observation | ObservedDependency]
) -> None:
    holdings = an_inventory(known)
    after = applied(holdings, merge(holdings, a_reading(*more), new_id=ids(holdings), when=at(2)))
    assert len(after.snapshot.by_name()) == len(after.assets)
    assert holdings.claims.keys() <= after.claims.keys()
    again = merge(after, a_reading(*more), new_id=ids(after), when=at(2))
    assert again.is_empty, again


Import = tuple[int, str, list[Observation]]


@st.composite
def imports(draw: st.DrawFn) -> list[Import]:
    """Some files of several sources, of different or equal age; within one file no name stands twice."""
    found: list[Import] = []
    for source in draw(st.lists(st.sampled_from(["ad", "glpi", "rvtools"]), min_size=2, max_size=5)):
        said_there = draw(rows(source=source, referring=False))
        names: dict[str, Observation] = {one.name.casefold(): one for one in said_there if isinstance(one, Observation)}
        found.append((draw(st.integers(1, 3)), source, list(names.values())))
    return found


def taken_in(all_of: Iterable[Import], *, starting: Holdings | None = None) -> Holdings:
    """The inventory after these files, each taken in at the time of its contents."""
    known = starting or replace(nothing_known(), precedence=Precedence(order={"ram_mib": ("glpi", "ad")}))
    for observed_us, _source, some in all_of:
        placed = [replace(one, observed_us=observed_us) for one in some]
        known = applied(known, merge(known, a_reading(*placed), new_id=ids(known), when=at(9)))
    return known


def content(known: Holdings) -> str:
    """The records and which claims make each, without the ids that were given."""
    of_asset: dict[str, list[tuple[str, str]]] = {one.id: [] for one in known.assets}
    for claim in known.claims.values():
        of_asset[claim.asset].append(claim.id)
    return sorted(
        (one.name, one.kind.value, sorted(one.values.items()), sorted(of_asset[one.id])) for one in known.assets
    ).__repr__()


@settings(max_examples=200)
@given(some=imports(), order=st.randoms(use_true_random=False))
def test_the_order_of_imports_has_no_influence(some: list[Import], order: object) -> None:
    mixed = list(some)
    order.shuffle(mixed)  # type: ignore[attr-defined]
    assert content(taken_in(mixed)) == content(taken_in(some))


@given(some=imports(), cut=st.integers(0, 5))
def test_taking_imports_together_or_one_by_one_is_the_same(some: list[Import], cut: int) -> None:
    """Associative: what was taken before may itself have been put together in any way."""
    first = taken_in(some[:cut])
    assert content(taken_in(some[cut:], starting=first)) == content(taken_in(some[cut:] + some[:cut]))


@given(some=imports())
def test_taking_all_imports_again_changes_nothing(some: list[Import]) -> None:
    once = taken_in(some)
    assert taken_in(some, starting=once) == once


def test_an_attribute_of_a_towns_own_is_kept_with_its_source_and_its_history() -> None:
    known = knowing(said("srv", **own(kostenstelle="4711")))
    changes = merged(known, said("srv", **own(kostenstelle="4712")))
    (changed,) = changes.changed
    assert [(one.field, one.before, one.after, one.source) for one in changed.changes] == [
        ("attr.kostenstelle", "4711", "4712", "test")
    ]
    assert codes(merged(known, said("srv", **own(Ä="1")))) == ["INV-001"]


@given(known=rows(), more=rows())
@settings(max_examples=60, deadline=None)
def test_every_entry_of_a_reading_becomes_exactly_one_thing(
    known: list[Observation | ObservedDependency], more: list[Observation | ObservedDependency]
) -> None:
    holdings = nothing_known()
    for entries in (known, more, more):
        changes = merged(holdings, *entries)
        tally = changes.tally
        assert tally.read == len(entries) and min(tally.new, tally.changed, tally.unchanged) >= 0
        assert tally.rejected == len(changes.refusals)
        holdings = applied(holdings, changes)
    assert (tally.new, tally.changed) == (0, 0)
