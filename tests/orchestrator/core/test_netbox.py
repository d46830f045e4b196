"""How a NetBox is reached, and what would be written there."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from inventory.model import Asset, AssetId
from orchestrator.core.lifecycle import MoveState
from orchestrator.core.netbox import (
    DEVICE,
    VM,
    BadNetbox,
    Link,
    NetboxAccess,
    Outgoing,
    Way,
    choices,
    is_suspicious,
    outgoing,
    vanished,
)
from tests.estates import an_asset

NOON = datetime(2026, 12, 1, 12, tzinfo=UTC)
APC, NEW, SITE = an_asset("apc-1", successor="neu-1"), an_asset("neu-1"), an_asset("srv-1")
ASSETS = {one.id: one for one in (APC, NEW, SITE)}


def a_link(asset: Asset = APC, number: int = 1, **more: object) -> Link:
    return Link(**{"type": DEVICE, "id": number, "asset": asset.id, **more})  # type: ignore[arg-type]


def a_way(state: MoveState = MoveState.MOVED) -> dict[AssetId, Way]:
    return {APC.id: Way(wave="W01", revision=2, state=state, since=NOON)}


def only(found: tuple[Outgoing, ...]) -> Outgoing:
    (one,) = found
    return one


def test_a_linked_machine_is_told_its_id_state_wave_and_successor() -> None:
    target = a_link(NEW, 7, type=VM, own={"mig_uid": "neu-1"})
    found = only(outgoing([a_link(), target], ASSETS, a_way()))
    assert found.fields == {"mig_state": "moved", "mig_wave": "W01", "mig_uid": "apc-1", "replaced_by": 7}
    kind, text = found.note
    assert kind == "success" and text == "Kahn: wave W01, revision 2: moved since 2026-12-01 12:00 UTC."


def test_what_stands_there_already_is_not_written_again() -> None:
    known = a_link(own={"mig_state": "planned", "mig_wave": "W01", "mig_uid": "apc-1"})
    assert outgoing([known], ASSETS, a_way(MoveState.PLANNED)) == ()
    found = only(outgoing([known], ASSETS, a_way(MoveState.RUNNING)))
    assert (found.fields, found.note, found.is_foreign) == ({"mig_state": "running"}, ("", ""), True)


def test_a_journal_entry_is_made_once_for_each_end_of_a_wave() -> None:
    own = {"mig_state": "moved", "mig_wave": "W01", "mig_uid": "apc-1"}
    assert outgoing([a_link(own=own, noted="W01/2:moved")], ASSETS, a_way()) == ()
    again = only(outgoing([a_link(own=own, noted="W01/1:moved")], ASSETS, a_way()))
    assert (again.fields, again.noted) == ({}, "W01/2:moved") and again.note[0] == "success"


def test_missing_objects_unknown_assets_and_places_are_told_nothing() -> None:
    gone, strange, place = a_link(missing_since=NOON), a_link(an_asset("x"), 2), a_link(SITE, 3, type="dcim.site")
    assert outgoing([gone, strange, place], ASSETS, a_way()) == ()


def test_a_wave_that_no_longer_holds_it_empties_the_fields() -> None:
    own = {"mig_state": "planned", "mig_wave": "W01", "mig_uid": "apc-1"}
    assert only(outgoing([a_link(own=own)], ASSETS, {})).fields == {"mig_state": None, "mig_wave": None}


def test_what_is_gone_is_known_and_too_much_at_once_is_suspicious() -> None:
    links = [a_link(number=number) for number in range(100)]
    assert [one.id for one in vanished(links, [(DEVICE, number) for number in range(1, 100)])] == [0]
    assert vanished([replace(links[0], missing_since=NOON)], []) == ()
    assert is_suspicious(gone=6, known=100) and not is_suspicious(gone=5, known=5)
    assert not is_suspicious(gone=500, known=10_000)


def test_every_state_of_a_move_is_a_choice() -> None:
    assert [value for value, _label in choices()] == [str(state) for state in MoveState]


@pytest.mark.parametrize(
    "url",
    [
        "netbox.example", "ftp://netbox.example", "https://", "http://netbox.example", "https://a:b@netbox.example",
        "https://netbox.example/?x=1", "https://netbox.example/#x", "https://[", "https://net\nbox", "http://127.evil.example",
    ],
)  # fmt: skip
def test_an_address_that_leaks_or_leads_nowhere_is_refused(url: str) -> None:
    with pytest.raises(BadNetbox, match="NBX-010"):
        NetboxAccess(url=url, token_from="env:TOKEN")


def test_the_token_itself_is_never_taken_only_where_it_lies() -> None:
    for where in ("", "0123456789abcdef", "file:relative", "file:", "cmd:cat"):
        with pytest.raises(BadNetbox) as caught:
            NetboxAccess(url="https://netbox.example", token_from=where)
        assert "0123456789abcdef0123" not in str(caught.value)
    here = NetboxAccess(url="http://127.0.0.1:8000/", token_from="file:/etc/kahn/token")
    assert here.server == "http://127.0.0.1:8000"
