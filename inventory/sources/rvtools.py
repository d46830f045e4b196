"""An RVTools export (.xlsx): a sheet per topic, headings in row 1, joined by VM id or UUID, else by name and place.

Read are vInfo (one row per virtual machine), vDisk, vPartition and vNetwork; for what stands in the way of moving also
vSnapshot, vCD, vUSB, vFloppy and vTools; for what the machines stand on vHost, vCluster, vDatastore, vHealth, vCPU and
vMemory. Headings of RVTools 3 and 4 and of tools that prefix them with the name of the
sheet (``vInfoVMName``) are understood; MB and MiB are the same unit there.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from inventory.errors import ExpectedError, because
from inventory.model import AssetKind, name_key
from inventory.observation import Observation, Place, Reading, Refusal, refusal_of
from inventory.sources.gathering import Gathering
from inventory.sources.limits import RowRefused, SheetMissing, TooMuch
from inventory.sources.records import Cell, Claim, mentioned, observed
from inventory.sources.rvtools_estate import GROUND, ground_of, take_hosts
from inventory.sources.rvtools_parts import fqdn_of, said_by_parts
from inventory.sources.rvtools_sheet import Line, Sheet, by_machine, sheet_of
from inventory.sources.sheet_check import MAX_SHEET_ROWS
from inventory.sources.sheet_stream import has_sheet
from inventory.sources.workbook import read_sheets

_PARTS = ("vDisk", "vPartition", "vNetwork", "vSnapshot", "vCD", "vUSB", "vFloppy", "vTools")
_NAMED = {"site": AssetKind.SITE}
_POWER = {"poweredon": "on", "poweredoff": "off", "suspended": "suspended"}


class RvTools:
    """A workbook exported by RVTools from a vCenter."""

    name = "rvtools"

    def recognises(self, path: Path) -> bool:
        """Whether it is a workbook with a sheet vInfo."""
        return has_sheet(path, "vInfo")

    def read(self, path: Path) -> Reading:
        """Every virtual machine of vInfo. Raises ExpectedError."""
        wanted = ("vInfo", *_PARTS, *GROUND)
        sheets = {name: sheet_of(name, rows) for name, rows in read_sheets(path, wanted).items()}
        machines = sheets.get("vInfo", Sheet())
        if "vm" not in machines.columns:
            raise SheetMissing(file=path, missing="sheet vInfo with a column VM")
        if len(machines.lines) >= MAX_SHEET_ROWS:
            raise TooMuch(file=path, found=len(machines.lines), what="machines", limit=MAX_SHEET_ROWS - 1)
        parts = {name: by_machine(machines, sheets.get(name, Sheet())) for name in _PARTS}
        ground = ground_of(machines, sheets)
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
            about = {name: rows.get(line.number, []) for name, rows in parts.items()}
            taken = self._taken(place, machines, line, {**about, **ground[line.number]})
            if isinstance(taken, Observation):
                observations.append(taken)
            else:
                refusals += taken
        hosts = Gathering(path, self.name)
        take_hosts(hosts, machines, sheets)
        observations += hosts.observations
        return Reading(
            source=self.name,
            observations=(*mentioned(observations, _NAMED), *observations),
            refusals=(*refusals, *hosts.refusals),
            headings=machines.headings,
            notes=(*notes, *hosts.notes),
        )

    def _taken(
        self, place: Place, sheet: Sheet, line: Line, parts: Mapping[str, Sequence[Line]]
    ) -> Observation | tuple[Refusal, ...]:
        claim = Claim(kind=AssetKind.VM, place=place, source=self.name, row=line.row)
        name = Cell(field="name", raw=line.get("vm"), column=sheet.columns["vm"])
        said = {
            "power": _POWER.get(line.get("power").casefold(), line.get("power")),
            "fqdn": fqdn_of(line.get("fqdn")),
            "cpu_cores": line.get("cpus"),
            "ram_mib": line.get("memory"),
            "os_name": line.get("os_tools") or line.get("os_config"),
            "hypervisor": line.get("host"),
            "cluster": line.get("cluster"),
            "site": line.get("datacenter"),
            "uuid": line.get("uuid"),
            "note": line.get("annotation"),
        }
        try:
            cells = {**said, **said_by_parts(sheet, line, parts)}
        except ExpectedError as wrong:
            return (refusal_of(wrong, place, line.row),)
        listed = (Cell(field=one, raw=raw, column=one) for one, raw in cells.items() if raw != ())
        taken = observed(claim, name, listed)
        # A VM ID names the machine for ever, but only within its vCenter.
        own = f"{line.get('server')}/{line.get('vm_id')}" if line.get("server") and line.get("vm_id") else ""
        return replace(taken, source_id=own[:300]) if isinstance(taken, Observation) and own.isprintable() else taken


def _skipped(line: Line) -> str:
    """What a row is that stands for no machine to move; empty when it is one."""
    if line.get("template").casefold() in ("true", "1"):
        return "a template"
    return "a placeholder of Site Recovery Manager" if line.get("placeholder").casefold() in ("true", "1") else ""


def _same_name(sheet: Sheet, line: Line) -> RowRefused:
    name = name_key(line.get("vm"))
    rows = [str(one.number) for one in sheet.lines if name_key(one.get("vm")) == name and not _skipped(one)]
    return RowRefused(why=because("the name {a!r} stands in rows {b}", a=line.get("vm")[:80], b=", ".join(rows[:10])))
