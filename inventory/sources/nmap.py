"""nmap's XML: hosts that are up and have a name, with the ports they answer on.

An address alone identifies no machine (it moves), so a host without a name is refused, not invented.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from xml.etree.ElementTree import Element

from inventory.errors import ExpectedError
from inventory.model import AssetKind
from inventory.observation import Reading
from inventory.sources.cells import decoded
from inventory.sources.foreign_json import number
from inventory.sources.gathering import Gathering, Spot
from inventory.sources.hardware import first_address, full_name, real_macs, real_name, short_name
from inventory.sources.kind_words import kind_by_system
from inventory.sources.limits import RowRefused, read_bytes, read_start
from inventory.sources.xml_text import root_name, xml_document

_KINDS = {
    "printer": AssetKind.PRINTER, "print server": AssetKind.PRINTER, "router": AssetKind.NETWORK,
    "switch": AssetKind.NETWORK, "firewall": AssetKind.NETWORK, "WAP": AssetKind.NETWORK,
    "broadband router": AssetKind.NETWORK, "load balancer": AssetKind.NETWORK, "VoIP phone": AssetKind.PHONE,
    "phone": AssetKind.PHONE,
}  # fmt: skip
_HINTS = {
    1433: "database", 1521: "database", 3306: "database", 5432: "database", 389: "directory", 636: "directory",
    445: "file share", 2049: "file share", 3389: "terminal server", 9100: "printer", 25: "mail", 53: "name server",
}  # fmt: skip
_SURE_KIND_PERCENT = 96
_SURE_PERCENT = 85
"""Below that accuracy nmap's guess of the operating system is worth less than nothing."""


class Nmap:
    """What ``nmap -oX`` writes."""

    name = "nmap"

    def recognises(self, path: Path) -> bool:
        """Whether the outermost element is nmap's."""
        try:
            return root_name(decoded(path, read_start(path), is_start=True)) == "nmaprun"
        except ExpectedError:
            return False

    def read(self, path: Path) -> Reading:
        """Every host that is up. Raises ExpectedError."""
        found = Gathering(path, self.name, headings=("name", "addresses"))
        down = 0
        for row, host in enumerate(xml_document(path, decoded(path, read_bytes(path))).iter("host"), start=1):
            if _attribute(host, "status", "state") != "up":
                down += 1
                continue
            _take(found, row, host)
        if down:
            found.note(f"{down} hosts did not answer and were passed over.")
        return found.reading()


def _take(found: Gathering, row: int, host: Element) -> None:
    names = [one.get("name", "") for one in host.iterfind("hostnames/hostname")]
    name = next((real_name(one) for one in names if real_name(one)), "")
    addresses = [one.get("addr", "") for one in host.iterfind("address")]
    if not name:
        why = "the scan found no name for it, and an address alone identifies no machine; scan with name resolution"
        if any(names):
            why = "it is the machine that scanned"
        found.refuse(RowRefused(why=why), found.place(row), (names[0] if names else "", " ".join(addresses)))
        return
    system, accuracy, kind = _system(host)
    services = dict(_services(host))
    tags = [f"os accuracy={accuracy} %"] if system else []
    tags += sorted({f"role hint={_HINTS[port]}" for port in services if port in _HINTS})
    hardware = [
        (one.get("vendor", ""), one.get("addr")) for one in host.iterfind("address") if one.get("addrtype") == "mac"
    ]
    said = {
        "fqdn": full_name(name),
        "address": first_address(addresses),
        "mac": real_macs(hardware),
        "vendor": next((vendor for vendor, _ in hardware if vendor), ""),
        "os_name": system,
        "services": list(services.values()),
        "tags": tags,
        "last_seen": _day(host),
        "power": "on",
    }
    seconds = number(host.get("endtime"))
    spot = Spot(place=found.place(row), row=(name, " ".join(addresses)), observed_us=int(seconds * 1_000_000))
    found.asset(kind or kind_by_system(system), short_name(name), said, place=spot, guessed_kind=True)


def _services(host: Element) -> Iterator[tuple[int, str]]:
    """Port -> ``tcp/443 https Apache httpd 2.2``, open ports only."""
    for port in host.iterfind("ports/port"):
        if _attribute(port, "state", "state") != "open":
            continue
        service = port.find("service")
        words = [] if service is None else [service.get(word, "") for word in ("name", "product", "version")]
        number_ = int(number(port.get("portid")))
        yield number_, " ".join(word for word in (f"{port.get('protocol')}/{number_}", *words) if word)


def _system(host: Element) -> tuple[str, int, AssetKind | None]:
    """The best guess of the operating system, its accuracy in per cent, and the kind of device it means."""
    matches = sorted(host.iterfind("os/osmatch"), key=lambda one: -number(one.get("accuracy")))
    classes = sorted(host.iter("osclass"), key=lambda one: -number(one.get("accuracy")))
    is_sure = bool(classes) and number(classes[0].get("accuracy")) >= _SURE_KIND_PERCENT
    kind = _KINDS.get(classes[0].get("type", "")) if is_sure else None
    if not matches or number(matches[0].get("accuracy")) < _SURE_PERCENT:
        return "", 0, kind
    return matches[0].get("name", ""), int(number(matches[0].get("accuracy"))), kind


def _day(host: Element) -> str:
    seconds = number(host.get("endtime"))
    return datetime.fromtimestamp(seconds, tz=UTC).date().isoformat() if 0 < seconds < 4_000_000_000 else ""


def _attribute(element: Element, child: str, name: str) -> str:
    found = element.find(child)
    return "" if found is None else found.get(name, "")
