"""Whose word counts."""

from __future__ import annotations

from inventory.precedence import InventoryRules, Precedence


def test_a_source_named_earlier_ranks_higher_and_one_not_named_not_at_all() -> None:
    order = Precedence(order={"os_name": ("scan", "rvtools"), "*": ("native-csv",)})
    assert [order.rank("os_name", source) for source in ("scan", "rvtools", "native-csv")] == [2, 1, 0]
    assert [order.rank("note", source) for source in ("native-csv", "scan")] == [1, 0]


def test_a_word_is_stale_only_where_the_tenant_says_after_how_many_days() -> None:
    day_us = 86_400_000_000
    assert not Precedence().is_stale(0, newest_us=1_000 * day_us)
    assert Precedence(stale_days=30).is_stale(0, newest_us=31 * day_us)
    assert not Precedence(stale_days=30).is_stale(0, newest_us=30 * day_us)


def test_without_a_word_of_the_tenant_an_import_may_take_out_one_in_twenty() -> None:
    assert (InventoryRules().most_gone, InventoryRules().most_changed) == (0.05, 0.5)
