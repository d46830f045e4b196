"""site.toml of a boot server: what is written first can be read, and nonsense is refused."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest

from orchestrator.core.netboot_site import SiteWrong, dnsmasq_text, read_site, site_text

URL = "http://10.1.0.5:8069"
GOOD: dict[str, Any] = {"url": URL, "disk": "/dev/sda", "prefix": 16}


def test_the_first_file_is_a_good_one() -> None:
    site = read_site(tomllib.loads(site_text(url=URL, prefix=16, gateway="10.1.0.1")))
    assert (site.url, site.prefix, site.gateway, site.disk) == (URL, 16, "10.1.0.1", "/dev/vda")


@pytest.mark.parametrize(
    "wrong",
    [
        {"url": "http://x:1/\nboot"}, {"url": "https://10.1.0.5:1"}, {"disk": "/dev/sda; reboot"}, {"disk": "sda"},
        {"prefix": True}, {"prefix": "16"}, {"prefix": 0}, {"gateway": "router"}, {"local": "grub"},
        {"root": "vda1"}, {"kernel_words": "a\nb"}, {"kernel_words": 1}, {"more": 1},
    ],
)  # fmt: skip
def test_nonsense_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(SiteWrong):
        read_site({**GOOD, **wrong})


@pytest.mark.parametrize("name", ["url", "disk", "prefix"])
def test_what_must_be_there_is_named(name: str) -> None:
    with pytest.raises(SiteWrong) as refused:
        read_site({key: value for key, value in GOOD.items() if key != name})
    assert name in str(refused.value)


def test_dnsmasq_gives_the_script_only_to_ipxe() -> None:
    text = dnsmasq_text(url=URL, interface="br0", first="10.1.9.1", last="10.1.9.9", mask="255.255.0.0")
    assert "dhcp-range=10.1.9.1,10.1.9.9,255.255.0.0,1h" in text
    assert f"dhcp-boot=tag:ipxe,{URL}/boot?mac=${{net0/mac}}" in text and "port=0" in text


def test_an_image_without_a_boot_loader_is_started_by_the_kernel_that_is_served() -> None:
    lines = read_site({**GOOD, "local": "kernel", "root": "/dev/sda2"}).disk_boot.splitlines()
    assert lines[0].strip() == f"kernel {URL}/files/kernel kahn.mode=disk kahn.root=/dev/sda2"
    assert "token" not in "".join(lines)
