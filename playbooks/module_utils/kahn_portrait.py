"""Portrait of a machine: what it offers and does, coarse enough to be compared with that of its successor.

Read-only, and one program for all of it. A section that cannot be read is named with the reason, never shown as empty.
Private keys are never opened, and passwords in addresses are left out. Python 3.9, standard library only.
"""

from __future__ import annotations

import glob
import hashlib
import json
import os
import re
import ssl
import subprocess
import time

try:
    from ansible.module_utils.kahn_asked import databases, question
    from ansible.module_utils.kahn_keytab import KEYTAB, membership
    from ansible.module_utils.kahn_outcome import Trouble, printable
except ImportError:  # sent to a host as one program
    from kahn_asked import databases, question
    from kahn_keytab import KEYTAB, membership
    from kahn_outcome import Trouble, printable

MOST_ENTRIES = 180
"""Entries of one part of a section: what is written down afterwards holds no more in one map."""
MOST_BYTES = 40_000
LONGEST = 180
ASK_S = 60
PASSING_UNITS = re.compile(
    r"(user|user-runtime-dir|getty|serial-getty|modprobe|container-getty)@.*|(systemd|run|kmod)-.*"
)
LOCAL_KINDS = frozenset({"ext2", "ext3", "ext4", "xfs", "btrfs", "vfat", "zfs", "f2fs", "jfs", "reiserfs", "ntfs3"})
NETWORK_KINDS = frozenset({"nfs", "nfs4", "cifs", "smb3", "fuse.sshfs", "davfs", "fuse.davfs"})
CERTIFICATES = (
    "/etc/ssl/*.pem", "/etc/ssl/*.crt", "/etc/ssl/certs/*.pem", "/etc/ssl/certs/*.crt", "/etc/ssl/local/*",
    "/usr/local/share/ca-certificates/**", "/etc/letsencrypt/live/*/cert.pem", "/etc/pki/tls/certs/*",
    "/etc/nginx/**/*.pem", "/etc/nginx/**/*.crt", "/etc/apache2/**/*.pem", "/etc/apache2/**/*.crt",
    "/etc/postgresql/**/*.crt",
)  # fmt: skip
CRON = ("/etc/crontab", "/etc/cron.d/*", "/etc/cron.hourly/*", "/etc/cron.daily/*", "/etc/cron.weekly/*",
        "/etc/cron.monthly/*", "/var/spool/cron/crontabs/*", "/var/spool/cron/*")  # fmt: skip


def portrait(settings=None, *, root="/", store=""):
    """{sections: {name: [{entry: value}, ...]}, unread: {name: why}, left_out: {name: how many}}.

    `settings`: the procedure that runs here, for its row counts and its answer.
    """
    sources = {
        "ports": lambda: ports(os.path.join(root, "proc")),
        "services": lambda: services(root),
        "certificates": lambda: certificates(root),
        "shares": lambda: shares(root),
        "printers": lambda: printers(root),
        "jobs": lambda: jobs(root),
        "mounts": lambda: mounts(root),
        "domain": lambda: membership(os.path.join(root, KEYTAB.lstrip("/"))),
    }
    if settings:
        sources["rows"] = lambda: databases(settings, store)
        sources["answer"] = lambda: question(settings, os.path.join(root, "proc"))
    found, unread = {}, {}
    for name, look in sources.items():
        try:
            found[name] = {
                shown(key): value if isinstance(value, int) else shown(value) for key, value in look().items()
            }
        except Trouble as trouble:
            unread[name] = shown(trouble.says)
        except (OSError, ValueError, subprocess.SubprocessError) as problem:
            unread[name] = shown(str(problem) or type(problem).__name__)
    kept, left_out = bounded(found)
    return {"sections": kept, "unread": unread, "left_out": left_out}


def bounded(found):
    """Sections in parts of few entries, the smallest sections first; what finds no room is counted."""
    kept, left_out, room = {}, {}, MOST_BYTES
    for name in sorted(found, key=lambda one: len(found[one])):
        rows = []
        for key, value in sorted(found[name].items()):
            room -= len(json.dumps([key, value])) + 2
            if room < 0 or len(rows) >= MOST_ENTRIES * MOST_ENTRIES:
                break
            rows.append((key, value))
        parts = [dict(rows[start : start + MOST_ENTRIES]) for start in range(0, len(rows), MOST_ENTRIES)]
        kept[name] = parts
        if len(rows) < len(found[name]):
            left_out[name] = len(found[name]) - len(rows)
    return kept, left_out


