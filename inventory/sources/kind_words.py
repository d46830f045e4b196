"""The words by which files call kinds of machines and of dependencies, German and English."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType

from inventory.errors import because
from inventory.model import MACHINES, AssetKind, DependencyKind, InvalidValue

_MACHINE_WORDS: Mapping[AssetKind, str] = MappingProxyType(
    {
        AssetKind.WORKSTATION: "pc apc desktop arbeitsplatz arbeitsplatzrechner arbeitsstation rechner tower computer "
        "desktop-pc minipc clientrechner client",
        AssetKind.NOTEBOOK: "laptop mobilrechner tablet convertible",
        AssetKind.THIN_CLIENT: "thinclient thin-client terminal thin nullclient zeroclient",
        AssetKind.SERVER: "rack-server rackserver blade bladeserver host esx-host",
        AssetKind.VM: "virtuell virtuellemaschine virtuellerserver virtualmachine vserver",
        AssetKind.TEMPLATE: "vorlage",
        AssetKind.PRINTER: "drucker netzwerkdrucker multifunktionsgerät mfp kopierer plotter laserdrucker",
        AssetKind.PHONE: "telefon ip-telefon smartphone handy",
        AssetKind.NETWORK: "switch router firewall accesspoint access-point netzwerk netzwerkgerät",
    }
)
MACHINE_KINDS: Mapping[str, AssetKind] = MappingProxyType(
    {word: kind for kind, words in _MACHINE_WORDS.items() for word in words.split()}
    | {str(kind).replace("_", ""): kind for kind in MACHINES}
)
DEPENDENCY_KINDS: Mapping[str, DependencyKind] = MappingProxyType(
    {str(kind): kind for kind in DependencyKind}
    | {
        "hart": DependencyKind.HARD,
        "weich": DependencyKind.SOFT,
        "daten": DependencyKind.DATA,
        "lizenz": DependencyKind.LICENCE,
        "license": DependencyKind.LICENCE,
        "schnittstelle": DependencyKind.INTERFACE,
    }
)
_SERVER_SYSTEM = re.compile(
    r"server|windows (nt|2000|2003|2008|2012|2016|2019|2022)\b|red hat enterprise|rhel|sles|centos|debian|rocky|alma"
    r"|netware|solaris|aix|hp-ux|esxi?\b|hyper-v|oracle linux|open enterprise|freebsd",
    re.IGNORECASE,
)
_DESKTOP_SYSTEM = re.compile(r"professional|workstation|desktop|home|windows (xp|vista|7|8|10|11)\b", re.IGNORECASE)


def machine_kind(text: str) -> AssetKind | None:
    """The kind of machine a word names; None when the word is not known."""
    return MACHINE_KINDS.get("".join(text.casefold().replace("_", "").split()))


def parse_machine_kind(text: str) -> AssetKind:
    """The kind of machine. Raises InvalidValue."""
    kind = machine_kind(text)
    if kind is None:
        known = ", ".join(sorted(MACHINES))
        raise InvalidValue(field="kind", value=text[:80], why=because("it is none of {a}", a=known))
    return kind


def parse_dependency_kind(text: str) -> DependencyKind:
    """The kind of dependency. Raises InvalidValue."""
    kind = DEPENDENCY_KINDS.get(text.casefold().strip())
    if kind is None:
        raise InvalidValue(field="kind", value=text[:80], why=because("it is none of {a}", a=", ".join(DependencyKind)))
    return kind


def kind_by_system(os_name: str) -> AssetKind:
    """Server for the operating systems of servers, workstation for all others."""
    says_server = "server" in os_name.casefold()
    if says_server or (_SERVER_SYSTEM.search(os_name) and not _DESKTOP_SYSTEM.search(os_name)):
        return AssetKind.SERVER
    return AssetKind.WORKSTATION
