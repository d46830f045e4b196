"""What exists: tenants, assets of every kind, and what depends on what. Pure values; knows nothing of waves."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache
from types import MappingProxyType
from typing import NewType

from inventory.errors import ExpectedError, because

TenantId = NewType("TenantId", str)
AssetId = NewType("AssetId", str)
Value = str | int | float | bool | tuple[str, ...]

MAX_TEXT = 2_000
LATER: Mapping[str, bool] = MappingProxyType({"later": True})
"""Metadata of a field that a value got later: at its default it is left out of what is fingerprinted."""
_DIRECTION_CHANGING = "\u202a\u202b\u202d\u202e\u2066\u2067\u2068\u2069"
TENANT_PATTERN = re.compile(r"[a-z][a-z0-9-]{0,30}")
ATTRIBUTE = "attr."
"""What the names of attributes of a town's own begin with: ``attr.kostenstelle``."""
_ATTRIBUTE_NAME = re.compile(r"attr\.[a-z][a-z0-9_]{0,39}")
MAX_ATTRIBUTES, MAX_ATTRIBUTE_TEXT = 40, 500
"""How many of them one source may give one record, and how many characters each may have."""


class AssetKind(StrEnum):
    """What sort of thing an asset is."""

    SITE = "site"
    DEPARTMENT = "department"
    SEAT = "seat"
    WORKSTATION = "workstation"
    NOTEBOOK = "notebook"
    THIN_CLIENT = "thin_client"
    SERVER = "server"
    VM = "vm"
    TEMPLATE = "template"
    PRINTER = "printer"
    PHONE = "phone"
    NETWORK = "network"
    PROCEDURE = "procedure"


MACHINES = frozenset(
    {
        AssetKind.WORKSTATION,
        AssetKind.NOTEBOOK,
        AssetKind.THIN_CLIENT,
        AssetKind.SERVER,
        AssetKind.VM,
        AssetKind.TEMPLATE,
        AssetKind.PRINTER,
        AssetKind.PHONE,
        AssetKind.NETWORK,
    }
)
EVERYTHING = frozenset(AssetKind)
PLACES = frozenset({AssetKind.SITE, AssetKind.DEPARTMENT})


class DependencyKind(StrEnum):
    """How strongly one asset needs another: hard and licence bind, the others may be bridged for a time."""

    HARD = "hard"
    SOFT = "soft"
    DATA = "data"
    LICENCE = "licence"
    INTERFACE = "interface"


