"""Which assets a filter means, with what the orchestrator knows of them beside their records: state, wave, sources."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime

from inventory.claims import Claim
from inventory.filtering import Facts, as_text, chosen, parse_filter
from inventory.model import Asset, AssetId, Snapshot, TenantId
from orchestrator.ports import Books


def assets_chosen(books: Books, tenant: TenantId, words: Iterable[str]) -> tuple[Snapshot, tuple[Asset, ...]]:
    """The inventory, and the assets in it that a command line means. Raises InvalidFilter, UnknownTenant."""
    books.tenants.policy(tenant)  # a tenant that is not there is refused, not shown as empty
    text = as_text(words)
    asked = {term.field for terms in parse_filter(text, facts=True).alternatives for term in terms}
    if "source" in asked:
        holdings = books.assets.holdings(tenant)
        snapshot, claims = holdings.snapshot, tuple(holdings.claims.values())
    else:
        snapshot, claims = books.assets.snapshot(tenant), ()
    facts = facts_in(books, tenant, claims) if asked & {"source", "state", "wave"} else {}
    return snapshot, chosen(snapshot.assets, text, facts=facts)


def facts_in(books: Books, tenant: TenantId, claims: Iterable[Claim]) -> Facts:
    """State and wave of each asset's latest move, and the sources that have it."""
    found: dict[AssetId, dict[str, tuple[str, ...]]] = defaultdict(dict)
    latest: dict[AssetId, datetime] = {}
    for wave in books.waves.all(tenant):
        for move in books.waves.moves(tenant, wave.key):
            if move.asset not in latest or latest[move.asset] <= move.since:
                latest[move.asset] = move.since
                found[move.asset] |= {"state": (move.state.value,), "wave": (wave.key,)}
    for claim in claims:
        if not claim.is_gone:
            found[claim.asset]["source"] = (*found[claim.asset].get("source", ()), claim.source)
    return found
