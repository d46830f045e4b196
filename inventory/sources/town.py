"""A made-up municipality in the native form: the same wish gives the same bytes, from 20 to 100,000 seats.

Shares and distributions are those of a German town's IT around 2010. Its addresses lie in 10.0.0.0/8 and nothing ever
contacts them; there are no people in it.
"""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any, TypeVar

from inventory.errors import ExpectedError
from inventory.rejects import formula_free
from inventory.sources.native_form import SECTIONS
from inventory.sources.native_json import MARK, VERSION
from inventory.sources.town_words import (
    AGE_YEARS,
    BASE_YEAR,
    DEPARTMENTS,
    MAKERS,
    PLACEHOLDER_SERIALS,
    PROCEDURE_TAILS,
    PROCEDURES,
    PROTECTION,
    SEAT_MODELS,
    SEAT_SYSTEMS,
    SERVER_MODELS,
    SERVER_RAM_GIB,
    SERVER_SYSTEMS,
    SITE_PLACES,
    SITE_WORDS,
    STRATEGY,
    VCPUS,
    ProcedureWord,
)

SMALLEST, LARGEST = 20, 100_000
Entry = dict[str, Any]
T = TypeVar("T")
_USUAL_SEATS = 1_400
_SUCCESSORS_FROM = 64 * 62_500
"""Successors have addresses from 10.64.0.0 on, so that every machine has its own."""


class TownSize(ExpectedError):
    """A town too small to be one, or larger than was ever tried."""

    code, says = "INV-010", "A made-up town has {smallest} to {largest} seats, not {seats}."
    remedy = "Give another number of seats."


@dataclass(frozen=True, slots=True, kw_only=True)
class TownWish:
    """What town is wanted. ``seed`` chooses which of all such towns. Raises TownSize."""

    seats: int
    seed: int
    has_successors: bool = True
    is_dirty: bool = False
    """With what real inventories suffer from: duplicates, missing fields, placeholder serial numbers."""

    def __post_init__(self) -> None:
        if not SMALLEST <= self.seats <= LARGEST:
            raise TownSize(smallest=SMALLEST, largest=LARGEST, seats=self.seats)


def make_town(wish: TownWish) -> Entry:
    """The town as one native document."""
    chance = Random(f"town {wish.seed} {wish.seats}")
    scale = wish.seats / _USUAL_SEATS
    sites = _site_names(max(1, round(25 * scale**0.7)))
    departments = DEPARTMENTS[: min(len(DEPARTMENTS), max(3, round(12 * scale**0.3)))]
    procedures = _procedures(chance, max(12, round(90 * scale**0.33)), departments)
    servers = _servers(chance, max(2, round(0.086 * wish.seats)), sites)
    _put_on_servers(chance, procedures, [one["name"] for one in servers])
    _count_users(procedures, wish.seats)
    machines, seats = _seats(chance, wish, sites, departments, procedures)
    machines = [*servers, *machines]
    if wish.is_dirty:
        machines = _soiled(chance, machines)
    return {
        MARK: VERSION,
        "sites": [{"name": name} for name in sites],
        "departments": [{"name": name} for name in departments],
        "machines": machines,
        "seats": seats,
        "procedures": procedures,
        "dependencies": _dependencies(chance, procedures),
    }


def town_json(town: Mapping[str, Any]) -> str:
    """The document as text, one entry a line."""
    return "".join(_json_lines(town))


def _json_lines(town: Mapping[str, Any]) -> Iterator[str]:
    yield f'{{"{MARK}": {VERSION}'
    for section in SECTIONS:
        yield f',\n"{section.key}": [\n'
        yield ",\n".join(json.dumps(entry, ensure_ascii=False) for entry in town[section.key])
        yield "\n]"
    yield "}\n"


def write_town(town: Mapping[str, Any], out: Path) -> tuple[Path, ...]:
    """Write it as one JSON file (where ``out`` ends in .json) or as one CSV file per section into a directory.

    Returns the files in the order of their sections. Raises OSError.
    """
    if out.suffix == ".json":
        out.write_text(town_json(town), encoding="utf-8")
        return (out,)
    out.mkdir(parents=True, exist_ok=True)
    written: list[Path] = []
    for section in SECTIONS:
        path = out / f"{section.key}.csv"
        with path.open("w", encoding="utf-8", newline="") as opened:
            opened.write(section_csv(section.columns, town[section.key]))
        written.append(path)
    return tuple(written)


def section_csv(columns: Sequence[str], entries: Sequence[Mapping[str, Any]]) -> str:
    """The entries as CSV with the columns that occur; lists are joined by ``|``."""
    used = {name for entry in entries for name in entry}
    kept = [name for at, name in enumerate(columns) if name in used or at == 0]
    written = io.StringIO()
    writer = csv.writer(written, delimiter=";", lineterminator="\r\n")
    writer.writerow(kept)
    for entry in entries:
        cells = (entry.get(name, entry.get("name", "") if at == 0 else "") for at, name in enumerate(kept))
        writer.writerow([formula_free(_cell(cell)) for cell in cells])
    return written.getvalue()


