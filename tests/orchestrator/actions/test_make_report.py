"""Reading the grounds of a report from a real store."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from inventory.changes import Changed, ChangeSet, FieldChange
from inventory.model import AssetKind, TenantId, name_key
from inventory.store import UnknownTenant
from orchestrator.actions.make_report import grounds_in
from orchestrator.core.report import management_report
from orchestrator.ports import Entry
from tests.known_town import SMALL, a_driven_town, a_known_town
from tests.towns import STADT


def test_the_record_is_checked_and_its_last_entry_named(tmp_path: Path) -> None:
    context = a_driven_town(tmp_path)
    with context.world.look() as desk:
        fresh = grounds_in(desk, STADT).freshness
        newest = desk.books.journal.read(STADT)[-1]
    assert (fresh.entries, fresh.head, fresh.last_fact) == (newest.seq, newest.hash, newest.at)
    assert fresh.whole and fresh.inventory_read is None


def test_the_last_import_of_the_inventory_is_told(tmp_path: Path) -> None:
    context, town = a_known_town(tmp_path)
    with context.world.desk() as desk:
        entry = Entry(kind="inventory.imported", subject="inventory", body={})
        desk.books.journal.append(STADT, [entry], at=town.clock.now())
    with context.world.look() as desk:
        assert grounds_in(desk, STADT, verify=False).freshness.inventory_read == town.clock.now()


def test_a_proposed_wave_is_read_with_what_its_signatures_amount_to(tmp_path: Path) -> None:
    context, town = a_known_town(tmp_path)
    with town.outside().look() as desk:
        (case,) = grounds_in(desk, STADT).cases
    assert case.standing is not None and not case.standing.holds
    town.approve()
    with town.outside().look() as desk:
        (case,) = grounds_in(desk, STADT).cases
    assert case.standing is not None and case.standing.holds
    assert context.tenant == STADT


def test_the_report_of_a_driven_wave_adds_up(tmp_path: Path) -> None:
    with a_driven_town(tmp_path).world.look() as desk:
        report = management_report(grounds_in(desk, STADT))
    assert report.headline[0].text == "6 of 6 machines are moved"


def test_what_the_policy_has_retired_is_told(tmp_path: Path) -> None:
    context, _town = a_known_town(tmp_path, policy=replace(SMALL, retire={AssetKind.WORKSTATION: "retire-asset"}))
    with context.world.desk() as desk:
        assert not grounds_in(desk, STADT, verify=False).retiring
        old = desk.books.assets.snapshot(STADT).by_name()[("machine", name_key("apc-002"))]
        new = replace(old, values={**old.values, "strategy": "retire"})
        change = FieldChange(field="strategy", before="", after="retire", source="test")
        desk.books.assets.apply(ChangeSet(tenant=STADT, changed=(Changed(asset=new, changes=(change,)),)))
        assert grounds_in(desk, STADT, verify=False).retiring == {old.id}


def test_an_unknown_tenant_is_refused(tmp_path: Path) -> None:
    context, _town = a_known_town(tmp_path)
    with context.world.look() as desk, pytest.raises(UnknownTenant):
        grounds_in(desk, TenantId("nowhere"))
