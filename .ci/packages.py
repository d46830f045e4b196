"""Debian packages that Kahn's build and lab use: lists what lacks with its size, installs it, takes it away again.

Runs on the standard library alone, before there is a virtual environment. What was added is written down in
``.state/installed-packages``, one name a line, so that ``remove`` takes away exactly that and nothing else.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
REMEMBERED = ROOT / ".state" / "installed-packages"
SEARCHED = os.environ.get("PATH", "") + ":/usr/local/sbin:/usr/sbin:/sbin"
LISTS = Path("/var/lib/apt/lists")
POLICY = Path("/usr/sbin/policy-rc.d")
SERVICES = {"openssh-server": ("ssh.service", "ssh.socket")}
"""Services that come with a package; they are neither started now nor at the next boot."""
MIB = 1024 * 1024


@dataclass(frozen=True)
class Need:
    """A Debian package, the commands by which it is recognised, and what is not possible without it."""

    package: str
    commands: tuple[str, ...]
    without: str
    lab_only: bool = True


NEEDS = (
    Need("python3-venv", (), "nothing works, as no virtual environment can be made", lab_only=False),
    Need("openssh-client", ("ssh", "ssh-keygen"), "approvals are not signed and no host is reached", lab_only=False),
    Need("openssh-server", ("sshd",), "ansible over real ssh is not exercised"),
    Need("busybox", ("busybox",), "discovery is not tried in the shell of small machines"),
    Need("iproute2", ("ip", "tc"), "no lab: real hosts are not exercised"),
    Need("mmdebstrap", ("mmdebstrap",), "no lab: real hosts are not exercised"),
    Need("mariadb-server-core", ("mariadbd",), "databases of MariaDB are not moved between real servers"),
    Need("mariadb-client", ("mariadb-dump",), "databases of MariaDB are not moved between real servers"),
    Need("nftables", ("nft",), "no lab: faults in the network are not exercised"),
    Need("kmod", ("modprobe",), "no lab where the kernel has overlayfs as a module"),
)


@dataclass(frozen=True)
class Candidate:
    """One package that apt would add, with its size to download and on disk, in bytes."""

    name: str
    version: str
    download: int
    disk: int


def lacking() -> list[Need]:
    """Needs that this machine does not meet."""
    return [need for need in NEEDS if not _is_met(need)]


def _is_met(need: Need) -> bool:
    if need.package == "python3-venv":
        return importlib.util.find_spec("ensurepip") is not None
    if need.package == "kmod" and "overlay" in _file_systems():
        return True
    return all(shutil.which(command, path=SEARCHED) for command in need.commands)


def _file_systems() -> str:
    known = Path("/proc/filesystems")
    return known.read_text() if known.exists() else ""


def _apt(*words: str) -> str:
    environment = {**os.environ, "LC_ALL": "C", "DEBIAN_FRONTEND": "noninteractive", "PATH": SEARCHED}
    done = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, text=True, env=environment, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(words[:3])} failed: {(done.stderr or done.stdout).strip()[-600:]}")
    return done.stdout


def _apt_shown(*words: str) -> int:
    environment = {**os.environ, "LC_ALL": "C", "DEBIAN_FRONTEND": "noninteractive", "PATH": SEARCHED}
    sys.stdout.flush()
    return subprocess.run(words, stdin=subprocess.DEVNULL, env=environment, check=False).returncode


def candidates(names: list[str]) -> list[Candidate]:
    """What apt would add for these names, dependencies included. Raises RuntimeError."""
    simulated = _apt("apt-get", "install", "--simulate", "--no-install-recommends", *names)
    found = []
    for line in simulated.splitlines():
        words = line.split()
        if words[:1] == ["Inst"] and not words[2].startswith("["):  # "[old]" marks an upgrade, not an addition
            found.append(_candidate(words[1], words[2].lstrip("(")))
    return sorted(found, key=lambda one: one.name)


def _candidate(name: str, version: str) -> Candidate:
    fields = {}
    for line in _apt("apt-cache", "show", f"{name}={version}").splitlines():
        key, colon, value = line.partition(": ")
        if colon and key not in fields and not line.startswith(" "):
            fields[key] = value
    return Candidate(name, version, int(fields.get("Size", "0")), int(fields.get("Installed-Size", "0")) * 1024)


def tell(found: list[Candidate]) -> None:
    """Print the list with sizes."""
    print(f"These {len(found)} Debian packages will be added (`make uninstall-packages` takes them away again):")
    for one in found:
        print(
            f"  {one.name:<28} {one.version:<28} {one.download / MIB:7.1f} MiB down {one.disk / MIB:8.1f} MiB on disk"
        )
    down, disk = sum(one.download for one in found) / MIB, sum(one.disk for one in found) / MIB
    print(f"  {'together':<57} {down:7.1f} MiB down {disk:8.1f} MiB on disk", flush=True)


def tell_lacking(lacks: list[Need], why: str) -> None:
    """Print plainly what is missing and what that costs."""
    print(f"Missing on this machine, and not installed because {why}:")
    for need in lacks:
        print(f"  {need.package:<16} without it: {need.without}")
    print("  As root: apt-get install --no-install-recommends " + " ".join(need.package for need in lacks), flush=True)


def add() -> int:
    """Install what lacks. Returns 0, also when only the lab's packages stay missing; 1 when the build is impossible."""
    lacks = lacking()
    if not lacks:
        return 0
    why = _why_not()
    if why:
        tell_lacking(lacks, why)
        return 1 if any(need.package == "python3-venv" for need in lacks) else 0
    names = [need.package for need in lacks]
    try:
        found = _known_candidates(names)
    except RuntimeError as cause:
        tell_lacking(lacks, f"apt could not find them ({cause})")
        return 1 if "python3-venv" in names else 0
    tell(found)
    return _install(names, found)


