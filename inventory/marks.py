"""What may identify a machine: BIOS UUID, real serial number, hardware address of its own, DNS name, name.

Makers' placeholders, addresses of virtual adapters and words such as ``localhost`` never identify. Nor do IP addresses:
they move from machine to machine.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator, Mapping

from inventory.model import MACHINES, AssetKind, Value, name_group, name_key

Key = tuple[str, str]
"""Name group and name key: what is unique within a tenant."""
Mark = tuple[str, str]
"""Which sort of mark, and its value in one written form."""

UUID, SERIAL, MAC, FQDN, NAME = "uuid", "serial", "mac", "fqdn", "name"
LEVELS = (UUID, SERIAL, MAC, FQDN, NAME)
"""The strongest first."""
STRONG = (UUID, SERIAL)
"""Marks that a maker gave once."""
TELLING = (UUID, SERIAL, FQDN)
"""Marks of which a machine has one: where two claims differ in it, no weaker mark makes them one."""
_PLACEHOLDERS = frozenset(
    {
        "", "0", "none", "n/a", "na", "null", "unknown", "default string", "not specified", "not available",
        "not applicable", "system serial number", "chassis serial number", "base board serial number",
        "to be filled by o.e.m.", "to be filled by o.e.m", "123456789", "1234567890", "empty", "invalid", "keine",
        "unbekannt", "k.a.", "-", "ohne", "entfällt", "not present", "serial number", "seriennummer", "tbd",
    }
)  # fmt: skip
_SHARED_UUIDS = frozenset({"03000200-0400-0500-0006-000700080009", "12345678-1234-5678-90ab-cddeefaabbcc"})
_NO_NAMES = re.compile(r"(localhost|unknown|unbekannt|localhost\d*)(\..*)?|.*\.(localhost|localdomain)")
_VIRTUAL_MACS = (
    "00:00:00", "00:05:9a", "00:09:0f", "00:0c:29:00:00", "00:50:56:c0:00", "00:ff", "02:00:4c:4f:4f:50", "02:42",
    "20:41:53:59:4e:ff", "33:50:6f:45:30:30", "50:50:54:50:30:30", "52:54:00:00:00", "0a:00:27:00:00", "7a:79",
)  # fmt: skip
"""How addresses of adapters begin that every machine may have: loopback and tunnel adapters, host-only networks of
VMware and VirtualBox, WAN miniports, docker bridges, VPN clients."""
_ADDRESS = re.compile(r"[0-9.]+|[0-9a-f:]*:[0-9a-f:.]*", re.IGNORECASE)
_LOCALLY_GIVEN = 2
"""This bit in the first byte says that no maker gave the address: anybody may have it again."""


def key_of(kind: AssetKind, name: str) -> Key:
    """The name as it is compared."""
    return name_group(kind), name_key(name)


def is_placeholder(text: str) -> bool:
    """Whether a serial number or UUID is only what makers write where they have none."""
    word = " ".join(text.casefold().split())
    if word in _PLACEHOLDERS or word in _SHARED_UUIDS:
        return True
    return len(set(word) - {"-", ".", " "}) <= 1


def is_own_mac(mac: str) -> bool:
    """Whether the address (aa:bb:cc:dd:ee:ff) was given by a maker to one adapter of one machine."""
    if mac.startswith(_VIRTUAL_MACS):
        return False
    return not int(mac[:2], 16) & _LOCALLY_GIVEN


def is_own_name(name: str) -> bool:
    """Whether the DNS name may mean one machine."""
    return "." in name and not _NO_NAMES.fullmatch(name)


def marks_of(kind: AssetKind, values: Mapping[str, Value]) -> Iterator[Mark]:
    """The marks that may identify a machine, the strongest first, its name not among them; none for other kinds."""
    if kind not in MACHINES:
        return
    text = values.get("uuid")
    if isinstance(text, str) and not is_placeholder(text):
        yield UUID, _one_uuid(text)
    text = values.get("serial")
    if isinstance(text, str) and not is_placeholder(text):
        yield SERIAL, text.casefold().strip()
    macs = values.get("mac")
    if isinstance(macs, tuple):
        for mac in macs:
            if is_own_mac(mac):
                yield MAC, mac
    text = values.get("fqdn")
    if isinstance(text, str) and is_own_name(text):
        yield FQDN, text


def host_mark(name: str) -> str:
    """A machine's name as sources have it in common: without the domain that some write behind it."""
    key = name_key(name)
    return key.split(".", 1)[0] if "." in key and is_own_name(key) and not is_address(key) else key


def is_address(name: str) -> bool:
    """Whether the name is only an IP address, which identifies nothing."""
    return _ADDRESS.fullmatch(name) is not None


def _one_uuid(text: str) -> str:
    """One form for a UUID whose first three parts some programs read in the other order of bytes."""
    lowered = text.casefold()
    try:
        turned = str(uuid.UUID(bytes=uuid.UUID(lowered).bytes_le))
    except ValueError:
        return lowered
    return min(lowered, turned)
