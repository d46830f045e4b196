"""How machines of one network are installed: the boot server's site.toml as a value. Pure."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from inventory.errors import ExpectedError

_URL = re.compile(r"http://([a-z0-9][a-z0-9.-]*|\[[0-9a-f:]+\]):\d{1,5}\Z")
_DISK = re.compile(r"/dev/[a-z0-9/-]{1,60}\Z")
_WORDS = re.compile(r"[A-Za-z0-9=_.,:/ -]{0,400}\Z")
_DISK_BOOTS: Mapping[str, str] = {
    "bios": "sanboot --no-describe --drive 0x80 || exit 1",
    "next": "exit 1",
    "kernel": (
        "kernel {url}/files/kernel kahn.mode=disk kahn.root={root} {kernel_words}\n"
        "initrd {url}/files/initrd\nboot || exit 1"
    ),
}
"""How a machine is sent to its own disk: by iPXE, by what its firmware tries next, or by the kernel that is served, for
images without a boot loader."""


class SiteWrong(ExpectedError):
    """An entry of the boot server's site.toml makes no sense."""

    code, says = "BOOT-003", "{file}: {why}."
    remedy = "Correct the line in the boot server's folder and start `kahn netboot serve` again."


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """What all machines that boot here have in common. ``prefix`` is the length of their network's prefix, in bits."""

    url: str
    disk: str
    prefix: int
    root: str = "/dev/vda1"
    gateway: str = ""
    local: str = "bios"
    kernel_words: str = ""

    @property
    def disk_boot(self) -> str:
        """The lines of iPXE that boot from the machine's own disk."""
        return _DISK_BOOTS[self.local].format(url=self.url, root=self.root, kernel_words=self.kernel_words)


def read_site(told: Mapping[str, Any]) -> Site:
    """The value of a site.toml that was read. Raises SiteWrong."""
    known = set(Site.__dataclass_fields__)
    for name in told:
        if name not in known:
            raise _wrong(f"{name[:40]!r} is unknown")
    for name in ("url", "disk", "prefix"):
        if name not in told:
            raise _wrong(f"{name!r} is missing")
    words = {name: told.get(name, "") for name in ("url", "disk", "gateway", "kernel_words")}
    words["root"] = told.get("root", "/dev/vda1")
    local, prefix = told.get("local", "bios"), told["prefix"]
    for name, pattern in (("url", _URL), ("disk", _DISK), ("root", _DISK), ("kernel_words", _WORDS)):
        if not isinstance(words[name], str) or not pattern.match(words[name]):
            raise _wrong(f"{name!r} is {words[name]!r}")
    if local not in _DISK_BOOTS:
        raise _wrong(f"'local' is {local!r} but must be one of {', '.join(_DISK_BOOTS)}")
    if isinstance(prefix, bool) or not isinstance(prefix, int) or not 1 <= prefix <= 128:
        raise _wrong(f"'prefix' is {prefix!r}")
    if words["gateway"] != "" and not _is_ip(words["gateway"]):
        raise _wrong(f"'gateway' is {words['gateway']!r}, no IP address")
    return Site(**words, prefix=prefix, local=local)


def _wrong(why: str) -> SiteWrong:
    return SiteWrong(file="site.toml", why=why)


def _is_ip(text: object) -> bool:
    try:
        ipaddress.ip_address(text if isinstance(text, str) else "")
    except ValueError:
        return False
    return True


def site_text(*, url: str, prefix: int, gateway: str) -> str:
    """The first site.toml of a folder, with every entry and its meaning."""
    return f"""# How machines of this network are installed. Read when `kahn netboot serve` starts.
url = "{url}"          # where machines reach this server
prefix = {prefix}                 # length of the network's prefix, in bits
gateway = "{gateway}"             # IP address of the router; empty for none
disk = "/dev/vda"           # the disk that is written, all of it
root = "/dev/vda1"          # the partition of the image that holds the root file system (ext4)
local = "bios"              # how a machine is sent to its own disk: bios (by iPXE), next (by its firmware), or kernel
                            # (by vmlinuz and initrd.gz of this folder, for images without a boot loader)
kernel_words = ""           # further words for the installer's kernel, such as console=ttyS0
"""


def dnsmasq_text(*, url: str, interface: str, first: str, last: str, mask: str) -> str:
    """A configuration of dnsmasq that hands out addresses and nothing else: iPXE by TFTP, then the script by HTTP."""
    return f"""# For `dnsmasq --conf-file=...`: addresses, iPXE, and then the script of Kahn's boot server.
port=0
interface={interface}
bind-interfaces
dhcp-range={first},{last},{mask},1h
enable-tftp
tftp-root=/usr/lib/ipxe
dhcp-match=set:ipxe,175
dhcp-boot=tag:!ipxe,undionly.kpxe
dhcp-boot=tag:ipxe,{url}/boot?mac=${{net0/mac}}
"""