def _why_not() -> str:
    if os.environ.get("INSTALL", "yes") == "no":
        return "INSTALL=no was asked for"
    if shutil.which("apt-get", path=SEARCHED) is None:
        return "this is not a Debian system"
    if os.geteuid() != 0:
        return "this user is not root"
    return ""


def _known_candidates(names: list[str]) -> list[Candidate]:
    if not any(LISTS.glob("*_Packages*")):
        print("Package lists are missing; running apt-get update first.", flush=True)
        _apt("apt-get", "update")
        return candidates(names)
    try:
        return candidates(names)
    except RuntimeError:
        print("Package lists are old; running apt-get update first.", flush=True)
        _apt("apt-get", "update")
        return candidates(names)


def _install(names: list[str], found: list[Candidate]) -> int:
    _remember(found)
    words = ("apt-get", "install", "--yes", "--no-install-recommends", "-o", "DPkg::Lock::Timeout=300",
             "-o", "Dpkg::Use-Pty=0", "-q", *names)  # fmt: skip
    with services_kept_off(found):
        return _install_twice(names, words)


def _install_twice(names: list[str], words: tuple[str, ...]) -> int:
    if _apt_shown(*words) == 0:
        return 0
    print("That did not work; running apt-get update and trying once more.", flush=True)
    _apt("apt-get", "update")
    _remember(candidates(names))
    return _apt_shown(*words)


@contextmanager
def services_kept_off(found: list[Candidate]) -> Iterator[None]:
    """While packages are added, nothing of them starts; afterwards nothing of them starts by itself."""
    units = {unit: one.name for one in found for unit in SERVICES.get(one.name, ())}
    ours = bool(units) and not POLICY.exists()
    if ours:
        POLICY.write_text("#!/bin/sh\nexit 101\n")
        POLICY.chmod(0o755)
    try:
        yield
    finally:
        if ours:
            POLICY.unlink()
        for unit, package in units.items():
            environment = {**os.environ, "PATH": SEARCHED, "DPKG_MAINTSCRIPT_PACKAGE": package}  # it asks who calls
            subprocess.run(("deb-systemd-helper", "disable", unit), env=environment, capture_output=True, check=False)
    if units:
        print(f"Not started, and not to be started at boot: {' '.join(units)}", flush=True)


def _remember(found: list[Candidate]) -> None:
    """Written before the installation, so that an interrupted one can be taken back as well."""
    REMEMBERED.parent.mkdir(exist_ok=True)
    known = REMEMBERED.read_text().split() if REMEMBERED.exists() else []
    REMEMBERED.write_text("\n".join(sorted({*known, *(one.name for one in found)})) + "\n")


def installed(names: list[str]) -> list[str]:
    """Those of the names that are installed now."""
    listed = subprocess.run(
        ("dpkg-query", "-W", "-f", "${Package} ${db:Status-Abbrev}\n"), capture_output=True, text=True, check=False
    ).stdout
    present = {line.split()[0] for line in listed.splitlines() if line.split()[1:2] == ["ii"]}
    return [name for name in names if name in present]


def remove() -> int:
    """Take away what ``add`` added, unless something else has come to need it."""
    names = REMEMBERED.read_text().split() if REMEMBERED.exists() else []
    present = installed(names)
    if not present:
        print("Kahn added no packages to this machine, or they are gone already.")
        REMEMBERED.unlink(missing_ok=True)
        return 0
    why = _why_not()
    if why:
        print(f"These packages were added and stay, because {why}: {' '.join(present)}")
        return 1
    more = sorted(set(_would_go(present)) - set(present))
    if more:
        print(f"Not removed: other packages have come to need them and would go too: {' '.join(more)}")
        return 1
    print(f"Removing {len(present)} packages: {' '.join(present)}", flush=True)
    code = _apt_shown("apt-get", "purge", "--yes", "-q", "-o", "Dpkg::Use-Pty=0", *present)
    if code == 0:
        REMEMBERED.unlink()
    return code


def _would_go(names: list[str]) -> list[str]:
    simulated = _apt("apt-get", "purge", "--simulate", *names)
    return [line.split()[1] for line in simulated.splitlines() if line.startswith(("Remv ", "Purg "))]


def main() -> int:
    """``packages.py add``, ``remove`` or ``lacking`` (one name a line)."""
    match sys.argv[1:]:
        case ["add"]:
            return add()
        case ["remove"]:
            return remove()
        case ["lacking"]:
            print("\n".join(need.package for need in lacking()), end="")
            return 0
    print(main.__doc__)
    return 2


if __name__ == "__main__":
    try:
        sys.exit(main())
    except RuntimeError as failure:
        print(failure, file=sys.stderr)
        sys.exit(1)