class InvalidValue(ExpectedError):
    """A field got a value it cannot hold."""

    code, says = "INV-001", "The {field} {value!r} is not valid: {why}."
    remedy = "Correct the value in the source and import it again."
    exit_code = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One attribute an asset may have: its name (the native CSV heading), type, kinds, and what it means."""

    name: str
    type: str
    """text, integer, number, yes_no, list, address, mac, mac_list, choice, date, decimal, dns_name, uuid, word,
    host_key, contact or attribute; ``inventory.parsing`` says how each is written."""
    kinds: frozenset[AssetKind]
    means: str
    german: str
    choices: tuple[str, ...] = ()
    refers_to: frozenset[AssetKind] = frozenset()
    """Kinds of asset this field names, by name, within the same tenant."""


def _field(name: str, type_: str, kinds: frozenset[AssetKind], means: str, german: str, **more: object) -> Field:
    return Field(name=name, type=type_, kinds=kinds, means=means, german=german, **more)  # type: ignore[arg-type]


_PROCEDURE = frozenset({AssetKind.PROCEDURE})
_SEAT = frozenset({AssetKind.SEAT})
FIELDS: Mapping[str, Field] = MappingProxyType(
    {
        one.name: one
        for one in (
            _field(
                "site",
                "text",
                EVERYTHING - PLACES,
                "name of the site it stands at",
                "Standort",
                refers_to=frozenset({AssetKind.SITE}),
            ),
            _field(
                "department",
                "text",
                EVERYTHING - PLACES,
                "name of the department that uses it",
                "Fachbereich",
                refers_to=frozenset({AssetKind.DEPARTMENT}),
            ),
            _field("title", "text", EVERYTHING, "a longer name for people", "Bezeichnung"),
            _field("note", "text", EVERYTHING, "free text", "Bemerkung"),
            _field("building", "text", EVERYTHING - PLACES, "building of the site, where it has several", "Gebäude"),
            _field("room", "text", EVERYTHING - PLACES, "room number", "Raum"),
            _field("contact", "contact", EVERYTHING, "who is asked: short name or id, never a name", "Ansprechstelle"),
            _field("machine", "text", _SEAT, "name of the workstation at this seat", "Rechner", refers_to=MACHINES),
            _field(
                "procedures",
                "list",
                EVERYTHING - PLACES,
                "names of the procedures used here or running here",
                "Verfahren",
                refers_to=_PROCEDURE,
            ),
            _field("address", "address", MACHINES, "IP address or DNS name by which it is reached", "IP-Adresse"),
            _field(
                "second_address",
                "address",
                MACHINES,
                "where it answers too, as on a management network",
                "Zweitadresse",
            ),
            _field("fqdn", "dns_name", MACHINES, "fully qualified DNS name", "DNS-Name"),
            _field("mac", "mac_list", MACHINES, "hardware addresses, aa:bb:cc:dd:ee:ff", "MAC-Adresse"),
            _field("serial", "text", MACHINES, "maker's serial number", "Seriennummer"),
            _field("uuid", "uuid", MACHINES, "BIOS or hypervisor UUID", "UUID"),
            _field("asset_tag", "text", MACHINES, "inventory number", "Inventar-Nr."),
            _field("vendor", "text", MACHINES | _PROCEDURE, "maker", "Hersteller"),
            _field("model", "text", MACHINES, "model", "Modell"),
            _field("os_name", "text", MACHINES, "operating system", "Betriebssystem"),
            _field("os_version", "text", MACHINES, "version of the operating system", "Version des Betriebssystems"),
            _field("arch", "text", MACHINES, "processor architecture, such as x86_64", "Architektur"),
            _field(
                "firmware", "choice", MACHINES, "how it starts: bios or efi", "Startverfahren", choices=("bios", "efi")
            ),
            _field("cpu_cores", "integer", MACHINES, "CPU cores", "CPU"),
            _field("ram_mib", "integer", MACHINES, "main memory, MiB", "Hauptspeicher"),
            _field("disk_gib", "number", MACHINES, "disk capacity, GiB", "Festplatte"),
            _field("disk_used_gib", "number", MACHINES, "disk space in use, GiB", "Festplatte belegt"),
            _field("rack_units", "integer", MACHINES, "height in a rack, in rack units", "Höheneinheiten"),
            _field(
                "power",
                "choice",
                MACHINES,
                "power state when last seen",
                "Betriebszustand",
                choices=("on", "off", "suspended"),
            ),
            _field("disks", "list", MACHINES, "disks and volumes: name, size, space in use", "Datenträger"),
            _field("networks", "list", MACHINES, "names of the networks it is connected to", "Netze"),
            _field("services", "list", MACHINES, "ports it answers on: tcp/443 https nginx", "Dienste"),
            _field("software", "list", MACHINES, "installed software: name version", "Software"),
            _field("last_seen", "date", MACHINES, "last day a source saw it, YYYY-MM-DD", "Zuletzt gesehen"),
            _field("environment", "text", MACHINES | _PROCEDURE, "production, test, development", "Umgebung"),
            _field("lifecycle", "text", MACHINES, "status in the source: in use, stored, lost", "Lebenszyklus"),
            _field("findings", "list", MACHINES, "what stands in the way of moving it", "Befunde"),
            _field("tags", "list", EVERYTHING, "marks of the source, name=value", "Merkmale"),
            _field("hypervisor", "text", MACHINES, "host it runs on", "Wirt"),
            _field("cluster", "text", MACHINES, "cluster it belongs to", "Cluster"),
            _field("purchased", "date", MACHINES, "date of purchase, YYYY-MM-DD", "Anschaffungsdatum"),
            _field("cost_eur", "decimal", MACHINES, "purchase price in EUR, decimal text", "Anschaffungswert"),
            _field(
                "successor",
                "text",
                MACHINES,
                "name of the machine that replaces it",
                "Nachfolgegerät",
                refers_to=MACHINES,
            ),
            _field("access", "word", MACHINES, "name of the administrator's access profile for it", "Zugangsprofil"),
            _field("host_key", "host_key", MACHINES, "SSH public host key: type and base64", "SSH-Hostschlüssel"),
            _field(
                "role",
                "choice",
                MACHINES,
                "what it does for waves of its tenant",
                "Rolle",
                choices=("vault", "gateway", "jump", "database", "tool"),
            ),
            _field(
                "owner",
                "text",
                _PROCEDURE,
                "who answers for the procedure (office, not a name)",
                "Verfahrensverantwortung",
            ),
            _field(
                "protection",
                "choice",
                _PROCEDURE,
                "protection class",
                "Schutzbedarf",
                choices=("normal", "hoch", "sehr hoch"),
            ),
            _field("users", "integer", EVERYTHING - PLACES, "number of people who use it", "Nutzerzahl"),
            _field("machines", "list", _PROCEDURE, "names of the machines it runs on", "Server", refers_to=MACHINES),
            _field("databases", "list", MACHINES | _PROCEDURE, "where data lies: system name@machine", "Datenbanken"),
            _field("interfaces", "list", _PROCEDURE, "with whom data is exchanged: partner: what", "Schnittstellen"),
            _field(
                "strategy",
                "choice",
                EVERYTHING - PLACES,
                "migration strategy",
                "Strategie",
                choices=("rehost", "replatform", "replace", "refactor", "relocate", "retain", "retire"),
            ),
        )
    }
)


def field_named(name: str) -> Field | None:
    """The field of that name, or the town's own attribute; None when there can be none."""
    known = FIELDS.get(name)
    return known if known is not None or not is_attribute(name) else _attribute(name)


def field_word(text: str) -> str:
    """The name of a field as it is kept, from how a person writes it: capitals mean nothing."""
    return text.strip().casefold()


