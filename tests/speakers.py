"""Whoever answers on a port: small servers on this machine's loopback that say what a test wants, in a thread."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from tests.waiting import PATIENCE_S

Speech = Callable[[socket.socket], object]
VERSION = b"SSH-2.0-Test\r\n"


@contextmanager
def speaker(speech: Speech) -> Iterator[int]:
    """The port where each caller hears the speech; a speech ends when the caller hangs up."""
    listening = socket.create_server(("127.0.0.1", 0))
    thread = threading.Thread(target=_serve, args=(listening, speech), daemon=True)
    thread.start()
    try:
        yield listening.getsockname()[1]
    finally:
        listening.shutdown(socket.SHUT_RDWR)
        listening.close()
        thread.join(PATIENCE_S)


def _serve(listening: socket.socket, speech: Speech) -> None:
    with suppress(OSError):
        while True:
            caller, _address = listening.accept()
            threading.Thread(target=_speak, args=(caller, speech), daemon=True).start()


def _speak(caller: socket.socket, speech: Speech) -> None:
    with caller, suppress(OSError):
        caller.settimeout(PATIENCE_S)
        speech(caller)


def saying(*chunks: bytes, then_wait: bool = True) -> Speech:
    """Says the chunks, then waits until the caller hangs up, or hangs up itself."""

    def speech(caller: socket.socket) -> None:
        for chunk in chunks:
            caller.sendall(chunk)
        while then_wait and caller.recv(4096):
            pass

    return speech


def for_ever(chunk: bytes, *, after: bytes = b"") -> Speech:
    """Says one thing, then another without end."""

    def speech(caller: socket.socket) -> None:
        caller.sendall(after)
        while True:
            caller.sendall(chunk)

    return speech


def kexinit(*lists: str) -> bytes:
    """The opening packet of a key exchange with these ten name lists (RFC 4253, 7.1)."""
    names = (*lists, *("none",) * (8 - len(lists)), "", "")
    body = b"".join(len(one).to_bytes(4, "big") + one.encode() for one in names)
    payload = b"\x14" + bytes(16) + body + bytes(5)
    padding = 8 - (len(payload) + 5) % 8 + 8
    return (len(payload) + padding + 1).to_bytes(4, "big") + bytes([padding]) + payload + bytes(padding)
