"""Made-up estates with sites, departments, procedures, seats and servers, and policies with random rules for them."""

from __future__ import annotations

import random
from datetime import date, time, timedelta
from typing import Any

from inventory.model import Asset, AssetKind, Dependency, DependencyKind, Snapshot
from orchestrator.core.constraints import (
    Apart,
    Capacity,
    DaySpan,
    Delivery,
    Each,
    Effort,
    Every,
    First,
    Hours,
    Measure,
    Occasion,
    Per,
    Planning,
    Recurring,
    Scope,
    Season,
    Stock,
    Task,
    Visit,
)
from orchestrator.core.policy import Freeze, Policy, Weekday, WeeklyWindow
from tests.estates import MONDAY, REACHED, a_pair, a_policy, an_asset, an_estate, needs

RUNBOOKS = {AssetKind.WORKSTATION: "replace-workstation", AssetKind.SERVER: "replace-server"}
SITES, DEPARTMENTS, VENDORS = ("Rathaus", "Bauhof"), ("Amt 0", "Amt 1", "Amt 2"), ("AKDB", "HSH", "")
DESCRIBED: dict[str, Any] = {
    "data": ("/srv/it",),
    "unit": "it.service",
    "port": 8080,
    "gateway_file": "/etc/gate",
    "gateway_line": "to {address}",
    "gateway_reload": ("true",),
    "gateway_port": 80,
}
"""What a policy must say of a procedure at least, beside its name."""
DAY_ONE = MONDAY.date()


def a_procedure(name: str, *machines: str, **values: Any) -> Asset:
    """A procedure that runs on those machines."""
    return an_asset(name, kind=AssetKind.PROCEDURE, machines=tuple(machines), **values)


def a_server(name: str, **values: Any) -> Asset:
    """A server that can be moved where a runbook is given for its kind."""
    return an_asset(name, kind=AssetKind.SERVER, **{"address": f"{name}.stadt.example", **REACHED, **values})


def a_town(pairs: int, *, seed: int = 0, servers: int = 6, procedures: int = 6) -> Snapshot:
    """Seats at two sites and in three departments, procedures with protection and makers, servers under them."""
    chance = random.Random(seed)
    size: dict[str, Any] = {"cpu_cores": 4, "ram_mib": 8192, "rack_units": 2}
    hosts = [
        a_server(f"srv-{n}{chance.choice(('', '-test'))}", site=chance.choice(SITES), **size) for n in range(servers)
    ]
    systems = [
        a_procedure(
            f"V{n}",
            *(one.name for one in chance.sample(hosts, min(servers, chance.randint(1, 2)))),
            protection=chance.choice(("normal", "hoch", "sehr hoch")),
            vendor=chance.choice(VENDORS) or "Eigenbau",
            users=chance.randint(1, 300),
        )
        for n in range(procedures)
    ]
    machines: list[Asset] = []
    for n in range(pairs):
        old, new = a_pair(n, site=chance.choice(SITES), department=chance.choice(DEPARTMENTS), disk_gib=100)
        machines += [old, Asset(id=new.id, tenant=new.tenant, kind=new.kind, name=new.name, values=dict(new.values))]
    seats = [
        an_asset(
            f"seat-{n}",
            kind=AssetKind.SEAT,
            machine=f"old-{n:04}",
            procedures=tuple(one.name for one in chance.sample(systems, min(procedures, chance.randint(0, 2)))),
        )
        for n in range(pairs)
    ]
    return an_estate(also=(*hosts, *systems, *machines, *seats), edges=tuple(_edges(chance, pairs, systems)))


