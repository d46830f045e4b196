"""Computers of a Windows directory: ``Get-ADComputer | Export-Csv`` or ``csvde``.

The organisational unit is taken for the department, the nearest one that names no sort of machine. The object's GUID is
the directory's name for it, not the machine's UUID; SIDs and account names are not taken.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

from inventory.errors import because
from inventory.model import AssetKind
from inventory.observation import Reading
from inventory.sources.csv_table import TableRow, csv_table, has_headings
from inventory.sources.gathering import Gathering
from inventory.sources.hardware import day_of, first_address, full_name, real_name
from inventory.sources.kind_words import kind_by_system
from inventory.sources.limits import RowRefused

_UNIT = re.compile(r"OU=((?:[^,\\]|\\.)*)", re.IGNORECASE)
_TECHNICAL = re.compile(
    r"computers?|clients?|pcs?|workstations?|desktops?|laptops?|notebooks?|servers?|member ?servers?"
    r"|domain controllers?|rechner|arbeitspl[aä]tze?|arbeitsstationen|ger[aä]te|hardware|windows.*|win ?\d+"
    r"|deaktiviert.*|disabled.*|thin ?clients?|terminals?|standard|default|managed|inaktiv|alt|neu",
    re.IGNORECASE,
)
_FILETIME_DAY, _FILETIME_EPOCH = 864_000_000_000, datetime(1601, 1, 1, tzinfo=UTC)
_GERMAN_TIME = re.compile(r"([0-9]{1,2})\.([0-9]{1,2})\.([0-9]{4})\b")
_AMERICAN_TIME = re.compile(r"([0-9]{1,2})/([0-9]{1,2})/([0-9]{4}) .*[AP]M", re.IGNORECASE)


class AdComputers:
    """A directory's computer objects."""

    name = "ad-computers"

    def recognises(self, path: Path) -> bool:
        """Whether the headings of a directory export stand in it."""
        return has_headings(path, "distinguishedname", "name") or has_headings(path, "dn", "objectclass")

    def read(self, path: Path) -> Reading:
        """Every computer. Raises ExpectedError."""
        key = "distinguishedname" if has_headings(path, "distinguishedname") else "dn"
        table = csv_table(path, key)
        found = Gathering(path, self.name, headings=table.headings)
        for row in table.rows():
            _take(found, row)
        return found.reading()


def _take(found: Gathering, row: TableRow) -> None:
    place = found.place(row.number)
    kind_of_object = row.get("objectclass").casefold()
    if kind_of_object and "computer" not in kind_of_object:
        found.refuse(RowRefused(why=because("it is a {a}, no computer", a=kind_of_object[:40])), place, row.row)
        return
    fqdn = real_name(row.get("dnshostname"))
    name = real_name(row.get("name", "cn")) or fqdn.split(".")[0] or row.get("samaccountname").rstrip("$")
    system, units = row.get("operatingsystem"), _units(row.get("distinguishedname", "dn"))
    is_controller = any(one.casefold() == "domain controllers" for one in units)
    said = {
        "fqdn": full_name(fqdn),
        "department": next((one for one in units if not _TECHNICAL.fullmatch(one)), ""),
        "title": row.get("description"),
        "note": row.get("info", "comment"),
        "room": row.get("location"),
        "address": first_address([row.get("ipv4address"), row.get("ipv6address")]),
        "os_name": system,
        "os_version": row.get("operatingsystemversion"),
        "last_seen": _day(row.get("lastlogondate", "lastlogontimestamp", "lastlogon")),
        "lifecycle": "disabled in the directory" if _is_disabled(row) else "",
    }
    kind = AssetKind.SERVER if is_controller else kind_by_system(system)
    found.asset(
        kind,
        name,
        said,
        place=found.spot(row.number, row.row, row.get("objectguid")),
        guessed_kind=not system and not is_controller,
    )


def _units(name: str) -> list[str]:
    """The organisational units of a distinguished name, the nearest first."""
    return [re.sub(r"\\(.)", r"\1", one).strip() for one in _UNIT.findall(name)]


def _is_disabled(row: TableRow) -> bool:
    flags = row.get("useraccountcontrol")
    return row.get("enabled").casefold() in ("false", "falsch") or (flags.isdigit() and bool(int(flags[:9]) & 2))


def _day(text: str) -> str:
    """The day of a logon: ISO, German, American with AM/PM, or a count of 100 ns since 1601."""
    if text.isdigit() and 17 <= len(text) <= 19:
        days = int(text) // _FILETIME_DAY
        return (_FILETIME_EPOCH + timedelta(days=days)).date().isoformat() if 0 < days < 300_000 else ""
    if found := _GERMAN_TIME.match(text):
        return f"{found[3]}-{int(found[2]):02d}-{int(found[1]):02d}"
    if found := _AMERICAN_TIME.match(text):
        return f"{found[3]}-{int(found[1]):02d}-{int(found[2]):02d}"
    return day_of(text)
