"""Whether this machine can run a lab, and what it lacks."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from orchestrator.lab.errors import LabNotPossible
from orchestrator.lab.kernel import tool_environment

_TOOLS = {
    "ip": "iproute2",
    "tc": "iproute2",
    "nft": "nftables",
    "nsenter": "util-linux",
    "setpriv": "util-linux",
    "ssh-keygen": "openssh-client",
}


def what_lacks() -> tuple[str, ...]:
    """Plain reasons why no lab can run here; empty where one can."""
    if not sys.platform.startswith("linux"):
        return ("this is not Linux",)
    found = [] if os.geteuid() == 0 else ["you are not root"]
    missing = [(tool, package) for tool, package in _TOOLS.items() if not _has(tool)]
    found += [f"{tool} is missing (package {package})" for tool, package in missing]
    if not found and not _may_unshare():
        found.append("this root may not make namespaces (a container without SYS_ADMIN)")
    if not found and "overlay" not in Path("/proc/filesystems").read_text() and not _load_overlay():
        found.append("the kernel has no overlay file system")
    return tuple(found)


def require_possible() -> None:
    """Raises LabNotPossible where no lab can run."""
    lacks = what_lacks()
    if lacks:
        raise LabNotPossible(lacks="; ".join(lacks))


def _has(tool: str) -> bool:
    return shutil.which(tool, path=tool_environment()["PATH"]) is not None


def _may_unshare() -> bool:
    return _works("unshare", "--net", "--mount", "--pid", "--uts", "--ipc", "--fork", "true")


def _load_overlay() -> bool:
    return _has("modprobe") and _works("modprobe", "overlay")


def _works(*words: str) -> bool:
    return subprocess.run(words, capture_output=True, env=tool_environment(), check=False).returncode == 0