def _edges(chance: random.Random, pairs: int, systems: list[Asset]) -> list[Dependency]:
    kinds = [DependencyKind.SOFT] * 6 + [DependencyKind.DATA] * 3 + [DependencyKind.INTERFACE, DependencyKind.HARD]
    names = [f"old-{n:04}" for n in range(pairs)] + [one.name for one in systems]
    return [
        needs(chance.choice(names), chance.choice(names), chance.choice(kinds))
        for _ in range((pairs + len(systems)) // 2)
    ]


def a_scope(chance: random.Random) -> Scope:
    """Something that holds some of them."""
    return chance.choice(
        (
            Scope(),
            Scope(names=("*1", "srv-?")),
            Scope(sites=(chance.choice(SITES),)),
            Scope(departments=(chance.choice(DEPARTMENTS),)),
            Scope(kinds=(chance.choice((AssetKind.WORKSTATION, AssetKind.SERVER)),)),
            Scope(procedures=("V1", "V2")),
            Scope(vendors=("AKDB",)),
            Scope(protection=(chance.choice(("normal", "hoch", "sehr hoch")),)),
        )
    )


def random_rules(seed: int) -> Planning:
    """About a third of all rules, none of them kind."""
    chance = random.Random(seed)
    made: dict[str, Any] = {
        "recurring": (
            Recurring(name="turn", every=chance.choice(tuple(Every)), first_day=-3, last_day=2, scope=a_scope(chance)),
        ),
        "occasions": (
            Occasion(
                name="vote", on=(DAY_ONE + timedelta(days=9),), days_before=3, days_after=1, scope=a_scope(chance)
            ),
        ),
        "hours": (Hours(name="counter", days=(Weekday.TUE,), opens=time(20), closes=time(23), scope=a_scope(chance)),),
        "seasons": (
            Season(
                name="holidays",
                spans=(DaySpan(first=DAY_ONE + timedelta(days=2), last=DAY_ONE + timedelta(days=20)),),
                scope=a_scope(chance),
            ),
        ),
        "capacities": (
            Capacity(name="hands", of=Measure.ASSETS, most=3, per=Per.DAY, each=Each.SITE),
            Capacity(name="share", of=Measure.SHARE, most=0.3, per=Per.WEEK, each=Each.DEPARTMENT),
            Capacity(name="cutovers", of=Measure.CUTOVERS, most=1, scope=a_scope(chance)),
            Capacity(name="maker", of=Measure.VCPU, most=6, per=Per.DAY, each=Each.VENDOR),
        ),
        "stocks": (
            Stock(
                name="boxes",
                of=chance.choice((Measure.ASSETS, Measure.DISK_GIB, Measure.RAM_GIB)),
                deliveries=(
                    Delivery(on=DAY_ONE + timedelta(days=1), amount=5),
                    Delivery(on=DAY_ONE + timedelta(days=8), amount=900),
                ),
                scope=a_scope(chance),
            ),
        ),
        "visits": (
            Visit(
                name="maker on site",
                lead_days=3,
                on=tuple(DAY_ONE + timedelta(days=n) for n in range(0, 40, 3)),
                scope=a_scope(chance),
            ),
        ),
        "tasks": (Task(name="notice", days_before=5, scope=a_scope(chance)),),
        "apart": (Apart(name="classes", one=a_scope(chance), other=a_scope(chance)),),
        "first": (
            First(name="pilot", first=Scope(departments=("Amt 1",)), days_between=2),
            First(name="test", first=Scope(names=("*-test",)), then=Scope(names=("srv*",)), same=Each.PROCEDURE),
        ),
        **_scalars(chance),
    }
    kept = {name: rule for name, rule in made.items() if chance.random() < 0.35}
    return Planning(**kept)


def _scalars(chance: random.Random) -> dict[str, Any]:
    return {
        "efforts": (Effort(minutes=50, scope=a_scope(chance)), Effort(minutes=20)),
        "rollback_minutes": 120,
        "seats_wait": True,
        "hub_at": 4,
        "shared_from": 3,
        "cycles_bind": False,
        "needs_first": False,
    }


def a_ruled_policy(seed: int, **changes: Any) -> Policy:
    """Two kinds of window, a freeze for some, and random rules."""
    chance = random.Random(seed)
    nights = WeeklyWindow(days=tuple(Weekday)[:4], opens=time(22), closes=time(4, 30), scope=a_scope(chance))
    weekend = WeeklyWindow(days=(Weekday.SAT,), opens=time(8), closes=time(20))
    freeze = Freeze(name="stocktaking", first=date(2026, 12, 1), last=date(2026, 12, 3), scope=a_scope(chance))
    wanted = {
        "weekly": (nights, weekend),
        "freezes": (freeze,),
        "horizon_days": 60,
        "runbooks": RUNBOOKS,
        "planning": random_rules(seed),
    }
    return a_policy(**{**wanted, **changes})