def shown(text):
    """A name or value in one printable line."""
    return printable(str(text))[:LONGEST]


# ---------------------------------------------------------------------------- ports


def ports(proc="/proc"):
    """{"tcp 22": "sshd, any address"}: who waits for others."""
    waiting = {}
    for name, state in (("tcp", "0A"), ("tcp6", "0A"), ("udp", "07"), ("udp6", "07")):
        for row in _rows(os.path.join(proc, "net", name)):
            address, port = row[1].split(":")
            number = int(port, 16)
            if row[3] == state and (name.startswith("tcp") or number < 32768):
                waiting.setdefault((name[:3], number), []).append((row[9], _reach(address)))
    names = programs({inode for found in waiting.values() for inode, _ in found}, proc)
    told = {}
    for (kind, number), found in waiting.items():
        who = sorted({names.get(inode, "?") for inode, _ in found})
        told[f"{kind} {number}"] = f"{' '.join(who)}, {' and '.join(sorted({reach for _, reach in found}))}"
    return told


def _rows(path):
    try:
        with open(path) as opened:
            return [line.split() for line in opened][1:]
    except FileNotFoundError:
        return []


def _reach(address):
    """Who can come in: `any address`, `this machine`, or `one address` (which one it is differs by machine)."""
    if not address.strip("0"):
        return "any address"
    local = address.endswith("7F") if len(address) == 8 else address == "00000000000000000000000001000000"
    return "this machine" if local else "one address"


def programs(inodes, proc="/proc"):
    """{inode of a socket: name of the program that holds it}."""
    found = {}
    for pid in filter(str.isdecimal, os.listdir(proc)):
        try:
            for number in os.listdir(os.path.join(proc, pid, "fd")):
                there = os.readlink(os.path.join(proc, pid, "fd", number))
                if there.startswith("socket:[") and there[8:-1] in inodes:
                    with open(os.path.join(proc, pid, "comm")) as opened:
                        found[there[8:-1]] = opened.read().strip()
        except OSError:
            continue
    return found


# ---------------------------------------------------------------------------- services and jobs


def services(root="/"):
    """{"ssh.service": "active enabled"} of what runs, has failed or begins at the start; nothing without systemd."""
    if not os.path.isdir(os.path.join(root, "run/systemd/system")):
        return {}
    found = {}
    for state in ("active", "failed"):
        for line in _systemctl("list-units", "--type=service", f"--state={state}", "--plain"):
            found.setdefault(line.split()[0], set()).add(state)
    for line in _systemctl("list-unit-files", "--type=service", "--state=enabled"):
        found.setdefault(line.split()[0], set()).add("enabled")
    return {name: " ".join(sorted(words)) for name, words in found.items() if not PASSING_UNITS.fullmatch(name)}


def _systemctl(*words):
    argv = ["systemctl", *words, "--no-legend", "--no-pager"]
    ended = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, timeout=ASK_S, cwd="/")
    if ended.returncode:
        raise Trouble("no_sensible_answer", "systemctl: " + printable(ended.stderr[-150:]))
    return [line for line in ended.stdout.decode("utf-8", "replace").splitlines() if line.strip()]


def jobs(root="/"):
    """{"/etc/cron.d/backup": digest of its lines, "timer backup.timer": "enabled"}."""
    found = {}
    for pattern in CRON:
        for path in glob.glob(os.path.join(root, pattern.lstrip("/"))):
            if os.path.isfile(path) and not os.path.basename(path).startswith("."):
                with open(path, "rb") as opened:
                    lines = [line.strip() for line in opened.read(1 << 20).splitlines()]
                kept = b"\n".join(line for line in lines if line and not line.startswith(b"#"))
                if kept:
                    found["/" + os.path.relpath(path, root)] = hashlib.sha256(kept).hexdigest()[:12]
    if os.path.isdir(os.path.join(root, "run/systemd/system")):
        for line in _systemctl("list-unit-files", "--type=timer", "--state=enabled"):
            found["timer " + line.split()[0]] = "enabled"
    return found


# ---------------------------------------------------------------------------- certificates


