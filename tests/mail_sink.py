"""A real SMTP server on this machine that keeps what it is given."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword

from tests.waiting import PATIENCE_S


@dataclass
class Sink:
    """Mails with their envelope recipients, oldest first. ``refuse``: answer to every mail while it is set."""

    port: int = 0
    refuse: str = ""
    mails: list[tuple[list[str], EmailMessage]] = field(default_factory=list)
    logins: list[tuple[bytes, bytes]] = field(default_factory=list)

    def handle_DATA(self, _server: object, _session: object, envelope: Any) -> Awaitable[str]:
        """Keep the mail; the server waits for the answer."""
        if not self.refuse:
            mail = message_from_bytes(envelope.content, policy=default)
            assert isinstance(mail, EmailMessage)
            self.mails.append((envelope.rcpt_tos, mail))
        return asyncio.sleep(0, self.refuse or "250 kept")

    def authenticate(self, _server: object, _session: object, _envelope: object, _how: str, given: Any) -> AuthResult:
        """Take the password ``geheim`` only."""
        assert isinstance(given, LoginPassword)
        self.logins.append((given.login, given.password))
        return AuthResult(success=given.password == b"geheim")


class _OnOurSocket(Controller):  # type: ignore[misc]
    """A controller that takes over a socket which listens already: nobody else can have its port meanwhile."""

    listening: socket.socket

    def _create_server(self) -> Awaitable[asyncio.AbstractServer]:
        return self.loop.create_server(self._factory_invoker, sock=self.listening, ssl=self.ssl_context)


@contextmanager
def a_mail_sink(*, certificate: tuple[Path, Path] | None = None) -> Iterator[Sink]:
    """A server on a port of its own; with a certificate it demands STARTTLS and a login."""
    listening = socket.create_server(("127.0.0.1", 0))
    sink = Sink(port=listening.getsockname()[1])
    options: dict[str, Any] = {"ready_timeout": PATIENCE_S}
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*certificate)
        options |= {
            "tls_context": context,
            "require_starttls": True,
            "auth_required": True,
            "authenticator": sink.authenticate,
        }
    controller = _OnOurSocket(sink, hostname="127.0.0.1", port=sink.port, **options)
    controller.listening = listening
    controller.start()
    try:
        yield sink
    finally:
        controller.stop()
