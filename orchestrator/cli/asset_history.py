"""What became of an asset: changes of its record and its way through waves, in one row of time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from inventory.model import Asset, AssetId, TenantId, Value
from inventory.tables import micros
from orchestrator.core.lifecycle import MoveState, WaveEvent
from orchestrator.core.plan import Plan
from orchestrator.ports import Books, SealedEntry
from orchestrator.spoken import cause_says, state_word
from orchestrator.texts import _

MOVE = "move"
"""The ``field`` of entries about waves; their ``source`` is the wave, ``before`` and ``after`` are states of a move."""
WAVE = "wave:"


def history_of(books: Books, tenant: TenantId, assets: Sequence[Asset]) -> tuple[dict[str, Any], ...]:
    """What became of the assets, oldest first: at_us, asset (its name), field, before, after, source.

    Entries about waves (field ``move``) also have step and cause. ``before`` None means it was in that wave no
    longer or not yet; so does ``after`` None.
    """
    past: list[dict[str, Any]] = [dict(one) for one in books.assets.history(tenant, [one.name for one in assets])]
    plans = _plans(books, tenant)
    names = {one.id: one.name for one in assets}
    for wave in sorted({str(wave.key) for plan in plans.values() for wave in plan.waves}):
        inside = {plan: _assets_in(plans[plan], wave).intersection(names) for plan in plans}
        if any(inside.values()):
            past += _way(wave, books.journal.read(tenant, subject=f"{WAVE}{wave}"), inside=inside, names=names)
    return tuple(sorted(past, key=lambda one: int(one["at_us"])))


def history_row(one: Mapping[str, Any]) -> list[str]:
    """One entry as the cells of a table: when (UTC), asset, field, change, source."""
    when = f"{datetime.fromtimestamp(one['at_us'] / 1_000_000, UTC):%Y-%m-%d %H:%M:%SZ}"
    if one["field"] != MOVE:
        change = f"{_word(one['before'])} -> {_word(one['after'])}"
        return [when, str(one["asset"]), str(one["field"]), change, str(one["source"])]
    wave = str(one["source"]).removeprefix(WAVE)
    return [when, str(one["asset"]), _("wave {wave}").format(wave=wave), _move(one), str(one["step"])]


def _plans(books: Books, tenant: TenantId) -> dict[str, Plan]:
    """The current plan and those before it, by fingerprint."""
    found: dict[str, Plan] = {}
    plan = books.plans.current(tenant)
    while plan is not None and plan.fingerprint not in found:
        found[plan.fingerprint] = plan
        plan = books.plans.get(tenant, plan.parent) if plan.parent else None
    return found


def _assets_in(plan: Plan, wave: str) -> set[AssetId]:
    return {asset for one in plan.waves if one.key == wave for asset in one.assets}


def _way(
    wave: str,
    entries: Iterable[SealedEntry],
    *,
    inside: Mapping[str, set[AssetId]],
    names: Mapping[AssetId, str],
) -> Iterator[dict[str, Any]]:
    """The assets' way through one wave. ``inside``: per plan, which of them that plan has in the wave."""
    present: set[AssetId] = set()
    for sealed in entries:
        kind, body = sealed.entry.kind, sealed.entry.body
        facts = {"at_us": micros(sealed.at), "source": f"{WAVE}{wave}", "field": MOVE, "step": "", "cause": ""}
        if kind == "wave.content":
            now = inside.get(str(body["plan"]), set())
            yield from _in_and_out(facts, gone=present - now, come=now - present, names=names)
            present = set(now)
        elif kind == "wave.state" and body["event"] == WaveEvent.REPLACE:
            yield from _in_and_out({**facts, "cause": body["cause"]}, gone=present, come=set(), names=names)
            present = set()
        elif kind == "move.state" and body["asset"] in names:
            told = {"before": body["from"], "after": body["to"], "step": body["step"], "cause": body["cause"]}
            yield {**facts, "asset": names[AssetId(body["asset"])], **told}


def _in_and_out(
    facts: Mapping[str, Any], *, gone: set[AssetId], come: set[AssetId], names: Mapping[AssetId, str]
) -> Iterator[dict[str, Any]]:
    for asset in sorted(gone):
        yield {**facts, "asset": names[asset], "before": MoveState.PLANNED.value, "after": None}
    for asset in sorted(come):
        yield {**facts, "asset": names[asset], "before": None, "after": MoveState.PLANNED.value}


def _move(one: Mapping[str, Any]) -> str:
    states = (one["before"], one["after"])
    before, after = (_("not in it") if state is None else state_word(MoveState(state)) for state in states)
    text = f"{before} -> {after}"
    return f"{text}: {cause_says(one['cause'])}" if one["cause"] else text


def _word(value: Value | None) -> str:
    if value is None:
        return "?"
    return ", ".join(value) if isinstance(value, tuple) else str(value)
