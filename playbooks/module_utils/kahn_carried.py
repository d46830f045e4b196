"""What of a server is carried: folders with data, and what people changed or added in /etc. Python 3.9.

Paths are relative to the root.
"""

from __future__ import annotations

import hashlib
import os
import stat
from contextlib import suppress

try:
    from ansible.module_utils.kahn_never import DATA, path_reason
    from ansible.module_utils.kahn_packages import said
    from ansible.module_utils.kahn_parcel import BLOCK
except ImportError:  # sent to a host as one program
    from kahn_never import DATA, path_reason
    from kahn_packages import said
    from kahn_parcel import BLOCK


def tops(root):
    """{"data": folders, "configuration": single files of /etc, "skip": what of them is left out}."""
    kept = [one for one in DATA if _is_data(root, one)]
    with suppress(FileNotFoundError):
        names = (f"var/lib/{one}" for one in sorted(os.listdir(os.path.join(root, "var/lib"))))
        kept += [one for one in names if not path_reason(one) and _is_data(root, one)]
    skip = [f"{one}/{name}" for one in kept for name in (".ssh", "machine-id") if path_reason(f"{one}/{name}")]
    return {"data": kept, "configuration": changed_configuration(root), "skip": sorted(skip)}


def _is_data(root, name):
    place = os.path.join(root, name)
    return os.path.isdir(place) and not os.path.islink(place)


def changed_configuration(root):
    """Files of /etc that differ from what their package brought, or that no package brought."""
    originals, owned, _ = _from_packages(root)
    found = []
    for top, folders, files in os.walk(os.path.join(root, "etc")):
        inside = os.path.relpath(top, root)
        folders[:] = sorted(one for one in folders if not path_reason(f"{inside}/{one}"))
        links = [one for one in folders if os.path.islink(os.path.join(top, one))]
        for name in sorted([*files, *links]):
            path = f"{inside}/{name}"
            if not path_reason(path) and _is_own(root, path, originals.get(path), path in owned):
                found.append(path)
    return found


def configured(root, paths):
    """{package: [version, changed files of it]} of those of these files that a package brought."""
    found = {}
    whose = _from_packages(root)[2]
    for path in paths:
        if path in whose:
            name, version = whose[path]
            found.setdefault(name, [version, []])[1].append(path)
    return found


def _is_own(root, path, original, is_owned):
    entry = os.lstat(os.path.join(root, path))
    if stat.S_ISLNK(entry.st_mode):
        # Links of units say what is switched on, and that is carried by name; those to certificates are made.
        return not is_owned and not path.startswith(("etc/systemd/", "etc/ssl/certs/"))
    if not stat.S_ISREG(entry.st_mode):
        return False
    return _md5(os.path.join(root, path)) != original if original else not is_owned


def _md5(place):
    whole = hashlib.md5(usedforsecurity=False)  # what dpkg keeps
    with open(place, "rb") as opened:
        while piece := opened.read(BLOCK):
            whole.update(piece)
    return whole.hexdigest()


def _from_packages(root):
    """({path: md5 of its package}, paths of all packages, {path: (package, version)}), as dpkg tells of /etc."""
    originals, whose, package = {}, {}, ("", "")
    for row in said(["dpkg-query", "-W", "-f", "${Package} ${Version}\n${Conffiles}\n"]).splitlines():
        words = row.split()
        if row[:1].strip() and len(words) == 2:
            package = (words[0], words[1])
        elif len(words) >= 2 and words[0].startswith("/etc/") and "obsolete" not in words[2:]:
            originals[words[0][1:]], whose[words[0][1:]] = words[1], package
    owned = set(originals)
    lists = os.path.join(root, "var/lib/dpkg/info")
    for name in os.listdir(lists):
        if name.endswith(".list"):
            with open(os.path.join(lists, name), encoding="utf-8", errors="surrogateescape") as opened:
                owned.update(row.rstrip("\n")[1:] for row in opened if row.startswith("/etc/"))
    return originals, owned, whose
