"""Network shares as /etc/fstab names them: read, judged, added, taken away. Python 3.9, standard library only.

Only what is known to be harmless is taken: mounts of cifs and nfs below /mnt, /media, /srv or /net with known options.
The password file of a share is written to a place of Kahn's choice: an old host must not name one on its successor.
"""

from __future__ import annotations

import hashlib
import os
import re

try:
    from ansible.module_utils.kahn_outcome import printable
except ImportError:  # sent to a host as one program
    from kahn_outcome import printable

KINDS = {"cifs": "mount.cifs", "smb3": "mount.cifs", "nfs": "mount.nfs", "nfs4": "mount.nfs"}
SECRETS = "/etc/kahn-shares"
LARGEST_SECRET = 4096
OPTIONS = frozenset(
    ("actimeo", "auto", "bg", "cache", "defaults", "dir_mode", "domain", "fg", "file_mode", "gid", "hard", "intr")
).union(
    ("iocharset", "mfsymlinks", "multiuser", "_netdev", "nfsvers", "noatime", "noauto", "nodev", "noexec"),
    ("nofail", "nolock", "noserverino", "nosuid", "port", "proto", "relatime", "retrans", "ro", "rsize", "rw", "sec"),
    ("serverino", "soft", "tcp", "timeo", "udp", "uid", "user", "username", "users", "vers", "wsize", "x-gvfs-show"),
    ("x-systemd.automount", "x-systemd.idle-timeout"),
)
"""Known to be harmless. The one that names a password file is not among them: `line_of` writes that itself."""
ALWAYS = ("nosuid", "nodev", "nofail")
_SOURCE = re.compile(r"//[^\s/#]+/[!-~\u00a1-\uffff]{1,300}|[^\s/#:-][^\s/#:]*:/[!-~\u00a1-\uffff]{0,300}")
_PLACE = re.compile(r"/(mnt|media|srv|net)(/[^\s/]{1,100}){1,6}")
_OPTION = re.compile(r"[^\s,#]{1,200}")
_SECRET = re.compile(r"(username|user|password|pass|domain|dom)[ \t]*=[^\r\n\0]{0,300}")


def rows(text):
    """The fields of each line of fstab that mounts something from the network."""
    for line in text.splitlines():
        fields = line.split()
        if len(fields) >= 3 and not line.lstrip().startswith("#") and _from_network(fields):
            yield fields


def _from_network(fields):
    return fields[2] in KINDS or fields[2].startswith("fuse.") or fields[2] in ("davfs", "ncpfs", "smbfs", "afs", "9p")


def read(text, secret_of):
    """(shares, what is not taken over) of fstab; `secret_of` gives the text of a password file or None."""
    taken, left = [], []
    for fields in rows(text):
        options = fields[3].split(",") if len(fields) > 3 else []
        paths = [one.partition("=")[2] for one in options if one.partition("=")[0] in ("credentials", "cred")]
        one = {
            "source": fields[0],
            "place": fields[1],
            "kind": fields[2],
            "options": [one for one in options if one.partition("=")[0] not in ("credentials", "cred")],
            "secret": secret_of(paths[0]) if paths else "",
        }
        why = "its password file cannot be read" if one["secret"] is None else wrong(one)
        if why:
            left.append(printable(f"share {fields[0]} at {fields[1]}: {why}"))
        else:
            taken.append(one)
    return taken, left


def wrong(one):
    """Why this share is not taken over, or nothing. Raises KeyError, TypeError for what is no share."""
    if one["kind"] not in KINDS:
        return "its kind is not taken over"
    if not _SOURCE.fullmatch(one["source"]) or not one["source"].isprintable():
        return "its name is not usable"
    if "\\" in one["place"]:
        return "its place is written with signs as numbers"  # and those may say `..`
    if not _PLACE.fullmatch(one["place"]) or ".." in one["place"].split("/") or not one["place"].isprintable():
        return "it is not below /mnt, /media, /srv or /net"
    for option in one["options"]:
        if option.partition("=")[0] in ("password", "pass"):
            return "its password stands in /etc/fstab, where everybody can read it"
        if option.partition("=")[0] not in OPTIONS or not _OPTION.fullmatch(option) or not option.isprintable():
            return "option {} is not known".format(printable(option.partition("=")[0]))
    lines = one["secret"].splitlines()
    if len(one["secret"]) > LARGEST_SECRET or not all(
        _SECRET.fullmatch(line.strip()) for line in lines if line.strip()
    ):
        return "its password file is not usable"
    return ""


def secret_path(one, directory=SECRETS):
    """Where the password file of this share is written."""
    return os.path.join(directory, hashlib.sha256(one["source"].encode("utf-8", "surrogateescape")).hexdigest()[:16])


def line_of(one, directory=SECRETS):
    """The line of fstab, with the options that keep a foreign server's files harmless."""
    options = [*one["options"], *(option for option in ALWAYS if option not in one["options"])]
    if one["secret"]:
        options.append("credentials=" + secret_path(one, directory))
    return "{} {} {} {} 0 0\n".format(one["source"], one["place"], one["kind"], ",".join(options))


def added(text, lines):
    """fstab with these lines at its end."""
    return "".join([text, "" if not text or text.endswith("\n") else "\n", *lines])


def without(text, lines):
    """fstab without exactly these lines."""
    gone = set(lines)
    return "".join(line for line in text.splitlines(keepends=True) if line not in gone)
