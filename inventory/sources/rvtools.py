"""An RVTools export (.xlsx): one sheet per topic, headings in row 1, joined by VM id or UUID, else by name and place.

Read are vInfo (one row per virtual machine), vDisk, vPartition and vNetwork. Headings of RVTools 3 and 4 and of tools
that prefix them with the sheet's name (``vInfoVMName``) are understood; MB and MiB are the same unit there.
"""

from __future__ import annotations

import ipaddress
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from inventory.addressing import unreachable_because
from inventory.errors import ExpectedError
from inventory.model import AssetKind, name_key
from inventory.observation import Observation, Place, Reading, Refusal, refusal_of
from inventory.parsing import parse_number
from inventory.sources.limits import RowRefused, SheetMissing, TooMuch
from inventory.sources.records import Cell, Claim, mentioned, observed
from inventory.sources.sheet_check import MAX_SHEET_ROWS
from inventory.sources.sheet_stream import has_sheet
from inventory.sources.workbook import Cells, read_sheets

_COLUMNS: Mapping[str, str] = {
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
}  # fmt: skip
"""Bare heading -> what stands under it; see ``_bare``."""
_PARTS = ("vDisk", "vPartition", "vNetwork")
_NAMED = {"site": AssetKind.SITE}
_POWER = {"poweredon": "on", "poweredoff": "off", "suspended": "suspended"}
_NO_NAME = ("localhost", "unknown", "(none)")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Line:
    """One row of a sheet: its number, its cells as text, and by meaning those that say something."""

    number: int
    row: tuple[str, ...]
    said: Mapping[str, str]

    def get(self, meaning: str) -> str:
        """The cell of that meaning; empty where there is none."""
        return self.said.get(meaning, "")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sheet:
    headings: tuple[str, ...] = ()
    columns: Mapping[str, str] = field(default_factory=dict)
    """Meaning -> heading as it stands."""
    lines: tuple[_Line, ...] = ()


class RvTools:
    """A workbook exported by RVTools from a vCenter."""

    name = "rvtools"

    def recognises(self, path: Path) -> bool:
        """Whether it is a workbook with a sheet vInfo."""
        return has_sheet(path, "vInfo")

    def read(self, path: Path) -> Reading:
        """Every virtual machine of vInfo. Raises ExpectedError."""
        sheets = {name: _sheet(name, rows) for name, rows in read_sheets(path, ("vInfo", *_PARTS)).items()}
        machines = sheets.get("vInfo", _Sheet())
        if "vm" not in machines.columns:
            raise SheetMissing(file=path, missing="sheet vInfo with a column VM")
        if len(machines.lines) >= MAX_SHEET_ROWS:
            raise TooMuch(file=path, found=len(machines.lines), what="machines", limit=MAX_SHEET_ROWS - 1)
        parts = {name: _by_machine(machines, sheets.get(name, _Sheet())) for name in _PARTS}
        repeated = Counter(name_key(line.get("vm")) for line in machines.lines if not _skipped(line))
        observations: list[Observation] = []
        refusals: list[Refusal] = []
        notes: list[str] = []
        for line in machines.lines:
            if skipped := _skipped(line):
                notes.append(f"Row {line.number} was passed over: {line.get('vm')[:80]!r} is {skipped}.")
                continue
            place = Place(file=str(path), row=line.number)
            if repeated[name_key(line.get("vm"))] > 1 and line.get("vm"):
                refusals.append(refusal_of(_same_name(machines, line), place, line.row))
                continue
            taken = self._taken(
                place, machines, line, {name: rows.get(line.number, []) for name, rows in parts.items()}
            )
            if isinstance(taken, Observation):
                observations.append(taken)
            else:
                refusals += taken
        return Reading(
            source=self.name,
            observations=(*mentioned(observations, _NAMED), *observations),
            refusals=tuple(refusals),
            headings=machines.headings,
            notes=tuple(notes),
        )

    def _taken(
        self, place: Place, sheet: _Sheet, line: _Line, parts: Mapping[str, Sequence[_Line]]
    ) -> Observation | tuple[Refusal, ...]:
        claim = Claim(kind=AssetKind.VM, place=place, source=self.name, row=line.row)
        name = Cell(field="name", raw=line.get("vm"), column=sheet.columns["vm"])
        said = {
            "power": _POWER.get(line.get("power").casefold(), line.get("power")),
            "fqdn": _fqdn(line.get("fqdn")),
            "cpu_cores": line.get("cpus"),
            "ram_mib": line.get("memory"),
            "address": _address([line.get("address"), *(part.get("address") for part in parts["vNetwork"])]),
            "mac": "|".join(part.get("mac") for part in parts["vNetwork"]),
            "os_name": line.get("os_tools") or line.get("os_config"),
            "hypervisor": line.get("host"),
            "cluster": line.get("cluster"),
            "site": line.get("datacenter"),
            "uuid": line.get("uuid"),
            "note": line.get("annotation"),
        }
        try:
            sizes = {"disk_gib": _disk_gib(line, parts["vDisk"]), "disk_used_gib": _used_gib(line, parts["vPartition"])}
        except ExpectedError as wrong:
            return (refusal_of(wrong, place, line.row),)
        cells = {**said, **sizes}
        return observed(claim, name, (Cell(field=one, raw=raw, column=one) for one, raw in cells.items()))


