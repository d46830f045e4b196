"""The tables [[procedure]] of a policy file."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from orchestrator.core.policy_entry import PolicyFileWrong
from orchestrator.core.policy_file import read_policy
from orchestrator.core.procedures_file import PROCEDURES_EXAMPLE

NOW = datetime(2026, 11, 30, tzinfo=UTC)
LINES = PROCEDURES_EXAMPLE.splitlines()
EXAMPLE = "\n".join(line.removeprefix("# ") for line in LINES[LINES.index("# [[procedure]]") :])


def test_the_example_reads_as_it_says() -> None:
    (one,) = read_policy(EXAMPLE, file="policy.toml", now=NOW).policy.procedures
    assert (one.name, one.unit, one.port) == ("Wohngeld", "wohngeld.service", 8080)
    assert (one.mariadb, one.mariadb_account, one.mariadb_socket) == (("wohngeld",), "mysql", "/run/mysqld/mysqld.sock")
    assert (one.opens_at, one.dns_names, one.dns_server) == ("07:30", ("wohngeld.stadt.example",), "192.0.2.53")
    assert (one.dns_secondaries, one.dns_key_file, one.dns_ttl_s) == (("192.0.2.54",), "/etc/kahn/dns.key", 60)
    (partner,) = one.points_here
    assert (partner.machine, partner.files, partner.port) == ("srv-kasse", ("/etc/kasse/interface.conf",), 8080)
    assert one.replace == (("alt.stadt.example", "rz.stadt.example"),)


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("port = 8080", 'port = "8080"', "procedure[1].port: a whole number"),
        ('name = "Wohngeld"', "", "procedure[1].name: it is needed"),
        ('user = "wohngeld"', "usr = 1", "procedure[1].usr: unknown key"),
        ('user = "wohngeld"', "user = 7", "procedure[1].user: a text"),
        ('dns_server = "192.0.2.53"', 'dns_server = "ns.stadt.example"', "'ns.stadt.example' is no IP address"),
        ('dns_names = ["wohngeld.stadt.example"]', 'dns_names = ["-x; y"]', "'-x; y' is no plain name"),
        ('"192.0.2.54"', '"192.0.2.54", "192.0.2.54"', "procedure[1].dns_secondaries: each name server once"),
        ('"192.0.2.54"', '"ns2"', "'ns2' is no IP address"),
        ('"/etc/kahn/dns.key"', '"dns.key"', "procedure[1].dns_key_file: 'dns.key' is no plain absolute path"),
        ("dns_ttl_s = 60", "dns_ttl_s = 0", "procedure[1].dns_ttl_s: 0 is not between"),
        ('dns_names = ["wohngeld.stadt.example"]', "", "procedure[1].dns_key_file: there are no dns_names"),
        ('opens_at = "07:30"', 'opens_at = "7 Uhr"', "procedure[1].opens_at: '7 Uhr' is no time of day"),
        ('data = ["/srv/wohngeld"]', 'data = ["/etc"]', "procedure[1].data: /etc belongs to the machine"),
        ('machine = "srv-kasse"', 'machine = " "', "procedure[1].points_here[1].machine: it is needed"),
        ('machine = "srv-kasse"', 'host = "srv-kasse"', "procedure[1].points_here[1].host: unknown key"),
        ('files = ["/etc/kasse/interface.conf"]', "", "procedure[1].points_here: 'srv-kasse' needs the files"),
        ('files = ["/etc/kasse/interface.conf"]', 'files = ["/etc/../x"]', "points_here: '/etc/../x' is no plain"),
        ("port = 8080                                 # tried", "port = 0 #", "points_here[1].port: 0 is not between"),
        ('unit = "wohngeld.service"', "", "procedure[1].unit: without a unit"),
        ('replace = { "alt.stadt.example" = "rz.stadt.example" }', 'replace = ["a"]', "procedure[1].replace: a table"),
    ],
)
def test_a_wrong_entry_is_named_with_its_place(old: str, new: str, says: str) -> None:
    assert old in EXAMPLE
    with pytest.raises(PolicyFileWrong) as found:
        read_policy(EXAMPLE.replace(old, new), file="policy.toml", now=NOW)
    assert says in str(found.value)


def test_two_procedures_of_one_name_are_refused() -> None:
    with pytest.raises(PolicyFileWrong, match="two of them have one name"):
        read_policy(EXAMPLE + "\n" + EXAMPLE, file="policy.toml", now=NOW)
