"""Inventories of GLPI's agents: JSON, whole or partial, and the older XML that OCS and FusionInventory write too.

A partial inventory tells only of the sections it holds. Persons (users, last login) are not taken.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element

from inventory.errors import ExpectedError, because
from inventory.model import AssetKind
from inventory.observation import Place, Reading
from inventory.sources.cells import decoded
from inventory.sources.foreign_json import (
    Entry,
    document_of,
    entries,
    entry,
    has_keys,
    json_start,
    listed,
    number,
    text,
)
from inventory.sources.gathering import Gathering
from inventory.sources.hardware import (
    day_of,
    first_address,
    full_name,
    machine_kind_of,
    real_macs,
    real_mark,
    real_name,
    short_name,
    size_text,
)
from inventory.sources.limits import BrokenFile, RowRefused, read_bytes, read_start
from inventory.sources.xml_text import root_name, xml_document

_STAMP = re.compile(r"-([0-9]{4}-[0-9]{2}-[0-9]{2})-[0-9]{2}-[0-9]{2}-[0-9]{2}$")
_DEVICES = {"printer": AssetKind.PRINTER, "networkequipment": AssetKind.NETWORK, "phone": AssetKind.PHONE}
_XML_NAMES = {"macaddr": "mac", "ipaddress6": "ipaddress"}
_SINGLE = frozenset({"hardware", "bios", "operatingsystem", "versionclient"})
_PSEUDO = frozenset({"tmpfs", "devtmpfs", "squashfs", "overlay", "iso9660", "udf", "cd-rom"})


@dataclass(frozen=True, slots=True, kw_only=True)
class _Inventory:
    """One inventory: the agent's id of the device, what sort of thing it is, its sections."""

    device_id: str
    item_type: str
    content: Entry
    is_partial: bool = False


class GlpiJson:
    """GLPI's own format since version 10."""

    name = "glpi-json"

    def recognises(self, path: Path) -> bool:
        """Whether the keys of an inventory stand in it."""
        start = json_start(path)
        return has_keys(start, "content") and (has_keys(start, "versionclient") or has_keys(start, "deviceid"))

    def read(self, path: Path) -> Reading:
        """The device. Raises ExpectedError."""
        found = Gathering(path, self.name)
        for row, one in enumerate(entries(document_of(path)), start=1):
            inventory = _Inventory(
                device_id=text(one.get("deviceid")),
                item_type=text(one.get("itemtype")),
                content=entry(one.get("content")),
                is_partial=one.get("partial") is True,
            )
            _take(found, row, inventory)
        return found.reading()


class GlpiXml:
    """The older XML."""

    name = "glpi-xml"

    def recognises(self, path: Path) -> bool:
        """Whether the outermost element is that of an inventory."""
        try:
            start = decoded(path, read_start(path), is_start=True)
        except ExpectedError:
            return False
        return root_name(start) == "REQUEST"

    def read(self, path: Path) -> Reading:
        """The device. Raises ExpectedError."""
        found = Gathering(path, self.name)
        root = xml_document(path, decoded(path, read_bytes(path)))
        query = (root.findtext("QUERY") or "").strip().upper()
        content = root.find("CONTENT")
        if content is None or query not in ("", "INVENTORY"):
            raise BrokenFile(
                place=Place(file=str(path)), why=because("it is a message {a!r}, no inventory", a=query[:20])
            )
        inventory = _Inventory(
            device_id=(root.findtext("DEVICEID") or "").strip(), item_type="", content=_sections(content)
        )
        _take(found, 1, inventory)
        return found.reading()


def _sections(content: Element) -> Entry:
    """The XML as the JSON would be: sections by lower-case name, repeated ones as lists."""
    found: dict[str, Any] = {}
    for section in content:
        name = section.tag.casefold()
        cells = {_XML_NAMES.get(one.tag.casefold(), one.tag.casefold()): (one.text or "").strip() for one in section}
        if name in _SINGLE:
            found.setdefault(name, cells)
        else:
            found.setdefault(name, []).append(cells)
    return found


def _take(found: Gathering, row: int, inventory: _Inventory) -> None:
    content, device = inventory.content, entry(inventory.content.get("network_device"))
    stamp = _STAMP.search(inventory.device_id)
    named = real_name(entry(content.get("hardware")).get("name")) or real_name(device.get("name"))
    name = named or real_name(_STAMP.sub("", inventory.device_id))
    if inventory.item_type.casefold() == "unmanaged":
        found.refuse(RowRefused(why="the scan did not find out what this device is"), found.place(row), (name,))
        return
    if not name:
        found.refuse(RowRefused(why="the inventory holds no name of the device"), found.place(row))
        return
    kind, is_guess = _kind(inventory)
    said = _device(device, content) if device else _computer(found, name, content)
    said["last_seen"] = stamp[1] if stamp else day_of(entry(content.get("accesslog")).get("logdate"))
    if inventory.is_partial:
        found.note(f"{name}: a partial inventory; only what it holds is taken.")
    spot = found.spot(row, (name,), inventory.device_id)
    found.asset(kind, short_name(name), said, place=spot, guessed_kind=is_guess)


