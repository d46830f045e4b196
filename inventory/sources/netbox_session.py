"""The session under pynetbox: answers are short, in time, from where they were asked, and not packed.

A file of its own, so that only who speaks with a NetBox loads the libraries for it.
"""

from __future__ import annotations

import time
from typing import Any
from urllib.parse import urlsplit

import requests

from inventory.sources.netbox_http import Failed, NetboxLies, Patience, short

MIB = 1024 * 1024
MOST_BYTES = 64 * MIB
"""Of one answer; a page of 1,000 whole devices is about 2 MiB."""
RETRIED_STATUS = frozenset({429, 500, 502, 503, 504})
_BLOCK = 256 * 1024


class Bounded(requests.Session):
    """A session whose answers are short, in time, from where they were asked, and not packed."""

    def __init__(self, host: str, patience: Patience, ca_file: str) -> None:
        super().__init__()
        self.trust_env = False  # a .netrc would replace the token
        self.verify = ca_file or True
        self.headers["Accept-Encoding"] = "identity"
        self.host, self.patience = host, patience
        self.version = ""
        self.served_at = ""

    def request(self, method: str, url: str, **more: Any) -> requests.Response:  # type: ignore[override]
        """The whole answer, or Failed or NetboxLies."""
        what = f"{method.upper()} {urlsplit(url).path}"
        until = time.monotonic() + self.patience.answer_s
        more |= {"allow_redirects": False, "stream": True}
        more["timeout"] = (self.patience.connect_s, self.patience.silence_s)
        try:
            answer = super().request(method, url, **more)
            answer._content = self._body(answer, what, until)
        except (requests.RequestException, OSError) as cause:
            raise Failed(short(type(cause).__name__)) from cause
        self._note(answer)
        if 300 <= answer.status_code < 400:
            target = short(answer.headers.get("Location", "?"))
            raise NetboxLies(host=self.host, what=what, why=f"it redirects to {target}, which is never followed")
        if answer.status_code in RETRIED_STATUS:
            raise Failed(f"status {answer.status_code}", wait_s=_wanted_wait(answer))
        return answer

    def _note(self, answer: requests.Response) -> None:
        self.version = answer.headers.get("API-Version", "") or self.version
        self.served_at = self.served_at or answer.headers.get("Date", "")

    def _body(self, answer: requests.Response, what: str, until: float) -> bytes:
        packed = answer.headers.get("Content-Encoding", "identity")
        if packed != "identity":
            answer.close()
            why = f"it is packed ({short(packed)}) although that was not asked for"
            raise NetboxLies(host=self.host, what=what, why=why)
        blocks: list[bytes] = []
        size = 0
        with answer:
            for block in answer.iter_content(_BLOCK):
                size += len(block)
                blocks.append(block)
                if size > MOST_BYTES:
                    why = f"it is longer than {MOST_BYTES // MIB} MiB"
                    raise NetboxLies(host=self.host, what=what, why=why)
                if time.monotonic() > until:
                    raise Failed("the answer does not end in time")
        return b"".join(blocks)


def _wanted_wait(answer: requests.Response) -> float:
    said = answer.headers.get("Retry-After", "")
    return float(said) if said.isdecimal() and len(said) < 6 else 0
