"""Opening and closing gates by hand: who confirmed what is a journal entry, and nothing else keeps it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from inventory.errors import ExpectedError
from inventory.model import AssetId, TenantId
from orchestrator.actions.desk import Desk
from orchestrator.core.canonical import plain
from orchestrator.core.confirmed import Confirmation
from orchestrator.core.demands import Demand, Reach
from orchestrator.core.wave import PersonId
from orchestrator.ports import Books, Entry, SealedEntry, WaveRow

GATES = "gates"
"""Journal subject of confirmations."""
CONFIRMED = "gate.confirmed"


class GateUnknown(ExpectedError):
    """A gate that the tenant's policy does not name: confirming it would open nothing."""

    code, says = "RUN-030", "The policy of {tenant} has no gate {gate}; it has: {known}."
    remedy = "Name it as [[gate]] in the policy file; `kahn tenant policy --example` shows how."
    exit_code = 5


class GateNeedsWave(ExpectedError):
    """A confirmation that needs a wave to be about, or may have none."""

    code, says = "RUN-031", "A confirmation of {gate} is about {what}."
    remedy = "Name the wave: `kahn gate confirm {gate} WAVE`."


class StaffNumberMissing(ExpectedError):
    """A confirmation of staff without a number of people."""

    code, says = "RUN-032", "How many people are there for {wave}?"
    remedy = "Say it with `--people N`."


@dataclass(frozen=True, slots=True, kw_only=True)
class Say:
    """What a person says about a gate. ``note`` is free text and can be redacted."""

    gate: str
    assets: tuple[AssetId, ...] = ()
    until: datetime | None = None
    people: int = 0
    note: str = ""
    withdrawn: bool = False


def confirm_gate(desk: Desk, tenant: TenantId, say: Say, *, wave: WaveRow | None, person: PersonId) -> Confirmation:
    """Write it down. Raises GateUnknown, GateNeedsWave, StaffNumberMissing."""
    demand = _demanded(desk.books, tenant, say.gate)
    if wave is None and demand.reach is not Reach.TENANT:
        raise GateNeedsWave(gate=say.gate, what=f"one {demand.reach.value}")
    if demand.per_person and not say.people and not say.withdrawn:
        raise StaffNumberMissing(wave=wave.key if wave else tenant)
    found = Confirmation(
        gate=say.gate,
        by=person,
        at=desk.now,
        wave=wave.key if wave and demand.reach in (Reach.WAVE, Reach.ASSET) else "",
        runbook=wave.content.runbook.tree if wave and demand.reach is Reach.RUNBOOK else "",
        assets=_assets(demand, say, wave),
        until=say.until,
        people=say.people,
        withdrawn=say.withdrawn,
    )
    body = {name: plain(getattr(found, name)) for name in _FIELDS}
    texts = {"note": say.note} if say.note else {}
    entry = Entry(kind=CONFIRMED, subject=GATES, body=body, by=person, texts=texts)
    desk.books.journal.append(tenant, [entry], at=desk.now)
    return found


_FIELDS = ("gate", "wave", "runbook", "assets", "until", "people", "withdrawn")


def _demanded(books: Books, tenant: TenantId, gate: str) -> Demand:
    demands = {one.name: one for one in books.tenants.policy(tenant).gates}
    if gate not in demands:
        raise GateUnknown(tenant=tenant, gate=gate[:40], known=", ".join(demands) or "-")
    return demands[gate]


def _assets(demand: Demand, say: Say, wave: WaveRow | None) -> tuple[AssetId, ...]:
    """Those named; all of the wave when none is."""
    if demand.reach is not Reach.ASSET or wave is None:
        return ()
    return say.assets or tuple(move.asset for move in wave.content.moves)


def confirmations_in(books: Books, tenant: TenantId) -> tuple[Confirmation, ...]:
    """Everything that was confirmed or withdrawn, oldest first. Entries that cannot be read open nothing."""
    return tuple(one for entry in books.journal.read(tenant, subject=GATES) if (one := _read(entry)))


def _read(sealed: SealedEntry) -> Confirmation | None:
    body: Mapping[str, Any] = sealed.entry.body
    if sealed.entry.kind != CONFIRMED:
        return None
    try:
        until = datetime.fromisoformat(body["until"]) if body["until"] else None
        return Confirmation(
            gate=body["gate"],
            by=sealed.entry.by,
            at=sealed.at,
            wave=body["wave"],
            runbook=body["runbook"],
            assets=tuple(AssetId(one) for one in body["assets"]),
            until=until,
            people=int(body["people"]),
            withdrawn=bool(body["withdrawn"]),
        )
    except (KeyError, TypeError, ValueError):
        return None
