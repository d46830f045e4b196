"""A bare machine as the boot server sees it: asks by its hardware address and follows what it is told.

A program of the standard library alone, so that it runs inside a lab host: ``python3 simulated_installer.py URL MAC
ROOT [END]``. It writes what the real installer writes into the file system ROOT in place of a disk. END: ``installed``,
``failed`` (gives up with a cause), ``dead`` (loses power after it began). Exit code 3: it was sent to its own disk, or
got nothing. 4: nobody answers.
"""

from __future__ import annotations

import base64
import hashlib
import os
import re
import sys
import urllib.error
import urllib.parse
import urllib.request

SENT_AWAY, NO_LINE = 3, 4


def fetched(url: str, form: dict[str, str] | None = None) -> tuple[int, bytes]:
    """HTTP status and body."""
    body = None if form is None else urllib.parse.urlencode(form).encode()
    try:
        with urllib.request.urlopen(urllib.request.Request(url, data=body), timeout=60) as answer:
            return int(answer.status), bytes(answer.read())
    except urllib.error.HTTPError as refused:
        with refused:
            return refused.code, b""


def script_words(script: str) -> dict[str, str]:
    """The words that a boot script gives the installer's kernel; none where it boots from disk."""
    return dict(re.findall(r" kahn\.([a-z]+)=(\S+)", script))


def settings(told: bytes) -> dict[str, str]:
    """What the installer was given."""
    return dict(line.split("=", 1) for line in told.decode("ascii").splitlines())


def write(root: str, told: dict[str, str]) -> None:
    """Name, host key, administrators' keys and the note of the end, as on an installed disk."""
    files = {
        "etc/hostname": told["name"].encode() + b"\n",
        "etc/ssh/ssh_host_ed25519_key": base64.b64decode(told["host_key"]),
        "etc/kahn-installed": told["order"].encode() + b"\n",
    }
    for path, content in files.items():
        whole = os.path.join(root, path)
        os.makedirs(os.path.dirname(whole), exist_ok=True)
        with open(os.open(whole, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as out:
            out.write(content)


def main(url: str, mac: str, root: str, end: str = "installed") -> int:
    """Boot once."""
    try:
        _status, script = fetched(f"{url}/boot?mac={mac}")
    except urllib.error.URLError:
        return NO_LINE
    words = script_words(script.decode("ascii"))
    if not words:
        return SENT_AWAY
    who = {"mac": mac, "token": words["token"]}
    status, told = fetched(f"{words['url']}/begin", who)
    if status != 200:
        return SENT_AWAY
    given = settings(told)
    if end == "dead":
        return 0
    if end == "failed":
        return 0 if fetched(f"{words['url']}/report", {**who, "state": "failed", "cause": "no_disk"})[0] == 200 else 1
    image = fetched(given["image"])[1]
    if hashlib.sha256(image).hexdigest() != given["sha256"]:
        return 1
    fetched(f"{words['url']}/report", {**who, "state": "progress", "percent": "50"})
    write(root, given)
    return 0 if fetched(f"{words['url']}/report", {**who, "state": "installed"})[0] == 200 else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
