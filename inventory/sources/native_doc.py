"""The page that documents the native form, made from the fields themselves, with an example of every section."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from inventory.model import FIELDS, MACHINES, MAX_ATTRIBUTE_TEXT, MAX_ATTRIBUTES, DependencyKind, Field
from inventory.sources.limits import MAX_COLUMNS, MAX_FILE_BYTES, MAX_ROWS, MIB
from inventory.sources.native_form import SECTIONS, Section
from inventory.sources.town import section_csv, town_json

EXAMPLE: Mapping[str, Sequence[Mapping[str, Any]]] = MappingProxyType(
    {
        "sites": ({"name": "Rathaus Neumarkt", "title": "Rathaus mit Bürgeramt"}, {"name": "Bauhof"}),
        "departments": ({"name": "Bürgerservice"}, {"name": "Jugend, Schule, Sport"}),
        "machines": (
            {
                "name": "apc-0001", "kind": "workstation", "site": "Rathaus Neumarkt", "department": "Bürgerservice",
                "address": "10.20.1.11", "mac": ["02:0a:00:00:00:01"], "os_name": "Debian GNU/Linux 9",
                "ram_mib": 4096, "disk_gib": 120.5, "purchased": "2016-03-14", "cost_eur": "648.50",
                "successor": "apn-0001", "access": "seats",
            },
            {"name": "apn-0001", "kind": "workstation", "site": "Rathaus Neumarkt", "address": "10.20.9.11",
             "access": "seats"},
            {"name": "srv-ewo", "kind": "vm", "site": "Rathaus Neumarkt", "address": "srv-ewo.stadt.example",
             "cpu_cores": 4, "ram_mib": 16384},
            {"name": "tresor-1", "kind": "server", "site": "Bauhof", "address": "10.20.2.5", "role": "vault"},
        ),
        "seats": (
            {"name": "Bürgeramt 1.12 Platz 1", "site": "Rathaus Neumarkt", "department": "Bürgerservice",
             "building": "Haus B", "room": "1.12", "machine": "apc-0001",
             "procedures": ["Einwohnermeldewesen", "E-Mail"], "users": 1},
        ),
        "procedures": (
            {"name": "Einwohnermeldewesen", "department": "Bürgerservice", "protection": "hoch", "users": 180,
             "machines": ["srv-ewo"], "databases": ["PostgreSQL 9.6 ewo@srv-ewo"],
             "interfaces": ["Melderegister des Landes: XMeld über OSCI", "E-Mail: Benachrichtigungen"],
             "contact": "leitung-buergerservice", "strategy": "rehost"},
            {"name": "E-Mail", "users": 900, "strategy": "replace"},
        ),
        "dependencies": (
            {"from": "Einwohnermeldewesen", "needs": "E-Mail", "kind": "soft", "note": "Benachrichtigungen"},
            {"from": "procedure:Einwohnermeldewesen", "needs": "machine:srv-ewo", "kind": "hard"},
        ),
    }
)  # fmt: skip
_FORMS = {
    "text": "text",
    "integer": "whole number; `1024`, `1.024` and `1,024` are the same",
    "number": "number; `1.5` or `1,5`",
    "yes_no": "yes or no (ja, nein)",
    "list": "names separated by `|` (or by `,` where no `|` occurs); in JSON a list",
    "address": "IP address or DNS name",
    "mac": "hardware address",
    "mac_list": "hardware addresses separated by `,` or `|`; in JSON a list",
    "choice": "one of",
    "date": "`2026-12-31` or `31.12.2026`",
    "decimal": "amount; `1890.00` or `1.890,00`",
    "dns_name": "DNS name",
    "uuid": "UUID",
    "word": "a-z, 0-9, `-` and `_`",
    "contact": "a-z, 0-9, `.`, `-` and `_`",
    "host_key": "key type and base64, as in a `.pub` file",
}


def render() -> str:
    """The page docs/native-format.md."""
    return "\n".join(_lines()) + "\n"


def example_csv(section: Section) -> str:
    """An example file of the section."""
    return section_csv(section.columns, EXAMPLE[section.key])


def example_json() -> str:
    """The same example as one JSON document."""
    return town_json(EXAMPLE)


def _lines() -> Iterator[str]:
    yield from _INTRODUCTION
    for section in SECTIONS:
        yield from _section(section)
    yield from ("## JSON", "", "The same as one document, recognised by `kahn_inventory`:", "", "```json")
    yield example_json().rstrip("\n")
    yield "```"


def _section(section: Section) -> Iterator[str]:
    yield from (f"## {section.key}", "", f"First heading in CSV: `{section.heading}`.", "")
    yield from ("| column | German | means | written as |", "|---|---|---|---|")
    if not section.kinds:
        yield from _DEPENDENCY_ROWS
    else:
        yield f"| `{section.heading}` (in JSON `name`) | Name | its name, unique among {section.key} | required |"
    if section.kinds == MACHINES:
        yield f"| `kind` | Art | what sort of machine | required: {', '.join(sorted(MACHINES))} |"
    for name in section.fields:
        yield _row(FIELDS[name])
    yield from ("", "```csv", *example_csv(section).splitlines(), "```", "")


def _row(field: Field) -> str:
    form = _FORMS[field.type] + (f" {', '.join(field.choices)}" if field.choices else "")
    form = "texts separated by `|`; in JSON a list" if field.type == "list" and not field.refers_to else form
    form = "a known name" if field.refers_to and field.type == "text" else form
    return f"| `{field.name}` | {field.german} | {field.means} | {form} |"


_DEPENDENCY_ROWS = (
    "| `from` | | the asset that needs another | required: its name |",
    "| `needs` | | what it needs | required: its name |",
    f"| `kind` | Art | how strongly | required: {', '.join(DependencyKind)} |",
    "| `note` | Bemerkung | free text | text |",
)
_INTRODUCTION = (
    "# The native form of an inventory",
    "",
    "What every other system can be brought into: one CSV file per section, or one JSON document. Import with "
    "`kahn asset import FILE..`; files given together may refer to each other. `kahn town --out DIR` writes a whole "
    "example.",
    "",
    "- CSV: UTF-8, UTF-16 or Windows-1252; separated by `;`, `,` or tab; first row headings. The first heading says "
    "which section it is. Columns may stand in any order after the first and may be left out.",
    "- An empty cell says nothing: what is known stays. A value replaces what is known. Nothing is ever deleted by an "
    "import.",
    "- A name is compared without case and repeated blanks; `Bürgerbüro` is one name however its umlauts are coded.",
    "- A row is taken whole or not at all. Refused rows come back in `FILE.rejects.csv` with row, code, reason and "
    "remedy; corrected there, that file can be imported as it is. An unknown column is refused alone.",
    "- Whatever a row names (site, department, successor, machine, procedures) must be known or stand in the files "
    "imported with it.",
    "- Machine names: Latin letters, digits, blanks and `. _ - ( ) # +`, beginning with a letter, a digit or `_`. "
    "Other names: no `|`, `<`, `>`, `\\` and no template marks.",
    "- In `from` and `needs` a group may stand before the name where it is needed to tell namesakes apart: "
    "`machine:`, `procedure:`, `seat:`, `site:`, `department:`.",
    "- Besides these columns, every section but `dependencies` takes attributes of your own: a column (in JSON a key) "
    f"`attr.NAME`, such as `attr.kostenstelle` (a-z, 0-9, `_`), is kept as text of at most {MAX_ATTRIBUTE_TEXT} "
    f"characters; at most {MAX_ATTRIBUTES} a row.",
    f"- Limits: {MAX_FILE_BYTES // MIB} MiB a file, {MAX_ROWS} rows, {MAX_COLUMNS} columns, 2000 characters a cell.",
    "",
)