def certificates(root="/"):
    """{path: "subject, until yyyy-mm-dd, digest"} of public certificates that were put there by hand."""
    found = {}
    paths = {path for pattern in CERTIFICATES for path in glob.glob(root.rstrip("/") + pattern, recursive=True)}
    for path in sorted(paths):
        if _put_there(path):
            with open(path, "rb") as opened:
                content = opened.read(64 * 1024)
            if b"PRIVATE KEY" not in content and b"-----BEGIN CERTIFICATE-----" in content:
                found["/" + os.path.relpath(path, root)] = _certificate(path, content)
    return found


def _put_there(path):
    """Not one of the system's own trust store, which the successor brings in its own edition."""
    if not os.path.isfile(path) or os.path.basename(path) == "ca-certificates.crt":
        return False
    return not (os.path.islink(path) and "/certs/" in path)


def _certificate(path, content):
    digest = hashlib.sha256(content).hexdigest()[:12]
    try:
        told = ssl._ssl._test_decode_cert(path)
        ends = ssl.cert_time_to_seconds(told["notAfter"])
        words = [f"{key}={value}" for part in told.get("subject", ()) for key, value in part]
    except (AttributeError, KeyError, OSError, ValueError):
        return "?, until ?, " + digest
    subject = " ".join(words).replace(",", ";")[:100]
    return f"{subject}, until {_day(ends)}, {digest}"


def _day(seconds):
    return time.strftime("%Y-%m-%d", time.gmtime(seconds))


# ---------------------------------------------------------------------------- shares, printers, file systems


def shares(root="/"):
    """What is offered by Samba and NFS, and what of others is mounted."""
    found = {}
    section = ""
    for line in _smb_lines(root, "/etc/samba/smb.conf"):
        if line.startswith("["):
            section = line.strip("[]").strip().lower()
        elif section not in ("", "global", "homes", "printers", "print$") and "=" in line:
            key, value = (one.strip() for one in line.split("=", 1))
            if key.lower() == "path":
                found["smb " + section] = value
    for path in (os.path.join(root, "etc/exports"), *sorted(glob.glob(os.path.join(root, "etc/exports.d/*.exports")))):
        for line in _lines(path):
            folder, _, clients = line.partition(" ")
            found["nfs " + folder] = " ".join(sorted(clients.split()))
    for device, place, kind in _mounted(root):
        if kind in NETWORK_KINDS:
            found["mounted " + place] = device
    return found


def _smb_lines(root, path, depth=4):
    """Lines of Samba's configuration, those of the files that it includes in their place."""
    for line in _lines(os.path.join(root, path.lstrip("/"))):
        key, _, value = (one.strip() for one in line.partition("="))
        if key.lower() == "include" and depth and value.startswith("/") and "%" not in value:
            yield from _smb_lines(root, value, depth - 1)
        else:
            yield line


def _without_password(address):
    """The address without what stands before its server; a password may hold an @ itself."""
    return re.sub(r"//[^/]*@", "//", address)


def _lines(path):
    """Lines of a configuration file without comments; none where there is no such file."""
    try:
        with open(path, errors="replace") as opened:
            told = [line.strip() for line in opened.read(1 << 20).splitlines()]
    except FileNotFoundError:
        return []
    return [line for line in told if line and line[0] not in "#;"]


def printers(root="/"):
    """{queue: its address, and whether it is the default one}."""
    found, queue, default = {}, "", False
    for line in _lines(os.path.join(root, "etc/cups/printers.conf")):
        begins = re.fullmatch(r"<(Default)?Printer ([^>]+)>", line)
        if begins:
            queue, default = begins[2], bool(begins[1])
        elif line.startswith("DeviceURI ") and queue:
            address = _without_password(line.split(None, 1)[1])
            found[queue] = address + (", default" if default else "")
    return found


def mounts(root="/"):
    """{place: "ext4 41 %"} of local disks; others are not asked how full they are: a dead one would never answer."""
    found = {}
    for _, place, kind in _mounted(root):
        if kind in LOCAL_KINDS or place == "/":
            there = os.statvfs(os.path.join(root, place.lstrip("/")))
            used = there.f_blocks - there.f_bfree
            found[place] = f"{kind} {round(100 * used / max(1, used + there.f_bavail))} %"
    return found


def _mounted(root):
    rows = []
    for line in _lines(os.path.join(root, "proc/self/mounts")):
        device, place, kind = line.split()[:3]
        rows.append((_without_password(device), place.replace("\\040", " "), kind))
    return rows
