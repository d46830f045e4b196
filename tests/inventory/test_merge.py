"""Claims to one record per asset."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory.changes import FieldChange, applied
from inventory.merge import merge
from inventory.model import AssetKind, DependencyKind, Snapshot, Value
from inventory.observation import Observation, ObservedDependency
from tests.inventory.builders import JINJA, a_reading, codes, ids, knowing, merged, needing, nothing_known, said

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
    again = merged(knowing(*rows), *rows)
    assert (again.is_empty, again.unchanged, again.refusals) == (True, 2, ())


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
    assert merged(after, said("new", serial="S-1")).is_empty


def test_a_mark_of_one_machine_under_the_name_of_another_is_refused() -> None:
    known = knowing(said("a", serial="S-1"), said("b", serial="S-2"))
    changes = merged(known, said("b", serial="S-1"))
    assert (codes(changes), changes.is_empty) == (["INV-015"], True)


def test_a_placeholder_does_not_replace_a_real_serial_number() -> None:
    assert merged(knowing(said("a", serial="S-1")), said("a", serial="To be filled by O.E.M.")).is_empty
    assert not merged(knowing(said("a")), said("a", serial="None")).is_empty


def test_an_office_list_does_not_turn_a_virtual_machine_into_a_plain_server() -> None:
    known = knowing(said("srv", VM))
    assert merged(known, said("srv", SERVER)).is_empty
    assert merged(known, said("srv", AssetKind.PRINTER)).changed[0].changes[0].field == "kind"


def test_a_dependency_is_taken_once_and_found_again() -> None:
    known = knowing(said("a"), said("b"), needing("a", "B"))
    assert [(one.asset, one.needs, one.kind) for one in known.dependencies] == [("a-00000", "a-00001", "hard")]
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


NAMES = st.sampled_from(["a", "A", "b", "c", "d"])
SERIALS = st.sampled_from(["S-1", "S-2", "S-3", "None"])


@st.composite
def rows(draw: st.DrawFn, *, first_row: int = 2) -> list[Observation | ObservedDependency]:
    found: list[Observation | ObservedDependency] = []
    for at in range(draw(st.integers(0, 6))):
        values: dict[str, Value] = {}
        if draw(st.booleans()):
            values["serial"] = draw(SERIALS)
        if draw(st.booleans()):
            values["successor"] = draw(NAMES)
        if draw(st.booleans()):
            values["ram_mib"] = draw(st.integers(1, 2))
        kind = draw(st.sampled_from([SERVER, VM]))
        found.append(said(draw(NAMES), kind, row=first_row + at, **values))
    found += [needing(draw(NAMES), draw(NAMES), row=at) for at in range(draw(st.integers(0, 3)))]
    return found


def an_inventory(known: list[Observation | ObservedDependency]) -> Snapshot:
    return applied(nothing_known(), merge(nothing_known(), a_reading(*known), new_id=ids(nothing_known())))


@given(known=rows(), more=rows(), order=st.randoms(use_true_random=False))
def test_the_order_of_observations_has_no_influence(
    known: list[Observation | ObservedDependency], more: list[Observation | ObservedDependency], order: object
) -> None:
    snapshot = an_inventory(known)
    mixed = list(more)
    order.shuffle(mixed)  # type: ignore[attr-defined]
    in_order = merge(snapshot, a_reading(*more), new_id=ids(snapshot))
    assert merge(snapshot, a_reading(*mixed), new_id=ids(snapshot)) == in_order


@given(known=rows(), more=rows())
def test_repeating_any_import_changes_nothing_loses_nothing_and_keeps_names_unique(
    known: list[Observation | ObservedDependency], more: list[Observation | ObservedDependency]
) -> None:
    snapshot = an_inventory(known)
    after = applied(snapshot, merge(snapshot, a_reading(*more), new_id=ids(snapshot)))
    assert {one.id for one in snapshot.assets} <= {one.id for one in after.assets}
    assert len(after.by_name()) == len(after.assets)
    again = merge(after, a_reading(*more), new_id=ids(after))
    assert again.is_empty, again
    names = {one.name for one in after.assets}
    assert all(one.text("successor") in names | {""} for one in after.assets)
