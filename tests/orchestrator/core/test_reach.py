"""What a seat must reach, as the inventory knows it."""

from __future__ import annotations

from inventory.model import Asset, AssetId, AssetKind, Dependency, DependencyKind, Snapshot, TenantId, Value
from orchestrator.core.reach import MOST, Reach, Reaches

STADT = TenantId("stadt")


def an_asset(name: str, kind: AssetKind, **values: Value) -> Asset:
    return Asset(id=AssetId(name.lower()), tenant=STADT, kind=kind, name=name, values=values)


APC = an_asset("APC", AssetKind.WORKSTATION, procedures=("Wohngeld",))
SEAT = an_asset("Platz 1", AssetKind.SEAT, machine="apc", procedures=("Meldewesen",))
TOWN = (
    APC,
    SEAT,
    an_asset("Wohngeld", AssetKind.PROCEDURE, machines=("alt-1", "gone")),
    an_asset("Meldewesen", AssetKind.PROCEDURE),
    an_asset("alt-1", AssetKind.SERVER, address="10.0.0.1", services=("tcp/443 https nginx", "udp/53 dns", "tcp/x")),
    an_asset("alt-2", AssetKind.SERVER, address="10.0.0.2", services=("tcp/8443 https",), procedures=("meldewesen",)),
    an_asset("ablage", AssetKind.SERVER, address="ablage.example", services=("tcp/445 smb", "tcp/99999 x")),
    an_asset("other", AssetKind.SERVER, address="10.0.0.9", services=("tcp/1 x",)),
)
NEEDS = Dependency(tenant=STADT, asset=AssetId("apc"), needs=AssetId("ablage"), kind=DependencyKind.SOFT)


def reached(*assets: Asset, needs: tuple[Dependency, ...] = (NEEDS,)) -> tuple[Reach, ...]:
    return Reaches(Snapshot(tenant=STADT, assets=assets, dependencies=needs)).of(APC)


def test_procedures_of_machine_and_seat_and_what_it_needs_are_reached_at_the_ports_of_their_machines() -> None:
    assert reached(*TOWN) == (
        Reach(name="Meldewesen", address="10.0.0.2", port=8443),
        Reach(name="Wohngeld", address="10.0.0.1", port=443),
        Reach(name="ablage", address="ablage.example", port=445),
    )


def test_a_seat_that_uses_nothing_known_reaches_nothing() -> None:
    assert reached(APC, needs=()) == () and reached(APC) == ()


def test_there_is_an_end_to_what_one_seat_tries() -> None:
    many = tuple(f"tcp/{port} x" for port in range(1, 500))
    server = an_asset("ablage", AssetKind.SERVER, address="10.0.0.1", services=many)
    assert len(reached(APC, server)) == MOST
