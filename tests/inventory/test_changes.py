"""What a merge would change, as a value."""

from __future__ import annotations

from inventory.changes import ChangeSet, applied
from tests.inventory.builders import TENANT, knowing, merged, needing, nothing_known, said


def test_a_change_set_that_only_refuses_or_repeats_is_empty() -> None:
    assert ChangeSet(tenant=TENANT, unchanged=3).is_empty
    assert not merged(nothing_known(), said("srv")).is_empty


def test_changes_can_be_applied_to_a_snapshot_without_writing_them() -> None:
    known = knowing(said("a", note="old"), said("b"))
    after = applied(known, merged(known, said("a", note="new"), said("c"), needing("a", "b")))
    assert [(one.name, one.text("note")) for one in after.assets if one.name != "c"] == [("a", "new"), ("b", "")]
    assert (len(after.assets), len(after.dependencies)) == (3, 1)
    assert (len(known.assets), known.assets[0].text("note")) == (2, "old")
