"""Network words in their one written form: addresses, DNS names, hardware addresses, UUIDs, host keys."""

from __future__ import annotations

import base64
import binascii
import ipaddress
import re
import uuid

from inventory.model import InvalidValue
from inventory.psrp_options import CERTIFICATE_KEY

_LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?")
_NUMERIC_LABEL = re.compile(r"[0-9]+|0x[0-9a-f]*")
_MAC = re.compile(
    r"([0-9a-f]{2}([:-]))([0-9a-f]{2}\2){4}[0-9a-f]{2}|[0-9a-f]{12}|[0-9a-f]{4}\.[0-9a-f]{4}\.[0-9a-f]{4}"
)
_THIS_MACHINE = frozenset({"ip6-localhost", "ip6-loopback", "broadcasthost"})
_ANSIBLE_WORDS = frozenset({"all", "ungrouped"})
_KEY_TYPES = frozenset({"ssh-ed25519", "ssh-rsa", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521"})
MOST_CERTIFICATE = 5000
"""Bytes of a certificate that is kept as a host key."""
_MAX_DNS = 253


def parse_address(field: str, text: str) -> str:
    """An IP address or DNS name by which one machine can be reached from elsewhere. Raises InvalidValue.

    Refused is whatever would lead to this machine itself, to many machines, to none, or be read differently by
    different programs: loopback, link-local, multicast, unspecified and reserved addresses, IPv4 inside IPv6, and
    numbers that only some programs take for an address (``010.0.0.1``, ``2130706433``).
    """
    if text.startswith("-"):
        raise _invalid(field, text, "it starts with a minus sign, which programs take for an option")
    try:
        parsed = ipaddress.ip_address(text)
    except ValueError:
        return parse_dns_name(field, text)
    why = unreachable_because(parsed)
    if why or "%" in text:
        raise _invalid(field, text, why or "it names an interface of this machine")
    return str(parsed)


def unreachable_because(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> str:
    """Why the address cannot name one machine elsewhere; empty when it can."""
    if address.is_loopback:
        return "it means this machine itself"
    if address.is_unspecified:
        return "it names no machine"
    if address.is_link_local:
        return "it is only valid on one network link"
    if address.is_multicast:
        return "it names many machines"
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped or address.sixtofour or address.teredo:
            return "it hides an IPv4 address; write that address itself"
        if address.is_site_local:
            return "it is of a kind no longer in use"
    return "it lies in a reserved range" if address.is_reserved else ""


def parse_dns_name(field: str, text: str) -> str:
    """A DNS name in lower case without its final dot. Raises InvalidValue."""
    name = text.casefold().removesuffix(".")
    labels = name.split(".")
    if len(name) > _MAX_DNS or not text.isascii() or not all(_LABEL.fullmatch(label) for label in labels):
        raise _invalid(field, text, "it is neither an IP address nor a DNS name")
    if _NUMERIC_LABEL.fullmatch(labels[-1]):
        raise _invalid(field, text, "some programs would read it as a number, others as an address")
    if labels[0].startswith("localhost") or labels[-1] == "localhost" or name in _THIS_MACHINE:
        raise _invalid(field, text, "it means this machine itself")
    if name in _ANSIBLE_WORDS:
        raise _invalid(field, text, "it means every machine")
    return name


def parse_mac(field: str, text: str) -> str:
    """One hardware address as aa:bb:cc:dd:ee:ff. Raises InvalidValue."""
    lowered = text.casefold()
    if not _MAC.fullmatch(lowered):
        raise _invalid(field, text, "it is no hardware address such as aa:bb:cc:dd:ee:ff")
    digits = re.sub(r"[^0-9a-f]", "", lowered)
    if digits in ("0" * 12, "f" * 12) or int(digits[:2], 16) & 1:
        raise _invalid(field, text, "it is the address of no single device")
    return ":".join(digits[start : start + 2] for start in range(0, 12, 2))


def parse_uuid(field: str, text: str) -> str:
    """A UUID in lower case with dashes. Raises InvalidValue."""
    if not re.fullmatch(r"[0-9A-Fa-f-]{32,36}", text):
        raise _invalid(field, text, "it is no UUID")
    try:
        return str(uuid.UUID(text))
    except ValueError:
        raise _invalid(field, text, "it is no UUID") from None


def parse_host_key(field: str, text: str) -> str:
    """An SSH public host key as ``type base64``; its comment is dropped. Of a machine that is reached by PSRP it is
    ``x509`` and a certificate (its own, or its issuer's) in DER form as base64. Raises InvalidValue."""
    parts = text.split()
    if parts[:1] == [CERTIFICATE_KEY] and "{" not in text:
        return _certificate(field, text, parts)
    if len(parts) < 2 or parts[0] not in _KEY_TYPES or "{" in text:
        raise _invalid(field, text, "write the key type and the key in base64, as in ssh-ed25519 AAAA...")
    try:
        blob = base64.b64decode(parts[1], validate=True)
    except (binascii.Error, ValueError):
        raise _invalid(field, text, "the key is not base64") from None
    kind = parts[0].encode()
    if blob[:4] != len(kind).to_bytes(4, "big") or blob[4 : 4 + len(kind)] != kind or len(blob) < len(kind) + 12:
        raise _invalid(field, text, "the key is not of the type it names")
    return f"{parts[0]} {parts[1]}"


def _certificate(field: str, text: str, parts: list[str]) -> str:
    """A certificate by its outermost frame: one DER sequence that is as long as it says."""
    try:
        blob = base64.b64decode(parts[1], validate=True)
    except (IndexError, binascii.Error, ValueError):
        raise _invalid(field, text, "the certificate is not base64") from None
    whole = blob[:2] == b"\x30\x82" and len(blob) == 4 + int.from_bytes(blob[2:4], "big")
    if not whole or len(blob) > MOST_CERTIFICATE:
        raise _invalid(field, text, "it is no certificate in DER form")
    return f"{CERTIFICATE_KEY} {parts[1]}"


def _invalid(field: str, text: str, why: str) -> InvalidValue:
    return InvalidValue(field=field, value=text[:80], why=why)
