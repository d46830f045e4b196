"""What discovered machines say, as observations and dependencies."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from inventory.model import Asset, AssetKind, DependencyKind
from inventory.observation import Observation, Reading
from inventory.sources.discovery import Report, understood
from tests.estates import an_asset
from tests.inventory.builders import JINJA
from tests.inventory.sources.test_discovery_text import a_socket

NOON = datetime(2026, 12, 1, 12, tzinfo=UTC)
WHOLE = f"""KAHN-DISCOVERY 1
@@ host
 srv-1
 Linux
 5.10.0
 x86_64
 srv-1.stadt.example
@@ clock
 {int(NOON.timestamp()) + 5}
@@ release
 PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"
 ID=debian
 VERSION_ID="12"
@@ debian
 12.11
@@ dmi
 sys_vendor Werkbank
 product_serial To be filled by O.E.M.
 product_uuid 11111111-2222-3333-4444-555566667777
@@ firmware
 efi
@@ cpu
 4
@@ memory
 MemTotal:        8152908 kB
@@ disks
 sda 209715200
@@ volumes
 Filesystem 1024-blocks Used Available Capacity Mounted on
 /dev/sda1 104857600 52428800 52428800 50% /
 tmpfs 100 1 99 1% /dev/shm
@@ adapters
 eth0 52:54:00:00:00:07
 docker0 52:54:00:00:00:08
@@ packages
 nginx 1.22.1
 bash 5.2
@@ jobs
 dpkg
@@ timers
 certbot.timer
@@ certificates
 notAfter=Jan  1 12:00:00 2026 GMT subject=CN = old.stadt.example
 notAfter=Jan  1 12:00:00 2036 GMT subject=CN = new.stadt.example
@@ python
 python3
 Python 3.11.2
@@ sockets
{a_socket("00000000:01BB", "00000000:0000", "0A", 7)}
@@ holders
 80
 s7
@@ processes
 80 nginx
