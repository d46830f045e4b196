"""From answers of machines to a difference that can be shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

from inventory.changes import Appeared, ChangeSet, Holdings, applied, claims_in
from inventory.model import Asset, Snapshot
from orchestrator.actions.discover import Discovered, ask, discovered
from orchestrator.actions.take_inventory import Now
from orchestrator.core.access import AccessProfile
from orchestrator.core.discovery import FactsAnswer
from orchestrator.core.explain import Sentence
from orchestrator.core.host_keys import Door, Trouble
from tests.estates import TENANT, an_asset
from tests.inventory.builders import ids

NOON = datetime(2026, 12, 1, 12, tzinfo=UTC)
LAB = AccessProfile(name="lab", user="root", key_file="/keys/lab")
GOOD = an_asset("srv-1", address="10.1.0.1", access="lab")
LOST = an_asset("srv-2", address="10.1.0.2", access="lab")
NAMELESS = an_asset("srv-3", access="lab")
UUID = "11111111-2222-3333-4444-555566667777"


def read(doors: Sequence[Door]) -> tuple[FactsAnswer, ...]:
    report = f"KAHN-DISCOVERY 1\n@@ cpu\n 4\n@@ dmi\n product_uuid {UUID}\n@@ end\n"
    silent = Trouble(code="unreachable", told=Sentence(says="silent"))
    return tuple(
        FactsAnswer(asset=door.asset, text=report, weak=("ssh-rsa",))
        if door.asset == GOOD.id
        else FactsAnswer(asset=door.asset, trouble=silent)
        for door in doors
    )


def knowing(*assets: Asset) -> Holdings:
    """An inventory in which each asset comes from one claim of a list."""
    changes = ChangeSet(tenant=TENANT, appeared=tuple(Appeared(asset=one, source="list") for one in assets))
    claims = {one.id: one for one in claims_in(changes, {}, at_us=1)}
    return Holdings(snapshot=Snapshot(tenant=TENANT, assets=assets, dependencies=()), claims=claims)


def found_in(known: Holdings) -> Discovered:
    answers = ask(known.assets, profiles={"lab": LAB}, read=read)
    return discovered(known, answers, now=Now(at=NOON, new_id=ids(known)))


def test_answers_become_a_difference_and_silent_machines_are_named_with_why() -> None:
    found = found_in(knowing(GOOD, LOST, NAMELESS))
    (step,) = found.intake.steps
    (changed,) = step.changes.changed
    assert (changed.asset.id, changed.asset.number("cpu_cores"), found.answered) == (GOOD.id, 4, 1)
    assert "ssh: reached with weak algorithms only: ssh-rsa" in changed.asset.texts("findings")
    assert {asset.name: trouble.code for asset, trouble in found.troubles} == {
        "srv-2": "unreachable",
        "srv-3": "no_address",
    }
    assert all(one.source == "discovery" for one in changed.changes)


def test_a_second_look_at_the_same_changes_no_record() -> None:
    known = knowing(GOOD, LOST, NAMELESS)
    (step,) = found_in(known).intake.steps
    (again,) = found_in(applied(known, step.changes)).intake.steps
    assert (again.changes.appeared, again.changes.changed, again.changes.claims or ()) == ((), (), ())


def test_a_machine_that_tells_marks_of_another_one_stays_who_it_is() -> None:
    """A hostile machine cannot put its words into another one's record, nor become a machine of its own."""
    other = an_asset("srv-9", uuid=UUID)
    for own in (GOOD, replace(GOOD, values={**GOOD.values, "uuid": "99999999-2222-3333-4444-555566667777"})):
        (step,) = found_in(knowing(own, other)).intake.steps
        (changed,) = step.changes.changed
        assert changed.asset.id == GOOD.id and step.changes.appeared == () and step.changes.gone == ()
        assert "identity: its uuid is also that of srv-9" in changed.asset.texts("findings")
