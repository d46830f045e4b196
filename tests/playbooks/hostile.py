"""User files that are made to hurt: names, kinds and attributes that a careless migration would trip over."""

from __future__ import annotations

import os
import socket
import stat
from pathlib import Path

NAMES = (
    b"new\nline", b"\x1b]0;title\x07\x1b[2J", b"\xff\xfe not utf-8 \x80", b"-rf", b"--checkpoint-action=exec=touch x",
    b"{{ lookup('pipe', 'touch kahn-was-here') }}", b"$(touch kahn-was-here)", b"`id`;&|", b" ", b"~", b"...", b"*?[a]",
    "\u202egpj.exe".encode(), "Bu\u0308ro".encode(), "B\u00fcro".encode(), b"x" * 255, b"%s%n",
    b"'\"\\", b"=cmd|' -C calc'!A0",
)  # fmt: skip
NOT_CARRIED = (b"pipe", b"socket", b"null")


def fill(home: Path, *, uid: int) -> None:
    """Fill one user's home directory as seen from outside, and put odd names beside it."""
    for name in (b"{{ lookup('pipe', 'touch kahn-was-here') }}", b"--checkpoint=1", b"\xfe\n"):
        os.mkdir(os.path.join(os.fsencode(home.parent), name), 0o700)
    top = os.fsencode(home / "feindlich")
    os.mkdir(top, 0o750)
    for name in NAMES:
        _write(os.path.join(top, name), name)
    os.symlink(b"/etc/shadow", os.path.join(top, b"absolute"))
    os.symlink(b"../../../../../../etc/shadow", os.path.join(top, b"climbing"))
    os.symlink(b".", os.path.join(top, b"loop"))
    os.mkdir(os.path.join(top, b"linked"))
    for number in (1, 2, 3):
        os.link(os.path.join(top, b"-rf"), os.path.join(top, b"linked", b"hard%d" % number))
    os.truncate(_write(os.path.join(top, b"sparse"), b"begin"), 8 * 1024 * 1024)
    os.setxattr(_write(os.path.join(top, b"noted"), b""), "user.\u00fcber", b"\0\xff")
    os.chmod(_write(os.path.join(top, b"unreadable"), b"x"), 0o000)
    os.mkfifo(os.path.join(top, b"pipe"))
    os.mknod(os.path.join(top, b"null"), 0o666 | stat.S_IFCHR, os.makedev(1, 3))
    _socket(os.path.join(top, b"socket"))
    deep = top
    for _ in range(40):
        deep = os.path.join(deep, b"tief")
    os.makedirs(deep)
    _write(os.path.join(deep, b"unten"), b"x")
    for directory, names, files in os.walk(top):
        for one in (directory, *(os.path.join(directory, name) for name in (*names, *files))):
            os.chown(one, uid, uid, follow_symlinks=False)
            if not os.path.islink(one):
                os.utime(one, ns=(1_500_000_000_987_654_321, 1_500_000_000_987_654_321))
    os.chmod(_write(os.path.join(top, b"root-shell"), b"#!/bin/sh\n"), 0o6755)
    os.utime(top, ns=(1_500_000_000_987_654_321, 1_500_000_000_987_654_321))


def _write(path: bytes, content: bytes) -> bytes:
    with open(path, "wb") as opened:
        opened.write(content)
    return path


def _socket(path: bytes) -> None:
    # A socket's address is short, a lab's path is not: bind from inside the directory.
    here = os.open(".", os.O_RDONLY)
    try:
        os.chdir(os.path.dirname(path))
        with socket.socket(socket.AF_UNIX) as made:
            made.bind(os.path.basename(path))
    finally:
        os.fchdir(here)
        os.close(here)
