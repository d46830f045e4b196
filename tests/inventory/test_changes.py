"""What a merge would change, as a value."""

from __future__ import annotations

from dataclasses import replace

from inventory.changes import Changed, ChangeSet, FieldChange, applied, claims_in, redirected
from tests.inventory.builders import TENANT, knowing, merged, needing, nothing_known, said


def test_a_change_set_that_only_refuses_or_repeats_is_empty() -> None:
    assert ChangeSet(tenant=TENANT, unchanged=3).is_empty
    assert not merged(nothing_known(), said("srv")).is_empty


def test_changes_can_be_applied_without_writing_them() -> None:
    known = knowing(said("a", note="old"), said("b"))
    after = applied(known, merged(known, said("a", note="new"), said("c"), needing("a", "b")))
    assert [(one.name, one.text("note")) for one in after.assets if one.name != "c"] == [("a", "new"), ("b", "")]
    assert (len(after.assets), len(after.snapshot.dependencies)) == (3, 1)
    assert (len(known.assets), known.assets[0].text("note")) == (2, "old")


def test_what_was_changed_directly_is_what_its_source_claims_of_the_asset_it_is_about() -> None:
    (asset,) = knowing(said("srv")).assets
    keyed = replace(asset, values={"host_key": "k"})
    change = FieldChange(field="host_key", before=None, after="k", source="scan")
    changes = ChangeSet(tenant=TENANT, changed=(Changed(asset=keyed, changes=(change,)),))
    (claim,) = claims_in(changes, {asset.id: tuple(knowing(said("srv")).claims.values())}, at_us=7)
    assert (claim.source, claim.about, dict(claim.values)) == ("scan", ("test", "machine:srv"), {"host_key": "k"})
    known = replace(knowing(said("srv")), claims={**knowing(said("srv")).claims, claim.id: claim})
    again = merged(known, said("srv", note="x"))
    assert [(one.field, one.after) for one in again.changed[0].changes] == [("host_key", "k"), ("note", "x")]


def test_dependencies_follow_what_became_another_asset_and_fall_with_what_is_no_more() -> None:
    known = knowing(said("a"), said("b"), said("c"), needing("a", "b"), needing("b", "c"))
    a, b, c = (one.id for one in known.assets)
    moved = redirected(known.snapshot.dependencies, {b: c})
    assert [(one.asset, one.needs) for one in moved] == [(a, c)]
    assert redirected(known.snapshot.dependencies, {b: None}) == ()
