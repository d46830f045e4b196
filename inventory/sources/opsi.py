"""opsi's answers to its JSON-RPC calls: hosts, hardware audit and products of clients, alone or in one list.

Taken are ``host_getObjects``, ``auditHardwareOnHost_getObjects`` and ``productOnClient_getObjects``, as bare lists or
inside the whole answer (``result``). Keys and one-time passwords of hosts are secrets and are dropped on reading.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path

from inventory.addressing import parse_dns_name
from inventory.model import AssetKind, InvalidValue
from inventory.observation import Reading
from inventory.sources.foreign_json import Entry, document_of, entries, entry, has_keys, json_start, number, text
from inventory.sources.gathering import Gathering
from inventory.sources.hardware import (
    GIB,
    MIB,
    day_of,
    first_address,
    machine_kind_of,
    real_macs,
    real_mark,
    short_name,
    size_text,
)

_SERVERS = frozenset({"OpsiDepotserver", "OpsiConfigserver"})
_MAKERS = ("COMPUTER_SYSTEM", "CHASSIS", "BIOS", "BASE_BOARD")


class Opsi:
    """Exports of an opsi server."""

    name = "opsi"

    def recognises(self, path: Path) -> bool:
        """Whether objects of opsi stand in it."""
        start = json_start(path)
        return (
            has_keys(start, "hardwareClass", "hostId")
            or has_keys(start, "productId", "clientId")
            or (has_keys(start, "id", "type") and any(f'"{word}"' in start for word in ("OpsiClient", *_SERVERS)))
        )

    def read(self, path: Path) -> Reading:
        """Every host. Raises ExpectedError."""
        document = document_of(path)
        listed = entry(document).get("result", document)
        found = Gathering(path, _source_of(entries(listed)), headings=("host",))
        hosts: dict[str, list[tuple[int, Entry]]] = defaultdict(list)
        for row, one in enumerate(entries(listed), start=1):
            host = text(one.get("hostId")) or text(one.get("clientId")) or text(one.get("id"))
            hosts[host].append((row, one))
        for host, some in hosts.items():
            _take(found, host, some)
        return found.reading()


def _source_of(objects: Iterable[Entry]) -> str:
    """Hosts, hardware and products come as three files: three statements on one machine, so three sources."""
    calls = {"hardware" if "hardwareClass" in one else "products" if "productId" in one else "" for one in objects}
    return f"opsi-{calls.pop()}" if len(calls) == 1 and calls != {""} else "opsi"


def _take(found: Gathering, host: str, some: Sequence[tuple[int, Entry]]) -> None:
    place = found.place(some[0][0])
    try:
        fqdn = parse_dns_name("host id", host)
    except InvalidValue as wrong:
        found.refuse(wrong, place, (host,))
        return
    objects = [one for _, one in some]
    own = next((one for one in objects if text(one.get("type")).startswith("Opsi") and "id" in one), {})
    # The state 0 marks hardware that the last audit no longer found.
    parts = [one for one in objects if one.get("hardwareClass") and one.get("state") not in (0, "0")]
    products = [one for one in objects if one.get("productId")]
    maker = [one for word in _MAKERS for one in _of(parts, word)]
    said = {"fqdn": fqdn, **_from_host(own), **_hardware(parts, maker), **_products(products)}
    makers = " ".join(f"{text(one.get('vendor'))} {text(one.get('model'))}" for one in maker)
    case = " ".join(text(one.get("chassisType")) for one in parts)
    is_server = text(own.get("type")) in _SERVERS
    kind = AssetKind.SERVER if is_server else machine_kind_of(case=f"{case} {makers}", maker=makers)
    found.asset(kind, short_name(host), said, place=place, guessed_kind=not is_server and not maker)


def _of(parts: Iterable[Entry], word: str) -> list[Entry]:
    return [one for one in parts if one.get("hardwareClass") == word]


def _from_host(own: Entry) -> dict[str, object]:
    if not own:
        return {}
    return {
        "title": text(own.get("description")),
        "note": text(own.get("notes")),
        "mac": real_macs([("host", own.get("hardwareAddress"))]),
        "address": first_address([own.get("ipAddress")]),
        "asset_tag": real_mark(own.get("inventoryNumber")),
        "uuid": real_mark(own.get("systemUUID")),
        "last_seen": day_of(own.get("lastSeen")),
    }


def _hardware(parts: Sequence[Entry], maker: Sequence[Entry]) -> dict[str, object]:
    if not parts:
        return {}
    volumes = [one for one in _of(parts, "DISK_PARTITION") if number(one.get("size"))]
    adapters = _of(parts, "NETWORK_CONTROLLER")
    memory = sum(number(one.get("capacity")) for one in _of(parts, "MEMORY_MODULE"))
    memory = memory or sum(number(one.get("totalPhysicalMemory")) for one in _of(parts, "COMPUTER_SYSTEM"))
    cores = sum(number(one.get("numberOfCores")) for one in _of(parts, "PROCESSOR"))
    found: dict[str, object] = {
        "vendor": _first(maker, "vendor"),
        "model": _first(maker, "model"),
        "serial": _first([*_of(parts, "COMPUTER_SYSTEM"), *_of(parts, "BIOS"), *_of(parts, "CHASSIS")], "serialNumber"),
        "ram_mib": round(memory / MIB) or None,
        "cpu_cores": cores or None,
        "disk_gib": round(sum(number(one.get("size")) for one in _of(parts, "HARDDISK_DRIVE")) / GIB, 3) or None,
        "disk_used_gib": round(sum(_used(one) for one in volumes) / GIB, 3) or None,
        "disks": [
            size_text(
                one.get("driveLetter") or one.get("name"),
                size_mib=number(one.get("size")) / MIB,
                used_mib=_used(one) / MIB,
            )
            for one in volumes
        ],
        "mac": real_macs((one.get("name"), one.get("macAddress")) for one in adapters),
        "address": first_address(one.get("ipAddress") for one in adapters),
    }
    return {name: value for name, value in found.items() if value not in (None, "", (), [])}


def _products(products: Sequence[Entry]) -> dict[str, object]:
    if not products:
        return {}
    installed = [one for one in products if one.get("installationStatus") == "installed"]
    failed = [one for one in products if one.get("actionResult") == "failed"]
    return {
        "software": [f"{text(one.get('productId'))} {_version(one)}".strip() for one in installed],
        "findings": [f"opsi: the last action on {text(one.get('productId'))} failed" for one in failed],
    }


def _version(one: Entry) -> str:
    return "-".join(part for part in (text(one.get("productVersion")), text(one.get("packageVersion"))) if part)


def _used(volume: Entry) -> float:
    return max(number(volume.get("size")) - number(volume.get("freeSpace")), 0)


def _first(parts: Iterable[Entry], key: str) -> str:
    return next((mark for one in parts if (mark := real_mark(one.get(key)))), "")
