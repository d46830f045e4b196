"""What is open in an inventory: fields on which sources disagree, and marks that do not tell which asset is meant."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from inventory.changes import Holdings
from inventory.claims import Claim
from inventory.decisions import on_fields, pairs_of
from inventory.identity import clusters
from inventory.marks import Mark
from inventory.model import Asset, AssetId
from inventory.record import Rules, Word, decisions_on, is_same_meant, words


@dataclass(frozen=True, slots=True, kw_only=True)
class Conflict:
    """Sources that say different things of one field: every word, what counts first."""

    asset: Asset
    field: str
    words: tuple[Word, ...]
    is_decided: bool
    """A person said what counts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenQuestion:
    """A mark that several assets bear and that does not tell which of them is meant."""

    mark: Mark
    assets: tuple[Asset, ...]
    why: str
    """``source``: one source has several records with it; or the stronger mark in which they differ."""


def rules_of(holdings: Holdings) -> Rules:
    """Whose word counts in this inventory."""
    return Rules(precedence=holdings.precedence, decided=on_fields(holdings.decisions))


def provenance(holdings: Holdings, asset: AssetId) -> dict[str, tuple[Word, ...]]:
    """Per field, name and kind included, every word on it, what counts first."""
    claims = holdings.claims_of(asset)
    return words(claims, rules_of(holdings)) if claims else {}


def conflicts(holdings: Holdings, *, of: Iterable[AssetId] | None = None) -> tuple[Conflict, ...]:
    """All fields on which sources disagree, by kind and name of the asset; of some assets or of all."""
    wanted = None if of is None else frozenset(of)
    by_asset: dict[AssetId, list[Claim]] = defaultdict(list)
    for claim in holdings.claims.values():
        if wanted is None or claim.asset in wanted:
            by_asset[claim.asset].append(claim)
    rules, known = rules_of(holdings), holdings.snapshot.by_id()
    found: list[Conflict] = []
    for id_, claims in by_asset.items():
        if len({claim.source for claim in claims}) > 1 and id_ in known:
            found += _on_fields(known[id_], sorted(claims, key=lambda claim: claim.id), rules)
    return tuple(sorted(found, key=lambda one: (one.asset.kind.value, one.asset.name, one.field)))


def _on_fields(asset: Asset, claims: list[Claim], rules: Rules) -> Iterator[Conflict]:
    decided = decisions_on(claims, rules)
    for field, said in words(claims, rules).items():
        first, *others = said
        if any(
            not other.is_gone and other.source != first.source and not is_same_meant(field, first.value, other.value)
            for other in others
        ):
            yield Conflict(asset=asset, field=field, words=said, is_decided=field in decided)


def questions(holdings: Holdings) -> tuple[OpenQuestion, ...]:
    """All marks that leave a question, the strongest first."""
    known = holdings.snapshot.by_id()
    found: list[OpenQuestion] = []
    for one in clusters(holdings.claims, pairs_of(holdings.decisions)).questions:
        ids = dict.fromkeys(holdings.claims[key].asset for key in one.claims)
        assets = tuple(known[id_] for id_ in ids if id_ in known)
        if len(assets) > 1:
            found.append(OpenQuestion(mark=one.mark, assets=assets, why=one.why))
    return tuple(found)
