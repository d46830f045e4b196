"""A public key file is read with suspicion, and anything else is refused with the reason."""

from __future__ import annotations

import base64
import struct
import subprocess
from pathlib import Path

import pytest

from orchestrator.adapters.public_keys import PublicKeyRefused, public_key_in, read_public_key


def blob(*parts: bytes) -> str:
    """Length-prefixed parts in base64."""
    return base64.b64encode(b"".join(struct.pack(">I", len(part)) + part for part in parts)).decode()


GOOD = f"ssh-ed25519 {blob(b'ssh-ed25519', bytes(32))}"


def test_a_key_comes_without_its_comment(tmp_path: Path) -> None:
    (tmp_path / "key.pub").write_text(f"{GOOD} Anna Müller, Bauamt\r\n", encoding="utf-8")
    assert read_public_key(tmp_path / "key.pub") == GOOD


@pytest.mark.parametrize("kind", ["ed25519", "rsa", "ecdsa"])
def test_what_ssh_keygen_makes_is_accepted(tmp_path: Path, kind: str) -> None:
    subprocess.run(("ssh-keygen", "-q", "-t", kind, "-N", "", "-f", tmp_path / "key"), check=True)
    text = (tmp_path / "key.pub").read_text()
    assert read_public_key(tmp_path / "key.pub") == " ".join(text.split()[:2])


def test_a_private_key_is_refused(tmp_path: Path) -> None:
    subprocess.run(("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", tmp_path / "key"), check=True)
    with pytest.raises(PublicKeyRefused, match="private key, which must stay with its owner"):
        read_public_key(tmp_path / "key")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "empty"),
        ("\n\n", "empty"),
        ("hello", "not accepted"),
        (f"{GOOD}\n{GOOD}", "more than one line"),
        (f"restrict {GOOD}", "not accepted"),
        ('command="id" ' + GOOD, "not accepted"),
        ("ssh-ed25519", "missing"),
        ("ssh-ed25519 %%%", "damaged"),
        ("ssh-ed25519 ü", "damaged"),
        (GOOD[:-8], "cut off"),
        (f"ssh-rsa {GOOD.split()[1]}", "does not fit"),
        (f"ssh-ed25519 {blob(b'ssh-ed25519', bytes(31))}", "does not fit"),
        (f"ssh-ed25519 {blob(b'ssh-ed25519', bytes(32), b'')}", "does not fit"),
        (f"ssh-dss {blob(b'ssh-dss', b'1', b'2', b'3', b'4')}", "not accepted"),
        (f"ssh-rsa {blob(b'ssh-rsa', b'3', bytes([255]) * 128)}", "2048 bits"),
        (f"ecdsa-sha2-nistp256 {blob(b'ecdsa-sha2-nistp256', b'nistp384', b'4')}", "does not fit"),
        ("ssh-ed25519-cert-v01@openssh.com AAAA", "not accepted"),
        ("x" * 20_000, "too large"),
        ("\0" * 10, "not accepted"),
    ],
)
def test_anything_else_is_refused_with_the_reason(text: str, why: str) -> None:
    with pytest.raises(PublicKeyRefused, match=f"APPR-011.*{why}"):
        public_key_in(text)


def test_a_missing_file_a_directory_and_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    (tmp_path / "bytes").write_bytes(b"\xff\xfe\0")
    for path in (tmp_path / "none", tmp_path, tmp_path / "bytes"):
        with pytest.raises(PublicKeyRefused, match="APPR-011"):
            read_public_key(path)
