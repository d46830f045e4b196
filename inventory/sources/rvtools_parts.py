"""What the other sheets of an RVTools workbook say of one machine: addresses, disks, networks, hindrances."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from inventory.addressing import unreachable_because
from inventory.parsing import parse_number
from inventory.sources.foreign_json import number
from inventory.sources.hardware import size_text
from inventory.sources.rvtools_estate import ground_findings, ground_tags
from inventory.sources.rvtools_sheet import Line, Sheet

_NETWORK = re.compile(r"(vInfo)?\s*Network\s*#?[1-8]", re.IGNORECASE)
_FIRMWARE = {"bios": "bios", "efi": "efi", "uefi": "efi"}
_NO_NAME = ("localhost", "unknown", "(none)")
_STEERING = re.compile("[\u202a-\u202e\u2066-\u2069]")
_YES = ("true", "1", "yes")
_TOOLS = {
    "toolsnotinstalled": "VMware Tools are not installed",
    "toolsnotrunning": "VMware Tools do not run",
    "toolsold": "VMware Tools are outdated",
}
Parts = Mapping[str, Sequence[Line]]


def said_by_parts(sheet: Sheet, line: Line, parts: Parts) -> dict[str, object]:
    """Fields of one machine that come from the other sheets, or from columns that repeat. Raises InvalidValue."""
    cards, disks, volumes = parts["vNetwork"], parts["vDisk"], parts["vPartition"]
    numbered = [cell for heading, cell in zip(sheet.headings, line.row, strict=False) if _NETWORK.fullmatch(heading)]
    return {
        "address": address_of([line.get("address"), *(card.get("address") for card in cards)]),
        "mac": "|".join(card.get("mac") for card in cards),
        "disk_gib": disk_gib(line, disks),
        "disk_used_gib": used_gib(line, volumes),
        "networks": _plain([*numbered, *(card.get("network") for card in cards)]),
        "disks": _plain([*(_disk(one) for one in disks), *(_volume(one) for one in volumes)]),
        "firmware": _FIRMWARE.get(line.get("firmware").casefold(), ""),
        "findings": _plain([*_findings(line, parts), *ground_findings(parts)]),
        "tags": _plain([*_tags(sheet, line), *ground_tags(parts)]),
    }


def _plain(texts: Iterable[str]) -> tuple[str, ...]:
    """Texts of a list field; what no text field may hold is left out."""
    found = dict.fromkeys(" ".join(one.split())[:200].replace("|", "/") for one in texts)
    return tuple(sorted(one for one in found if one and one.isprintable() and not _STEERING.search(one)))


def _disk(one: Line) -> str:
    return size_text(one.get("disk") or "disk", size_mib=number(one.get("capacity")))


def _volume(one: Line) -> str:
    return size_text(
        one.get("disk") or "volume", size_mib=number(one.get("capacity")), used_mib=number(one.get("consumed"))
    )


def _findings(line: Line, parts: Parts) -> Iterator[str]:
    """What stands in the way of moving it."""
    for one in parts["vDisk"]:
        yield from _disk_findings(one)
    for one in parts["vSnapshot"]:
        yield f"snapshot {one.get('snapshot')} {one.get('taken')[:10]}".strip()
    for name, words in (("vCD", "CD drive"), ("vUSB", "USB device"), ("vFloppy", "floppy drive")):
        if any(one.get("connected").casefold() in _YES for one in parts[name]):
            yield f"{words} connected"
    if any(one.get("direct_path").casefold() in _YES for one in parts["vNetwork"]):
        yield "a network adapter is passed through (DirectPath I/O)"
    if line.get("consolidation").casefold() in _YES:
        yield "its disks need consolidation"
    if line.get("connection").casefold() in ("inaccessible", "invalid", "orphaned", "disconnected"):
        yield f"vCenter calls it {line.get('connection')}"
    yield from (_TOOLS[word] for one in parts["vTools"] if (word := one.get("tools").casefold()) in _TOOLS)


def _disk_findings(disk: Line) -> Iterator[str]:
    """Raw, shared and independent disks."""
    if disk.get("raw").casefold() in _YES:
        yield f"{disk.get('disk')} is a raw device (RDM): it cannot be copied as a file"
    if disk.get("sharing").casefold() not in ("", "sharingnone", "none", "false"):
        yield f"{disk.get('disk')} is shared with other machines ({disk.get('sharing')}): move them together"
    if "independent" in disk.get("disk_mode").casefold():
        yield f"{disk.get('disk')} is independent: snapshots leave it out"


def _tags(sheet: Sheet, line: Line) -> Iterator[str]:
    """Cluster rules, and the owner's own attributes, which stand between Annotation and Datacenter."""
    for meaning, words in (("rules", "cluster rule"), ("rule_names", "cluster rule"), ("priority", "HA priority")):
        if line.get(meaning):
            yield f"{words}={line.get(meaning)}"
    if line.get("vapp"):
        yield f"vApp={line.get('vapp')}"
    places = {
        name: sheet.headings.index(sheet.columns[name])
        for name in ("annotation", "datacenter")
        if name in sheet.columns
    }
    if len(places) == 2:
        for at in range(places["annotation"] + 1, places["datacenter"]):
            if at < len(line.row) and line.row[at] and sheet.headings[at]:
                yield f"{sheet.headings[at]}={line.row[at]}"


def fqdn_of(text: str) -> str:
    """The DNS name; empty for what names no machine."""
    return "" if text.casefold().startswith(_NO_NAME) else text


def address_of(candidates: Iterable[str]) -> str:
    """The first address that can be reached from elsewhere; what is no address at all is left to be refused."""
    for text in candidates:
        for part in re.split(r"[,;\s]+", text) if re.fullmatch(r"[0-9A-Fa-f.:,;\s]+", text) else [text]:
            try:
                if part and not unreachable_because(ipaddress.ip_address(part)):
                    return part
            except ValueError:
                return part
    return ""


def disk_gib(line: Line, disks: Sequence[Line]) -> object:
    """Capacity of all disks; without vDisk what vInfo says. Raises InvalidValue."""
    sizes = [parse_number("disk_gib", one.get("capacity")) for one in disks if one.get("capacity")]
    if not sizes:
        said = line.get("total") or line.get("provisioned")
        sizes = [parse_number("disk_gib", said)] if said else []
    return round(sum(sizes) / 1024, 3) if sizes else None


def used_gib(line: Line, partitions: Sequence[Line]) -> object:
    """Space in use on all partitions; without vPartition what vInfo says. Raises InvalidValue."""
    sizes = [parse_number("disk_used_gib", one.get("consumed")) for one in partitions if one.get("consumed")]
    if not sizes and line.get("used"):
        sizes = [parse_number("disk_used_gib", line.get("used"))]
    return round(sum(sizes) / 1024, 3) if sizes else None
