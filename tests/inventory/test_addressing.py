"""Addresses, hardware addresses, UUIDs and host keys: one written form, nothing that leads elsewhere."""

from __future__ import annotations

import pytest

from inventory.addressing import parse_address, parse_dns_name, parse_host_key, parse_mac, parse_uuid
from inventory.model import InvalidValue
from tests.inventory.builders import JINJA

KEY = "AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl"


@pytest.mark.parametrize(
    ("text", "address"),
    [("10.1.2.3", "10.1.2.3"), ("2001:DB8::1", "2001:db8::1"), ("Srv-1.Stadt.example.", "srv-1.stadt.example")],
)
def test_an_address_has_one_written_form(text: str, address: str) -> None:
    assert parse_address("address", text) == address


@pytest.mark.parametrize(
    "text",
    [
        "localhost", "LOCALHOST.", "localhost.localdomain", "a.localhost", "127.0.0.1", "127.1", "::1",
        "ip6-localhost", "2130706433", "0x7f.1", "0x7f000001", "64:ff9b::7f00:1", "2002:7f00:1::",
    ],
)  # fmt: skip
def test_no_address_leads_back_to_this_machine(text: str) -> None:
    with pytest.raises(InvalidValue):
        parse_address("address", text)


@pytest.mark.parametrize(
    "text",
    ["0.0.0.0", "::", "169.254.1.1", "fe80::1", "fe80::1%eth0", "224.0.0.1", "255.255.255.255", "::ffff:10.0.0.1",
     "010.0.0.1", "10.0.0.256", "10.0.0", "fec0::1"],
)  # fmt: skip
def test_addresses_of_no_single_machine_are_refused(text: str) -> None:
    with pytest.raises(InvalidValue):
        parse_address("address", text)


@pytest.mark.parametrize(
    "text",
    ["-oProxyCommand=x", "a;id", "a b", "a\nb", "a\0b", "all", "ungrouped", "*", "!x", "~re", "a:&b", "a,b", "../x",
     JINJA, "{% for %}", "user@host", "[::1]", "bürger.example", "a..b", "x" * 64, ""],
)  # fmt: skip
def test_what_ssh_shell_or_ansible_would_read_otherwise_is_no_address(text: str) -> None:
    with pytest.raises(InvalidValue):
        parse_address("address", text)


def test_a_dns_name_is_not_longer_than_dns_allows() -> None:
    with pytest.raises(InvalidValue):
        parse_dns_name("fqdn", ".".join(["abcdefg"] * 40))


@pytest.mark.parametrize("text", ["00:50:56:AA:00:01", "00-50-56-aa-00-01", "005056AA0001", "0050.56aa.0001"])
def test_a_hardware_address_has_one_written_form(text: str) -> None:
    assert parse_mac("mac", text) == "00:50:56:aa:00:01"


@pytest.mark.parametrize("text", ["00:00:00:00:00:00", "ff:ff:ff:ff:ff:ff", "01:00:5e:00:00:01", "00:50:56", JINJA])
def test_a_hardware_address_belongs_to_one_device(text: str) -> None:
    with pytest.raises(InvalidValue):
        parse_mac("mac", text)


def test_a_uuid_is_written_in_lower_case_with_dashes() -> None:
    assert parse_uuid("uuid", "4203ABCD12345678ABCD1234567890AB") == "4203abcd-1234-5678-abcd-1234567890ab"
    for text in (JINJA, "4203", "x" * 36, "-" * 36):
        with pytest.raises(InvalidValue):
            parse_uuid("uuid", text)


def test_a_host_key_loses_its_comment_and_must_be_of_the_type_it_names() -> None:
    assert parse_host_key("host_key", f"ssh-ed25519 {KEY} root@somewhere") == f"ssh-ed25519 {KEY}"
    for text in (f"ssh-rsa {KEY}", "ssh-ed25519", "ssh-ed25519 !!!", f"ssh-ed25519 {KEY} {JINJA}", f"no-key {KEY}"):
        with pytest.raises(InvalidValue):
            parse_host_key("host_key", text)
