"""Who asks an old server: the inventory's addresses, and what a machine may tell."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from orchestrator.core.asked_old import AskedOld, Asker, asked_old_of, known_addresses
from tests.inventory.test_model import an_asset

GOOD = {
    "since": 1_000_000,
    "machines": [{"name": "kasse", "count": 3, "last": 1_000_100}],
    "more": 1,
    "others": {"addresses": 2, "count": 9, "last": 1_000_200},
}


def moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, tz=UTC)


def test_what_was_counted_is_read() -> None:
    assert asked_old_of(GOOD) == AskedOld(
        since=moment(1_000_000),
        machines=(Asker(name="kasse", count=3, last=moment(1_000_100)),),
        more=1,
        others=2,
        others_count=9,
        others_last=moment(1_000_200),
    )
    assert asked_old_of({"why": "no nft"}) == AskedOld(since=None, why="no nft")


@pytest.mark.parametrize("told", [None, 7, [], {}, {"since": "now", "others": {}}, {"since": 10**12, "others": {}},
                                  {"since": 5, "others": []}, {"since": True, "others": {}}])  # fmt: skip
def test_what_makes_no_sense_is_nothing(told: object) -> None:
    assert asked_old_of(told) is None


def test_parts_that_make_no_sense_are_left_out() -> None:
    found = asked_old_of({**GOOD, "machines": [7, {"name": 1}, {"name": "a", "last": -1}], "more": -3})
    assert found is not None and (found.machines, found.more) == ((), 0) and not found.nobody


def test_addresses_of_the_inventory_are_known_by_name() -> None:
    assets = [
        an_asset("kasse", address="10.0.0.7", second_address="fd00:0::7"),
        an_asset("amt", address="amt.stadt.example"),
        an_asset("ohne"),
    ]
    assert known_addresses(assets) == {"10.0.0.7": "kasse", "fd00::7": "kasse"}
