"""Who still asks the old server of a procedure after the switch, as its kernel counted and the inventory knows them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from ipaddress import ip_address
from typing import Any

from inventory.model import Asset

MOST_KNOWN = 5_000
"""So many addresses of the inventory are told to a run; a larger town's other machines count as unknown."""
MOST = 20
_LATEST_S = 2**33


@dataclass(frozen=True, slots=True, kw_only=True)
class Asker:
    """One machine of the inventory that began connections to the old server."""

    name: str
    count: int
    last: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedOld:
    """Connections begun to the old server's port since then. Addresses that the inventory does not know are numbers."""

    since: datetime | None
    machines: tuple[Asker, ...] = ()
    more: int = 0
    """Further machines of the inventory."""
    others: int = 0
    others_count: int = 0
    others_last: datetime | None = None
    why: str = ""
    """What keeps it from being counted, in the old server's words; empty while it is."""

    @property
    def nobody(self) -> bool:
        """Whether nobody asked."""
        return not (self.machines or self.others or self.why)


def known_addresses(assets: Iterable[Asset]) -> dict[str, str]:
    """{IP address: name} of the inventory's machines."""
    found: dict[str, str] = {}
    for asset in assets:
        for address in (asset.text("address"), asset.text("second_address")):
            if address and len(found) < MOST_KNOWN and _is_ip(address):
                found.setdefault(str(ip_address(address)), asset.name)
    return found


def _is_ip(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def asked_old_in(evidence: Mapping[str, Any]) -> AskedOld | None:
    """What the evidence of a service check says of it; None where it says nothing."""
    kahn = evidence.get("kahn")
    return asked_old_of(kahn.get("asked_old")) if isinstance(kahn, Mapping) else None


def asked_old_of(told: object) -> AskedOld | None:
    """The same of what a machine told: whatever does not fit is left out."""
    if not isinstance(told, Mapping):
        return None
    if isinstance(told.get("why"), str):
        return AskedOld(since=None, why=str(told["why"])[:200])
    since, others = _moment(told.get("since")), told.get("others")
    if since is None or not isinstance(others, Mapping):
        return None
    machines = told.get("machines")
    askers = (_asker(one) for one in (machines if isinstance(machines, list) else [])[:MOST])
    return AskedOld(
        since=since,
        machines=tuple(one for one in askers if one is not None),
        more=_count(told.get("more")),
        others=_count(others.get("addresses")),
        others_count=_count(others.get("count")),
        others_last=_moment(others.get("last")),
    )


def _asker(told: object) -> Asker | None:
    if not isinstance(told, Mapping) or not isinstance(told.get("name"), str):
        return None
    last = _moment(told.get("last"))
    return None if last is None else Asker(name=str(told["name"])[:200], count=_count(told.get("count")), last=last)


def _count(told: object) -> int:
    return told if type(told) is int and 0 <= told < 2**53 else 0


def _moment(told: object) -> datetime | None:
    if type(told) is not int or not 0 < told < _LATEST_S:
        return None
    return datetime.fromtimestamp(told, tz=UTC)