def _kind(inventory: _Inventory) -> tuple[AssetKind, bool]:
    """What it is, and whether that is only a guess because the sections that tell are missing."""
    content, device = inventory.content, entry(inventory.content.get("network_device"))
    item = inventory.item_type.casefold() or text(device.get("type")).casefold()
    if item in _DEVICES or device:
        return _DEVICES.get(item, AssetKind.NETWORK), item not in _DEVICES
    bios, hardware, system = (entry(content.get(one)) for one in ("bios", "hardware", "operatingsystem"))
    maker = f"{text(bios.get('smanufacturer'))} {text(bios.get('smodel'))}"
    is_virtual = text(hardware.get("vmsystem")).casefold() not in ("", "physical")
    kind = machine_kind_of(
        case=f"{text(hardware.get('chassis_type'))} {text(bios.get('smodel'))}",
        maker=maker,
        system=text(system.get("full_name")) or text(hardware.get("osname")),
    )
    return (AssetKind.VM if is_virtual else kind), not (bios or hardware.get("chassis_type"))


def _device(device: Entry, content: Entry) -> dict[str, object]:
    return {
        "address": first_address(listed(device.get("ips"))),
        "mac": real_macs([("device", device.get("mac"))]),
        "serial": real_mark(device.get("serial")),
        "vendor": real_mark(device.get("manufacturer")),
        "model": real_mark(device.get("model")),
        "os_version": text(device.get("firmware")),
        "ram_mib": round(number(device.get("ram"))) or None,
        "note": real_mark(device.get("location")),
    }


def _computer(found: Gathering, name: str, content: Entry) -> dict[str, object]:
    hardware, bios, system = (entry(content.get(one)) for one in ("hardware", "bios", "operatingsystem"))
    guests = sum(1 for _ in entries(content.get("virtualmachines")))
    if guests:
        found.note(
            f"{name}: {guests} virtual machines or containers on it are not imported; they have no own inventory."
        )
    memory = number(hardware.get("memory")) or sum(
        number(one.get("capacity")) for one in entries(content.get("memories"))
    )
    volumes = [one for one in entries(content.get("drives")) if _is_volume(one)]
    return {
        "fqdn": full_name(system.get("fqdn")),
        "serial": real_mark(bios.get("ssn")),
        "uuid": real_mark(hardware.get("uuid")),
        "asset_tag": real_mark(bios.get("assettag")),
        "vendor": real_mark(bios.get("smanufacturer")),
        "model": real_mark(bios.get("smodel")),
        "os_name": text(system.get("full_name")) or text(hardware.get("osname")),
        "os_version": text(system.get("version")) or text(hardware.get("osversion")),
        "arch": text(system.get("arch")),
        "ram_mib": round(memory) or None,
        "cpu_cores": sum(number(one.get("core")) or 1 for one in entries(content.get("cpus"))) or None,
        "disk_gib": round(sum(number(one.get("disksize")) for one in entries(content.get("storages"))) / 1024, 3)
        or None,
        "disk_used_gib": round(sum(_used_mib(one) for one in volumes) / 1024, 3) or None,
        "disks": [_volume_text(one) for one in volumes],
        "software": [_program(one) for one in entries(content.get("softwares")) if one.get("name")],
        "services": list(_database_services(content)),
        "databases": list(_databases(content)),
        "findings": list(_findings(content)),
        **_network(content),
    }


def _network(content: Entry) -> dict[str, object]:
    adapters = [one for one in entries(content.get("networks")) if text(one.get("virtualdev")) != "1"]
    real = [one for one in adapters if one.get("virtualdev") is not True]
    return {
        "address": first_address(address for one in real for address in listed(one.get("ipaddress"))),
        "mac": real_macs((one.get("description"), one.get("mac")) for one in real),
    }


def _is_volume(one: Mapping[str, Any]) -> bool:
    kind = f"{text(one.get('filesystem'))} {text(one.get('type'))}".casefold()
    return number(one.get("total")) > 0 and not any(word in kind for word in _PSEUDO)


def _used_mib(one: Entry) -> float:
    return max(number(one.get("total")) - number(one.get("free")), 0)


def _volume_text(one: Entry) -> str:
    name = text(one.get("letter")) or text(one.get("type")) or text(one.get("volumn")) or text(one.get("label"))
    return size_text(name, size_mib=number(one.get("total")), used_mib=_used_mib(one))


def _program(one: Entry) -> str:
    return f"{text(one.get('name'))} {text(one.get('version'))}".strip()


def _databases(content: Entry) -> Iterator[str]:
    """System and name of each database, as ``inventory.exchange`` reads them."""
    for one in entries(content.get("databases_services")):
        for database in entries(one.get("databases")):
            name = "_".join(text(database.get("name")).split())
            if name and "@" not in name:
                yield f"{text(one.get('type')) or text(one.get('name'))} {name}".replace("@", " ").strip()


def _database_services(content: Entry) -> Iterator[str]:
    for one in entries(content.get("databases_services")):
        port = text(one.get("port"))
        yield " ".join(part for part in (f"tcp/{port}" if port else "", _program(one) or text(one.get("type"))) if part)


def _findings(content: Entry) -> Iterator[str]:
    for one in entries(content.get("drives")):
        if text(one.get("encrypt_status")).casefold() in ("yes", "encrypted", "partially"):
            yield f"encrypted volume {text(one.get('letter')) or text(one.get('type'))} {text(one.get('encrypt_name'))}"
    for one in entries(content.get("remote_mgmt")):
        yield f"remote access by {text(one.get('type'))}"
