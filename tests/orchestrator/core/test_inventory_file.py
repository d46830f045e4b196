"""The table [inventory] of a policy file."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest

from inventory.precedence import InventoryRules, Precedence
from orchestrator.core.canonical import plain, restore
from orchestrator.core.inventory_file import INVENTORY_EXAMPLE
from orchestrator.core.policy import Policy
from orchestrator.core.policy_file import PolicyFileWrong, read_policy

NOW = datetime(2026, 11, 23, 8, tzinfo=UTC)


def rules(text: str) -> InventoryRules:
    return read_policy(text, file="policy.toml", now=NOW).policy.inventory


def test_without_the_table_the_newest_word_counts() -> None:
    assert rules("") == InventoryRules() == rules("[inventory]\n")


def test_the_example_is_read_and_survives_the_store() -> None:
    found = rules(re.sub(r'^# (\[|[\w"*]+ = )', r"\1", INVENTORY_EXAMPLE, flags=re.MULTILINE))
    order = {"*": ("native-csv",), "os_name": ("scan", "rvtools", "office-csv")}
    assert found == InventoryRules(precedence=Precedence(order=order, stale_days=180), most_gone=0.05, most_changed=0.5)
    assert restore(Policy, plain(Policy(inventory=found))) == Policy(inventory=found)


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("most_gone = 2", "inventory.most_gone"),
        ("stale_days = -1", "inventory.stale_days"),
        ("[inventory.sources]\ncolour = ['a']", "inventory.sources.colour"),
        ("[inventory.sources]\nnote = ['a', 'a']", "inventory.sources.note"),
        ("[inventory.sources]\nnote = ['{{x}}']", "inventory.sources.note"),
        ("truth = 1", "inventory.truth"),
    ],
)
def test_what_is_wrong_is_named_with_its_key(text: str, key: str) -> None:
    with pytest.raises(PolicyFileWrong, match=re.escape(key)):
        rules(f"[inventory]\n{text}\n")
