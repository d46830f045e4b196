"""What a discovered machine says of itself, as an observation; its open connections, as dependencies with evidence.

The text comes from a machine that may be anybody's: a value that cannot be taken is left out and noted, and no line of
it is believed beyond the machine it came from.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from inventory.model import MAX_TEXT, Asset, DependencyKind
from inventory.observation import Reading
from inventory.parsing import MAX_LIST
from inventory.sources.discovery_text import Connection, Listening, Sections, sections_of, sockets_of
from inventory.sources.gathering import Gathering, Seen
from inventory.sources.hardware import GIB, MIB, full_name, real_macs, real_mark, size_text

SOURCE = "discovery"
KNOWN_PORTS: Mapping[int, str] = {
    22: "ssh", 25: "smtp", 53: "dns", 80: "http", 88: "kerberos", 110: "pop3", 111: "rpcbind", 139: "smb", 143: "imap",
    161: "snmp", 389: "ldap", 443: "https", 445: "smb", 514: "syslog", 515: "print", 587: "smtp", 631: "print",
    636: "ldaps", 993: "imap", 1433: "mssql", 1521: "oracle", 2049: "nfs", 3050: "firebird", 3268: "ldap",
    3306: "mysql", 3389: "rdp", 5432: "postgresql", 5984: "couchdb", 6379: "redis", 8080: "http", 8443: "https",
    9100: "print", 9200: "elasticsearch", 11211: "memcached", 27017: "mongodb", 50000: "db2",
}  # fmt: skip
DATABASES = frozenset({1433, 1521, 3050, 3306, 5432, 5984, 6379, 9200, 11211, 27017, 50000})
_WEB_SERVERS = ("apache2", "httpd", "nginx", "lighttpd", "caddy", "tomcat", "haproxy")
_DATABASE_PROCESSES = (
    "mysqld",
    "mariadbd",
    "postgres",
    "oracle",
    "tnslsnr",
    "mongod",
    "redis-server",
    "db2sysc",
    "sqlservr",
)
_PSEUDO = ("tmpfs", "devtmpfs", "overlay", "udev", "none", "shm", "squashfs")
_PIECE = re.compile(
    r"(lib(?!re(office|swan|nms)|virt-d)|fonts?-|perl-|python3?-|ruby-|rubygem-|node-|golang-|gir1\.|texlive-|linux-(headers|modules)|language-pack|glibc-lang)"
    r"|[^ ]*-(dev|devel|doc|docs|data|common|locales?|l10n|dbg|dbgsym|debuginfo|lang|langpack)( |$)|[^ ]*-langpack-"
)
"""Packages that are no programs by themselves: libraries, languages, fonts, documentation."""
_SECTOR = 512
CLOCK_OFF_S = 120
HUB_SHARE, HUB_LEAST = 0.5, 5
"""A port that at least half of the looked-at machines use, and five of them, is a service they share."""
_SSH = 22


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What one machine sent, when, and what was noticed on the way to it (such as weak algorithms)."""

    asset: Asset
    text: str
    at: datetime
    about: tuple[str, str] | None = None
    """A claim about the asset: whatever the machine tells, it is told of this asset and no other."""
    findings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Seen:
    """One machine's report, understood."""

    report: Report
    sections: Sections
    complete: bool
    listening: tuple[Listening, ...]
    connections: tuple[Connection, ...]


def understood(reports: Sequence[Report], known: Iterable[Asset]) -> Reading:
    """All reports of one round as one reading. ``known``: the assets among which the other ends are looked for."""
    seen = [_seen(report) for report in sorted(reports, key=lambda one: one.asset.name)]
    found = Gathering(path=Path(SOURCE), source=SOURCE)
    known = tuple(known)
    owners, bearers = _owners(seen, known), _bearers(known)
    hubs = _hubs(seen, owners)
    for row, one in enumerate(seen, start=1):
        said = _said(one)
        said["findings"] = [*_findings(one), *_borrowed(one, said, bearers), *_strangers(one, owners)]
        said["tags"] = [*_tags(one), *hubs.get(one.report.asset.name, ())]
        place = found.place(row, one.report.asset.name)
        found.asset(one.report.asset.kind, one.report.asset.name, said, place=place)
        _dependencies(found, one, owners, hubs, row)
    abouts = {one.report.asset.name: one.report.about for one in seen}
    found.observations[:] = [replace(one, about=abouts[one.name]) for one in found.observations]
    return found.reading()


