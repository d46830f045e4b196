"""Pins: what a person fixed for the next plan. The journal holds them; the last word on an asset counts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from inventory.errors import ExpectedError
from inventory.model import Asset, AssetId, AssetKind, Snapshot, TenantId, name_key
from orchestrator.core.plan import Pin, WaveKey
from orchestrator.core.wave import PersonId
from orchestrator.ports import Books, Entry

PINNED, UNPINNED, SUBJECT = "plan.pinned", "plan.unpinned", "plan"


class UnknownAsset(ExpectedError):
    """A name that the tenant's inventory does not have."""

    code, says = "PLAN-003", "There is no machine {name!r} in {tenant}."
    remedy = "List the assets with `kahn asset list`."
    exit_code = 5


class UnknownPinWave(ExpectedError):
    """A pin to a wave that the current plan does not have."""

    code, says = "PLAN-004", "The current plan has no wave {wave!r}; it has {waves}."
    remedy = "Name one of them, or use `--not-before` with a date."
    exit_code = 5


class EmptyPin(ExpectedError):
    """A pin that fixes nothing, or a time without a zone."""

    code, says = "PLAN-005", "A pin needs a wave, a time with its zone, or other assets to be kept apart from."
    remedy = "Give the wave's key, `--not-before DATE`, `--not-with ASSET`, or `--remove`."


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """Who says so, when (UTC) and why."""

    by: PersonId
    at: datetime
    reason: str = ""


def machine_named(snapshot: Snapshot, name: str) -> Asset:
    """The machine of that name (or id); anything else of that name when there is no such machine.

    Raises UnknownAsset.
    """
    key = name_key(name)
    found = [asset for asset in snapshot.assets if asset.id == name or name_key(asset.name) == key]
    found.sort(key=lambda asset: (asset.id != name, not asset.is_machine, asset.kind is AssetKind.SEAT))
    if not found:
        raise UnknownAsset(name=name, tenant=snapshot.tenant)
    return found[0]


def pin(books: Books, tenant: TenantId, wanted: Pin, *, word: Word) -> None:
    """Fix it for the next plan, in place of earlier pins of the same asset. Raises EmptyPin, UnknownPinWave."""
    has_time = wanted.not_before is not None and wanted.not_before.tzinfo is not None
    apart = tuple(one for one in wanted.not_with if one != wanted.asset)
    if wanted.wave is None and not has_time and not apart:
        raise EmptyPin()
    current = books.plans.current(tenant)
    if wanted.wave is not None and (current is None or current.wave(wanted.wave) is None):
        keys = ", ".join(wave.key for wave in current.waves) if current else ""
        raise UnknownPinWave(wave=wanted.wave, waves=keys or "none")
    not_before = wanted.not_before.astimezone(UTC).isoformat() if wanted.not_before else None
    body: dict[str, Any] = {"asset": wanted.asset, "wave": wanted.wave, "not_before": not_before}
    if apart:
        body["not_with"] = list(apart)
    _write(books, tenant, kind=PINNED, body=body, word=word)


def unpin(books: Books, tenant: TenantId, asset: AssetId, *, word: Word) -> None:
    """Let the planner decide again."""
    _write(books, tenant, kind=UNPINNED, body={"asset": asset}, word=word)


def pins_in(books: Books, tenant: TenantId) -> tuple[Pin, ...]:
    """The pins that hold now, by asset."""
    holding: dict[AssetId, Pin] = {}
    for sealed in books.journal.read(tenant, subject=SUBJECT):
        body = sealed.entry.body
        if sealed.entry.kind == UNPINNED:
            holding.pop(AssetId(body["asset"]), None)
        elif sealed.entry.kind == PINNED:
            not_before = datetime.fromisoformat(body["not_before"]) if body["not_before"] else None
            wave = WaveKey(body["wave"]) if body["wave"] else None
            apart = tuple(AssetId(one) for one in body.get("not_with", ()))
            asset = AssetId(body["asset"])
            holding[asset] = Pin(asset=asset, wave=wave, not_before=not_before, not_with=apart)
    return tuple(holding[asset] for asset in sorted(holding))


def _write(books: Books, tenant: TenantId, *, kind: str, body: dict[str, Any], word: Word) -> None:
    texts = {"reason": word.reason} if word.reason else {}
    books.journal.append(tenant, [Entry(kind=kind, subject=SUBJECT, body=body, by=word.by, texts=texts)], at=word.at)
