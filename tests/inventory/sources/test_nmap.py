"""nmap's scan gives machines that are up and named; an address alone makes none."""

from __future__ import annotations

from pathlib import Path

import pytest

from inventory.model import AssetKind
from inventory.sources.limits import FileUnreadable
from tests.inventory.sources.reading import only, part, read_text

PORTS = """<ports><port protocol="tcp" portid="1433"><state state="open"/>
<service name="ms-sql-s" product="SQL Server" version="2008"/></port>
<port protocol="tcp" portid="445"><state state="open"/><service name="microsoft-ds"/></port>
<port protocol="tcp" portid="80"><state state="closed"/></port></ports>"""


def host(name: str = "srv-1.stadt.example", *, state: str = "up", address: str = "10.1.0.4", more: str = PORTS) -> str:
    hostname = f'<hostname name="{name}" type="PTR"/>' if name else ""
    return (
        f'<host endtime="1399586624"><status state="{state}"/><address addr="{address}" addrtype="ipv4"/>'
        f'<address addr="00:1F:3C:87:66:50" addrtype="mac" vendor="Intel Corporate"/>'
        f"<hostnames>{hostname}</hostnames>{more}</host>"
    )


def scan(*hosts: str) -> str:
    return f'<?xml version="1.0"?>\n<!DOCTYPE nmaprun>\n<nmaprun scanner="nmap">{"".join(hosts)}</nmaprun>'


def system(name: str, accuracy: int, type_: str) -> str:
    return f'<os><osclass type="{type_}" accuracy="{accuracy}"/><osmatch name="{name}" accuracy="{accuracy}"/></os>'


def test_a_named_host_is_taken_with_its_open_ports_and_hints(tmp_path: Path) -> None:
    one = only(
        read_text(tmp_path, scan(host(more=PORTS + system("Windows Server 2008", 98, "general purpose"))), "nmap")
    )
    assert (one.kind, one.name, one.observed_us) == (AssetKind.SERVER, "srv-1", 1_399_586_624_000_000)
    assert part(one.values, "fqdn", "address", "mac", "os_name", "last_seen") == (
        "srv-1.stadt.example", "10.1.0.4", ("00:1f:3c:87:66:50",), "Windows Server 2008", "2014-05-08"
    )  # fmt: skip
    assert one.values["services"] == ("tcp/1433 ms-sql-s SQL Server 2008", "tcp/445 microsoft-ds")
    assert one.values["tags"] == ("os accuracy=98 %", "role hint=database", "role hint=file share")


def test_hosts_that_are_down_are_passed_over_and_nameless_ones_refused(tmp_path: Path) -> None:
    reading = read_text(tmp_path, scan(host(state="down"), host(""), host("localhost", address="127.0.0.1")), "nmap")
    assert (reading.observations, len(reading.notes)) == ((), 1)
    assert [("no name" in one.says, "machine that scanned" in one.says) for one in reading.refusals] == [
        (True, False), (False, True)
    ]  # fmt: skip


def test_a_poor_guess_of_the_system_is_not_taken_for_one(tmp_path: Path) -> None:
    one = only(read_text(tmp_path, scan(host(more=system("Netgear WAP", 80, "WAP"))), "nmap"))
    assert (one.kind, one.values.get("os_name"), one.kind_is_guess) == (AssetKind.WORKSTATION, None, True)


def test_a_printer_is_seen_as_one(tmp_path: Path) -> None:
    assert (
        only(read_text(tmp_path, scan(host(more=system("HP printer", 100, "printer"))), "nmap")).kind
        is AssetKind.PRINTER
    )


def test_entities_in_a_scan_are_refused(tmp_path: Path) -> None:
    text = scan(host()).replace("<!DOCTYPE nmaprun>", '<!DOCTYPE nmaprun [<!ENTITY a "b">]>')
    with pytest.raises(FileUnreadable):
        read_text(tmp_path, text, "nmap")
