"""Packages of a Debian-like host: what is there, what is asked for, what its own sources have. Python 3.9.

Nothing is downloaded that the host's own sources do not have. Services of a package that is installed are not started.
"""

from __future__ import annotations

import fcntl
import os
import subprocess
from contextlib import contextmanager, suppress

try:
    from ansible.module_utils.kahn_never import package_reason
    from ansible.module_utils.kahn_outcome import Trouble, printable, remove_file, write_whole
except ImportError:  # sent to a host as one program
    from kahn_never import package_reason
    from kahn_outcome import Trouble, printable, remove_file, write_whole

ASK_S, WORK_S = 120, 3000
_POLICY = b"#!/bin/sh\n# Kahn: services start when their data is there\nexit 101\n"
_KEPT = ".before-kahn"
WANTED = ("--no-install-recommends",)
_CAUSES = {
    "No space left on device": "disk_full",
    "enough free space in": "disk_full",
    "Could not get lock": "package_lock",
    "Failed to fetch": "mirror_unreachable",
    "Read-only file system": "read_only",
}
_KEEP = ["-o", "Dpkg::Options::=--force-confdef", "-o", "Dpkg::Options::=--force-confold"]


def installed(run=None):
    """{name: version} of everything that is installed."""
    told = (run or said)(["dpkg-query", "-W", "-f", "${Package}\t${Version}\t${db:Status-Status}\n"])
    rows = (line.split("\t") for line in told.splitlines())
    return {row[0]: row[1] for row in rows if len(row) == 3 and row[2] == "installed"}


def asked_for(run=None):
    """Names of what people asked for, without what came along with it, and without what is never carried."""
    run = run or said
    there = installed(run)
    manual = {line.strip().partition(":")[0] for line in run(["apt-mark", "showmanual"]).splitlines()}
    return {name: there[name] for name in sorted(manual & there.keys()) if not package_reason(name)}


def to_be_had(names, run=None):
    """Those of these names that this host's own sources have, with the version: {name: version}."""
    found, name = {}, ""
    if not names:
        return found
    # Names are another host's words: behind the dashes none is an option, such as one that names a program to run.
    for line in (run or said)(["apt-cache", "policy", "--", *names]).splitlines():
        if line[:1].strip():
            name = line.strip().rstrip(":")
        elif line.strip().startswith("Candidate:"):
            version = line.partition(":")[2].strip()
            if version not in ("(none)", ""):
                found[name] = version
    return found


def compared(wanted, run=None):
    """What of {name: version} is to be installed here, is not to be had, and is there in another version."""
    here = installed(run)
    lacking = [name for name in wanted if name not in here]
    offered = to_be_had(lacking, run)
    other = {name: [wanted[name], here[name]] for name in wanted if here.get(name, wanted[name]) != wanted[name]}
    other.update({name: [wanted[name], offered[name]] for name in offered if offered[name] != wanted[name]})
    return {
        "install": sorted(offered),
        "not_to_be_had": sorted(set(lacking) - offered.keys()),
        "other_version": other,
    }


def refuse_locked(root="/"):
    """Nobody else works with packages now. Raises Trouble."""
    for name in ("lock-frontend", "lock"):
        path = os.path.join(root, "var/lib/dpkg", name)
        try:
            with open(path, "r+b") as opened:
                fcntl.lockf(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except FileNotFoundError:
            continue
        except BlockingIOError:
            raise Trouble("package_lock", "Another program works with the packages of this host.") from None


def fetch(names, root="/"):
    """Fetch what would be installed: a source that is silent is known before anything changes. Raises Trouble."""
    if names:
        refuse_locked(root)
        _work(["apt-get", "install", "--download-only", "-y", "-q", *WANTED, *names])


def install(names, root="/"):
    """Install by name, nothing else than needed; services stay off. Raises Trouble."""
    if names:
        refuse_locked(root)
        with _no_starts(root):
            _work(["apt-get", "install", "-y", "-q", *WANTED, *_KEEP, *names])


def remove(names, root="/"):
    """Take packages away with their configuration, and what an installation that died has left. Raises Trouble."""
    _let_start(root)
    if names:
        refuse_locked(root)
        with _no_starts(root):
            _work(["apt-get", "purge", "-y", "-q", *names])


@contextmanager
def _no_starts(root):
    """Within: installing a package starts nothing. A policy of the host's own comes back."""
    path = _policy_of(root)
    if os.path.lexists(path) and not os.path.lexists(path + _KEPT) and not _is_ours(path):
        os.rename(path, path + _KEPT)
    write_whole(path, [_POLICY], mode=0o755)
    try:
        yield
    finally:
        _let_start(root)


def _let_start(root):
    """The host's own word on starts counts again."""
    path = _policy_of(root)
    if _is_ours(path):
        remove_file(path)
    if os.path.lexists(path + _KEPT):
        os.rename(path + _KEPT, path)


def _policy_of(root):
    return os.path.join(root, "usr/sbin/policy-rc.d")


def _is_ours(path):
    with suppress(OSError), open(path, "rb") as opened:
        return opened.read(len(_POLICY) + 1) == _POLICY
    return False


def _work(argv):
    code, told = call(argv, WORK_S)
    if code:
        cause = next((one for words, one in _CAUSES.items() if words in told), "packages_failed")
        raise Trouble(cause, f"apt-get ended with code {code}: {printable(told[-200:])}")


def said(argv):
    """The output of a command that only looks. Raises Trouble."""
    code, told = call(argv, ASK_S)
    if code == 127:
        raise Trouble("no_packages", argv[0] + " is not here: only hosts with dpkg and apt are known.")
    if code:
        raise Trouble("packages_failed", f"{argv[0]} ended with code {code}: {printable(told[-200:])}")
    return told


def call(argv, patience_s):
    """(exit code, what was said) of a command; 127 where there is none, 124 when it took too long."""
    words = {**os.environ, "LC_ALL": "C", "DEBIAN_FRONTEND": "noninteractive", "NEEDRESTART_MODE": "l"}
    try:
        ended = subprocess.run(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=patience_s,
            env=words,
            cwd="/",
        )
    except FileNotFoundError:
        return 127, argv[0]
    except subprocess.TimeoutExpired:
        return 124, f"{argv[0]} took more than {patience_s} s"
    return ended.returncode, ended.stdout.decode("utf-8", "replace")
