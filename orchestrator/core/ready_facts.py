"""Start gates that look at facts: readable keys, what changed on machines since the proposal, room in the vault."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from inventory.model import Asset, AssetId, Snapshot, name_key
from orchestrator.core.explain import Sentence
from orchestrator.core.ready_line import ADMINISTRATOR, BLOCKS, ENGINEER, HELD, OK, UNKNOWN, ReadyLine, good
from orchestrator.core.runbook import RoleSource
from orchestrator.core.wave import WaveContent

WATCHED = frozenset({"disks", "disk_gib", "services", "os_name", "os_version", "uuid", "serial", "mac"})
"""Fields of a machine whose change after the proposal nobody approved. Address, host key and access are compared with
the approved content itself."""


def keys_line(content: WaveContent, troubles: Mapping[str, str]) -> ReadyLine:
    """Whether Kahn can read the private keys that its access profiles name. ``troubles``: profile -> why not."""
    if not troubles:
        return good("keys", Sentence(says="every private key can be read"))
    name, why = next(iter(troubles.items()))
    touched = tuple(move.asset for move in content.moves if any(one.access in troubles for one in move.machines))
    return ReadyLine(
        gate="keys",
        verdict=BLOCKS if len(touched) == len(content.moves) else HELD,
        says=Sentence(says="the key of access profile {name} cannot be used: {why}", facts={"name": name, "why": why}),
        owner=ADMINISTRATOR,
        remedy=Sentence(says="put the key where the profile says, readable by Kahn's user only"),
        assets=touched,
    )


def facts_line(content: WaveContent, history: Iterable[Mapping[str, object]], *, since: datetime | None) -> ReadyLine:
    """Whether a machine of the wave was seen otherwise since it was proposed; such an asset stays behind."""
    changed: dict[str, str] = {}
    for one in history:
        at = one["at_us"]
        is_later = isinstance(at, datetime) and since is not None and at > since
        if is_later and one["field"] in WATCHED and one["before"] is not None:
            changed.setdefault(name_key(str(one["asset"])), f"{one['asset']}: {one['field']}")
    touched = tuple(m.asset for m in content.moves if any(name_key(one.name) in changed for one in m.machines))
    if not touched:
        return ReadyLine(
            gate="facts", verdict=OK, says=Sentence(says="no machine was seen otherwise since the proposal")
        )
    return ReadyLine(
        gate="facts",
        verdict=HELD,
        says=Sentence(
            says="{count} assets stay behind; seen otherwise since the proposal: {first}",
            facts={"count": len(touched), "first": next(iter(changed.values()))},
        ),
        owner=ENGINEER,
        remedy=Sentence(says="look at kahn asset show NAME --history, then propose the plan again"),
        assets=touched,
    )


def boot_lines(content: WaveContent, snapshot: Snapshot) -> tuple[ReadyLine, ...]:
    """Whether every machine that is installed by its hardware address is the only one that has it; else it stays."""
    if not content.runbook.boots:
        return ()
    shared = _sharing(content, snapshot)
    if not shared:
        says = Sentence(says="each machine to install has a hardware address of its own")
        return (ReadyLine(gate="boot", verdict=OK, says=says),)
    return (
        ReadyLine(
            gate="boot",
            verdict=BLOCKS if len(shared) == len(content.moves) else HELD,
            says=Sentence(
                says="{count} assets stay behind: each needs a hardware address of its own to boot by; see {first}",
                facts={"count": len(shared), "first": next(iter(shared.values()))},
            ),
            owner=ENGINEER,
            remedy=Sentence(says="correct mac of one of them (kahn asset show NAME tells file and row), propose again"),
            assets=tuple(shared),
        ),
    )


def _sharing(content: WaveContent, snapshot: Snapshot) -> dict[AssetId, str]:
    """Assets whose successor boots by no address, by several, or by that of another machine -> all those names."""
    having: dict[str, set[str]] = {}
    for asset in snapshot.assets:
        for mac in asset.texts("mac") if asset.is_machine else ():
            having.setdefault(mac, set()).add(asset.name)
    new = {role.name for role in content.runbook.roles if role.machine is RoleSource.SUCCESSOR}
    found: dict[AssetId, str] = {}
    for move in content.moves:
        for one in (machine for machine in move.machines if machine.role in new):
            others = {name for mac in one.mac for name in having.get(mac, ()) if name_key(name) != name_key(one.name)}
            if others or len(one.mac) != 1:
                found[move.asset] = f"{', '.join((one.name, *sorted(others)[:2]))} ({', '.join(one.mac) or '-'})"
    return found


def vault_lines(content: WaveContent, snapshot: Snapshot) -> tuple[ReadyLine, ...]:
    """Whether the vault has room for what the wave saves; no line where the runbook uses none."""
    roles = {role.name for role in content.runbook.roles if role.machine is RoleSource.VAULT}
    names = {one.name for move in content.moves for one in move.machines if one.role in roles}
    machines = {name_key(asset.name): asset for asset in snapshot.assets if asset.is_machine}
    return tuple(_vault_line(content, name, machines) for name in sorted(names))


def _vault_line(content: WaveContent, name: str, machines: Mapping[str, Asset]) -> ReadyLine:
    free = _free_gib(machines.get(name_key(name)))
    needed = _needed_gib([machines.get(name_key(move.name)) for move in content.moves])
    if free is None or needed is None:
        says = Sentence(says="the inventory does not say how much room {vault} has or is needed", facts={"vault": name})
        remedy = Sentence(says="import disk_gib and disk_used_gib; each machine is looked at again before it is saved")
        return ReadyLine(gate="vault", verdict=UNKNOWN, says=says, owner=ENGINEER, remedy=remedy)
    facts = {"vault": name, "free": round(free), "needed": round(needed)}
    if free >= needed:
        says = Sentence(says="{vault} has {free} GiB free, at most {needed} GiB are needed", facts=facts)
        return good("vault", says)
    return ReadyLine(
        gate="vault",
        verdict=BLOCKS,
        says=Sentence(says="{vault} has only {free} GiB free, up to {needed} GiB are needed", facts=facts),
        owner=ADMINISTRATOR,
        remedy=Sentence(says="make room in the vault, or plan a smaller wave"),
    )


def _free_gib(vault: Asset | None) -> float | None:
    size, used = _gib(vault, "disk_gib"), _gib(vault, "disk_used_gib")
    return None if size is None or used is None else size - used


def _needed_gib(sources: Sequence[Asset | None]) -> float | None:
    used = [_gib(asset, "disk_used_gib") for asset in sources]
    known = [one for one in used if one is not None]
    return sum(known) if len(known) == len(used) else None


def _gib(asset: Asset | None, name: str) -> float | None:
    """A number of the record; None when it is not known, which is something else than 0."""
    return asset.number(name) if asset is not None and name in asset.values else None
