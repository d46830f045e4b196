"""Workbooks for tests: good ones by a spreadsheet library, bad ones part by part."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import openpyxl

Sheets = Mapping[str, Sequence[Sequence[object]]]
NAMESPACE = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
BOOK = (
    f'<workbook xmlns="{NAMESPACE}" xmlns:r="{RELATIONS}">'
    '<sheets><sheet name="vInfo" sheetId="1" r:id="rId1"/></sheets></workbook>'
)
PARTS = {
    "[Content_Types].xml": (
        '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
        '<Override PartName="/xl/workbook.xml"'
        ' ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/></Types>'
    ),
    "_rels/.rels": (
        '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
        f'<Relationship Id="rId1" Type="{RELATIONS}/officeDocument" Target="xl/workbook.xml"/></Relationships>'
    ),
    "xl/workbook.xml": BOOK,
    "xl/_rels/workbook.xml.rels": (
        '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
        f'<Relationship Id="rId1" Type="{RELATIONS}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>'
    ),
}


def a_workbook(folder: Path, sheets: Sheets, name: str = "export.xlsx") -> Path:
    """A workbook as a spreadsheet program writes it."""
    book = openpyxl.Workbook()
    book.remove(book.worksheets[0])
    for title, rows in sheets.items():
        sheet = book.create_sheet(title)
        for row in rows:
            sheet.append(list(row))
    book.save(folder / name)
    return folder / name


def a_sheet(rows: str) -> str:
    return f'<?xml version="1.0"?><worksheet xmlns="{NAMESPACE}"><sheetData>{rows}</sheetData></worksheet>'


def text_cell(place: str, text: str) -> str:
    return f'<c r="{place}" t="inlineStr"><is><t>{text}</t></is></c>'


def small_sheet(more: str = "") -> str:
    """vInfo with one machine, and whatever rows follow."""
    heading, machine = text_cell("A1", "VM"), text_cell("A2", "srv")
    return a_sheet(f'<row r="1">{heading}</row><row r="2">{machine}</row>{more}')


def parts_with(sheet: str, **more: str) -> dict[str, str]:
    return {**PARTS, "xl/worksheets/sheet1.xml": sheet, **{f"xl/{name}.xml": part for name, part in more.items()}}


def an_archive(folder: Path, parts: Mapping[str, str | bytes]) -> Path:
    """A workbook of exactly these parts."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, part in parts.items():
            archive.writestr(name, part)
    path = folder / "export.xlsx"
    path.write_bytes(packed.getvalue())
    return path
