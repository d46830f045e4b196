"""Certificates for made-up servers."""

from __future__ import annotations

import ssl
from pathlib import Path

from orchestrator.lab.certificates import a_certificate


def test_a_certificate_and_its_key_belong_together_and_are_new_each_time(tmp_path: Path) -> None:
    one, other = (a_certificate(tmp_path / name) for name in ("one", "other"))
    ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(*one)
    assert one[0].read_bytes() != other[0].read_bytes()
