"""Webhooks, against a real HTTP server."""

from __future__ import annotations

import json
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from orchestrator.adapters.notice_secret import NotDelivered
from orchestrator.adapters.notice_webhook import post_webhook, signature_of
from orchestrator.core.contacts_file import WebhookChannel
from orchestrator.lab.certificates import a_certificate
from tests.orchestrator.adapters.test_notice_mail import a_letter

NOW = datetime(2026, 12, 1, 2, 8, tzinfo=UTC)


@contextmanager
def a_receiver(
    *,
    status: int = 204,
    headers: dict[str, str] | None = None,
    wait_s: float = 0,
    cert: tuple[Path, Path] | None = None,
) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Its address, and every request that came."""
    got: list[dict[str, Any]] = []

    class Answer(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            got.append({"path": self.path, "body": body, **{k: v for k, v in self.headers.items()}})
            time.sleep(wait_s)
            self.send_response(status)
            for name, value in (headers or {}).items():
                self.send_header(name, value)
            self.end_headers()

        do_GET = do_POST

        def log_message(self, *_args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    if cert:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*cert)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True, args=(0.02,)).start()
    try:
        yield f"{'https' if cert else 'http'}://127.0.0.1:{server.server_port}/kahn", got
    finally:
        server.shutdown()
        server.server_close()


def a_hook(folder: Path, url: str, **more: str) -> WebhookChannel:
    (folder / "hook.secret").write_text("schluessel")
    (folder / "hook.secret").chmod(0o600)
    return WebhookChannel(name="hook", url=url, secret_file="hook.secret", **more)


def post(folder: Path, url: str, **more: str) -> None:
    post_webhook(a_hook(folder, url, **more), a_letter(), home=folder, now=NOW)


def test_the_receiver_gets_json_that_it_can_check(tmp_path: Path) -> None:
    with a_receiver() as (url, got):
        post(tmp_path, url)
    (request,) = got
    content = json.loads(request["body"])
    assert (content["id"], content["tenant"], content["kind"], content["wave"]) == ("stadt-7", "stadt", "held", "W01")
    assert request["Idempotency-Key"] == "stadt-7"
    stamp = request["X-Kahn-Timestamp"]
    assert request["X-Kahn-Signature"] == "sha256=" + signature_of("schluessel", stamp, request["body"])
    assert signature_of("other", stamp, request["body"]) != signature_of("schluessel", stamp, request["body"])
    assert b"schluessel" not in request["body"]


def test_over_https_the_certificate_is_checked(tmp_path: Path) -> None:
    with a_receiver(cert=a_certificate(tmp_path)) as (url, got):
        post(tmp_path, url, ca_file="cert.pem")
        with pytest.raises(NotDelivered, match="SSLError"):
            post(tmp_path, url)
    assert len(got) == 1


def test_a_redirect_is_not_followed_and_counts_as_not_delivered(tmp_path: Path) -> None:
    with (
        a_receiver() as (other, got),
        a_receiver(status=307, headers={"Location": other}) as (url, _),
        pytest.raises(NotDelivered, match="307"),
    ):
        post(tmp_path, url)
    assert got == []


@pytest.mark.parametrize("status", [400, 404, 500, 503])
def test_any_other_answer_is_told(tmp_path: Path, status: int) -> None:
    with a_receiver(status=status) as (url, _got), pytest.raises(NotDelivered, match=str(status)):
        post(tmp_path, url)


def test_a_receiver_that_does_not_answer_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("orchestrator.adapters.notice_webhook.ANSWER_S", 0.2)
    with a_receiver(wait_s=0.6) as (url, _got), pytest.raises(NotDelivered, match="ReadTimeout"):
        post(tmp_path, url)


def test_a_proxy_in_the_environment_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    with a_receiver() as (url, got):
        post(tmp_path, url)
    assert len(got) == 1