def _seen(report: Report) -> _Seen:
    sections, complete = sections_of(report.text)
    listening, connections = sockets_of(sections)
    return _Seen(report=report, sections=sections, complete=complete, listening=listening, connections=connections)


# --------------------------------------------------------------------------- one machine


def _said(one: _Seen) -> dict[str, object]:
    sections = one.sections
    host = (*sections.get("host", ()), "", "", "", "", "")
    dmi = dict(line.partition(" ")[::2] for line in sections.get("dmi", ()))
    volumes = _volumes(sections)
    name, version = _system(sections, host)
    return {
        "fqdn": full_name(host[4]),
        "mac": real_macs(tuple(line.partition(" ")[::2]) for line in sections.get("adapters", ())),  # type: ignore[misc]
        "serial": real_mark(dmi.get("product_serial")),
        "uuid": real_mark(dmi.get("product_uuid")),
        "vendor": real_mark(dmi.get("sys_vendor")),
        "model": real_mark(dmi.get("product_name")),
        "os_name": name,
        "os_version": version,
        "arch": host[3],
        "firmware": "efi" if sections.get("firmware") else "",
        "cpu_cores": _number(sections.get("cpu", ())) or "",
        "ram_mib": _memory(sections.get("memory", ())) or "",
        "disk_gib": _disks_gib(sections) or "",
        "disk_used_gib": round(sum(used for _name, _size, used in volumes) / MIB, 1) or "",
        "disks": [size_text(name, size_mib=size / 1024, used_mib=used / 1024) for name, size, used in volumes],
        "services": [_service(listening) for listening in one.listening],
        "software": _programs(sections.get("packages", ())),
        "last_seen": one.report.at.date().isoformat(),
        "power": "on",
    }


def _programs(packages: Iterable[str]) -> list[str]:
    """The packages, as many as a record may hold; programs before the pieces that they are made of."""
    ordered = sorted(filter(None, packages), key=lambda line: (_PIECE.match(line) is not None, line))
    return ordered[:MAX_LIST]


def _system(sections: Sections, host: Sequence[str]) -> tuple[str, str]:
    """Name and version of the operating system: as it names itself, else its kernel."""
    release = sections.get("release", ())
    named = dict(line.partition("=")[::2] for line in release if "=" in line)
    pretty = named.get("PRETTY_NAME", "").strip('"')
    debian = "".join(sections.get("debian", ())[:1]) if named.get("ID") == "debian" else ""
    version = debian or named.get("VERSION_ID", "")
    if not pretty:
        pretty = next((line for line in release if "=" not in line), "") or f"{host[1]} {host[2]}".strip()
    return pretty, version.strip('"')


def _volumes(sections: Sections) -> list[tuple[str, int, int]]:
    """Mounted volumes of the machine's own disks: where, KiB in all, KiB in use."""
    found: list[tuple[str, int, int]] = []
    for line in sections.get("volumes", ()):
        words = line.split(None, 5)
        if len(words) == 6 and words[1].isdecimal() and words[2].isdecimal() and words[0] not in _PSEUDO:
            found.append((words[5], int(words[1]), int(words[2])))
    return found


def _disks_gib(sections: Sections) -> float:
    sizes = [line.rpartition(" ")[2] for line in sections.get("disks", ())]
    return round(sum(int(one) * _SECTOR for one in sizes if one.isdecimal()) / GIB, 1)


