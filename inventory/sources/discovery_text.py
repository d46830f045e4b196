"""The text that a discovered machine sends: sections of lines, every one a stranger's, and the sockets in them."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

FIRST_LINE = "KAHN-DISCOVERY 1"
MOST_BYTES = 4 * 1024 * 1024
_MOST_LINES = 60_000
_SECTION = re.compile(r"@@ ([a-z]{1,20})")
_BIG_ENDIAN = frozenset({"s390x", "s390", "ppc64", "ppc", "mips", "mips64", "sparc64", "parisc64", "m68k"})
_PLACE = re.compile(r"([0-9A-F]{8}|[0-9A-F]{32}):([0-9A-F]{4})")
_TCP_ESTABLISHED, _TCP_LISTEN, _UDP_OPEN = "01", "0A", "07"

Sections = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Listening:
    """A port that answers others: ``tcp`` or ``udp``, number, and the process behind it (empty when not seen)."""

    protocol: str
    port: int
    process: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """An open connection with another machine. ``inbound``: the other one came here, to ``port``; else this machine
    went to ``port`` there."""

    other: str
    protocol: str
    port: int
    inbound: bool
    process: str = ""


def sections_of(text: str) -> tuple[Sections, bool]:
    """The sections by name, and whether the text came to its end. Lines before the first section are passed over."""
    found: dict[str, list[str]] = {}
    lines: list[str] = []
    complete = False
    for line in text.split("\n")[:_MOST_LINES]:
        heading = _SECTION.fullmatch(line)
        if heading:
            complete = heading[1] == "end"
            lines = found.setdefault(heading[1], [])
        elif line.startswith(" "):  # machines write tabs too
            lines.append("".join(char if char.isprintable() else "?" for char in line[1:301].expandtabs(1)))
    return {name: tuple(some) for name, some in found.items()}, complete


def sockets_of(sections: Sections) -> tuple[tuple[Listening, ...], tuple[Connection, ...]]:
    """Ports that answer others, and connections with others; what stays on the machine itself is left out."""
    host = sections.get("host", ())
    big_endian = len(host) > 3 and host[3] in _BIG_ENDIAN
    processes = _processes(sections)
    rows = [row for line in sections.get("sockets", ()) if (row := _row(line, big_endian))]
    open_tcp = {row.port for row in rows if row.protocol == "tcp" and row.state == _TCP_LISTEN}
    listening = {
        Listening(protocol=row.protocol, port=row.port, process=processes.get(row.inode, ""))
        for row in rows
        if row.state == (_TCP_LISTEN if row.protocol == "tcp" else _UDP_OPEN) and row.is_open_to_others
    }
    connections = {
        Connection(
            other=row.other,
            protocol=row.protocol,
            port=row.port if row.port in open_tcp else row.other_port,
            inbound=row.port in open_tcp,
            process=processes.get(row.inode, ""),
        )
        for row in rows
        if row.protocol == "tcp" and row.state == _TCP_ESTABLISHED and _is_elsewhere(row.other)
    }
    return _sorted_ports(listening), tuple(sorted(connections, key=repr))


def _sorted_ports(listening: Iterable[Listening]) -> tuple[Listening, ...]:
    """Each port once, with the process where one was seen."""
    found: dict[tuple[str, int], Listening] = {}
    for one in sorted(listening, key=lambda one: (one.protocol, one.port, one.process == "", one.process)):
        found.setdefault((one.protocol, one.port), one)
    return tuple(found.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    protocol: str
    here: str
    port: int
    other: str
    other_port: int
    state: str
    inode: str

    @property
    def is_open_to_others(self) -> bool:
        return not ipaddress.ip_address(self.here).is_loopback


def _row(line: str, big_endian: bool) -> _Row | None:
    """One line of /proc/net/tcp and its sisters; None for headings and whatever else."""
    words = line.split()
    if len(words) < 11 or words[0] not in ("tcp", "tcp6", "udp", "udp6"):
        return None
    here, other = _PLACE.fullmatch(words[2]), _PLACE.fullmatch(words[3])
    if not here or not other:
        return None
    return _Row(
        protocol=words[0][:3],
        here=_address(here[1], big_endian),
        port=int(here[2], 16),
        other=_address(other[1], big_endian),
        other_port=int(other[2], 16),
        state=words[4],
        inode=words[10],
    )


def _address(digits: str, big_endian: bool) -> str:
    """The kernel prints each 32-bit word as it lies in memory."""
    words = [bytes.fromhex(digits[at : at + 8]) for at in range(0, len(digits), 8)]
    address = ipaddress.ip_address(b"".join(word if big_endian else word[::-1] for word in words))
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return str(mapped or address)


def _is_elsewhere(address: str) -> bool:
    one = ipaddress.ip_address(address)
    return not (one.is_loopback or one.is_unspecified or one.is_link_local or one.is_multicast)


def _processes(sections: Sections) -> dict[str, str]:
    """Inode of a socket -> name of the process that holds it."""
    names = dict(_pairs(sections.get("processes", ())))
    found: dict[str, str] = {}
    holder = ""
    for line in sections.get("holders", ()):
        if line.startswith("s"):
            found.setdefault(line[1:], names.get(holder, ""))
        else:
            holder = line
    return found


def _pairs(lines: Sequence[str]) -> Iterable[tuple[str, str]]:
    for line in lines:
        number, _blank, name = line.partition(" ")
        if number.isdecimal() and name.strip():
            yield number, name.strip()[:60]
