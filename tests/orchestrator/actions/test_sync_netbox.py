"""What a reading of a NetBox changes here: links survive names, deletions delete nothing, doubt stops everything."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from inventory.model import AssetId, AssetKind, Value
from inventory.observation import Observation, Place, Reading, Refusal
from inventory.sources.netbox import Mark, Pull, Remote
from orchestrator.actions.sync_netbox import (
    Inward,
    NoNetbox,
    access_of,
    inward,
    outward,
    take_inward,
    ways_of,
)
from orchestrator.actions.take_inventory import Now
from orchestrator.adapters.clock import SystemClock
from orchestrator.cli.context import Context
from orchestrator.core.netbox import NetboxAccess, NetboxShrunk
from tests.estates import TENANT, an_asset, an_estate
from tests.planning_town import a_home

READ: list[Reading] = []
NOON = SystemClock().now() + timedelta(hours=1)
"""Later than everything that is in the books already."""
DEVICE, SITE = "dcim.device", "dcim.site"


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Context]:
    site = an_asset("Rathaus", kind=AssetKind.SITE)
    estate = an_estate(also=(an_asset("apc-1", site="Rathaus"), an_asset("apc-2", successor="apc-1"), site))
    made = a_home(tmp_path, estate=estate)
    with made.world.transaction() as books:
        books.netbox.put_access(TENANT, NetboxAccess(url="https://netbox.example", token_from="env:TOKEN"))
    yield made


def seen(
    number: int, name: str, type_: str = DEVICE, own: dict[str, object] | None = None, **values: Value
) -> tuple[Remote, Observation]:
    kind = AssetKind.SITE if type_ == SITE else AssetKind.WORKSTATION
    place = Place(file=f"netbox.example {type_}", row=number)
    row = (type_, str(number), name)
    said = Observation(kind=kind, name=name, values=values, place=place, source="netbox", row=row)
    return Remote(type=type_, id=number, kind=kind, name=name, place=place, own=own or {}), said


def a_pull(*shown: tuple[Remote, Observation], whole: bool = True, gone: Iterable[tuple[str, int]] = ()) -> Pull:
    reading = Reading(source="netbox", observations=tuple(one for _remote, one in shown))
    remotes = tuple(one for one, _said in shown)
    mark = Mark(read_at="2026-12-01T12:00:00+00:00", change=5)
    return Pull(reading=reading, remotes=remotes, gone=frozenset(gone), whole=whole, mark=mark)


def _time_of(pull: Pull) -> datetime:
    """Every reading is later than those before it, and the same one as old as it was."""
    if pull.reading not in READ:
        READ.append(pull.reading)
    return NOON + timedelta(minutes=READ.index(pull.reading))


def found(home: Context, pull: Pull, **more: bool) -> Inward:
    with home.world.store.reading() as books:
        return inward(
            books,
            TENANT,
            pull,
            now=Now(at=_time_of(pull), new_id=home.world.new_asset_id),
            **more,
        )


def taken(home: Context, pull: Pull) -> int:
    one = found(home, pull)
    with home.world.transaction() as books:
        return take_inward(books, TENANT, one, at=NOON)


def links(home: Context) -> dict[tuple[str, int], AssetId]:
    with home.world.store.reading() as books:
        return {(one.type, one.id): one.asset for one in books.netbox.links(TENANT) if one.missing_since is None}


def asset(home: Context, id_: str) -> tuple[str, dict[str, Value]]:
    with home.world.store.reading() as books:
        one = books.assets.snapshot(TENANT).by_id()[AssetId(id_)]
    return one.name, dict(one.values)


def test_a_first_reading_links_what_is_known_by_name_and_adds_the_rest(home: Context) -> None:
    assert taken(home, a_pull(seen(1, "APC-1", serial="SN-1"), seen(9, "apc-9"), seen(1, "Rathaus", SITE))) == 2
    there = links(home)
    assert (there[DEVICE, 1], there[SITE, 1], len(there)) == ("apc-1", "Rathaus", 3)
    assert asset(home, "apc-1") == ("apc-1", {"site": "Rathaus", "serial": "SN-1"})


def test_the_same_reading_again_writes_nothing(home: Context) -> None:
    pull = a_pull(seen(1, "apc-1", serial="SN-1"))
    taken(home, pull)
    again = found(home, pull)
    assert again.is_empty and (again.links, again.missing) == ((), ())
    assert taken(home, pull) == 0


def test_a_renamed_object_stays_the_same_asset_and_whatever_names_it_follows(home: Context) -> None:
    taken(home, a_pull(seen(1, "apc-1"), seen(1, "Rathaus", SITE)))
    taken(home, a_pull(seen(1, "apc-1-neu"), seen(1, "Neues Rathaus", SITE)))
    assert asset(home, "apc-1") == ("apc-1-neu", {"site": "Neues Rathaus"})
    assert asset(home, "apc-2")[1] == {"successor": "apc-1-neu"}


def test_an_object_that_bears_our_id_is_known_by_it_from_the_first_reading_on(home: Context) -> None:
    taken(home, a_pull(seen(1, "anders", own={"mig_uid": "apc-1"})))
    assert asset(home, "apc-1")[0] == "anders" and links(home) == {(DEVICE, 1): "apc-1"}


def test_two_objects_with_one_of_our_ids_are_no_proof(home: Context) -> None:
    copied: dict[str, object] = {"mig_uid": "apc-1"}
    taken(home, a_pull(seen(1, "apc-1", own=copied), seen(2, "kopie", own=copied)))
    assert links(home)[DEVICE, 1] == "apc-1" != links(home)[DEVICE, 2]


def test_a_new_name_that_another_asset_has_is_a_conflict_to_look_at(home: Context) -> None:
    taken(home, a_pull(seen(1, "apc-1")))
    one = found(home, a_pull(seen(1, "apc-2", serial="SN-1")))
    assert [refusal.code for refusal in one.refusals] == ["NBX-015"] and one.is_empty and one.links == ()


def test_what_is_gone_there_is_marked_and_stays_here_until_it_is_shown_again(home: Context) -> None:
    pull = a_pull(seen(1, "apc-1"), seen(2, "apc-2"))
    taken(home, pull)
    assert taken(home, a_pull(seen(2, "apc-2"))) == 0
    assert links(home) == {(DEVICE, 2): "apc-2"} and asset(home, "apc-1")[0] == "apc-1"
    taken(home, pull)
    assert len(links(home)) == 2
    taken(home, a_pull(whole=False, gone={(DEVICE, 1)}))
    assert links(home) == {(DEVICE, 2): "apc-2"}
    with home.world.store.reading() as books:
        kinds = [one.entry.kind for one in books.journal.read(TENANT)]
    assert kinds.count("inventory.netbox") == 2


def test_a_refused_row_is_not_gone(home: Context) -> None:
    taken(home, a_pull(seen(1, "apc-1")))
    refusal = Refusal(place=Place(file=f"netbox.example {DEVICE}", row=1), code="INV-001", says="x", remedy="y")
    pull = a_pull(seen(2, "apc-2"))
    pull = replace(pull, reading=replace(pull.reading, refusals=(refusal,)))
    assert found(home, pull).missing == ()


def test_so_much_gone_at_once_stops_the_reading_until_somebody_says_it_is_right(home: Context) -> None:
    taken(home, a_pull(*(seen(number, f"neu-{number}") for number in range(20))))
    few = a_pull(*(seen(number, f"neu-{number}") for number in range(10)))
    with pytest.raises(NetboxShrunk, match="10 of 20"):
        found(home, few)
    assert len(found(home, few, accept_missing=True).missing) == 10


def test_nothing_new_costs_no_reading_of_the_inventory_and_moves_the_mark(home: Context) -> None:
    one = found(home, a_pull(whole=False))
    assert one.is_empty and one.intake.steps == ()
    assert taken(home, a_pull(whole=False)) == 0
    with home.world.store.reading() as books:
        assert books.netbox.state(TENANT).change == 5


def test_what_would_be_written_there_counts_what_is_about_to_be_taken_in(home: Context) -> None:
    one = found(home, a_pull(seen(1, "apc-1"), seen(2, "apc-2")))
    with home.world.store.reading() as books:
        assert outward(books, TENANT) == ()
        told = {change.name: change.fields for change in outward(books, TENANT, one)}
        assert ways_of(books, TENANT) == {}
    assert told == {"apc-1": {"mig_uid": "apc-1"}, "apc-2": {"mig_uid": "apc-2", "replaced_by_device": 1}}


def test_a_tenant_without_a_netbox_is_told_so(tmp_path: Path) -> None:
    with a_home(tmp_path).world.store.reading() as books, pytest.raises(NoNetbox, match="NBX-013"):
        access_of(books, TENANT)
