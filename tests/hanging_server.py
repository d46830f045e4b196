"""An ssh server that lets everybody in and then never answers: a machine that hangs, or a hostile one."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import paramiko

PASSWORD = "correct horse"


class _Silent(paramiko.ServerInterface):
    def __init__(self, over: threading.Event, heard: list[str]) -> None:
        self._over, self._heard = over, heard

    def check_auth_password(self, username: str, password: str) -> int:
        self._heard.append(password)
        right = password == PASSWORD
        return paramiko.common.AUTH_SUCCESSFUL if right else paramiko.common.AUTH_FAILED

    def check_auth_publickey(self, username: str, key: paramiko.PKey) -> int:
        return paramiko.common.AUTH_SUCCESSFUL

    def check_channel_request(self, kind: str, chanid: int) -> int:
        return paramiko.common.OPEN_SUCCEEDED

    def check_channel_exec_request(self, channel: paramiko.Channel, command: bytes) -> bool:
        self._over.wait(300)
        return False


@contextmanager
def hanging_server(heard: list[str] | None = None) -> Iterator[tuple[int, str]]:
    """Its port on the loopback, and its host key as ``type base64``. ``heard`` takes the passwords that were tried."""
    key, over = paramiko.ECDSAKey.generate(), threading.Event()
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(5)
        serving = threading.Thread(
            target=_serve, args=(listening, key, _Silent(over, heard if heard is not None else []), over), daemon=True
        )
        serving.start()
        try:
            yield listening.getsockname()[1], f"{key.get_name()} {key.get_base64()}"
        finally:
            over.set()


def _serve(listening: socket.socket, key: paramiko.PKey, answers: _Silent, over: threading.Event) -> None:
    while not over.is_set():
        try:
            connection, _where = listening.accept()
        except OSError:
            return
        transport = paramiko.Transport(connection)
        transport.add_server_key(key)
        with suppress(OSError, EOFError, paramiko.SSHException):  # one that hangs up at once is no end for the next
            transport.start_server(server=answers)
