"""What an RVTools workbook says of the ground its machines stand on: hosts, clusters, datastores, load and health.

Hosts (vHost) become servers; what a cluster (vCluster) and the datastores (vDatastore) of a host are is kept with it.
What stands in the way of moving a machine is a finding of that machine: a message of vHealth, processors or memory that
are short, reserved or limited (vCPU, vMemory), a datastore that is full or away.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

from inventory.model import AssetKind, name_key
from inventory.sources.foreign_json import number
from inventory.sources.gathering import Gathering
from inventory.sources.hardware import full_name, real_mark, size_text
from inventory.sources.rvtools_sheet import Line, Sheet, by_machine

GROUND = ("vHost", "vCluster", "vDatastore", "vHealth", "vCPU", "vMemory")
"""Sheets that are read here."""
READY_PERCENT = 5.0
"""From this share of its time that a machine waits for a processor, it is short of them."""
FULL_PERCENT = 90.0
_DATASTORE = re.compile(r"\[([^\]]{1,200})\]")
_YES = ("true", "1", "yes")
_AWAY = ("false", "0", "no")


def ground_of(machines: Sheet, sheets: Mapping[str, Sheet]) -> dict[int, dict[str, list[Line]]]:
    """Row of each machine in vInfo -> the rows about it in vHealth, vCPU and vMemory, and of its datastores."""
    found: dict[int, dict[str, list[Line]]] = {line.number: {} for line in machines.lines}
    for name in ("vHealth", "vCPU", "vMemory"):
        for number_, lines in by_machine(machines, sheets.get(name, Sheet())).items():
            found[number_][name] = lines
    stores = {name_key(line.get("vm")): line for line in sheets.get("vDatastore", Sheet()).lines if line.get("vm")}
    disks = by_machine(machines, sheets.get("vDisk", Sheet()))
    for line in machines.lines if stores else ():
        paths = [line.get("path"), *(disk.get("path") for disk in disks.get(line.number, ()))]
        names = {name_key(found_[1]) for path in paths if (found_ := _DATASTORE.match(path))}
        found[line.number]["vDatastore"] = [stores[name] for name in sorted(names & stores.keys())]
    return found


def ground_findings(ground: Mapping[str, Sequence[Line]]) -> Iterator[str]:
    """What stands in the way of moving one machine."""
    for one in ground.get("vHealth", ()):
        if one.get("message"):
            yield f"vCenter's health: {one.get('message')}"
    for one in ground.get("vCPU", ()):
        yield from _processor_findings(one)
    for one in ground.get("vMemory", ()):
        yield from _memory_findings(one)
    for one in ground.get("vDatastore", ()):
        yield from _datastore_findings(one)


def ground_tags(ground: Mapping[str, Sequence[Line]]) -> Iterator[str]:
    """What helps to size the machine's successor: where its disks lie, how much memory it really uses."""
    for one in ground.get("vDatastore", ()):
        yield f"datastore={one.get('vm')}"
    for one in ground.get("vMemory", ()):
        if number(one.get("active")):
            yield f"memory active={number(one.get('active')):g} MiB"


def _processor_findings(one: Line) -> Iterator[str]:
    if number(one.get("ready")) >= READY_PERCENT:
        yield f"short of processors: it waits {number(one.get('ready')):g} % of its time (CPU ready)"
    if number(one.get("reservation")):
        yield f"processors reserved: {number(one.get('reservation')):g} MHz"
    if number(one.get("limit")):
        yield f"processors limited to {number(one.get('limit')):g} MHz"


def _memory_findings(one: Line) -> Iterator[str]:
    short = number(one.get("ballooned")) + number(one.get("swapped"))
    if short:
        yield f"short of memory: {short:g} MiB ballooned or swapped"
    if number(one.get("reservation")):
        yield f"memory reserved: {number(one.get('reservation')):g} MiB"
    if 0 < number(one.get("limit")) < (number(one.get("size")) or float("inf")):
        yield f"memory limited to {number(one.get('limit')):g} MiB"


def _datastore_findings(one: Line) -> Iterator[str]:
    capacity, used = number(one.get("capacity")), number(one.get("used"))
    if one.get("accessible").casefold() in _AWAY:
        yield f"its datastore {one.get('vm')} cannot be reached"
    elif capacity and 100 * used / capacity >= FULL_PERCENT:
        yield f"its datastore {one.get('vm')} is {100 * min(used / capacity, 1):.0f} % full: no room for snapshots"


# --------------------------------------------------------------------------- hosts


def take_hosts(found: Gathering, machines: Sheet, sheets: Mapping[str, Sheet]) -> None:
    """Every host of vHost as a server; its cluster, where vHost does not say it, is that of its machines."""
    clusters = {name_key(line.get("cluster") or line.get("vm")): line for line in sheets.get("vCluster", Sheet()).lines}
    stores = _stores_by_host(sheets.get("vDatastore", Sheet()))
    health: dict[str, list[str]] = defaultdict(list)
    for line in sheets.get("vHealth", Sheet()).lines:
        health[name_key(line.get("vm"))].append(line.get("message"))
    homes = {name_key(line.get("host")): line for line in machines.lines if line.get("host")}
    for line in sheets.get("vHost", Sheet()).lines:
        name = line.get("host") or line.get("vm")
        if not name:
            continue
        home = homes.get(name_key(name), line)
        cluster = line.get("cluster") or home.get("cluster")
        said = {
            "site": line.get("datacenter") or home.get("datacenter"),
            "cluster": cluster,
            "fqdn": full_name(name),
            "vendor": line.get("vendor"),
            "model": line.get("model"),
            "serial": real_mark(line.get("serial")) or real_mark(line.get("service_tag")),
            "uuid": real_mark(line.get("uuid")),
            "os_name": line.get("esx"),
            "cpu_cores": number(line.get("cores")) or None,
            "ram_mib": round(number(line.get("host_memory"))) or None,
            "disks": stores.get(name_key(name), []),
            "findings": [f"vCenter's health: {one}" for one in health.get(name_key(name), ()) if one],
            "tags": list(_host_tags(line, clusters.get(name_key(cluster)))),
        }
        own = f"{line.get('server')}/{line.get('object_id')}" if line.get("server") and line.get("object_id") else ""
        found.asset(AssetKind.SERVER, name, said, place=found.spot(line.number, line.row, own))


def _stores_by_host(sheet: Sheet) -> dict[str, list[str]]:
    found: dict[str, list[str]] = defaultdict(list)
    for line in sheet.lines:
        size = size_text(line.get("vm"), size_mib=number(line.get("capacity")), used_mib=number(line.get("used")))
        for host in re.split(r"[,;]", line.get("hosts")):
            found[name_key(host)].append(f"datastore {size}")
    return found


def _host_tags(line: Line, cluster: Line | None) -> Iterable[str]:
    yield "role=hypervisor"
    if line.get("maintenance").casefold() in _YES:
        yield "maintenance mode=True"
    for meaning, words in (("hosts_number", "hosts"), ("total_cpu", "MHz"), ("ha", "HA"), ("drs", "DRS")):
        if cluster is not None and cluster.get(meaning):
            yield f"cluster {words}={cluster.get(meaning)}"
