"""Sheets of an RVTools workbook by the meaning of their headings, and their rows joined to the machines of vInfo."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from inventory.model import name_key
from inventory.sources.workbook import Cells

COLUMNS: Mapping[str, str] = {
    "vm": "vm", "vmname": "vm", "name": "vm",
    "powerstate": "power", "template": "template", "srmplaceholder": "placeholder",
    "dnsname": "fqdn", "guesthostname": "fqdn",
    "cpus": "cpus", "numcpu": "cpus", "memory": "memory", "memorysize": "memory",
    "primaryipaddress": "address", "ipv4address": "address", "ipaddress": "address",
    "totaldiskcapacity": "total", "provisioned": "provisioned", "inuse": "used",
    "capacity": "capacity", "consumed": "consumed", "macaddress": "mac",
    "datacenter": "datacenter", "cluster": "cluster", "host": "host", "annotation": "annotation",
    "osaccordingtothevmwaretools": "os_tools", "ostools": "os_tools",
    "osaccordingtotheconfigurationfile": "os_config", "osconfig": "os_config", "os": "os_config",
    "vmid": "vm_id", "vmuuid": "uuid", "uuid": "uuid",
    "visdkserver": "server",
    "firmware": "firmware", "consolidationneeded": "consolidation", "connectionstate": "connection",
    "clusterrule(s)": "rules", "clusterrules": "rules", "clusterrulename(s)": "rule_names",
    "clusterrulenames": "rule_names", "harestartpriority": "priority", "vapp": "vapp",
    "raw": "raw", "sharingmode": "sharing", "sharedbus": "shared_bus", "diskmode": "disk_mode", "disk": "disk",
    "network": "network", "directpathio": "direct_path", "connected": "connected", "devicetype": "device",
    "path": "path", "diskpath": "path",
    "message": "message", "cpuready": "ready", "ready": "ready", "reservation": "reservation", "limit": "limit",
    "ballooned": "ballooned", "swapped": "swapped", "active": "active", "size": "size", "accessible": "accessible",
    "hosts": "hosts", "#cores": "cores", "cores": "cores", "#memory": "host_memory", "esxversion": "esx",
    "vendor": "vendor", "model": "model", "serialnumber": "serial", "servicetag": "service_tag",
    "objectid": "object_id", "inmaintenancemode": "maintenance", "numhosts": "hosts_number", "totalcpu": "total_cpu",
    "haenabled": "ha", "drsenabled": "drs",
    "devicenode": "node", "snapshot": "snapshot", "date/time": "taken", "datetime": "taken", "tools": "tools",
}  # fmt: skip
"""Bare heading -> what stands under it; see ``bare``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One row of a sheet: its number, its cells as text, and by meaning those that say something."""

    number: int
    row: tuple[str, ...]
    said: Mapping[str, str]

    def get(self, meaning: str) -> str:
        """The cell of that meaning; empty where there is none."""
        return self.said.get(meaning, "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """One sheet: its headings, what they mean, its rows."""

    headings: tuple[str, ...] = ()
    columns: Mapping[str, str] = field(default_factory=dict)
    """Meaning -> heading as it stands."""
    lines: tuple[Line, ...] = ()


def sheet_of(name: str, rows: Sequence[tuple[int, Cells]]) -> Sheet:
    """The rows by the meaning of their headings; of two headings with one meaning the first counts."""
    if not rows:
        return Sheet()
    headings = tuple(text_of(cell) for cell in rows[0][1])
    columns: dict[str, str] = {}
    positions: dict[int, str] = {}
    for at, heading in enumerate(headings):
        meaning = COLUMNS.get(bare(heading, name))
        if meaning and meaning not in columns:
            columns[meaning], positions[at] = heading, meaning
    lines: list[Line] = []
    for number, cells in rows[1:]:
        row = tuple(text_of(cell) for cell in cells)
        said = {meaning: row[at] for at, meaning in positions.items() if at < len(row) and row[at]}
        lines.append(Line(number=number, row=row, said=said))
    return Sheet(headings=headings, columns=columns, lines=tuple(lines))


def bare(heading: str, sheet: str) -> str:
    """The heading without the sheet's name before it, unit, case and punctuation."""
    letters = re.sub(r"[^a-z0-9#]", "", heading.casefold())
    if letters.startswith(sheet.casefold()):
        letters = letters.removeprefix(sheet.casefold())
    return re.sub(r"(mib|mb)$", "", letters)


def text_of(cell: object) -> str:
    """A cell as text: whole numbers without a point."""
    if isinstance(cell, bool):
        return "True" if cell else "False"
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < 1e15:
        return str(int(cell))
    return str(cell).strip()


def by_machine(machines: Sheet, parts: Sheet) -> dict[int, list[Line]]:
    """Row of the machine in vInfo -> its rows in the other sheet, joined by the best key that both sheets have."""
    for key in ("vm_id", "uuid", "vm"):
        if key in machines.columns and key in parts.columns:
            break
    else:
        return {}
    # Names repeat between data centres, ids do not; the place only tells namesakes apart.
    second = "datacenter" if key == "vm" and {"datacenter"} <= machines.columns.keys() & parts.columns.keys() else ""
    found: dict[tuple[str, str], list[Line]] = defaultdict(list)
    for line in parts.lines:
        found[name_key(line.get(key)), line.get(second)].append(line)
    return {line.number: found.get((name_key(line.get(key)), line.get(second)), []) for line in machines.lines}
