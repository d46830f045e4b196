"""What exports say of hardware, told apart from what they only fill in: real addresses, adapters, names."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable

from inventory.addressing import parse_mac, unreachable_because
from inventory.marks import is_placeholder
from inventory.model import AssetKind, InvalidValue
from inventory.sources.kind_words import kind_by_system

GIB, MIB = 1024**3, 1024**2
_VIRTUAL_ADAPTER = re.compile(
    r"wan miniport|loopback|kernel debug|\blo0?\b|docker|^veth|^virbr|^br-|^tun|^tap|^vnet|^cni|^flannel|^cali"
    r"|tap-|isatap|teredo|6to4|pseudo-interface|bluetooth|vpn|virtualbox host|vmnet|hyper-v virtual|wi-fi direct|npcap"
    r"|^gif|^stf|^dummy|^bond|^team|^vlan|^awdl|^p2p",
    re.IGNORECASE,
)
_NOTEBOOK = re.compile(r"laptop|notebook|portable|convertible|tablet|detachable|hand held|macbook", re.IGNORECASE)
_SERVER_CASE = re.compile(r"rack|blade|main server|multi-system|sealed-case", re.IGNORECASE)
_DESKTOP_CASE = re.compile(r"desktop|tower|mini pc|all in one|space-saving|lunch box|pizza box|stick", re.IGNORECASE)
_VIRTUAL_MAKER = re.compile(
    r"vmware|virtualbox|innotek|qemu|kvm\b|xen\b|bochs|parallels|virtual machine|virtual platform|hvm domu"
    r"|openstack|bhyve|proxmox|red hat.*(kvm|rhev)",
    re.IGNORECASE,
)
_NO_NAMES = frozenset({"", "localhost", "unknown", "(none)", "none", "null", "n/a", "na"})
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def first_address(candidates: Iterable[object]) -> str:
    """The first IP address by which the machine can be reached from elsewhere, IPv4 before IPv6; empty when none."""
    found: list[str] = []
    for raw in candidates:
        try:
            address = ipaddress.ip_address(str(raw).strip())
        except ValueError:
            continue
        if not unreachable_because(address):
            found.append(str(address))
    return next((one for one in found if ":" not in one), found[0] if found else "")


def real_macs(adapters: Iterable[tuple[object, object]]) -> tuple[str, ...]:
    """Of (adapter name, hardware address) the addresses of adapters that are there, each once."""
    found: list[str] = []
    for name, raw in adapters:
        if raw and not _VIRTUAL_ADAPTER.search(str(name or "")):
            try:
                found.append(parse_mac("mac", str(raw).strip()))
            except InvalidValue:
                continue
    return tuple(dict.fromkeys(found))


def real_name(raw: object) -> str:
    """A host name that names one machine; empty for ``localhost`` and its like."""
    text = str(raw or "").strip().rstrip(".")
    return "" if text.casefold() in _NO_NAMES or text.casefold().startswith("localhost.") else text


def real_mark(raw: object) -> str:
    """A serial number or UUID; empty for what makers write where they have none."""
    text = str(raw or "").strip()
    return "" if is_placeholder(text) else text


def short_name(name: str) -> str:
    """The first label of a DNS name."""
    return name.split(".", 1)[0]


def full_name(name: object) -> str:
    """The name when it is fully qualified; empty when it is only a label."""
    text = real_name(name)
    return text if "." in text else ""


def machine_kind_of(*, case: str = "", maker: str = "", system: str = "") -> AssetKind:
    """The kind of machine by maker and model, then by its case, then by its operating system."""
    if _VIRTUAL_MAKER.search(maker):
        return AssetKind.VM
    if _NOTEBOOK.search(case):
        return AssetKind.NOTEBOOK
    if _SERVER_CASE.search(case):
        return AssetKind.SERVER
    if _DESKTOP_CASE.search(case):
        return AssetKind.WORKSTATION
    return kind_by_system(system)


def day_of(raw: object) -> str:
    """The day of a timestamp written ``2026-12-31...``; empty for anything else."""
    found = _DAY.match(str(raw or "").strip())
    return found[0] if found and not found[0].startswith("0000") else ""


def size_text(name: object, *, size_mib: float, used_mib: float | None = None) -> str:
    """A disk or volume for the field ``disks``: ``C: 99.9 GiB, 64.1 used``."""
    used = "" if used_mib is None else f", {max(used_mib, 0) / 1024:.1f} used"
    return f"{' '.join(str(name).split())[:120]} {size_mib / 1024:.1f} GiB{used}"