def _number(lines: Sequence[str]) -> int:
    return int(lines[0]) if lines and lines[0].isdecimal() and len(lines[0]) < 8 else 0


def _memory(lines: Sequence[str]) -> int:
    words = lines[0].split() if lines else []
    return int(words[1]) // 1024 if len(words) == 3 and words[1].isdecimal() and words[2] == "kB" else 0


def _service(one: Listening) -> str:
    return " ".join(word for word in (f"{one.protocol}/{one.port}", KNOWN_PORTS.get(one.port, ""), one.process) if word)


def _findings(one: _Seen) -> list[str]:
    """What stands in the way of moving it, or of believing it."""
    found = list(one.report.findings)
    sections = one.sections
    if not one.complete:
        found.append("discovery: the report breaks off before its end")
    sent = _number_of(sections.get("clock", ()))
    off = abs(sent - one.report.at.timestamp()) if sent else 0
    if off > CLOCK_OFF_S:
        found.append(f"clock: off by {round(off)} s")
    if not any(line.startswith("Python 3") for line in sections.get("python", ())):
        found.append("python: no Python 3")
    day = one.report.at.date()
    for line in sections.get("certificates", ()):
        until = _until(line)
        if until is not None and until.date() < day:
            found.append(f"certificate: ended on {until.date()}: {_subject(line)}")
    return found


def _number_of(lines: Sequence[str]) -> int:
    return int(lines[0]) if lines and lines[0].isdecimal() and len(lines[0]) < 12 else 0


def _until(line: str) -> datetime | None:
    """The end of a certificate as openssl writes it: ``notAfter=Nov 25 20:00:00 2026 GMT``."""
    text = line.partition("notAfter=")[2].partition(" GMT")[0]
    try:
        return datetime.strptime(" ".join(text.split()) + " +0000", "%b %d %H:%M:%S %Y %z")
    except ValueError:
        return None


def _subject(line: str) -> str:
    return line.partition("subject=")[2].strip()[:120]


def _tags(one: _Seen) -> list[str]:
    sections = one.sections
    processes = {listening.process for listening in one.listening}
    jobs = {*sections.get("jobs", ()), *sections.get("timers", ())}
    tags = [f"job={line}" for line in sorted(jobs) if line]
    tags += [f"share={line}" for line in sections.get("shares", ())]
    tags += [f"mount={' '.join(line.split()[:3])}" for line in sections.get("mounts", ())]
    tags += [f"web-site={' '.join(line.split()[1:]).rstrip(';')}" for line in sections.get("sites", ())]
    tags += [f"web-server={name}" for name in _WEB_SERVERS if any(name in process for process in processes)]
    tags += [f"database={name}" for name in _DATABASE_PROCESSES if any(name in process for process in processes)]
    tags += [f"unit={line.removesuffix('.service')}" for line in sorted({*sections.get("units", ())}) if line]
    for line in sections.get("certificates", ()):
        until = _until(line)
        if until is not None:
            tags.append(f"certificate={_subject(line)} until {until.date()}")
    if sections.get("packages"):
        tags.append(f"packages={len(sections['packages'])}")
    return tags


# --------------------------------------------------------------------------- between machines


def _owners(seen: Sequence[_Seen], known: Iterable[Asset]) -> dict[str, str]:
    """Address -> name of the machine: what the inventory says, and only beside it what machines say of themselves.

    An address that two machines claim belongs to neither.
    """
    listed: dict[str, set[str]] = defaultdict(set)
    for asset in known:
        if asset.is_machine and asset.text("address"):
            listed[asset.text("address")].add(asset.name)
    claims: dict[str, set[str]] = defaultdict(set)
    for one in seen:
        for line in one.sections.get("addresses", ()):
            words = line.replace("addr:", "").split()
            for at, word in enumerate(words[:-1]):
                if word in ("inet", "inet6"):
                    claims[words[at + 1].partition("/")[0]].add(one.report.asset.name)
    return {address: next(iter(names)) for address, names in {**claims, **listed}.items() if len(names) == 1}


