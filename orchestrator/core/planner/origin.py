"""What a plan was made from, as one SHA-256: the same request gives the same fingerprint, however it was sorted."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator

from inventory.model import Snapshot
from orchestrator.core.canonical import fingerprint_of
from orchestrator.core.plan import Pin, PlanRequest


def made_from(request: PlanRequest) -> str:
    """Fingerprint of snapshot, policy, pins and what the runbooks ask.

    The snapshot goes in line by line: its size would make the general canonical form take seconds.
    """
    digest = hashlib.sha256(b"kahn-plan-origin-v1\n")
    for line in _lines(request.snapshot):
        digest.update(json.dumps(line, sort_keys=True, ensure_ascii=True).encode() + b"\n")
    pins = sorted(request.pins, key=_pin_key)
    settled = sorted(request.settled)
    digest.update(fingerprint_of((request.policy, pins, settled)).encode())
    if request.approved:
        digest.update(fingerprint_of(sorted(request.approved)).encode())
    if request.begun:
        digest.update(fingerprint_of(sorted(request.begun, key=lambda one: one.key)).encode())
    if request.asks:
        digest.update(fingerprint_of(sorted(request.asks, key=lambda one: one.runbook)).encode())
    return digest.hexdigest()


def _lines(snapshot: Snapshot) -> Iterator[list[object]]:
    for asset in snapshot.assets:
        yield [asset.id, asset.kind.value, asset.name, dict(asset.values)]
    for one in sorted(snapshot.dependencies, key=lambda d: (d.asset, d.needs, d.kind, d.tenant, d.note)):
        yield [one.tenant, one.asset, one.needs, one.kind.value, one.note]


def _pin_key(pin: Pin) -> tuple[str, str, str]:
    return pin.asset, pin.wave or "", pin.not_before.isoformat() if pin.not_before else ""
