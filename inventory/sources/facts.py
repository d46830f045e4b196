"""Facts that configuration tools gather on a machine: Ansible (setup), Puppet (facter) and Chef (ohai), as JSON.

One file is one machine; a list of them is taken too. The name is what the machine calls itself.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from inventory.model import AssetKind
from inventory.observation import Reading
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
from inventory.sources.gathering import Gathering, Spot
from inventory.sources.hardware import (
    GIB,
    MIB,
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
from inventory.sources.limits import RowRefused

_PSEUDO = frozenset(
    {
        "tmpfs", "devtmpfs", "squashfs", "overlay", "proc", "sysfs", "iso9660", "nfs", "nfs4", "cifs", "vboxsf",
        "hugetlbfs", "mqueue", "devpts", "ramfs", "nsfs", "9p", "fuse.lxcfs",
    }
)  # fmt: skip
_LAST_SECOND = 4_000_000_000
_ANSIBLE_WORD = "ansible_"
Said = dict[str, object]


class AnsibleFacts:
    """What ``ansible -m setup --tree`` or a fact cache writes."""

    name = "ansible-facts"

    def recognises(self, path: Path) -> bool:
        """Whether the keys of Ansible's facts stand in it."""
        start = json_start(path)
        wrapped = has_keys(start, "ansible_facts") or has_keys(start, "unreachable", "msg")
        return wrapped or has_keys(start, "ansible_architecture") or has_keys(start, "ansible_hostname")

    def read(self, path: Path) -> Reading:
        """The machine. Raises ExpectedError."""
        found = Gathering(path, self.name)
        for row, one in enumerate(entries(document_of(path)), start=1):
            if one.get("unreachable") is True:
                found.refuse(RowRefused(why="Ansible did not reach the machine"), found.place(row))
                continue
            facts = {
                key.removeprefix(_ANSIBLE_WORD): value for key, value in entry(one.get("ansible_facts", one)).items()
            }
            _take(found, row, _ansible_name(facts), _ansible(facts))
        return found.reading()


class Facter:
    """What ``facter --json`` or PuppetDB gives."""

    name = "facter"

    def recognises(self, path: Path) -> bool:
        """Whether the keys of facter stand in it."""
        start = json_start(path)
        return has_keys(start, "facterversion") or has_keys(start, "networking", "os", "processors")

    def read(self, path: Path) -> Reading:
        """The machine. Raises ExpectedError."""
        found = Gathering(path, self.name)
        for row, one in enumerate(entries(document_of(path)), start=1):
            network = entry(one.get("networking"))
            name = real_name(network.get("fqdn")) or real_name(network.get("hostname")) or real_name(one.get("fqdn"))
            _take(found, row, name, _facter(one))
        return found.reading()


class Ohai:
    """What Chef's ``ohai`` or a node object gives."""

    name = "ohai"

    def recognises(self, path: Path) -> bool:
        """Whether the keys of ohai stand in it."""
        start = json_start(path)
        return has_keys(start, "chef_packages") or has_keys(start, "ohai_time")

    def read(self, path: Path) -> Reading:
        """The machine. Raises ExpectedError."""
        found = Gathering(path, self.name)
        for row, one in enumerate(entries(document_of(path)), start=1):
            facts = entry(one.get("automatic", one))
            _take(found, row, real_name(facts.get("fqdn")) or real_name(facts.get("hostname")), _ohai(facts))
        return found.reading()


def _take(found: Gathering, row: int, name: str, said: Said) -> None:
    """One machine by its short name; ``kind`` and ``epoch`` among what is said are no fields."""
    if not name:
        found.refuse(RowRefused(why="the facts hold no name of the machine"), found.place(row))
        return
    kind, seconds = said.pop("kind"), number(said.pop("epoch", 0))
    assert isinstance(kind, AssetKind)
    said["fqdn"] = full_name(name) or said.get("fqdn")
    # Machines from one image may call themselves the same; their UUID tells them apart. Ansible often runs without the
    # rights to read it: there one machine, read once with and once without, would become two.
    own = "" if found.source == AnsibleFacts.name else str(said.get("uuid") or "")
    seen_us = int(min(seconds, _LAST_SECOND) * 1_000_000)
    spot = Spot(place=found.place(row), row=(name,), source_id=own.casefold(), observed_us=seen_us)
    found.asset(kind, short_name(name), said, place=spot)


def _ansible_name(facts: Entry) -> str:
    """The name the machine gives itself; its DNS name only where it fits, as resolvers answer ``localhost`` too."""
    host = real_name(facts.get("hostname"))
    qualified = (real_name(facts.get("fqdn")), real_name(facts.get("nodename")))
    return next((one for one in qualified if host and short_name(one).casefold() == host.casefold()), host)


