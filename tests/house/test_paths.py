"""The project speaks only of itself: no path of the machine it is worked on, no registry, no secret-looking key."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from tests.house.sources import ROOT, nothing_in, project_files

_ADDRESS = re.compile(r"https?://[^\s'\"]+")
_LIKELY_INSTALL_PLACES = {"/opt/kahn", "/srv/kahn", "/usr/local/kahn"}


def machine_words() -> set[str]:
    """Paths and registry addresses that exist on this machine only."""
    words = {f"{ROOT}/", f"{sys.base_prefix}/", f"{Path.home()}/"} - {"/usr/", "/root/", "//", "/"}
    told = subprocess.run((sys.executable, "-m", "pip", "config", "list"), capture_output=True, text=True, check=False)
    values = told.stdout + " ".join(value for name, value in os.environ.items() if name.startswith("PIP_"))
    words.update(_ADDRESS.findall(values))
    return {word for word in words if word.rstrip("/") not in _LIKELY_INSTALL_PLACES}


def texts() -> list[tuple[Path, str]]:
    return [(path, (ROOT / path).read_text(encoding="utf-8", errors="replace")) for path in project_files()]


def test_no_file_names_a_path_or_registry_of_this_machine() -> None:
    words = machine_words()
    nothing_in(f"{path}: {word}" for path, text in texts() for word in words if word in text)


def test_no_file_names_somebodys_home() -> None:
    somebody = re.compile(r"/(?:home|Users)/(?!kahn|USER|\{|\$|<|\*)[a-z][a-z0-9_-]*/")
    allowed = ("tests/", "orchestrator/lab/", "playbooks/")  # homes on lab hosts and on targets
    found = [(str(path), match[0]) for path, text in texts() if (match := somebody.search(text))]
    nothing_in(one for one in found if not one[0].startswith(allowed))


def test_no_file_holds_a_private_key() -> None:
    key = re.compile("-----BEGIN " + r"(?:OPENSSH |RSA |EC )?PRIVATE KEY-----\s+[A-Za-z0-9+/=\s]{60}")
    nothing_in(str(path) for path, text in texts() if key.search(text))
