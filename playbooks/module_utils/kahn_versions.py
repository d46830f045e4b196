"""What of a server depends on the version of its programs: databases whose files are carried, and configuration.

Files of a database are read by no other series of its server, or are changed by it for good: without the same series
nothing begins. Configuration of another version is told to people. Python 3.9, standard library only.
"""

from __future__ import annotations

import os
import re
from contextlib import suppress

try:
    from ansible.module_utils.kahn_outcome import Trouble, printable
except ImportError:  # sent to a host as one program
    from kahn_outcome import Trouble, printable

_POSTGRES = re.compile(r"postgresql-([0-9]{1,3}(?:\.[0-9]{1,3})?)")
_MYSQL = re.compile(r"(mariadb|mysql)(?:-community)?-server(?:-[0-9.]+)?")
_SERIES = re.compile(r"(?:[0-9]+:)?([0-9]+\.[0-9]+)")


def release(root):
    """The system by its own words, such as `Debian GNU/Linux 12 (bookworm)`; empty where it says nothing."""
    for place in ("etc/os-release", "usr/lib/os-release"):
        with suppress(OSError), open(os.path.join(root, place), encoding="utf-8", errors="replace") as opened:
            for line in opened:
                if line.startswith("PRETTY_NAME="):
                    return printable(line.partition("=")[2].strip().strip("\"'"))
    return ""


def databases(root, installed):
    """[{kind, series, package}] of the servers that have data on this host. `installed`: {package: version}."""
    found = {}
    for name, version in installed.items():
        known = _POSTGRES.fullmatch(name)
        if known and _has_data(root, "var/lib/postgresql", known[1], "etc/postgresql"):
            found[name] = {"kind": "postgresql", "series": known[1], "package": name}
        known = _MYSQL.fullmatch(name)
        series = _SERIES.match(version)
        if known and series and _has_data(root, "var/lib/mysql", "mysql"):
            found[known[1]] = {"kind": known[1], "series": series[1], "package": known[1] + "-server"}
    return sorted(found.values(), key=lambda one: (one["kind"], one["series"]))


def _has_data(root, top, name, *others):
    return any(os.path.isdir(os.path.join(root, one, name)) for one in (top, *others))


def packages_of(wanted):
    """Names of packages whose versions `refuse` must be told. Raises Trouble when the other host's list is damaged."""
    for one in wanted:
        # PostgreSQL has a package for each series; of the others the version of the one package says it.
        good = one["package"] == {"postgresql": f"postgresql-{one['series']}"}.get(one["kind"], one["kind"] + "-server")
        if not (good and (_POSTGRES.fullmatch(one["package"]) or _MYSQL.fullmatch(one["package"]))):
            raise Trouble("parcel_damaged", "The old host's list of databases is damaged.")
    return sorted({one["package"] for one in wanted})


def refuse_other_series(wanted, here):
    """Every database finds a server of its series. `here`: {package: version} that is or will be. Raises Trouble."""
    wrong = []
    for one in wanted:
        version = here.get(one["package"], "")
        series = _SERIES.match(version)
        same = bool(version) if one["kind"] == "postgresql" else bool(series) and series[1] == one["series"]
        if not same:
            wrong.append(f"{one['kind']} {one['series']}, here {_shown(one, version)}")
    if wrong:
        says = "The databases need a server of the same series on the new host: " + "; ".join(wrong) + "."
        raise Trouble("database_version", says, databases=wrong)


def _shown(one, version):
    return (printable(version) if version else one["package"] + " is not to be had")[:80]


def other_configuration(configured, here):
    """Sentences on changed files whose package has another upstream version here; `configured`: {package: [version,
    paths]}, as the old host told it."""
    found = []
    for name, (version, paths) in sorted(configured.items()):
        other = here.get(name, version)
        if upstream(other) != upstream(version):
            found += [printable(f"/{path}: of {name} {version}, here {other}") for path in paths]
    return found


def upstream(version):
    """The version without epoch and the distribution's revision."""
    return version.partition(":")[2].rpartition("-")[0] or version.rpartition("-")[0] or version