def _ansible(facts: Entry) -> Said:
    default = entry(facts.get("default_ipv4"))
    adapters: list[tuple[object, object]] = [
        (name, entry(facts.get(str(name).replace("-", "_").replace(".", "_"))).get("macaddress"))
        for name in listed(facts.get("interfaces"))
        if isinstance(name, str)
    ]
    adapters += [(one.get("interface_name"), one.get("macaddress")) for one in entries(facts.get("interfaces"))]
    mounts = [one for one in entries(facts.get("mounts")) if text(one.get("fstype")) not in _PSEUDO]
    system = text(facts.get("os_name")) or text(facts.get("distribution"))
    version = text(facts.get("distribution_version"))
    maker = f"{text(facts.get('system_vendor'))} {text(facts.get('product_name'))}"
    is_guest = facts.get("virtualization_role") == "guest"
    kind = machine_kind_of(case=text(facts.get("form_factor")), maker=maker, system=f"{system} server")
    total = sum(number(one.get("size_total")) for one in mounts)
    addresses = [default.get("address"), *listed(facts.get("all_ipv4_addresses")), *listed(facts.get("ip_addresses"))]
    return {
        "kind": AssetKind.VM if is_guest else kind,
        "address": first_address(addresses),
        "mac": real_macs([*adapters, ("default", default.get("macaddress"))]),
        "serial": real_mark(facts.get("product_serial")),
        "uuid": real_mark(facts.get("product_uuid")),
        "vendor": real_mark(facts.get("system_vendor")),
        "model": real_mark(facts.get("product_name")),
        "os_name": f"{system} {version}".strip() if version not in system else system,
        "os_version": version,
        "arch": text(facts.get("architecture")),
        "cpu_cores": number(facts.get("processor_vcpus")) or number(facts.get("processor_cores")) or None,
        "ram_mib": _mib(number(facts.get("memtotal_mb")) or number(facts.get("totalmem")) / MIB),
        "disk_gib": round(total / GIB, 3) or None,
        "disk_used_gib": round((total - sum(number(one.get("size_available")) for one in mounts)) / GIB, 3) or None,
        "disks": [
            size_text(one.get("mount"), size_mib=number(one.get("size_total")) / MIB, used_mib=_used(one))
            for one in mounts
        ],
        "last_seen": day_of(entry(facts.get("date_time")).get("date")),
        "epoch": entry(facts.get("date_time")).get("epoch"),
        "power": "on",
    }


def _used(mount: Entry) -> float:
    return (number(mount.get("size_total")) - number(mount.get("size_available"))) / MIB


def _facter(facts: Entry) -> Said:
    network, system, product = entry(facts.get("networking")), entry(facts.get("os")), _path(facts, "dmi", "product")
    adapters = {name: entry(one) for name, one in entry(network.get("interfaces")).items()}
    mounts = {
        name: entry(one)
        for name, one in entry(facts.get("mountpoints")).items()
        if text(entry(one).get("filesystem")) not in _PSEUDO and number(entry(one).get("size_bytes"))
    }
    windows = text(_path(system, "windows").get("product_name"))
    described = text(_path(system, "distro").get("description")) or _words(system.get("name"), system, "release")
    maker = f"{text(_path(facts, 'dmi').get('manufacturer'))} {text(product.get('name'))}"
    kind = machine_kind_of(
        case=text(_path(facts, "dmi", "chassis").get("type")), maker=maker, system=windows or described
    )
    return {
        "kind": AssetKind.VM if facts.get("is_virtual") is True else kind,
        "address": first_address([network.get("ip"), network.get("ip6")]),
        "mac": real_macs(
            [*((name, one.get("mac")) for name, one in adapters.items()), ("primary", network.get("mac"))]
        ),
        "serial": real_mark(product.get("serial_number")),
        "uuid": real_mark(product.get("uuid")),
        "vendor": real_mark(_path(facts, "dmi").get("manufacturer")),
        "model": real_mark(product.get("name")),
        "os_name": windows or described,
        "os_version": text(_path(system, "release").get("full")),
        "arch": text(system.get("hardware")) or text(system.get("architecture")),
        "cpu_cores": number(entry(facts.get("processors")).get("count")) or None,
        "ram_mib": _mib(number(_path(facts, "memory", "system").get("total_bytes")) / MIB),
        "disk_gib": _gib(number(entry(one).get("size_bytes")) for one in entry(facts.get("disks")).values()),
        "disk_used_gib": _gib(number(one.get("used_bytes")) for one in mounts.values()),
        "disks": [
            size_text(name, size_mib=number(one.get("size_bytes")) / MIB, used_mib=number(one.get("used_bytes")) / MIB)
            for name, one in mounts.items()
        ],
        "power": "on",
    }


def _ohai(facts: Entry) -> Said:
    system = _path(facts, "dmi", "system")
    adapters = entry(_path(facts, "network").get("interfaces"))
    hardware = [
        (name, address)
        for name, one in adapters.items()
        for address, kind in entry(entry(one).get("addresses")).items()
        if entry(kind).get("family") == "lladdr"
    ]
    os_name = f"{text(facts.get('platform'))} {text(facts.get('platform_version'))}".strip()
    maker = f"{text(system.get('manufacturer'))} {text(system.get('product_name'))}"
    is_guest = _path(facts, "virtualization").get("role") == "guest"
    kind = machine_kind_of(maker=maker, system=f"{os_name} server")
    cores = number(_path(facts, "cpu").get("total"))
    return {
        "kind": AssetKind.VM if is_guest else kind,
        "address": first_address([facts.get("ipaddress"), facts.get("ip6address")]),
        "mac": real_macs([*hardware, ("default", facts.get("macaddress"))]),
        "serial": real_mark(system.get("serial_number")),
        "uuid": real_mark(system.get("uuid")),
        "vendor": real_mark(system.get("manufacturer")),
        "model": real_mark(system.get("product_name")),
        "os_name": os_name,
        "os_version": text(facts.get("platform_version")),
        "arch": text(_path(facts, "kernel").get("machine")),
        "cpu_cores": cores or None,
        "ram_mib": _mib(number(text(_path(facts, "memory").get("total")).removesuffix("kB")) / 1024),
        "epoch": facts.get("ohai_time"),
        "power": "on",
    }


def _path(facts: Entry, *keys: str) -> Entry:
    for key in keys:
        facts = entry(facts.get(key))
    return facts


def _words(first: object, system: Entry, *keys: str) -> str:
    return f"{text(first)} {text(_path(system, *keys).get('full'))}".strip()


def _mib(size: float) -> int | None:
    return round(size) or None


def _gib(sizes: Iterable[float]) -> float | None:
    return round(sum(sizes) / GIB, 3) or None
