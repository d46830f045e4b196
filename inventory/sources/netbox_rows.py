"""One row of NetBox to one observation or to refusals. Every value is a stranger's: parsed as if it stood in a file."""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from inventory.model import ATTRIBUTE, FIELDS, MAX_ATTRIBUTE_TEXT, MAX_ATTRIBUTES, AssetKind, is_attribute
from inventory.observation import Observation, Place, Refusal
from inventory.parsing import MAX_LIST
from inventory.sources.kind_words import kind_by_system, machine_kind
from inventory.sources.netbox_http import Row
from inventory.sources.records import Cell, Claim, observed
from inventory.tables import micros

DEVICE, VM, SITE = "dcim.device", "virtualization.virtualmachine", "dcim.site"
CUSTOM = ("department", "room", "purchased", "cost_eur", "users", "strategy", "uuid", "mac")
"""Custom fields that are taken under these very names; none that says how a machine is reached or trusted."""
OWN_FIELDS = ("mig_state", "mig_wave", "mig_uid", "replaced_by", "replaced_by_device")
"""Custom fields that Kahn writes; it never takes their values for its inventory, only notices who changed them."""
_PROTOCOLS = (
    "ssh sftp ftp telnet smtp smtps imap imaps pop3 dns dhcp ntp snmp syslog http https ldap ldaps kerberos smb cifs "
    "nfs rdp vnc winrm ping icmp mysql mariadb postgresql postgres mssql oracle redis rsync tftp sip ipmi"
)
PROTOCOL_WORDS = frozenset(_PROTOCOLS.split())
"""Names of services that say how something is spoken to, not which procedure it is."""

Procedures = Mapping[tuple[str, int], tuple[str, ...]]
_PRIORITIES = ("primary", "secondary", "tertiary")
_RUNS_IT = re.compile(r"techni|betrieb|betreu|admin|support|operat|edv|(?<![a-z])it(?![a-z])")
_NOT_ASKED = re.compile(r"billing|invoice|rechnung|buchhalt|vendor|supplier|lieferant|hersteller|einkauf|purchas")
"""Words in the role of a contact, such as *Technische Betreuung* or *Billing*: who is asked first, and who last."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Around:
    """What hangs on one object: procedures by its services, hardware addresses, and the pseudonym of who is asked."""

    procedures: tuple[str, ...] = ()
    macs: tuple[str, ...] = ()
    contact: str = ""


NOTHING_AROUND = Around()


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """Which part of the server belongs to one tenant of ours: its tenant's slug (empty: all), and the roles that mean
    another kind than their words say."""

    tenant: str = ""
    roles: Mapping[str, AssetKind] | None = None


def slug_of(nested: object) -> str:
    """The slug of a nested object; empty when there is none."""
    return _text(nested, "slug")


def _text(nested: object, name: str) -> str:
    found = nested.get(name) if isinstance(nested, dict) else None
    return found if isinstance(found, str) else ""


def _whole(nested: object, name: str) -> int | None:
    """A number of a nested record, half units rounded up; None where there is none."""
    found = nested.get(name) if isinstance(nested, dict) else None
    return math.ceil(found) if isinstance(found, int | float) and 0 < found < 1_000 else None


def device_row(host: str, row: Row, *, scope: Scope, around: Around) -> Observation | tuple[Refusal, ...]:
    """A device as a machine."""
    made = row.get("device_type")
    cells = [
        Cell(
            field="vendor",
            raw=_text(made.get("manufacturer"), "name") if isinstance(made, dict) else "",
            column="device_type",
        ),
        Cell(field="model", raw=_text(made, "model"), column="device_type"),
        Cell(field="rack_units", raw=_whole(made, "u_height"), column="device_type"),
        Cell(field="asset_tag", raw=row.get("asset_tag"), column="asset_tag"),
        Cell(field="room", raw=_text(row.get("location"), "name"), column="location"),
    ]
    return _machine(host, row, claim=(DEVICE, _device_kind(row, scope)), cells=cells, around=around)


def vm_row(host: str, row: Row, *, scope: Scope, around: Around) -> Observation | tuple[Refusal, ...]:
    """A virtual machine."""
    disk_mb = row.get("disk")
    cells = [
        Cell(field="cpu_cores", raw=row.get("vcpus"), column="vcpus"),
        Cell(field="ram_mib", raw=row.get("memory"), column="memory"),
        Cell(field="disk_gib", raw=round(disk_mb / 1024, 2) if isinstance(disk_mb, int) else disk_mb, column="disk"),
        Cell(field="hypervisor", raw=_text(row.get("device"), "name"), column="device"),
    ]
    return _machine(host, row, claim=(VM, AssetKind.VM), cells=cells, around=around)


def site_row(host: str, row: Row, *, around: Around = NOTHING_AROUND) -> Observation | tuple[Refusal, ...]:
    """A site."""
    cells = [
        Cell(field="title", raw=row.get("facility"), column="facility"),
        Cell(field="note", raw=row.get("description"), column="description"),
        Cell(field="contact", raw=around.contact, column="contacts"),
    ]
    claim = _claim(host, row, SITE, AssetKind.SITE)
    return _dated(row, observed(claim, Cell(field="name", raw=row.get("name"), column="name"), cells))


def _dated(row: Row, one: Observation | tuple[Refusal, ...]) -> Observation | tuple[Refusal, ...]:
    """The observation as old as the object's last change, so that reading it again unchanged is no news."""
    if not isinstance(one, Observation):
        return one
    try:
        changed = datetime.fromisoformat(str(row.get("last_updated")))
        return replace(one, observed_us=micros(changed))
    except (ValueError, TypeError):
        return one


