"""Whether a host's own sources give what is to be installed, asked before anything is changed. Python 3.9.

Of each server of packages the smallest file is fetched by apt itself (it knows proxies, certificates and passwords), to
a folder that goes at once.
"""

from __future__ import annotations

import os
import re
import tempfile
from urllib.parse import unquote, urlsplit

try:
    from ansible.module_utils.kahn_outcome import Trouble, printable
    from ansible.module_utils.kahn_packages import WANTED, call
except ImportError:  # sent to a host as one program
    from kahn_outcome import Trouble, printable
    from kahn_packages import WANTED, call

HELPER = "/usr/lib/apt/apt-helper"
ASK_S = 60
_LINE = re.compile(r"'([^']+)' (\S+) ([0-9]+)")


def refuse_without_lists(lacking, offered, root):
    """A host that knows no package at all was never told what its sources have. Raises Trouble."""
    if lacking and not offered and not _lists(os.path.join(root, "var/lib/apt/lists")):
        says = "The new host has no list of what its sources have: run `apt-get update` there first."
        raise Trouble("no_package_lists", says, lacking=sorted(lacking)[:50])


def _lists(place):
    try:
        return [one for one in os.listdir(place) if one.endswith(("_Packages", "_Packages.lz4", "_Packages.gz"))]
    except FileNotFoundError:
        return []


def refuse_unreachable(names, ask=None):
    """All of these packages fit together, and each server that has some of them answers. Raises Trouble."""
    ask = ask or call
    if not names:
        return
    code, told = ask(["apt-get", "install", "--print-uris", "-y", "-qq", *WANTED, *names], ASK_S)
    if code:
        raise Trouble("packages_failed", "apt-get cannot install what is needed: " + printable(told[-300:]))
    smallest = {}
    for uri, _name, size in _LINE.findall(told):
        where = urlsplit(uri)
        if where.scheme == "file":
            _refuse_missing(unquote(where.path))
        else:
            server = f"{where.scheme}://{where.netloc.rpartition('@')[2]}"
            smallest[server] = min(smallest.get(server, (int(size), uri)), (int(size), uri))
    for server, (_size, uri) in sorted(smallest.items()):
        _fetch(server, uri, ask)


def _refuse_missing(path):
    if not os.path.exists(path):
        raise Trouble("mirror_unreachable", "A source of packages lacks " + printable(path) + ".")


def _fetch(server, uri, ask):
    with tempfile.TemporaryDirectory(dir="/dev/shm" if os.path.isdir("/dev/shm") else None) as folder:
        os.chmod(folder, 0o755)
        quick = ["-o", "Acquire::Retries=0"]
        quick += [word for one in ("http", "https") for word in ("-o", f"Acquire::{one}::Timeout=15")]
        code, told = ask([HELPER, *quick, "download-file", uri, os.path.join(folder, "tried")], ASK_S)
    if code:
        says = f"The packages' server {printable(server)} does not give them: {printable(told.strip()[-200:])}"
        raise Trouble("mirror_unreachable", says, server=printable(server))
