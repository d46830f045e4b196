"""Claims to assets: ids that stay, names that are unique, assets that turn out to be one or two."""

from __future__ import annotations

from dataclasses import replace

from inventory.changes import Holdings, applied
from inventory.claims import ClaimKey
from inventory.decisions import Decision, Verdict
from inventory.model import AssetKind
from inventory.precedence import Precedence
from inventory.regroup import regroup
from tests.inventory.builders import ids, knowing, merged, said

ONE, OTHER = ("ad", "machine:a"), ("glpi", "machine:b")


def after(known: Holdings, verdict: Verdict, ours: ClaimKey, theirs: ClaimKey) -> Holdings:
    decision = Decision(seq=len(known.decisions), verdict=verdict, ours=(ours,), theirs=(theirs,), by="p-1", at_us=9)
    known = replace(known, decisions=(*known.decisions, decision))
    touched = {key: known.claims[key] for key in (ours, theirs)}
    return applied(known, regroup(known, touched, new_id=ids(known)).changes)


TWO = knowing(
    replace(said("a", ram_mib=1), source="ad"),
    replace(said("b", note="x"), source="glpi"),
    said("Platz", AssetKind.SEAT, machine="b"),
)


def test_two_assets_that_a_person_calls_one_keep_the_elder_id_and_references_follow() -> None:
    one = after(TWO, Verdict.SAME, ONE, OTHER)
    (machine,) = [asset for asset in one.assets if asset.is_machine]
    assert machine.id == next(asset.id for asset in TWO.assets if asset.name == "a")
    assert dict(machine.values) == {"ram_mib": 1, "note": "x"}
    assert [asset.text("machine") for asset in one.assets if asset.kind is AssetKind.SEAT] == [machine.name]


def test_what_was_called_one_can_be_called_two_again() -> None:
    two = after(after(TWO, Verdict.SAME, ONE, OTHER), Verdict.DIFFERENT, ONE, OTHER)
    assert {asset.name: dict(asset.values) for asset in two.assets if asset.is_machine} == {
        "a": {"ram_mib": 1},
        "b": {"note": "x"},
    }


def test_a_decision_survives_the_next_import() -> None:
    one = after(TWO, Verdict.SAME, ONE, OTHER)
    again = merged(one, replace(said("b", note="y"), source="glpi"))
    assert (again.appeared, [change.after for change in again.changed[0].changes if change.field == "note"]) == (
        (),
        ["y"],
    )


def test_a_claim_that_bridges_two_assets_makes_them_one_whichever_came_first() -> None:
    known = knowing(
        replace(said("a", serial="S-1"), source="ad"), replace(said("b", mac=("00:50:56:00:00:01",)), source="glpi")
    )
    changes = merged(known, replace(said("c", serial="S-1", mac=("00:50:56:00:00:01",)), source="rvtools"))
    assert len(changes.gone) == 1 and changes.gone[0].into in {asset.id for asset in known.assets}
    assert len(applied(known, changes).assets) == 1


def test_a_whole_look_follows_another_precedence() -> None:
    known = knowing(replace(said("a", ram_mib=1), source="ad"), replace(said("a", ram_mib=2), source="glpi"))
    for first, wanted in (("ad", 1), ("glpi", 2)):
        trusting = replace(known, precedence=Precedence(order={"ram_mib": (first,)}))
        changes = regroup(trusting, {}, new_id=ids(known), whole=True).changes
        assert applied(known, changes).assets[0].values["ram_mib"] == wanted