def procedures_of(services: Iterable[Row]) -> Procedures:
    """Names of the procedures on each machine: its services, less those that are named as a protocol is."""
    found: dict[tuple[str, int], dict[str, None]] = defaultdict(dict)
    for row in services:
        name, holder = row.get("name"), row.get("parent_object_id")
        if not isinstance(name, str) or not isinstance(holder, int):
            continue
        if name.strip() and name.casefold().strip() not in PROTOCOL_WORDS:
            found[str(row.get("parent_object_type")), holder][name.strip()] = None
    return {key: tuple(names) for key, names in found.items()}


def macs_of(rows: Iterable[Row]) -> tuple[str, ...]:
    """The hardware addresses of one machine's interfaces, at most as many as a list may hold."""
    found = {text for row in rows if isinstance(text := row.get("mac_address"), str) and text}
    return tuple(sorted(found)[:MAX_LIST])


def contacts_of(rows: Iterable[Row]) -> str:
    """Who is asked about one object, as a pseudonym; empty when there is nobody.

    By the role: who runs it before others, who bills or sells it last; among those the highest priority. Who that is
    stands in NetBox alone: neither name, telephone nor mail address comes here, so erasing the contact there leaves
    nothing of the person here.
    """
    found: list[tuple[int, int, int]] = []
    for row in rows:
        contact, priority = row.get("contact"), row.get("priority")
        word = priority.get("value") if isinstance(priority, dict) else priority
        number = contact.get("id") if isinstance(contact, dict) else None
        if isinstance(number, int) and not isinstance(number, bool):
            rank = _PRIORITIES.index(word) if word in _PRIORITIES else len(_PRIORITIES)
            found.append((_rank_of_role(row.get("role")), rank, number))
    return f"netbox-{min(found)[2]}" if found else ""


def _rank_of_role(role: object) -> int:
    words = f"{_text(role, 'slug')} {_text(role, 'name')}".casefold()
    return 2 if _NOT_ASKED.search(words) else 0 if _RUNS_IT.search(words) else 1


def _machine(
    host: str, row: Row, *, claim: tuple[str, AssetKind], cells: list[Cell], around: Around
) -> Observation | tuple[Refusal, ...]:
    address = row.get("primary_ip")
    custom = row.get("custom_fields")
    cells += [
        Cell(field="site", raw=_text(row.get("site"), "name"), column="site"),
        Cell(field="os_name", raw=_text(row.get("platform"), "name"), column="platform"),
        Cell(field="serial", raw=row.get("serial"), column="serial"),
        Cell(field="address", raw=_text(address, "address").partition("/")[0], column="primary_ip"),
        Cell(field="fqdn", raw=_text(address, "dns_name"), column="primary_ip"),
        Cell(field="cluster", raw=_text(row.get("cluster"), "name"), column="cluster"),
        Cell(field="note", raw=row.get("description"), column="description"),
        Cell(field="procedures", raw=list(around.procedures) or None, column="services"),
        Cell(field="contact", raw=around.contact, column="contacts"),
    ]
    if isinstance(custom, dict):
        cells += [_custom(name, custom[name]) for name in CUSTOM if custom.get(name) not in (None, "")]
        cells += _attributes(custom)
    # Real addresses of real interfaces count for more than a field that somebody filled in by hand.
    cells.append(Cell(field="mac", raw=list(around.macs) or None, column="interfaces"))
    fitting = [cell for cell in cells if is_attribute(cell.field) or claim[1] in FIELDS[cell.field].kinds]
    return _dated(
        row, observed(_claim(host, row, *claim), Cell(field="name", raw=row.get("name"), column="name"), fitting)
    )


def _attributes(custom: Mapping[str, object]) -> list[Cell]:
    """The town's own custom fields as attributes, as many as an asset may have; objects of NetBox are left out."""
    found = []
    for name in sorted(custom):
        text = _plain(custom[name])
        if text and is_attribute(ATTRIBUTE + name) and name not in CUSTOM and name not in OWN_FIELDS:
            found.append(Cell(field=ATTRIBUTE + name, raw=text, column=f"custom_fields.{name}"))
    return found[:MAX_ATTRIBUTES]


def _plain(value: object) -> str:
    """A text, number, yes or no, or choices by their labels, as text; empty for anything else."""
    if isinstance(value, list):
        return ", ".join(filter(None, map(_plain, value[:MAX_ATTRIBUTES])))[:MAX_ATTRIBUTE_TEXT]
    if isinstance(value, dict):
        return _plain(value.get("label")) if "id" not in value else ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)[:MAX_ATTRIBUTE_TEXT].strip() if isinstance(value, str | int | float) else ""


def _custom(name: str, value: object) -> Cell:
    if isinstance(value, dict):
        value = value.get("label", value.get("name", value.get("value")))
    return Cell(field=name, raw=value, column=f"custom_fields.{name}")


def _claim(host: str, row: Row, type_: str, kind: AssetKind) -> Claim:
    place = Place(file=f"{host} {type_}", row=int(row["id"]))
    return Claim(kind=kind, place=place, source="netbox", row=(type_, str(row["id"]), str(row.get("name"))[:200]))


def _device_kind(row: Row, scope: Scope) -> AssetKind:
    """By the role: as configured, else by its words, else by the operating system."""
    role = row.get("role")
    slug = slug_of(role)
    if scope.roles and slug in scope.roles:
        return scope.roles[slug]
    for word in (slug, _text(role, "name")):
        kind = machine_kind(word) if word else None
        if kind is not None:
            return kind
    return kind_by_system(_text(row.get("platform"), "name"))
