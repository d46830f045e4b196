"""Addresses in a reading to machines of the inventory: for sources that see the network and no names.

An address never says which machine something is; but where exactly one machine has it now, what was seen at that
address can be told of that machine, with the address kept in the evidence. Everything else is refused, not guessed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from inventory.errors import ExpectedError
from inventory.model import Asset, Snapshot
from inventory.observation import Observation, ObservedDependency, Reading, Refusal, refusal_of

_MARK = "address:"


class UnknownAddress(ExpectedError):
    """An address that no machine of the inventory has, or several."""

    code, says = "INV-052", "The address {address} belongs to {owners}."
    remedy = "Import the list of machines with their addresses first, then this file again."
    exit_code = 8


def at_address(address: str) -> str:
    """How a source names whatever has this address."""
    return f"{_MARK}{address}"


def with_named_ends(reading: Reading, snapshot: Snapshot) -> Reading:
    """The reading with every address replaced by the machine that has it; what cannot be replaced is refused."""
    if not any(one.name.startswith(_MARK) for one in reading.observations) and not any(
        one.asset.startswith(_MARK) or one.needs.startswith(_MARK) for one in reading.dependencies
    ):
        return reading
    owners = _owners(snapshot.assets)
    refusals: list[Refusal] = []
    observations = [one for raw in reading.observations if (one := _observation(raw, owners, refusals)) is not None]
    dependencies = [ends for raw in reading.dependencies if (ends := _dependency(raw, owners, refusals)) is not None]
    return replace(
        reading,
        observations=tuple(observations),
        dependencies=tuple(dependencies),
        refusals=(*reading.refusals, *refusals),
    )


def _owners(assets: Iterable[Asset]) -> dict[str, list[Asset]]:
    found: dict[str, list[Asset]] = {}
    for asset in assets:
        if asset.is_machine and asset.text("address"):
            found.setdefault(asset.text("address"), []).append(asset)
    return found


def _owner(name: str, owners: Mapping[str, list[Asset]]) -> Asset:
    """The one machine with the address. Raises UnknownAddress."""
    address = name.removeprefix(_MARK)
    found = owners.get(address, [])
    if len(found) != 1:
        who = "no machine of the inventory" if not found else f"{len(found)} machines: " + _names(found)
        raise UnknownAddress(address=address, owners=who)
    return found[0]


def _names(assets: Iterable[Asset]) -> str:
    return ", ".join(sorted(one.name for one in assets)[:5])


def _observation(raw: Observation, owners: Mapping[str, list[Asset]], refusals: list[Refusal]) -> Observation | None:
    if not raw.name.startswith(_MARK):
        return raw
    try:
        owner = _owner(raw.name, owners)
    except UnknownAddress as wrong:
        refusals.append(refusal_of(wrong, raw.place, raw.row))
        return None
    return replace(raw, kind=owner.kind, name=owner.name)


def _dependency(
    raw: ObservedDependency, owners: Mapping[str, list[Asset]], refusals: list[Refusal]
) -> ObservedDependency | None:
    ends: list[str] = []
    for name in (raw.asset, raw.needs):
        try:
            ends.append(f"machine:{_owner(name, owners).name}" if name.startswith(_MARK) else name)
        except UnknownAddress as wrong:
            refusals.append(refusal_of(wrong, raw.place, raw.row))
            return None
    addresses = " -> ".join(one.removeprefix(_MARK) for one in (raw.asset, raw.needs))
    return replace(raw, asset=ends[0], needs=ends[1], evidence=f"{raw.evidence} ({addresses})".strip()[:1_000])
