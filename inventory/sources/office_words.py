"""What German offices write over the columns of their machine lists, in cells that say nothing, and under the list."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from types import MappingProxyType

from inventory.mapping import KIND, KIND_OR_MODEL, NAME, PERSON

_SYNONYMS: Mapping[str, str] = MappingProxyType(
    {
        NAME: "rechnername hostname gerätename computername servername pcname name rechner gerät maschine "
        "bezeichnungrechner systemname",
        KIND: "geräteart gerätetyp geräteklasse art kategorie rechnertyp systemtyp",
        KIND_OR_MODEL: "typ",
        PERSON: "nutzer benutzer user anwender mitarbeiter mitarbeiterin hauptnutzer letzternutzer ansprechpartner",
        "site": "standort liegenschaft gebäude ort haus dienstort",
        "department": "amt fachbereich oe organisationseinheit abteilung dienststelle fachdienst",
        "title": "bezeichnung beschreibung",
        "note": "bemerkung bemerkungen notiz notizen kommentar anmerkung anmerkungen hinweis",
        "building": "gebäudeteil trakt hausnr",
        "room": "raum zi zimmer raumnummer raumnr zimmernummer",
        "procedures": "verfahren fachverfahren anwendung anwendungen fachanwendung",
        "address": "ipadresse ip ipv4 ipv4adresse ipadressen",
        "fqdn": "dnsname fqdn dns",
        "mac": "macadresse mac macadressen hardwareadresse",
        "serial": "seriennummer sn seriennr serial",
        "uuid": "uuid",
        "asset_tag": "inventarnr invnr inventarnummer inventar anlagennummer anlagennr",
        "vendor": "hersteller",
        "model": "modell modellbezeichnung gerätemodell",
        "os_name": "betriebssystem os system",
        "cpu_cores": "cpu cpus kerne cpukerne prozessorkerne anzahlcpu vcpu cores",
        "ram_mib": "hauptspeicher ram arbeitsspeicher speicher memory",
        "disk_gib": "festplatte festplattengröße festplatten hdd ssd platte plattengröße festplattenkapazität",
        "disk_used_gib": "festplattebelegt belegt belegterspeicher",
        "rack_units": "höheneinheiten he bauhöhe",
        "databases": "datenbank datenbanken",
        "hypervisor": "wirt esxhost vmhost",
        "cluster": "cluster",
        "purchased": "anschaffungsdatum kaufdatum beschafft beschaffungsdatum anschaffung",
        "cost_eur": "anschaffungswert kaufpreis anschaffungspreis anschaffungskosten preis wert",
        "successor": "nachfolgegerät nachfolger ersatzgerät neuesgerät",
        "users": "nutzerzahl anzahlnutzer",
    }
)
FIELD_OF: Mapping[str, str] = MappingProxyType(
    {word: field for field, words in _SYNONYMS.items() for word in words.casefold().split()}
)
SIZE_FIELDS: Mapping[str, float] = MappingProxyType({"ram_mib": 1024.0, "disk_gib": 1.0, "disk_used_gib": 1.0})
"""Fields that hold a size, and how many of the field's unit make one GiB."""
GIB_PER_UNIT: Mapping[str, float] = MappingProxyType(
    {"mb": 1 / 1024, "mib": 1 / 1024, "gb": 1.0, "gib": 1.0, "tb": 1024.0, "tib": 1024.0}
)
SILENT = frozenset(
    {"-", "--", "---", "?", "/", ".", "k.a.", "k. a.", "ka", "n/a", "n.a.", "na", "unbekannt", "keine", "keins", "leer",
     "#nv", "#n/a", "#wert!", "#bezug!", "#ref!", "#name?", "#div/0!", "null", "none", "n.n.", "offen"}
)  # fmt: skip
"""Cells that say no more than an empty one."""
_BUILDING_WORDS = frozenset({"gebäude", "haus"})
_UNIT = re.compile(r"\b(mi?b|gi?b|ti?b)\b", re.IGNORECASE)
_TOTALS = re.compile(r"(zwischen|gesamt)?summe|gesamt(anzahl|zahl|wert)?|insgesamt|anzahl|total", re.IGNORECASE)
_FOOTER = re.compile(r"stand\b|quelle\b|erstellt\b|hinweis\b|legende\b|seite \d|ende der liste|\*", re.IGNORECASE)


def bare_heading(heading: str) -> str:
    """The heading without unit, punctuation, blanks and case: ``Hauptspeicher (GB)`` becomes ``hauptspeicher``."""
    without_brackets = re.sub(r"[(\[].*?[)\]]", " ", heading.casefold())
    without_unit = re.sub(r"\bin\s+(mi?b|gi?b|ti?b|eur|euro|€)|(€|\beur\b|\beuro\b)", " ", without_brackets)
    return re.sub(r"[^\wäöüß]|_", "", _UNIT.sub(" ", without_unit))


def field_of(heading: str) -> str | None:
    """The field, or NAME, KIND or PERSON, that stands under the heading; None for an unknown one."""
    return FIELD_OF.get(bare_heading(heading))


def fields_of(headings: Iterable[str]) -> dict[str, str]:
    """The field of each known heading: where another column names the site, ``Gebäude`` is a building of it."""
    found = {heading: field for heading in headings if (field := field_of(heading))}
    others = [one for one, field in found.items() if field == "site" and bare_heading(one) not in _BUILDING_WORDS]
    if others:
        found |= {one: "building" for one in found if bare_heading(one) in _BUILDING_WORDS}
    return found


def unit_in(text: str) -> str | None:
    """The unit of size named in a heading or cell, in lower case."""
    found = _UNIT.search(re.sub(r"(?<=\d)(?=[a-zA-Z])", " ", text))
    return found[1].casefold() if found else None


def is_totals(cell: str) -> bool:
    """Whether a row that begins with this cell sums up others: ``Summe:``, ``Gesamt``, ``Anzahl 40``."""
    found = _TOTALS.match(cell)
    return found is not None and not re.match(r"[\w-]", cell[found.end() : found.end() + 1])


def is_footer(cell: str) -> bool:
    """Whether a cell standing alone in its row is a remark under the list."""
    return _FOOTER.match(cell) is not None
