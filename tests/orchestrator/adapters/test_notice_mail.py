"""Mail, against a real SMTP server."""

from __future__ import annotations

import socket
from datetime import UTC, datetime
from pathlib import Path

import pytest

from inventory.model import TenantId
from orchestrator.adapters.notice_mail import send_mail
from orchestrator.adapters.notice_secret import NotDelivered, SecretOpen
from orchestrator.core.contacts_file import MailChannel
from orchestrator.core.notices import Letter
from orchestrator.lab.certificates import a_certificate
from tests.mail_sink import a_mail_sink


def a_letter(**changes: str) -> Letter:
    values = {"id": "stadt-7", "kind": "held", "wave": "W01", "to": "wache@stadt.example"}
    values |= {"subject": "[Kahn] stadt: Welle W01 ANGEHALTEN", "text": "Bürgerbüro\n\n.\nEnde"} | changes
    return Letter(tenant=TenantId("stadt"), at=datetime(2026, 12, 1, 2, 8, tzinfo=UTC), **values)


def a_channel(port: int, **changes: str) -> MailChannel:
    values = {"name": "mail", "host": "localhost", "tls": "none", "sender": "kahn@stadt.example"} | changes
    return MailChannel(port=port, **values)


def test_a_mail_arrives_whole_with_an_id_that_stays(tmp_path: Path) -> None:
    with a_mail_sink() as sink:
        for _ in range(2):
            send_mail(a_channel(sink.port), a_letter(), home=tmp_path)
    (to, mail), (_, again) = sink.mails
    assert to == ["wache@stadt.example"]
    assert mail["Subject"] == "[Kahn] stadt: Welle W01 ANGEHALTEN"
    assert mail.get_content().replace("\r\n", "\n") == "Bürgerbüro\n\n.\nEnde\n"
    assert mail["Message-ID"] == again["Message-ID"] and "stadt-7" in mail["Message-ID"]


def test_with_starttls_the_certificate_is_checked_and_the_password_comes_from_its_file(tmp_path: Path) -> None:
    certificate = a_certificate(tmp_path)
    (tmp_path / "pw").write_text("geheim\n")
    (tmp_path / "pw").chmod(0o600)
    with a_mail_sink(certificate=certificate) as sink:
        known = a_channel(sink.port, tls="starttls", user="kahn", password_file="pw", ca_file="cert.pem")
        send_mail(known, a_letter(), home=tmp_path)
        with pytest.raises(NotDelivered, match="certificate"):
            send_mail(a_channel(sink.port, tls="starttls"), a_letter(), home=tmp_path)
    assert len(sink.mails) == 1 and sink.logins == [(b"kahn", b"geheim")]


def test_a_password_that_others_may_read_is_not_used(tmp_path: Path) -> None:
    certificate = a_certificate(tmp_path)
    (tmp_path / "pw").write_text("geheim")
    (tmp_path / "pw").chmod(0o644)
    with a_mail_sink(certificate=certificate) as sink:
        channel = a_channel(sink.port, tls="starttls", user="kahn", password_file="pw", ca_file="cert.pem")
        with pytest.raises(SecretOpen, match="others may read it"):
            send_mail(channel, a_letter(), home=tmp_path)
    assert sink.logins == []


def test_a_server_without_encryption_gets_nothing_when_encryption_is_wanted(tmp_path: Path) -> None:
    with a_mail_sink() as sink, pytest.raises(NotDelivered, match="STARTTLS"):
        send_mail(a_channel(sink.port, tls="starttls"), a_letter(), home=tmp_path)
    assert sink.mails == []


def test_a_refusal_and_a_dead_server_are_told(tmp_path: Path) -> None:
    with a_mail_sink() as sink:
        sink.refuse = "451 try later"
        with pytest.raises(NotDelivered, match="451 try later"):
            send_mail(a_channel(sink.port), a_letter(), home=tmp_path)
    with pytest.raises(NotDelivered, match="refused"):
        send_mail(a_channel(sink.port), a_letter(), home=tmp_path)


@pytest.mark.parametrize("field", ["subject", "to"])
def test_a_line_end_in_a_header_is_never_sent(tmp_path: Path, field: str) -> None:
    """The texts are made harmless before; here is the second lock."""
    with a_mail_sink() as sink, pytest.raises(NotDelivered):
        send_mail(a_channel(sink.port), a_letter(**{field: "a@b.example\r\nBcc: x@y.example"}), home=tmp_path)
    assert sink.mails == []


def test_a_server_that_says_nothing_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("orchestrator.adapters.notice_mail.TIMEOUT_S", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent, pytest.raises(NotDelivered, match="timed out"):
        send_mail(a_channel(silent.getsockname()[1], host="127.0.0.1"), a_letter(), home=tmp_path)
