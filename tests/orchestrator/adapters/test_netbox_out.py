"""Pushing to a NetBox over real HTTP: our own fields, once, in batches that are known to be done."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from inventory.model import AssetId
from inventory.sources.netbox_http import NetboxServer, NetboxUnavailable, NotSure, Patience
from orchestrator.adapters import netbox_out
from orchestrator.adapters.netbox_out import OWN, Batch, FieldTaken, missing_fields, prepare, push
from orchestrator.core.netbox import Link, NetboxShrunk, Outgoing
from tests.netboxes import V2, Netbox, running, saying, silently_done, well

DEVICES, NOTES, FIELDS = "dcim/devices", "extras/journal-entries", "extras/custom-fields"


@pytest.fixture
def netbox() -> Iterator[Netbox]:
    with running(Netbox()) as made:
        prepare(asking(made))
        for number in range(1, 6):
            made.device(f"apc-{number}", custom_fields={"foreign": "stays"})
        made.asked.clear()
        yield made


def asking(netbox: Netbox) -> NetboxServer:
    patience = Patience(connect_s=2, silence_s=2, answer_s=5, tries=2)
    return NetboxServer(netbox.url, V2, patience=patience, sleep=lambda _s: None)


def a_change(number: int, *, note: str = "", **fields: object) -> Outgoing:
    link = Link(type="dcim.device", id=number, asset=AssetId(f"a-{number}"))
    return Outgoing(link=link, name=f"apc-{number}", fields=fields, note=("success", note) if note else ("", ""))


def custom(netbox: Netbox, number: int) -> dict[str, object]:
    return dict(netbox.tables[DEVICES][number]["custom_fields"])


def pushed(netbox: Netbox, *changes: Outgoing) -> list[Batch]:
    batches: list[Batch] = []
    push(asking(netbox), changes, done=batches.append)
    return batches


def test_only_our_own_fields_of_changed_objects_are_sent(netbox: Netbox) -> None:
    (batch,) = pushed(netbox, a_change(2, mig_wave="W01", mig_state="moved", name="x", status="offline"))
    assert custom(netbox, 2) == {"foreign": "stays", "mig_wave": "W01", "mig_state": "moved"}
    assert netbox.tables[DEVICES][2]["name"] == "apc-2" and custom(netbox, 1) == {"foreign": "stays"}
    assert netbox.writes() == [("PATCH", DEVICES)]
    assert {"mig_wave": "W01", "mig_state": "moved"}.items() <= batch.links[0].own.items()
    assert "foreign" not in batch.links[0].own


def test_a_right_that_was_lost_is_not_taken_for_deletions(netbox: Netbox) -> None:
    """A constrained token shows fewer objects, without a word: nothing may be marked as gone by that."""
    for number in range(6, 41):
        netbox.device(f"apc-{number}")
    changes = [a_change(number, mig_wave="W01") for number in range(1, 41)]
    rest, netbox.tables[DEVICES] = netbox.tables[DEVICES], {1: netbox.tables[DEVICES][1]}
    batches: list[Batch] = []
    with pytest.raises(NetboxShrunk, match="39 of 40"):
        push(asking(netbox), changes, done=batches.append)
    assert batches == [] and netbox.writes() == []
    netbox.tables[DEVICES] = {number: row for number, row in rest.items() if number > 3}
    (batch,) = pushed(netbox, *changes)
    assert [one.id for one in batch.missing] == [1, 2, 3] and len(batch.links) == 37


def test_a_field_that_somebody_else_changed_is_written_all_the_same_and_told(netbox: Netbox) -> None:
    netbox.tables[DEVICES][1]["custom_fields"]["mig_wave"] = "by hand"
    (batch,) = pushed(netbox, a_change(1, mig_wave="W01"), a_change(2, mig_wave="W01"))
    assert batch.foreign == ("apc-1: mig_wave",) and custom(netbox, 1)["mig_wave"] == "W01"


def test_what_stands_there_already_is_not_written(netbox: Netbox) -> None:
    netbox.tables[DEVICES][1]["custom_fields"]["mig_state"] = {"value": "moved", "label": "Moved"}
    (batch,) = pushed(netbox, a_change(1, mig_state="moved"))
    assert netbox.writes() == [] and batch.links[0].own["mig_state"] == "moved"


def test_objects_that_are_gone_are_told_and_the_rest_is_written(netbox: Netbox) -> None:
    netbox.delete(DEVICES, 2)
    (batch,) = pushed(netbox, a_change(1, mig_wave="W01"), a_change(2, mig_wave="W01"))
    assert [one.id for one in batch.missing] == [2] and custom(netbox, 1)["mig_wave"] == "W01"


def test_a_failure_in_the_middle_leaves_known_batches(netbox: Netbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(netbox_out, "AT_ONCE", 2)
    netbox.faults += [well, well, well, saying(503), saying(503)]
    batches: list[Batch] = []
    changes = [a_change(number, mig_wave="W01") for number in range(1, 6)]
    with pytest.raises(NetboxUnavailable):
        push(asking(netbox), changes, done=batches.append)
    assert [[one.id for one in batch.links] for batch in batches] == [[1, 2]]
    assert [custom(netbox, number).get("mig_wave") for number in range(1, 6)] == ["W01", "W01", None, None, None]


def test_a_journal_entry_whose_answer_was_lost_is_not_written_twice(netbox: Netbox) -> None:
    change = a_change(1, note="Kahn: wave W01: moved.")
    netbox.faults += [well, well, silently_done]
    with pytest.raises(NotSure):
        pushed(netbox, change)
    pushed(netbox, change)
    pushed(netbox, change)
    (entry,) = netbox.tables[NOTES].values()
    assert (entry["assigned_object_id"], entry["kind"], entry["comments"]) == (1, "success", "Kahn: wave W01: moved.")


def test_the_custom_fields_are_created_once(netbox: Netbox) -> None:
    assert prepare(asking(netbox)) == () and netbox.writes() == []
    made = {row["name"]: row for row in netbox.tables[FIELDS].values()}
    assert set(made) == set(OWN)
    assert (made["mig_state"]["type"], made["mig_uid"]["filter_logic"], made["mig_uid"]["ui_editable"]) == (
        "select",
        "exact",
        "no",
    )


def test_a_field_that_is_something_else_is_left_alone(netbox: Netbox) -> None:
    by_name = {row["name"]: row for row in netbox.tables[FIELDS].values()}
    by_name["mig_wave"]["type"] = {"value": "integer", "label": "Integer"}
    with pytest.raises(FieldTaken, match="mig_wave"):
        prepare(asking(netbox))
    by_name["mig_wave"]["type"] = "text"
    by_name["replaced_by"]["related_object_type"] = "dcim.site"
    with pytest.raises(FieldTaken, match="replaced_by"):
        missing_fields(asking(netbox))
    assert netbox.writes() == []


def test_a_field_for_devices_only_is_extended_to_virtual_machines(netbox: Netbox) -> None:
    by_name = {row["name"]: row for row in netbox.tables[FIELDS].values()}
    by_name["mig_uid"]["object_types"] = ["dcim.site", "dcim.device"]
    assert missing_fields(asking(netbox)) == ("mig_uid",) == prepare(asking(netbox))
    by_name = {row["name"]: row for row in netbox.tables[FIELDS].values()}
    assert by_name["mig_uid"]["object_types"] == ["dcim.site", "dcim.device", "virtualization.virtualmachine"]


def test_choices_that_lack_our_states_get_them_and_keep_their_own(netbox: Netbox) -> None:
    (choice_set,) = netbox.tables["extras/custom-field-choice-sets"].values()
    choice_set["extra_choices"] = [["assessed", "Assessed"], ["moved", "Umgezogen"]]
    assert missing_fields(asking(netbox)) == ("mig_state",) == prepare(asking(netbox))
    (choice_set,) = netbox.tables["extras/custom-field-choice-sets"].values()
    assert choice_set["extra_choices"][:2] == [["assessed", "Assessed"], ["moved", "Umgezogen"]]
    assert missing_fields(asking(netbox)) == ()


def test_fields_whose_creation_got_no_answer_are_looked_for(netbox: Netbox) -> None:
    netbox.tables[FIELDS].clear()
    netbox.faults += [well] * 3 + [silently_done]
    assert set(prepare(asking(netbox))) == set(OWN)
    assert len(netbox.tables[FIELDS]) == len(OWN)
