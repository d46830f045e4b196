"""The table ``[inventory]`` of a policy file: whose word counts, and how much one import may change unasked."""

from __future__ import annotations

import re
from zoneinfo import ZoneInfo

from inventory.model import FIELDS, is_attribute
from inventory.precedence import ANY_FIELD, InventoryRules, Precedence
from orchestrator.core.policy_entry import Entry, amount, known_keys, texts, whole

SOURCE_NAME = re.compile(r"[a-z][a-z0-9_.-]{0,60}")
MOST_DAYS = 36_500


def read_inventory(entry: Entry, zone: ZoneInfo) -> InventoryRules:
    """The whole table. Raises PolicyFileWrong."""
    known_keys(entry, ("sources", "stale_days", "most_gone", "most_changed"))
    default = InventoryRules()
    order = _sources(entry.at("sources")) if "sources" in entry.value else {}
    stale = whole(entry.at("stale_days"), low=0, high=MOST_DAYS, missing=0)
    shares = {
        name: amount(entry.at(name), high=1) if name in entry.value else getattr(default, name)
        for name in ("most_gone", "most_changed")
    }
    return InventoryRules(precedence=Precedence(order=order, stale_days=stale), **shares)


def _sources(entry: Entry) -> dict[str, tuple[str, ...]]:
    """Sources per field, the most trusted first; the field ``*`` stands for all others."""
    known_keys(entry, (*FIELDS, "name", "kind", ANY_FIELD, *filter(is_attribute, entry.value)))
    found: dict[str, tuple[str, ...]] = {}
    for name in sorted(entry.value):
        found[name] = texts(entry.at(name))
        for source in found[name]:
            if not SOURCE_NAME.fullmatch(source):
                entry.at(name).wrong(f"{source!r} cannot be the name of a source, such as rvtools or native-csv")
        if len(set(found[name])) != len(found[name]):
            entry.at(name).wrong("a source is named twice")
    return found


INVENTORY_EXAMPLE = """
# How sources make one inventory. Without a list of sources the newest word on a field counts.
# [inventory]
# stale_days = 180             # a word so many days older than the newest loses its rank; 0 for never
# most_gone = 0.05             # one import never takes more than this share of the assets out of the inventory
# most_changed = 0.5           # and changes no more than this share of the records, unless told to

# The most trusted source first, per field; "*" stands for every field without a list of its own.
# [inventory.sources]
# "*" = ["native-csv"]
# os_name = ["scan", "rvtools", "office-csv"]
"""