def _sheet(name: str, rows: Sequence[tuple[int, Cells]]) -> _Sheet:
    """The rows by the meaning of their headings; of two headings with one meaning the first counts."""
    if not rows:
        return _Sheet()
    headings = tuple(_text(cell) for cell in rows[0][1])
    columns: dict[str, str] = {}
    positions: dict[int, str] = {}
    for at, heading in enumerate(headings):
        meaning = _COLUMNS.get(_bare(heading, name))
        if meaning and meaning not in columns:
            columns[meaning], positions[at] = heading, meaning
    lines: list[_Line] = []
    for number, cells in rows[1:]:
        row = tuple(_text(cell) for cell in cells)
        said = {meaning: row[at] for at, meaning in positions.items() if at < len(row) and row[at]}
        lines.append(_Line(number=number, row=row, said=said))
    return _Sheet(headings=headings, columns=columns, lines=tuple(lines))


def _bare(heading: str, sheet: str) -> str:
    """The heading without the sheet's name before it, unit, case and punctuation."""
    letters = re.sub(r"[^a-z0-9#]", "", heading.casefold())
    if letters.startswith(sheet.casefold()):
        letters = letters.removeprefix(sheet.casefold())
    return re.sub(r"(mib|mb)$", "", letters)


def _text(cell: object) -> str:
    if isinstance(cell, bool):
        return "True" if cell else "False"
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < 1e15:
        return str(int(cell))
    return str(cell).strip()


def _skipped(line: _Line) -> str:
    """What a row is that stands for no machine to move; empty when it is one."""
    if line.get("template").casefold() in ("true", "1"):
        return "a template"
    return "a placeholder of Site Recovery Manager" if line.get("placeholder").casefold() in ("true", "1") else ""


def _same_name(sheet: _Sheet, line: _Line) -> RowRefused:
    name = name_key(line.get("vm"))
    rows = [str(one.number) for one in sheet.lines if name_key(one.get("vm")) == name and not _skipped(one)]
    return RowRefused(why=f"the name {line.get('vm')[:80]!r} stands in rows {', '.join(rows[:10])}")


def _by_machine(machines: _Sheet, parts: _Sheet) -> dict[int, list[_Line]]:
    """Row of the machine in vInfo -> its rows in the other sheet, joined by the best key that both sheets have."""
    for key in ("vm_id", "uuid", "vm"):
        if key in machines.columns and key in parts.columns:
            break
    else:
        return {}
    # Names repeat between data centres, ids do not; the place only tells namesakes apart.
    second = "datacenter" if key == "vm" and {"datacenter"} <= machines.columns.keys() & parts.columns.keys() else ""
    found: dict[tuple[str, str], list[_Line]] = defaultdict(list)
    for line in parts.lines:
        found[name_key(line.get(key)), line.get(second)].append(line)
    return {line.number: found.get((name_key(line.get(key)), line.get(second)), []) for line in machines.lines}


def _fqdn(text: str) -> str:
    return "" if text.casefold().startswith(_NO_NAME) else text


def _address(candidates: Iterable[str]) -> str:
    """The first address that can be reached from elsewhere; what is no address at all is left to be refused."""
    for text in candidates:
        for part in re.split(r"[,;\s]+", text) if re.fullmatch(r"[0-9A-Fa-f.:,;\s]+", text) else [text]:
            try:
                if part and not unreachable_because(ipaddress.ip_address(part)):
                    return part
            except ValueError:
                return part
    return ""


def _disk_gib(line: _Line, disks: Sequence[_Line]) -> object:
    """Capacity of all disks; without vDisk what vInfo says. Raises InvalidValue."""
    sizes = [parse_number("disk_gib", one.get("capacity")) for one in disks if one.get("capacity")]
    if not sizes:
        said = line.get("total") or line.get("provisioned")
        sizes = [parse_number("disk_gib", said)] if said else []
    return round(sum(sizes) / 1024, 3) if sizes else None


def _used_gib(line: _Line, partitions: Sequence[_Line]) -> object:
    """Space in use on all partitions; without vPartition what vInfo says. Raises InvalidValue."""
    sizes = [parse_number("disk_used_gib", one.get("consumed")) for one in partitions if one.get("consumed")]
    if not sizes and line.get("used"):
        sizes = [parse_number("disk_used_gib", line.get("used"))]
    return round(sum(sizes) / 1024, 3) if sizes else None
