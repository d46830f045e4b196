"""A message by webhook: JSON over HTTPS, signed, with time limits, and no redirect followed."""

from __future__ import annotations

import hashlib
import hmac
import json
from datetime import datetime
from pathlib import Path

import requests

from orchestrator.adapters.notice_secret import NotDelivered, secret_in
from orchestrator.core.canonical import plain
from orchestrator.core.contacts_file import WebhookChannel
from orchestrator.core.notices import Letter

CONNECT_S, ANSWER_S = 5, 15


def post_webhook(channel: WebhookChannel, letter: Letter, *, home: Path, now: datetime) -> None:
    """Post the message; only an answer of 2xx counts as delivered. Raises NotDelivered, SecretOpen."""
    body = json.dumps(plain(letter), ensure_ascii=False).encode("utf-8")
    stamp = str(int(now.timestamp()))
    secret = secret_in(home / channel.secret_file, channel=channel.name)
    headers = {
        "Content-Type": "application/json; charset=utf-8",
        "User-Agent": "kahn",
        "Idempotency-Key": letter.id,
        "X-Kahn-Timestamp": stamp,
        "X-Kahn-Signature": f"sha256={signature_of(secret, stamp, body)}",
    }
    try:
        with requests.Session() as session:
            session.trust_env = False  # neither .netrc nor a proxy that somebody put into the environment
            answer = session.post(
                channel.url,
                data=body,
                headers=headers,
                timeout=(CONNECT_S, ANSWER_S),
                allow_redirects=False,
                stream=True,  # what the other side answers beyond its status is of no interest
                verify=str(home / channel.ca_file) if channel.ca_file else True,
                proxies={"https": channel.proxy, "http": channel.proxy} if channel.proxy else None,
            )
            answer.close()
    except (requests.RequestException, OSError, ValueError) as cause:
        raise NotDelivered(channel=channel.name, why=type(cause).__name__) from cause
    if not 200 <= answer.status_code < 300:
        raise NotDelivered(channel=channel.name, why=f"the other side answered {answer.status_code}")


def signature_of(secret: str, stamp: str, body: bytes) -> str:
    """HMAC-SHA256 over ``<stamp>.<body>``, hexadecimal: a receiver computes the same and refuses old stamps."""
    return hmac.new(secret.encode("utf-8"), stamp.encode("ascii") + b"." + body, hashlib.sha256).hexdigest()