@@ end
"""


def talking(*rows: str, address: str = "") -> str:
    own = f"@@ addresses\n 2: eth0    inet {address}/24 scope global\n" if address else ""
    return "KAHN-DISCOVERY 1\n@@ sockets\n" + "\n".join(rows) + f"\n{own}@@ end\n"


def to(last: int, port: int) -> str:
    return a_socket("0100010A:9C40", f"{last:02X}00010A:{port:04X}", "01")


def reading(*texts: tuple[str, str], known: Sequence[Asset] = (), findings: tuple[str, ...] = ()) -> Reading:
    reports = [
        Report(asset=an_asset(name, kind=AssetKind.VM), text=text, at=NOON, findings=findings) for name, text in texts
    ]
    return understood(reports, known)


def only(found: Reading) -> Observation:
    (one,) = found.observations
    return one


def test_a_whole_report_becomes_one_observation_under_the_name_of_the_asset() -> None:
    one = only(reading(("srv-1", WHOLE), findings=("ssh: weak",)))
    assert (one.name, one.kind) == ("srv-1", AssetKind.VM)
    assert dict(one.values) == {
        "fqdn": "srv-1.stadt.example",
        "mac": ("52:54:00:00:00:07",),
        "uuid": "11111111-2222-3333-4444-555566667777",
        "vendor": "Werkbank",
        "os_name": "Debian GNU/Linux 12 (bookworm)",
        "os_version": "12.11",
        "arch": "x86_64",
        "firmware": "efi",
        "cpu_cores": 4,
        "ram_mib": 7961,
        "disk_gib": 100,
        "disk_used_gib": 50,
        "disks": ("/ 100.0 GiB, 50.0 used",),
        "services": ("tcp/443 https nginx",),
        "software": ("bash 5.2", "nginx 1.22.1"),
        "last_seen": "2026-12-01",
        "power": "on",
        "findings": ("certificate: ended on 2026-01-01: CN = old.stadt.example", "ssh: weak"),
        "tags": (
            "certificate=CN = new.stadt.example until 2036-01-01",
            "certificate=CN = old.stadt.example until 2026-01-01",
            "job=certbot.timer",
            "job=dpkg",
            "packages=2",
            "web-server=nginx",
        ),
    }


def test_what_hinders_is_a_finding() -> None:
    text = WHOLE.replace("@@ end\n", "").replace(" Python 3.11.2", " Python 2.6.6").replace(" 17", " 16", 1)
    findings = only(reading(("srv-1", text))).values["findings"]
    assert isinstance(findings, tuple)
    assert {"discovery: the report breaks off before its end", "python: no Python 3"} < set(findings)
    assert any(one.startswith("clock: off by") for one in findings)


def test_connections_are_dependencies_with_their_evidence() -> None:
    known = [an_asset("web", address="10.1.0.1"), an_asset("db", kind=AssetKind.SERVER, address="10.1.0.11")]
    (edge,) = reading(("web", talking(to(11, 5432), to(11, 5432))), known=known).dependencies
    assert (edge.asset, edge.needs, edge.kind) == ("machine:web", "machine:db", DependencyKind.DATA)
    assert edge.evidence == "seen 2026-12-01 on web: 1 x tcp/5432 postgresql"


def test_both_ends_see_the_same_direction() -> None:
    known = [an_asset("web", address="10.1.0.1"), an_asset("db", address="10.1.0.11")]
    listening = a_socket("00000000:1538", "00000000:0000", "0A")
    came = a_socket("0B00010A:1538", "0100010A:9C40", "01")
    found = reading(("db", talking(listening, came)), known=known).dependencies
    assert [(edge.asset, edge.needs) for edge in found] == [("machine:web", "machine:db")]


def test_who_comes_by_ssh_is_no_dependency_and_an_unknown_peer_a_finding() -> None:
    known = [an_asset("jump", address="10.1.0.9"), an_asset("web", address="10.1.0.1")]
    ssh = a_socket("00000000:0016", "00000000:0000", "0A")
    came = a_socket("0100010A:0016", "0900010A:9C40", "01")
    found = reading(("web", talking(ssh, came, to(77, 1433))), known=known)
    assert found.dependencies == ()
    assert "unknown peer: 10.1.0.77 tcp/1433" in str(only(found).values["findings"])


def test_what_most_machines_use_is_a_shared_service_and_binds_nobody() -> None:
    users = [(f"apc-{number}", talking(to(11, 389))) for number in range(6)]
    hub = ("dc-1", talking(a_socket("00000000:0185", "00000000:0000", "0A")))
    found = reading(*users, hub, known=[an_asset("dc-1", address="10.1.0.11")])
    assert {edge.kind for edge in found.dependencies} == {DependencyKind.SOFT} and len(found.dependencies) == 6
    assert all(edge.evidence.endswith(" (a shared service)") for edge in found.dependencies)
    (tags,) = (one.values["tags"] for one in found.observations if one.name == "dc-1")
    assert tags == ("shared-service=tcp/389 ldap",)


def test_a_machine_cannot_take_the_address_of_another_one() -> None:
    known = [an_asset("db", address="10.1.0.11"), an_asset("web")]
    liar = ("liar", talking(address="10.1.0.11"))
    found = reading(("web", talking(to(11, 5432))), liar, known=known).dependencies
    assert [edge.needs for edge in found] == ["machine:db"]
    two = [(name, talking(address="10.1.0.50")) for name in ("a", "b")]
    assert reading(("web", talking(to(50, 5432))), *two, known=known).dependencies == ()


def test_a_hostile_report_harms_nobody() -> None:
    hostile = WHOLE.replace("srv-1.stadt.example", "127.0.0.1").replace("nginx 1.22.1", JINJA)
    hostile = hostile.replace(" 4\n", " 9" * 40 + "\n").replace("11111111-2222", "zz")
    found = reading(("srv-1", hostile))
    one = only(found)
    assert "fqdn" not in one.values and "uuid" not in one.values and "cpu_cores" not in one.values
    assert JINJA in one.values["software"]  # type: ignore[operator]
    assert found.refusals == () and found.notes


@given(
    st.text(max_size=300),
    st.sampled_from(["@@ dmi", "@@ volumes", "@@ memory", "@@ certificates", "@@ clock", "@@ cpu"]),
)
def test_no_report_breaks_the_reading(noise: str, section: str) -> None:
    text = f"{section}\n" + "\n".join(f" {line}" for line in noise.split("\n"))
    assert only(reading(("srv-1", text))).name == "srv-1"


def test_of_more_packages_than_a_record_holds_programs_are_kept_before_their_pieces() -> None:
    pieces = [
        f"{name} 1.0" for number in range(300) for name in (f"liba{number}", f"a{number}-doc", f"python3-a{number}")
    ]
    programs = ["zabbix-agent 6.0", "postgresql-15 15.4", "libreoffice-calc 7.4", "pythonista 2"]
    text = "KAHN-DISCOVERY 1\n@@ packages\n" + "\n".join(f" {one}" for one in (*pieces, *programs)) + "\n@@ end\n"
    (one,) = understood([Report(asset=an_asset("srv"), text=text, at=NOON)], ()).observations
    software = one.values["software"]
    assert isinstance(software, tuple) and len(software) == 500 and {*programs} <= {*software}
    assert "packages=904" in str(one.values["tags"])
