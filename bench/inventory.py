"""How much memory and time it takes to read lists: ``python -m bench.inventory [--rows 100000]``.

Each measurement runs in a process of its own, whose peak memory is its answer. Small by default; the claims in
docs/formats.md are made with ``--rows 100000``.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

HEADINGS = (
    "Rechnername", "Standort", "Fachbereich", "Betriebssystem", "Hauptspeicher (GB)", "Festplatte (GB)", "CPU",
    "IP-Adresse", "MAC-Adresse", "Inventar-Nr.", "Anschaffungsdatum", "Anschaffungswert (€)", "Verfahren", "Bemerkung",
)  # fmt: skip
NAMESPACE = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006/relationships"
DECLARED_ROWS, FILLED_ROWS = 1_048_576, 8
MOST_MIB = 300


def cells_of(number: int) -> tuple[str | float, ...]:
    """One machine as an office writes it; every text differs, so nothing is shared."""
    high, middle, low = number >> 16 & 255, number >> 8 & 255, number & 255
    return (
        f"apc-{number:06d}", f"Rathaus {number % 40}", f"Amt {number % 60}", "Windows 7 Professional x64", 8, 119.5, 4,
        f"10.{high}.{middle}.{low}", f"00:0a:{high:02x}:{middle:02x}:{low:02x}:00", f"INV-{number}", "06.05.2012",
        1890.5, f"Verfahren {number % 90}", f"Bemerkung {number}",
    )  # fmt: skip


def sheet_rows(rows: int) -> Iterator[str]:
    """The rows of a sheet as XML."""
    yield _row(1, HEADINGS)
    for number in range(2, rows + 2):
        yield _row(number, cells_of(number))


def padded_rows() -> Iterator[str]:
    """Eight filled rows, and formatted empty ones down to the last that a sheet can have."""
    yield from sheet_rows(FILLED_ROWS - 1)
    for number in range(FILLED_ROWS + 1, DECLARED_ROWS + 1):
        yield f'<row r="{number}"><c r="A{number}" s="1"/></row>'


def _row(number: int, cells: tuple[str | float, ...]) -> str:
    written = (
        f'<c r="{chr(65 + at)}{number}" t="inlineStr"><is><t>{cell}</t></is></c>'
        if isinstance(cell, str)
        else f'<c r="{chr(65 + at)}{number}"><v>{cell}</v></c>'
        for at, cell in enumerate(cells)
    )
    return f'<row r="{number}">{"".join(written)}</row>'


def write_workbook(path: Path, rows: Iterator[str]) -> None:
    """A workbook with one sheet of these rows."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr(
            "xl/workbook.xml",
            f'<workbook xmlns="{NAMESPACE}" xmlns:r="{RELATIONS}"><sheets>'
            '<sheet name="Liste" sheetId="1" r:id="rId1"/></sheets></workbook>',
        )
        archive.writestr(
            "xl/_rels/workbook.xml.rels",
            f'<Relationships xmlns="{PACKAGE}"><Relationship Id="rId1" Type="{RELATIONS}/worksheet" '
            'Target="worksheets/sheet1.xml"/></Relationships>',
        )
        with archive.open("xl/worksheets/sheet1.xml", "w") as part:
            part.write(f'<?xml version="1.0" encoding="UTF-8"?><worksheet xmlns="{NAMESPACE}"><sheetData>'.encode())
            for row in rows:
                part.write(row.encode())
            part.write(b"</sheetData></worksheet>")


def write_csv(path: Path, rows: int) -> None:
    """The same list as text, in Windows-1252."""
    with path.open("w", encoding="cp1252", newline="\r\n") as opened:
        opened.write(";".join(HEADINGS) + "\n")
        for number in range(2, rows + 2):
            opened.write(";".join(str(cell).replace(".5", ",5") if isinstance(cell, float) else str(cell)
                                  for cell in cells_of(number)) + "\n")  # fmt: skip


def measured(path: Path) -> str:
    """Rows read, seconds of CPU, peak MiB of a fresh process that reads the file."""
    call = [sys.executable, "-m", "bench.inventory", "--read", str(path)]
    return subprocess.run(call, check=True, capture_output=True, text=True).stdout.strip()


def read(path: Path) -> str:
    """Read the file in this process and say what it took."""
    from inventory.sources import read_file

    start = time.process_time()
    reading = read_file(path)
    seconds, peak = time.process_time() - start, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    machines = sum(1 for one in reading.observations if one.kind.value in ("workstation", "server"))
    return f"{machines:>8} machines  {len(reading.refusals)} refused  {seconds:6.1f} s CPU  {peak:6.0f} MiB peak"


def main() -> int:
    """Measure each; fails when a list of any length needs more than 300 MiB."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=5_000)
    parser.add_argument("--read", type=Path)
    options = parser.parse_args()
    if options.read:
        print(read(options.read))
        return 0
    worst = 0.0
    with tempfile.TemporaryDirectory() as folder:
        listed, padded, text = (Path(folder) / name for name in ("list.xlsx", "padded.xlsx", "list.csv"))
        write_workbook(listed, sheet_rows(options.rows))
        write_workbook(padded, padded_rows())
        write_csv(text, options.rows)
        for words, path in ((f"{options.rows} rows, .xlsx", listed), (f"{options.rows} rows, .csv", text),
                            (f"{DECLARED_ROWS} rows declared, {FILLED_ROWS} filled", padded)):  # fmt: skip
            answer = measured(path)
            worst = max(worst, float(answer.split()[-3]))
            print(f"{words:40} {answer}")
    return 1 if worst > MOST_MIB else 0


if __name__ == "__main__":
    sys.exit(main())
