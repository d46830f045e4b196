"""Azure Migrate: the CSV by which servers are imported there, and the discovery report (.xlsx) that comes out of it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from pathlib import Path

from inventory.errors import because
from inventory.model import AssetKind
from inventory.observation import Place, Reading
from inventory.sources.csv_table import TableRow, csv_table, has_headings, heading_key
from inventory.sources.foreign_json import number
from inventory.sources.gathering import Gathering
from inventory.sources.hardware import day_of, first_address, machine_kind_of, real_macs, size_text
from inventory.sources.limits import BrokenFile, RowRefused, TooMuch
from inventory.sources.sheet_stream import has_sheet, open_book

MAX_SERVERS = 20_000
"""What Azure's own reader takes per file."""
REPORT = "Discovery_Report"
_DISK = re.compile(r"disk ([0-9]{1,3}) size \(in gb\)")
_FIRMWARE = {"bios": "bios", "uefi": "efi", "efi": "efi"}
_POWER = {"on": "on", "off": "off", "poweredon": "on", "poweredoff": "off"}


class AzureCsv:
    """The template for servers, filled in."""

    name = "azure-migrate-csv"

    def recognises(self, path: Path) -> bool:
        """Whether its required headings stand in it."""
        return has_headings(path, "server name", "cores", "os name")

    def read(self, path: Path) -> Reading:
        """Every server. Raises ExpectedError."""
        table = csv_table(path, "server name", "cores", "os name")
        found = Gathering(path, self.name, headings=table.headings)
        _each(found, table.rows(), _server)
        return found.reading()


class AzureReport:
    """The report of a discovery."""

    name = "azure-migrate-report"

    def recognises(self, path: Path) -> bool:
        """Whether it is a workbook with the report's sheet."""
        return has_sheet(path, REPORT)

    def read(self, path: Path) -> Reading:
        """Every machine of the report. Raises ExpectedError."""
        book = open_book(path)
        sheet = next((one for one in book.sheets if one.casefold() == REPORT.casefold()), "")
        if not sheet:
            raise BrokenFile(place=Place(file=str(path)), why=because("it has no sheet {a}", a=REPORT))
        rows = book.rows(sheet)
        _number, headings = next(rows, (0, ()))
        keys = [heading_key(one) for one in headings]
        if "machine name" not in keys:
            raise BrokenFile(
                place=Place(file=str(path)), why=because("its sheet {a} has no column Machine Name", a=REPORT)
            )
        found = Gathering(path, self.name, headings=headings)
        lines = (TableRow(number=number_, cells=dict(zip(keys, row, strict=False)), row=row) for number_, row in rows)
        _each(found, lines, _machine)
        return found.reading()


def _each(found: Gathering, rows: Iterable[TableRow], take: Callable[[Gathering, TableRow], None]) -> None:
    for count, row in enumerate(rows, start=1):
        if count > MAX_SERVERS:
            raise TooMuch(file=found.path, found=f"more than {MAX_SERVERS}", what="servers", limit=MAX_SERVERS)
        take(found, row)


def _server(found: Gathering, row: TableRow) -> None:
    name = row.get("server name")
    disks = {int(at[1]): number(cell) for key, cell in row.cells.items() if cell and (at := _DISK.fullmatch(key))}
    system, version = row.get("os name"), row.get("os version")
    memory = number(row.get("memory (in mb)")) or number(row.get("memory (in gb)")) * 1024
    said = {
        "address": first_address(re.split(r"[;,\s]+", row.get("ip addresses", "ip address"))),
        "mac": real_macs(("", one) for one in re.split(r"[;,\s]+", row.get("mac address", "mac addresses"))),
        "cpu_cores": number(row.get("cores")) or None,
        "ram_mib": round(memory) or None,
        "os_name": system if not version or version in system else f"{system} {version}",
        "os_version": version,
        "arch": row.get("os architecture"),
        "hypervisor": "",
        "firmware": _FIRMWARE.get(row.get("boot type", "firmware type").casefold(), ""),
        "disk_gib": round(sum(disks.values()), 3) or None,
        "disk_used_gib": number(row.get("storage in use (in gb)")) or None,
        "disks": [size_text(f"disk {at}", size_mib=size * 1024) for at, size in sorted(disks.items())],
        "tags": [f"hypervisor={row.get('hypervisor')}"] if row.get("hypervisor") else [],
    }
    is_virtual = row.get("server type").casefold().startswith("virtual") or bool(row.get("hypervisor"))
    kind = AssetKind.VM if is_virtual else machine_kind_of(system=f"{system} server")
    found.asset(kind, name, said, place=found.spot(row.number, row.row))


def _machine(found: Gathering, row: TableRow) -> None:
    name = row.get("machine name")
    if not name:
        found.refuse(RowRefused(why="it has no machine name"), found.place(row.number), row.row)
        return
    origin = row.get("machine id").casefold()
    is_physical = "serversites" in origin
    said = {
        "address": first_address(_inside(row.get("ip addresses"))),
        "mac": real_macs(("", one) for one in _inside(row.get("mac addresses"))),
        "cpu_cores": number(row.get("cores")) or None,
        "ram_mib": round(number(row.get("memory (in mb)"))) or None,
        "os_name": row.get("operating system"),
        "firmware": _FIRMWARE.get(row.get("boot type").casefold(), ""),
        "power": _POWER.get(row.get("power stats", "power status").casefold(), ""),
        "environment": row.get("environment"),
        "last_seen": day_of(row.get("last updated time")),
        "services": list(_services(row)),
    }
    kind = machine_kind_of(system=f"{row.get('operating system')} server") if is_physical else AssetKind.VM
    found.asset(kind, name, said, place=found.spot(row.number, row.row, origin))


def _inside(text: str) -> list[str]:
    """The parts of ``[a,b];``."""
    return [part for part in re.split(r"[\[\],;\s]+", text) if part]


def _services(row: TableRow) -> Iterable[str]:
    if number(row.get("sql discovery server count")) > 0 or row.get("is sql service present") in ("ja", "True", "true"):
        yield "SQL Server"
    if number(row.get("web applications count")) > 0:
        yield f"{int(number(row.get('web applications count')))} web applications"
