"""The inventory for people's own playbooks: every machine once, grouped by what Kahn knows of it."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from inventory.ansible_inventory import EmittedHost
from inventory.errors import ExpectedError
from inventory.model import ATTRIBUTE, Asset, AssetId, Snapshot, is_attribute
from inventory.ssh_options import CannotEmit, Hop, Reach
from orchestrator.core.access import AccessProfile
from orchestrator.core.netbox import Way

UNREACHABLE_GROUP = "kahn_unreachable"
_UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss"})
_PLAIN_HOST = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,62}")
_TAKEN = frozenset({"all", "ungrouped", "localhost"})
_MAX_SLUG = 60


class NoSuchHost(ExpectedError):
    """A host that the inventory does not have."""

    code, says = "INV-020", "There is no machine called {name!r} in the inventory of {tenant}."
    remedy = "List them with `kahn inventory --list`."
    exit_code = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class _Trait:
    """One thing by which machines are grouped: which group it leads to, and the text it was made from."""

    prefix: str
    text: str


def hosts_of(
    snapshot: Snapshot, profiles: Mapping[str, AccessProfile], ways: Mapping[AssetId, Way]
) -> tuple[EmittedHost, ...]:
    """Every machine as a host, by name. Hosts and groups that would share a name get a mark of their own."""
    machines = sorted((one for one in snapshot.assets if one.is_machine), key=lambda one: (one.name, one.id))
    traits = {one.id: tuple(_traits(one, snapshot.tenant, ways.get(one.id))) for one in machines}
    groups = _group_names({trait for some in traits.values() for trait in some})
    names = _host_names(machines, taken={*groups.values(), *_TAKEN, UNREACHABLE_GROUP, "kahn_machines"})
    found: list[EmittedHost] = []
    for one in machines:
        reach, why = _reach(one, profiles)
        members = [groups[trait] for trait in traits[one.id]]
        found.append(
            EmittedHost(
                host=names[one.id],
                groups=tuple(dict.fromkeys(members if reach else [*members, UNREACHABLE_GROUP])),
                reach=reach,
                variables=_variables(one, ways.get(one.id), why),
            )
        )
    return tuple(found)


def _traits(asset: Asset, tenant: str, way: Way | None) -> Iterable[_Trait]:
    yield _Trait(prefix="tenant", text=tenant)
    yield _Trait(prefix="kind", text=str(asset.kind))
    yield _Trait(prefix="state", text=str(way.state) if way else "unplanned")
    if way:
        yield _Trait(prefix="wave", text=way.wave)
    for prefix, field in (("site", "site"), ("department", "department"), ("os", "os_name")):
        if asset.text(field):
            yield _Trait(prefix=prefix, text=asset.text(field))
    for procedure in asset.texts("procedures"):
        yield _Trait(prefix="procedure", text=procedure)


def _group_names(traits: Iterable[_Trait]) -> dict[_Trait, str]:
    """Trait -> group. Where two texts come to one name, each gets a mark made of its text: no group holds two sites."""
    by_name: dict[str, list[_Trait]] = {}
    for trait in sorted(traits, key=lambda one: (one.prefix, one.text)):
        by_name.setdefault(f"{trait.prefix}_{_slug(trait.text)}", []).append(trait)
    return {
        trait: name if len(some) == 1 else f"{name}_{_mark(trait.text)}"
        for name, some in by_name.items()
        for trait in some
    }


def _slug(text: str) -> str:
    spelled = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", text).casefold().translate(_UMLAUTS))
    kept = re.sub(r"[^a-z0-9]+", "_", spelled.encode("ascii", "ignore").decode()).strip("_")
    return (
        kept[:_MAX_SLUG].strip("_")
        if kept and len(kept) <= _MAX_SLUG
        else f"{kept[: _MAX_SLUG - 9]}_{_mark(text)}".strip("_")
    )


def _mark(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:8]


def _host_names(machines: Iterable[Asset], *, taken: set[str]) -> dict[AssetId, str]:
    """Host names: the machines' own where they mean nothing to Ansible, else made plain and marked by the id."""
    found: dict[AssetId, str] = {}
    used = {one.casefold() for one in taken}
    for asset in machines:
        name = asset.name
        if not _PLAIN_HOST.fullmatch(name) or name.casefold() in used:
            name = f"{_slug(name).replace('_', '-')}--{_mark(asset.id)}"
        used.add(name.casefold())
        found[asset.id] = name
    return found


def _reach(asset: Asset, profiles: Mapping[str, AccessProfile]) -> tuple[Reach | None, str]:
    """How it is reached, from its access profile alone; or why it cannot be."""
    profile = profiles.get(asset.text("access"))
    missing = [name for name in ("address", "access", "host_key") if not asset.text(name)]
    if missing:
        return None, f"no {', '.join(missing)}"
    if profile is None:
        return None, "its access profile does not exist"
    hop = None
    try:
        if profile.jump is not None:
            jump = profile.jump
            hop = Hop(address=jump.address, port=jump.port, user=jump.user, host_key=_two_words(jump.host_key))
        return Reach(
            address=asset.text("address"),
            port=profile.port,
            user=profile.user,
            become=profile.become,
            key_file=profile.key_file,
            host_key=_two_words(asset.text("host_key")),
            hop=hop,
            psrp=profile.psrp,
        ), ""
    except CannotEmit as refusal:
        return None, f"{refusal.facts['what']}: {refusal.facts['why']}"


def _two_words(host_key: str) -> str:
    return " ".join(host_key.split()[:2])


def _variables(asset: Asset, way: Way | None, why: str) -> dict[str, Any]:
    found: dict[str, Any] = {
        "kahn_id": str(asset.id),
        "kahn_name": asset.name,
        "kahn_kind": str(asset.kind),
        "kahn_state": str(way.state) if way else "",
        "kahn_wave": way.wave if way else "",
        "kahn_asset": _record(asset),
    }
    return found | ({"kahn_unreachable_because": why} if why else {})


def _record(asset: Asset) -> dict[str, Any]:
    """Its fields; attributes of the town's own lie in a map of their own, so that they are never anything else."""
    found: dict[str, Any] = {}
    for name, value in sorted(asset.values.items()):
        if not is_attribute(name):
            found[name] = list(value) if isinstance(value, tuple) else value
    own = {name.removeprefix(ATTRIBUTE): one for name, one in sorted(asset.values.items()) if is_attribute(name)}
    return found | ({"attributes": own} if own else {})
