"""A message by mail: SMTP with encryption, a stable Message-ID, plain text."""

from __future__ import annotations

import smtplib
import ssl
from email.message import EmailMessage
from email.utils import format_datetime
from pathlib import Path

from orchestrator.adapters.notice_secret import NotDelivered, secret_in
from orchestrator.core.contacts_file import MailChannel
from orchestrator.core.notices import Letter
from orchestrator.supervisor.boundary import boundary

TIMEOUT_S = 20


def send_mail(channel: MailChannel, letter: Letter, *, home: Path) -> None:
    """Hand the message to the mail server. Raises NotDelivered."""
    try:
        with _connected(channel, home) as server:
            server.send_message(_mail(channel, letter), from_addr=channel.sender, to_addrs=[letter.to])
    except (smtplib.SMTPException, OSError, ValueError) as cause:
        raise NotDelivered(channel=channel.name, why=_why(cause)) from cause


def _connected(channel: MailChannel, home: Path) -> smtplib.SMTP:
    context = ssl.create_default_context(cafile=str(home / channel.ca_file) if channel.ca_file else None)
    with boundary("notice.mail.connect"):
        if channel.tls == "tls":
            server: smtplib.SMTP = smtplib.SMTP_SSL(channel.host, channel.port, timeout=TIMEOUT_S, context=context)
        else:
            server = smtplib.SMTP(channel.host, channel.port, timeout=TIMEOUT_S)
    try:
        if channel.tls == "starttls":
            server.starttls(context=context)
        if channel.user:
            server.login(channel.user, secret_in(home / channel.password_file, channel=channel.name))
    except BaseException:
        server.close()
        raise
    return server


def _mail(channel: MailChannel, letter: Letter) -> EmailMessage:
    mail = EmailMessage()
    mail["From"] = channel.sender
    mail["To"] = letter.to
    mail["Subject"] = letter.subject
    mail["Date"] = format_datetime(letter.at)
    mail["Message-ID"] = f"<{letter.id}.{letter.to.partition('@')[0]}@kahn.invalid>"
    mail["Auto-Submitted"] = "auto-generated"
    mail["X-Kahn-Notice"] = letter.id
    mail["X-Kahn-Kind"] = letter.kind
    mail.set_content(letter.text)
    return mail


def _why(cause: BaseException) -> str:
    if isinstance(cause, smtplib.SMTPResponseException):
        said = cause.smtp_error
        text = said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)
        return f"the server answered {cause.smtp_code} {text}"[:300]
    return (str(cause) or type(cause).__name__)[:300]
