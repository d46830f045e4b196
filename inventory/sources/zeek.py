"""Zeek's logs: who talked to whom, as observed dependencies with their evidence; and which services answered.

A network sensor knows addresses only. They are given as they are and resolved to machines of the inventory when the
reading is taken in (see ``inventory.endpoints``). User names, paths and queries in the logs are not taken.
"""

from __future__ import annotations

import ipaddress
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from inventory.endpoints import at_address
from inventory.errors import ExpectedError, because
from inventory.model import AssetKind, DependencyKind
from inventory.observation import Observation, Place, Reading
from inventory.sources.cells import decoded
from inventory.sources.foreign_json import number
from inventory.sources.gathering import Gathering, Seen
from inventory.sources.limits import BrokenFile, RowRefused, read_bytes, read_start
from inventory.sources.zeek_json import is_zeek_json, json_log

_UNSET = frozenset({"-", "(empty)", ""})
_SERVICES = {"kerberos": "kerberos", "ldap_search": "ldap", "ldap": "ldap", "ntlm": "ntlm", "smb_mapping": "smb"}
_LAST_SECOND, _MOST_PORTS = 4_000_000_000, 5


@dataclass(slots=True)
class _Talk:
    """What was seen between two addresses."""

    row: int
    ports: Counter[str] = field(default_factory=Counter)
    """Port and service -> how often."""
    first: float = float(_LAST_SECOND)
    last: float = 0.0
    bytes: float = 0.0
    names: set[str] = field(default_factory=set)

    def seen(self) -> Seen:
        """Ports with their services, how often, from when to when; the volume by day."""
        most = self.ports.most_common(_MOST_PORTS)
        ports = ", ".join(f"port {port} ({count} times)" for port, count in most)
        more = f" and {len(self.ports) - len(most)} more ports" if len(self.ports) > len(most) else ""
        days = " to ".join(dict.fromkeys(_day(one) for one in (self.first, self.last)))
        called = f", called {', '.join(sorted(self.names)[:3])}" if self.names else ""
        length = max((self.last - self.first) / 86_400, 1.0) if self.last >= self.first else 1.0
        is_time = 0 < self.last < _LAST_SECOND
        return Seen(
            evidence=f"seen by Zeek {days}: {ports}{more}{called}",
            mib_per_day=round(self.bytes / 1024**2 / length, 3),
            observed_us=int(self.last * 1_000_000) if is_time else 0,
        )


class Zeek:
    """A log with its header lines, or as JSON with one entry a line; plain or gzipped."""

    name = "zeek"

    def recognises(self, path: Path) -> bool:
        """Whether the header lines of a log stand at its start, or an entry of one."""
        try:
            start = decoded(path, read_start(path), is_start=True).lstrip("\ufeff")
        except ExpectedError:
            return False
        return start.startswith("#separator ") or (start.startswith("{") and is_zeek_json(start))

    def read(self, path: Path) -> Reading:
        """Dependencies, or services of addresses. Raises ExpectedError."""
        text = decoded(path, read_bytes(path)).lstrip("\ufeff")
        header, lines = json_log(text) if text.startswith("{") else _lines(path, text)
        found = Gathering(path, self.name, headings=("from", "needs", "evidence"))
        fields = header.get("fields", [])
        if {"id.orig_h", "id.resp_h", "id.resp_p"} <= set(fields):
            _talks(found, header.get("path", [""])[0], lines)
        elif {"host", "port_num"} <= set(fields):
            _services(found, lines)
        else:
            why = because("the log {a!r} names no two ends of a connection", a=header.get("path", ["?"])[0][:40])
            raise BrokenFile(place=Place(file=str(path)), why=why)
        return found.reading()


def _lines(path: Path, text: str) -> tuple[dict[str, list[str]], Iterator[tuple[int, Mapping[str, str]]]]:
    """The header by name, and the lines by field."""
    header: dict[str, list[str]] = {}
    for line in text.split("\n"):
        if not line.startswith("#"):
            break
        name, _sign, rest = line[1:].replace(" ", "\t", 1).partition("\t")
        header[name] = rest.split("\t")
    fields = header.get("fields", [])
    if not fields:
        raise BrokenFile(place=Place(file=str(path)), why="the line #fields is missing")

    def rows() -> Iterator[tuple[int, Mapping[str, str]]]:
        for number_, line in enumerate(text.split("\n"), start=1):
            if line and not line.startswith("#"):
                yield number_, dict(zip(fields, line.rstrip("\r").split("\t"), strict=False))

    return header, rows()


def _talks(found: Gathering, log: str, lines: Iterator[tuple[int, Mapping[str, str]]]) -> None:
    talks: dict[tuple[str, str], _Talk] = {}
    broken = 0
    for row, line in lines:
        ends = _address(line.get("id.orig_h")), _address(line.get("id.resp_h"))
        port = line.get("id.resp_p", "")
        if not ends[0] or not ends[1] or not port.isdigit() or ends[0] == ends[1]:
            broken += 1
            continue
        talk = talks.setdefault(ends, _Talk(row=row))
        talk.ports[f"{port[:5]} {_service(log, line)}"] += 1
        seen = number(line.get("ts"))
        talk.first, talk.last = min(talk.first, seen), max(talk.last, seen)
        talk.bytes += number(_said(line.get("orig_bytes"))) + number(_said(line.get("resp_bytes")))
        called = _said(line.get("server_dns_computer_name")) or _said(line.get("server_nb_computer_name"))
        if called and called.isprintable():
            talk.names.add(called[:60])
    if broken:
        found.note(f"{broken} lines without two different addresses and a port were passed over.")
    for (first, second), talk in talks.items():
        place = found.place(talk.row)
        found.dependency(at_address(first), at_address(second), DependencyKind.SOFT, place=place, seen=talk.seen())


def _service(log: str, line: Mapping[str, str]) -> str:
    """What is spoken there, by the log it stands in or by what Zeek recognised."""
    name = _SERVICES.get(log) or _said(line.get("service")) or log
    return name[:40] if name and name.isprintable() else "?"


def _services(found: Gathering, lines: Iterator[tuple[int, Mapping[str, str]]]) -> None:
    """The services of each address, to be taken by the machine that has it."""
    services: dict[str, set[str]] = defaultdict(set)
    rows: dict[str, int] = {}
    last: dict[str, float] = defaultdict(float)
    for row, line in lines:
        host, port = _address(line.get("host")), line.get("port_num", "")
        if not host or not port.isdigit():
            found.refuse(RowRefused(why="it names no address and port"), found.place(row), tuple(line.values())[:5])
            continue
        rows.setdefault(host, row)
        last[host] = max(last[host], min(number(line.get("ts")), float(_LAST_SECOND)))
        name = _said(line.get("service")).casefold()
        services[host].add(f"{line.get('port_proto', 'tcp')[:5]}/{port[:5]} {name[:60]}".strip())
    for host, some in services.items():
        values = {"services": tuple(sorted(one for one in some if one.isprintable()))}
        found.observations.append(
            Observation(
                kind=AssetKind.SERVER,
                name=at_address(host),
                values=values,
                place=found.place(rows[host]),
                source=found.source,
                row=(host, "", " | ".join(values["services"])[:500]),
                kind_is_guess=True,
                observed_us=int(last[host] * 1_000_000),
            )
        )


def _said(text: str | None) -> str:
    return "" if text is None or text in _UNSET else text


def _address(text: str | None) -> str:
    try:
        return str(ipaddress.ip_address(_said(text)))
    except ValueError:
        return ""


def _day(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, tz=UTC).date().isoformat() if 0 < seconds < _LAST_SECOND else "?"