def _cell(value: object) -> str:
    return "|".join(value) if isinstance(value, list) else str(value)


def _weighted(chance: Random, shares: Sequence[tuple[T, int]]) -> T:
    return chance.choices([value for value, _ in shares], [share for _, share in shares])[0]


def _zipf(chance: Random, values: Sequence[T], count: int, exponent: float) -> list[T]:
    """``count`` draws, the n-th value with a share of 1/n^exponent."""
    return chance.choices(values, [1 / rank**exponent for rank in range(1, len(values) + 1)], k=count)


def _site_names(count: int) -> list[str]:
    names: list[str] = []
    while len(names) < count:
        at = len(names)
        word, place = SITE_WORDS[at % len(SITE_WORDS)], SITE_PLACES[(at * 7 + at // len(SITE_WORDS)) % len(SITE_PLACES)]
        name = f"{word} {place}"
        names.append(name if name not in names else f"{name} {at + 1}")
    return names


def _procedures(chance: Random, count: int, departments: Sequence[str]) -> list[Entry]:
    words = [*PROCEDURES[:count]]
    for tail in (f"{tail}{number}" for number in ("", *(f" {n}" for n in range(2, 20))) for tail in PROCEDURE_TAILS):
        words += [ProcedureWord(f"{one.name} {tail}", one.department) for one in PROCEDURES if not one.is_hub]
        if len(words) >= count:
            break
    found: list[Entry] = []
    for word in words[:count]:
        department = word.department if word.department in departments else chance.choice(departments)
        found.append(
            {
                "name": word.name,
                "department": department,
                "vendor": _zipf(chance, MAKERS, 1, 1.0)[0],
                "owner": f"Verfahrensbetreuung {department}",
                "protection": _weighted(chance, PROTECTION),
                "strategy": "rehost" if word.is_hub else _weighted(chance, STRATEGY),
            }
        )
    return found


def _count_users(procedures: Sequence[Entry], seats: int) -> None:
    for rank, procedure in enumerate(procedures, start=1):
        procedure["users"] = max(2, min(seats, round(0.9 * seats / rank**0.85)))


def _servers(chance: Random, count: int, sites: Sequence[str]) -> list[Entry]:
    """Servers, most of them at the first site; one more keeps the copies during waves."""
    width = max(3, len(str(count)))
    found: list[Entry] = [
        {"name": "tresor-1", "kind": "server", "site": sites[0], "role": "vault", "os_name": "Debian GNU/Linux 12",
         "address": _address(1), "power": "on"}
    ]  # fmt: skip
    for number in range(1, count + 1):
        disk = round(min(10_800.0, chance.lognormvariate(math.log(120), 0.97)), 1)
        site = sites[0] if chance.random() < 0.7 else chance.choice(sites)
        is_virtual = chance.random() < 0.5
        entry: Entry = {
            "name": f"srv-{number:0{width}d}",
            "kind": "vm" if is_virtual else "server",
            "site": site,
            "os_name": _weighted(chance, SERVER_SYSTEMS),
            "cpu_cores": _weighted(chance, VCPUS),
            "ram_mib": _weighted(chance, SERVER_RAM_GIB) * 1024,
            "disk_gib": disk,
            "disk_used_gib": round(disk * 0.55, 1),
            "power": "off" if chance.random() < 0.052 else "on",
            "address": _address(number + 1),
            "mac": [_mac(number + 1)],
        }
        if not is_virtual:
            entry["vendor"], entry["model"] = chance.choice(SERVER_MODELS)
            entry["serial"] = _serial(chance, "S")
        found.append(entry)
    return found


def _put_on_servers(chance: Random, procedures: Sequence[Entry], servers: Sequence[str]) -> None:
    """One server and more for each procedure, own ones while they last; 35 % also use a shared database host."""
    shared = servers[1 : 1 + max(1, min(6, len(servers) // 15))]
    own = list(servers[1 + len(shared) :]) or list(shared)
    at = 0
    for procedure in procedures:
        wanted = min(6, 1 + round(chance.expovariate(1 / 0.45)))
        # Three servers in ten belong to no procedure, so the own ones end before the list does.
        free = own[at : at + wanted] if at + wanted <= len(own) * 0.7 else [chance.choice(own)]
        at += wanted
        using = [chance.choice(shared)] if chance.random() < 0.35 else []
        procedure["machines"] = list(dict.fromkeys([*free, *using]))


def _seats(
    chance: Random, wish: TownWish, sites: Sequence[str], departments: Sequence[str], procedures: Sequence[Entry]
) -> tuple[list[Entry], list[Entry]]:
    """Workstations, their successors, and the seats they stand at."""
    first = 2 + round(0.086 * wish.seats) + 1
    width = max(4, len(str(wish.seats)))
    places = _zipf(chance, sites, wish.seats, 1.05)
    offices = _zipf(chance, departments, wish.seats, 0.7)
    used = _used_by(procedures, departments)
    machines: list[Entry] = []
    seats: list[Entry] = []
    for number in range(1, wish.seats + 1):
        place, office = places[number - 1], offices[number - 1]
        room = f"{chance.randrange(5)}.{chance.randrange(1, 40):02d}"
        where = {"site": place, "department": office, "room": room}
        name = f"apc-{number:0{width}d}"
        old = {"name": name, **_workstation(chance, number, first + number), **where}
        machines.append(old)
        if wish.has_successors:
            old["successor"] = f"apn-{number:0{width}d}"
            machines.append({"name": old["successor"], **_successor(first + number), **where})
        users = sorted(chance.sample(used[office], k=min(3, len(used[office]))))
        seats.append({"name": f"platz-{number:0{width}d}", **where, "machine": name, "procedures": users, "users": 1})
    return machines, seats


def _used_by(procedures: Sequence[Entry], departments: Sequence[str]) -> dict[str, list[str]]:
    hubs = [one.name for one in PROCEDURES if one.is_hub]
    names = [one["name"] for one in procedures]
    own = {office: [one["name"] for one in procedures if one["department"] == office] for office in departments}
    return {office: list(dict.fromkeys([*own[office][:8], *(hub for hub in hubs if hub in names)])) for office in own}


def _workstation(chance: Random, number: int, machine: int) -> Entry:
    system = _weighted(chance, SEAT_SYSTEMS)
    year = BASE_YEAR - _weighted(chance, AGE_YEARS)
    disk = chance.choice((80.0, 160.0, 250.0, 320.0))
    vendor, model = chance.choice(SEAT_MODELS)
    return {
        "kind": "thin_client" if system.startswith("Thin") else "workstation",
        "os_name": system,
        "vendor": vendor,
        "model": model,
        "serial": _serial(chance, "W"),
        "asset_tag": f"{year}-{number:06d}",
        "cpu_cores": chance.choice((1, 2, 2, 4)),
        "ram_mib": chance.choice((512, 1024, 2048, 2048, 4096)),
        "disk_gib": disk,
        "disk_used_gib": round(disk * chance.uniform(0.1, 0.9), 1),
        "purchased": f"{year}-{chance.randrange(1, 13):02d}-{chance.randrange(1, 29):02d}",
        "address": _address(machine),
        "mac": [_mac(machine)],
        "power": "on",
    }


def _successor(machine: int) -> Entry:
    return {
        "kind": "workstation",
        "os_name": "Linux Desktop 12",
        "address": _address(_SUCCESSORS_FROM + machine),
        "power": "off",
    }


def _address(machine: int) -> str:
    """10.x.y.z of a machine's number, z from 1 to 250."""
    return f"10.{machine // 62_500 % 256}.{machine // 250 % 250}.{machine % 250 + 1}"


def _mac(machine: int) -> str:
    return "02:0a:" + ":".join(f"{machine >> shift & 255:02x}" for shift in (24, 16, 8, 0))


def _serial(chance: Random, letter: str) -> str:
    return f"{letter}{chance.getrandbits(40):010X}"


def _dependencies(chance: Random, procedures: Sequence[Entry]) -> list[Entry]:
    """Typed edges; targets are drawn in proportion to the edges they already have, so that few hubs hold most."""
    hubs = {one.name for one in PROCEDURES if one.is_hub}
    weights = [8.0 if one["name"] in hubs else 1.0 for one in procedures]
    places = range(len(procedures))
    found: list[Entry] = []
    for at, procedure in enumerate(procedures):
        wanted = min(20, len(procedures) - 1, round(chance.lognormvariate(math.log(2), 0.857)))
        targets = sorted(set(chance.choices(places, weights, k=wanted)) - {at})
        for target in targets:
            weights[target] += 1
            needs = procedures[target]
            found.append(
                {
                    "from": procedure["name"],
                    "needs": needs["name"],
                    "kind": _dependency_kind(chance, procedure, needs, needs["name"] in hubs),
                }
            )
    return found


def _dependency_kind(chance: Random, one: Entry, other: Entry, is_hub: bool) -> str:
    """Hard within a department (45 %) and seldom across (3 %), never on a hub, or all would have to move together."""
    share = 0.0 if is_hub else 0.45 if one["department"] == other["department"] else 0.03
    if chance.random() < share:
        return "hard"
    return "soft" if chance.random() < 0.42 else "data"


def _soiled(chance: Random, machines: Iterable[Entry]) -> list[Entry]:
    """8 % with a field missing, 4 % of serial numbers placeholders, 3 % standing there twice with other content."""
    found: list[Entry] = []
    for machine in machines:
        entry = dict(machine)
        if chance.random() < 0.08:
            entry.pop(chance.choice(("vendor", "model", "os_name", "purchased", "asset_tag")), None)
        if "serial" in entry and chance.random() < 0.04:
            entry["serial"] = chance.choice(PLACEHOLDER_SERIALS)
        found.append(entry)
        if chance.random() < 0.03:
            found.append({**entry, "name": entry["name"].upper(), "note": "zweiter Eintrag"})
    return found