def is_attribute(name: str) -> bool:
    """Whether it may be the name of an attribute of a town's own, kept as text for assets of every kind."""
    return name.startswith(ATTRIBUTE) and _ATTRIBUTE_NAME.fullmatch(name) is not None


def has_field(kind: AssetKind, name: str) -> bool:
    """Whether assets of that kind may have such a field."""
    known = field_named(name)
    return known is not None and kind in known.kinds


@lru_cache(maxsize=1_000)
def _attribute(name: str) -> Field:
    return _field(name, "attribute", EVERYTHING, "an attribute of the town's own", name.removeprefix(ATTRIBUTE))


@dataclass(frozen=True, slots=True, kw_only=True)
class Asset:
    """One inventory record. ``name`` is unique per tenant and kind group (see ``name_key``).

    ``values`` holds only fields that fit the kind, and attributes of the town's own; a mapping that
    cannot be changed is shared with whoever gave it, any other is copied. Raises InvalidValue.
    """

    id: AssetId
    tenant: TenantId
    kind: AssetKind
    name: str
    values: Mapping[str, Value] = field(default_factory=dict)

    def __post_init__(self) -> None:
        check_name(self.name)
        for name, value in self.values.items():
            known = FIELDS.get(name) or field_named(name)
            if known is None or self.kind not in known.kinds:
                raise InvalidValue(field=name, value=value, why=because("a {a} has no such field", a=self.kind))
        if not isinstance(self.values, MappingProxyType):
            object.__setattr__(self, "values", MappingProxyType(dict(self.values)))

    def text(self, name: str) -> str:
        """The field as text; empty when it is not known."""
        value = self.values.get(name, "")
        return value if isinstance(value, str) else str(value)

    def texts(self, name: str) -> tuple[str, ...]:
        """The list field; empty when it is not known."""
        value = self.values.get(name, ())
        return value if isinstance(value, tuple) else ()

    def number(self, name: str) -> float:
        """The numeric field; 0 when it is not known."""
        value = self.values.get(name, 0)
        return float(value) if isinstance(value, int | float) else 0.0

    @property
    def is_machine(self) -> bool:
        """Whether it is a computer or device, not a place, seat or procedure."""
        return self.kind in MACHINES


@dataclass(frozen=True, slots=True, kw_only=True)
class Dependency:
    """``needs``: the asset named first does not work without (or is fed by) the second. Both in one tenant."""

    tenant: TenantId
    asset: AssetId
    needs: AssetId
    kind: DependencyKind
    note: str = ""
    evidence: str = field(default="", metadata=LATER)
    """By what it is known."""
    mib_per_day: float = field(default=0, metadata=LATER)
    """How much goes over it on a day; 0: not known."""
    source: str = field(default="", metadata=LATER)
    observed_us: int = field(default=0, metadata=LATER)
    """When it was so, microseconds since 1970 UTC; 0: not known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """One tenant's whole inventory at one moment, as the planner gets it. Sorted by id, so order never matters."""

    tenant: TenantId
    assets: tuple[Asset, ...]
    dependencies: tuple[Dependency, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "assets", tuple(sorted(self.assets, key=lambda a: a.id)))
        object.__setattr__(
            self, "dependencies", tuple(sorted(self.dependencies, key=lambda d: (d.asset, d.needs, d.kind, d.note)))
        )

    def by_id(self) -> dict[AssetId, Asset]:
        """Assets by id."""
        return {asset.id: asset for asset in self.assets}

    def by_name(self) -> dict[tuple[str, str], Asset]:
        """Assets by (name group, name key); see ``name_group`` and ``name_key``."""
        return {(name_group(asset.kind), name_key(asset.name)): asset for asset in self.assets}


def name_group(kind: AssetKind) -> str:
    """Within one group a name may occur once per tenant: machines, sites, departments, seats, procedures."""
    return "machine" if kind in MACHINES else str(kind)


@lru_cache(maxsize=20_000)
def name_key(name: str) -> str:
    """The form in which names are compared: NFKC, case-folded, inner blanks collapsed."""
    composed = name if name.isascii() else unicodedata.normalize("NFKC", name)
    return " ".join(composed.casefold().split())


def check_name(name: str) -> None:
    """Refuse names that cannot be a name: empty, too long, or with control characters. Raises InvalidValue."""
    if not name.strip() or name != name.strip():
        raise InvalidValue(field="name", value=name[:80], why="it is empty or has blanks around it")
    check_text("name", name, limit=120)


def check_text(field_name: str, text: str, *, limit: int = MAX_TEXT) -> None:
    """Refuse text with control or direction-changing characters, or too long. Raises InvalidValue."""
    if len(text) > limit:
        raise InvalidValue(
            field=field_name, value=text[:60] + "...", why=because("it is longer than {a} characters", a=limit)
        )
    if text.isascii() and text.isprintable():
        return
    for char in text:
        if (unicodedata.category(char) in ("Cc", "Cs") and char not in "\n\t") or char in _DIRECTION_CHANGING:
            raise InvalidValue(
                field=field_name, value=text[:80], why=because("it holds the character U+{a:04X}", a=ord(char))
            )
