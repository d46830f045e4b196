"""AWS Cloud Migration Factory: the intake form (CSV) with servers or databases, and the servers of its database (JSON).

Applications become procedures on their servers. Waves planned there, accounts and subnets are kept as tags at most:
Kahn plans its own waves.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from inventory.model import AssetKind
from inventory.observation import Reading
from inventory.sources.csv_table import TableRow, csv_table, has_headings
from inventory.sources.foreign_json import Entry, document_of, entries, has_keys, json_start, text
from inventory.sources.gathering import Gathering
from inventory.sources.hardware import full_name, machine_kind_of, real_name, short_name
from inventory.sources.limits import RowRefused

_STRATEGIES = {
    "retire": "retire", "retain": "retain", "relocate": "relocate", "rehost": "rehost", "repurchase": "replace",
    "replatform": "replatform", "rearchitect": "refactor", "refactor": "refactor",
}  # fmt: skip
_DATABASES_OF = ("database_name", "app_name")
_FORMS = (("server_name", "app_name"), ("server_name", "server_os_family"), _DATABASES_OF)
_KEPT = ("wave_name", "server_tier", "instancetype", "tenancy")


class MigrationFactory:
    """Servers with their applications."""

    name = "aws-migration-factory"

    def recognises(self, path: Path) -> bool:
        """Whether the names of its attributes stand in it."""
        start = json_start(path)
        if start:
            return has_keys(start, "server_name", "server_os_family") or has_keys(start, "r_type", "server_id")
        return any(has_headings(path, *some) for some in _FORMS)

    def read(self, path: Path) -> Reading:
        """Every server. Raises ExpectedError."""
        if not json_start(path):
            if not has_headings(path, "server_name"):
                return _databases(path, self.name)
            table = csv_table(path, "server_name")
            found = Gathering(path, self.name, headings=table.headings)
            for row in table.rows():
                _take(found, row.number, dict(row.cells), row.row)
            return found.reading()
        found = Gathering(path, self.name, headings=("server_name",))
        for number, one in enumerate(entries(document_of(path)), start=1):
            plain = {str(key).casefold(): _plain(value) for key, value in one.items()}
            _take(found, number, plain, (text(plain.get("server_name")),))
        return found.reading()


def _databases(path: Path, source: str) -> Reading:
    """The form's databases, one a row, as those of their applications."""
    table = csv_table(path, *_DATABASES_OF)
    found = Gathering(path, source, headings=table.headings)
    of: dict[str, list[str]] = defaultdict(list)
    rows: dict[str, TableRow] = {}
    for row in table.rows():
        name, application = "_".join(row.get("database_name").split()), row.get("app_name")
        if not name or not application or "@" in name:
            why = "the name of the database or of its application is missing, or it holds an @"
            found.refuse(RowRefused(why=why), found.place(row.number), row.row)
            continue
        rows.setdefault(application, row)
        of[application].append(f"{row.get('database_type').replace('@', ' ')} {name}".strip())
    for application, databases in of.items():
        spot = found.spot(rows[application].number, rows[application].row)
        found.asset(AssetKind.PROCEDURE, application, {"databases": databases}, place=spot)
    return found.reading()


def _plain(value: Any, depth: int = 6) -> Any:
    """DynamoDB's typed JSON as plain JSON: ``{"S": "x"}`` is ``x``."""
    if depth and isinstance(value, dict) and len(value) == 1:
        kind, inner = next(iter(value.items()))
        if kind in ("S", "N", "BOOL"):
            return inner
        if kind == "L" and isinstance(inner, list):
            return [_plain(one, depth - 1) for one in inner]
        if kind == "M" and isinstance(inner, dict):
            return {key: _plain(one, depth - 1) for key, one in inner.items()}
    return value


def _take(found: Gathering, number: int, said: Entry, row: tuple[str, ...]) -> None:
    name, fqdn = real_name(text(said.get("server_name"))), real_name(text(said.get("server_fqdn")))
    family, version = text(said.get("server_os_family")), text(said.get("server_os_version"))
    system = version if family.casefold() in version.casefold() else f"{family} {version}".strip()
    application = text(said.get("app_name"))
    values = {
        "fqdn": full_name(fqdn),
        "os_name": system,
        "environment": text(said.get("server_environment")),
        "procedures": [application] if application else [],
        "strategy": _STRATEGIES.get(text(said.get("r_type")).casefold(), ""),
        "tags": list(_tags(said)),
    }
    kind = machine_kind_of(system=f"{system} server")
    found.asset(kind, short_name(name), values, place=found.spot(number, row))


def _tags(said: Entry) -> Iterator[str]:
    for key in _KEPT:
        if text(said.get(key)):
            yield f"{key}={text(said.get(key))}"
    tags = said.get("tags")
    for one in re.split(r";", tags) if isinstance(tags, str) else []:
        if one.strip():
            yield one.strip()
    for entry in entries(tags) if isinstance(tags, list) else []:
        if text(entry.get("key")):
            yield f"{text(entry.get('key'))}={text(entry.get('value'))}"
