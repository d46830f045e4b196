"""The boot server's HTTP side: a thin shell around its desk. Requests are small, quick and few, or refused."""

from __future__ import annotations

import shutil
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from http.server import BaseHTTPRequestHandler
from socketserver import TCPServer, ThreadingMixIn
from typing import Any
from urllib.parse import parse_qs, urlsplit

from inventory.errors import ExpectedError
from orchestrator.adapters.netboot_desk import NOTHING, REFUSED, SERVED, BootDesk, Reply

MAX_BODY_BYTES = 4096
ASKED_WITHIN_S = 10
"""A request must be complete after so many seconds, however slowly it comes."""
SILENT_S = 30
"""A download during which nothing is taken for so long is broken off."""
AT_ONCE = 64


class BootAddressRefused(ExpectedError):
    """The boot server cannot listen where it was told to."""

    code, says = "BOOT-004", "The boot server cannot listen on {address}, port {port}: {why}."
    remedy = "Name an address of this machine in the network of the machines to install, and a free port."


class BootServer(ThreadingMixIn, TCPServer):
    """Serves one folder at one address. Raises BootAddressRefused.

    It is no HTTPServer: that one looks its own name up, which takes long where there is no DNS.
    """

    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = AT_ONCE

    def __init__(self, desk: BootDesk, *, address: str, port: int, within_s: float = ASKED_WITHIN_S) -> None:
        self.desk, self.within_s = desk, within_s
        self._room = threading.BoundedSemaphore(AT_ONCE)
        if ":" in address:
            self.address_family = socket.AF_INET6
        try:
            super().__init__((address, port), _Asked)
        except OSError as cause:
            raise BootAddressRefused(address=address, port=port, why=cause.strerror or str(cause)) from cause

    @property
    def port(self) -> int:
        """The port that it listens on."""
        return int(self.server_address[1])

    def process_request(self, request: Any, client_address: Any) -> None:
        """In a thread of its own, unless too many are at work: those who come then are turned away."""
        if not self._room.acquire(blocking=False):
            self.shutdown_request(request)
            return
        super().process_request(request, client_address)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """The thread's work, after which there is room for another."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._room.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Whoever breaks off or sends nonsense leaves no trace on the terminal."""


class _Asked(BaseHTTPRequestHandler):
    server: BootServer
    server_version, sys_version = "kahn", ""
    timeout = SILENT_S

    def setup(self) -> None:
        super().setup()
        self._late = threading.Timer(self.server.within_s, self._cut)
        self._late.daemon = True
        self._late.start()

    def finish(self) -> None:
        self._late.cancel()
        super().finish()

    def _cut(self) -> None:
        with suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)

    def log_message(self, format: str, *args: Any) -> None:
        """The desk keeps its own notes."""

    def do_GET(self) -> None:
        """A boot script, or one of the files that anybody may have."""
        self._late.cancel()
        asked = urlsplit(self.path)
        if asked.path == "/boot":
            mac = parse_qs(asked.query, max_num_fields=8).get("mac", [""])[0]
            self._answer(lambda: self.server.desk.boot(mac, client=self.client_address[0]))
        elif asked.path.startswith("/files/") and asked.path[7:] in SERVED:
            self._send_file(SERVED[asked.path[7:]])
        else:
            self._say(NOTHING)

    def do_POST(self) -> None:
        """An installer begins, or reports."""
        told = self.headers.get("Content-Length", "")
        if not told.isdigit() or int(told) > MAX_BODY_BYTES:
            self._say(Reply(status=413))
            return
        body = self.rfile.read(int(told))
        self._late.cancel()
        if len(body) != int(told):
            return
        form = {name: values[0] for name, values in _fields(body).items()}
        desk, client = self.server.desk, self.client_address[0]
        ways: dict[str, Callable[[], Reply]] = {
            "/begin": lambda: desk.begin(form, client=client),
            "/report": lambda: desk.report(form, client=client),
        }
        self._answer(ways.get(self.path, lambda: NOTHING))

    def _answer(self, act: Callable[[], Reply]) -> None:
        """What the desk says; a damaged record or a full disk gives nobody anything."""
        try:
            reply = act()
        except (ExpectedError, OSError) as problem:
            self.server.desk.folder.note("trouble", why=str(problem)[:300])
            reply = REFUSED if self.command == "POST" else Reply(status=503)
        self._say(reply)

    def _say(self, reply: Reply) -> None:
        content = reply.text.encode("ascii", "replace")
        self.send_response(reply.status)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _send_file(self, name: str) -> None:
        path = self.server.desk.folder.place / "files" / name
        if not path.is_file():
            self._say(NOTHING)
            return
        with path.open("rb") as stream:
            self.send_response(200)
            self.send_header("Content-Length", str(path.stat().st_size))
            self.end_headers()
            shutil.copyfileobj(stream, self.wfile, 1 << 20)


def _fields(body: bytes) -> dict[str, list[str]]:
    try:
        return parse_qs(body.decode("ascii"), max_num_fields=16, keep_blank_values=True)
    except ValueError:
        return {}
