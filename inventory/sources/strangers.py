"""Files that people do try to import but that are no inventory: recognised, and refused with what to export instead."""

from __future__ import annotations

import re
from pathlib import Path

from inventory.errors import ExpectedError
from inventory.observation import Reading
from inventory.sources.cells import decoded
from inventory.sources.limits import FileUnreadable, read_start

STRANGERS: tuple[tuple[str, str], ...] = (
    (
        r"# dmidecode ",
        "it is the output of dmidecode, without the machine's name; use an inventory of opsi or of GLPI's agent, or "
        "Ansible's facts",
    ),
    (
        r"Windows Registry Editor|REGEDIT4",
        "it is a part of a Windows registry; use an inventory of opsi or of GLPI's agent",
    ),
    (
        r"Arp(AlwaysSourceRoute|UseEtherSNAP)\s*=",
        "it is a WMI listing of network adapters; use an inventory of opsi or of GLPI's agent",
    ),
    (r"(<\?xml.{0,200})?<graphml", "it is a drawing of a graph; list dependencies in Kahn's own form"),
    (r'\{\s*"\$schema".{0,300}"\$id"', "it describes a format (a JSON schema); it is no inventory itself"),
    (
        r'\[\s*\{\s*"model":\s*"[a-z_.]+",\s*"(fields|pk)"',
        "it is a dump of a NetBox database; let Kahn read the running NetBox (docs/netbox.md)",
    ),
    (r"%PDF-", "it is a PDF; save the list itself as .csv or .xlsx"),
    (r"<!DOCTYPE html|<html", "it is a web page; export the list as .csv or .xlsx"),
)
_KNOWN = tuple((re.compile(pattern, re.IGNORECASE | re.DOTALL), why) for pattern, why in STRANGERS)


class Strangers:
    """Known files that say nothing Kahn could take in."""

    name = "no inventory"

    def recognises(self, path: Path) -> bool:
        """Whether it is one of them."""
        return bool(_why(path))

    def read(self, path: Path) -> Reading:
        """Never reads: raises FileUnreadable with what to do instead."""
        raise FileUnreadable(file=path, why=_why(path) or "it is no inventory")


def _why(path: Path) -> str:
    """Why the file is no inventory, by its first line or its first signs; empty when it may be one."""
    try:
        start = decoded(path, read_start(path), is_start=True).lstrip("\ufeff")[:2_000]
    except ExpectedError:
        return ""
    start = start.lstrip()
    return next((why for pattern, why in _KNOWN if pattern.match(start)), "")