def _ends(one: _Seen, owners: Mapping[str, str]) -> Iterable[tuple[str, str, Connection]]:
    """(who needs, who is needed, connection) for each connection between two known machines."""
    name = one.report.asset.name
    for connection in one.connections:
        other = owners.get(connection.other)
        if other is None or other == name or (connection.port == _SSH and connection.inbound):
            continue  # people and Kahn itself come by ssh
        yield (other, name, connection) if connection.inbound else (name, other, connection)


def _hubs(seen: Sequence[_Seen], owners: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    """Machine -> tags of the services that so many machines use that they are no one's own dependency."""
    users: dict[tuple[str, int], set[str]] = defaultdict(set)
    for one in seen:
        for user, used, connection in _ends(one, owners):
            users[used, connection.port].add(user)
    least = max(HUB_LEAST, HUB_SHARE * len(seen))
    found: dict[str, list[str]] = defaultdict(list)
    for (name, port), some in sorted(users.items()):
        if len(some) >= least:
            found[name].append(_hub_tag(port))
    return {name: tuple(tags) for name, tags in found.items()}


def _hub_tag(port: int) -> str:
    return f"shared-service={' '.join(word for word in (f'tcp/{port}', KNOWN_PORTS.get(port, '')) if word)}"


def _dependencies(
    found: Gathering, one: _Seen, owners: Mapping[str, str], hubs: Mapping[str, Sequence[str]], row: int
) -> None:
    """One dependency for each pair of machines and kind, with every port as its evidence."""
    times = Counter((user, used, end.protocol, end.port, end.process) for user, used, end in _ends(one, owners))
    ports: dict[tuple[str, str, DependencyKind], list[str]] = defaultdict(list)
    for (user, used, protocol, port, process), number in sorted(times.items()):
        kind = DependencyKind.DATA if port in DATABASES else DependencyKind.INTERFACE
        what = " ".join(word for word in (f"{protocol}/{port}", KNOWN_PORTS.get(port, ""), process) if word)
        if _hub_tag(port) in hubs.get(used, ()):
            kind, what = DependencyKind.SOFT, f"{what} (a shared service)"
        ports[user, used, kind].append(f"{number} x {what}")
    day = one.report.at.date().isoformat()
    for (user, used, kind), whats in ports.items():
        evidence = f"seen {day} on {one.report.asset.name}: {', '.join(whats)}"[:MAX_TEXT]
        place, seen = found.place(row), Seen(evidence=evidence)
        found.dependency(f"machine:{user}", f"machine:{used}", kind, place=place, seen=seen)


def _bearers(known: Iterable[Asset]) -> dict[tuple[str, str], set[str]]:
    """Who bears which UUID and serial number by the inventory."""
    found: dict[tuple[str, str], set[str]] = defaultdict(set)
    for asset in known:
        for mark in ("uuid", "serial"):
            if asset.is_machine and real_mark(asset.text(mark)):
                found[mark, asset.text(mark).casefold()].add(asset.name)
    return found


def _borrowed(one: _Seen, said: Mapping[str, object], bearers: Mapping[tuple[str, str], set[str]]) -> Iterable[str]:
    """Marks that the machine tells and another one bears: a copied image, a swapped name, or a lie."""
    for mark in ("uuid", "serial"):
        others = bearers.get((mark, str(said.get(mark) or "").casefold()), set()) - {one.report.asset.name}
        if others:
            yield f"identity: its {mark} is also that of {', '.join(sorted(others)[:3])}"


def _strangers(one: _Seen, owners: Mapping[str, str]) -> list[str]:
    """Other ends that the inventory does not know: what is missing in it."""
    unknown = Counter(
        (connection.other, connection.port)
        for connection in one.connections
        if not connection.inbound and connection.other not in owners
    )
    return [f"unknown peer: {other} tcp/{port}" for other, port in sorted(unknown)][:50]
