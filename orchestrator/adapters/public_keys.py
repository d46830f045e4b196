"""Public SSH keys as people hand them in: read with suspicion, kept in one short form ``type base64``."""

from __future__ import annotations

import base64
from pathlib import Path

from inventory.errors import ExpectedError

_ECDSA = ("ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521")
_KEY_TYPES = frozenset({"ssh-ed25519", "ssh-rsa", *_ECDSA})
_LONGEST = 16_384
_LEAST_RSA_BITS = 2_048
_PARTS = {"ssh-ed25519": 2, "ssh-rsa": 3}
_ED25519_BYTES = 32


class PublicKeyRefused(ExpectedError):
    """A file or text that is not exactly one public key of a sort we accept."""

    code, says = "APPR-011", "{source} holds no public key that can be used: {why}."
    remedy = "Give the .pub file of an ed25519, ecdsa or rsa key, one line; `ssh-keygen -t ed25519` makes one."


def read_public_key(path: Path) -> str:
    """The public key in the file as ``type base64``, without comment. Raises PublicKeyRefused."""
    try:
        with path.open("rb") as opened:
            content = opened.read(_LONGEST + 1)
        text = content.decode("ascii", errors="surrogateescape")
    except OSError as cause:
        raise PublicKeyRefused(source=path, why=cause.strerror or "it cannot be read") from cause
    return public_key_in(text, source=str(path))


def public_key_in(text: str, *, source: str = "The text") -> str:
    """The one public key in the text as ``type base64``. Raises PublicKeyRefused."""
    try:
        return _public_key_in(text)
    except ValueError as cause:
        raise PublicKeyRefused(source=source, why=str(cause)) from cause


def _public_key_in(text: str) -> str:
    if len(text) > _LONGEST:
        raise ValueError("it is too large")
    if "PRIVATE KEY" in text:
        raise ValueError("it is a private key, which must stay with its owner")
    lines = [line for line in text.splitlines() if line.strip()]
    if len(lines) != 1:
        raise ValueError("it has more than one line" if lines else "it is empty")
    words = lines[0].split()
    if words[0] not in _KEY_TYPES:
        raise ValueError("keys of its type are not accepted")
    if len(words) < 2:
        raise ValueError("the key itself is missing")
    _check_blob(words[0], words[1])
    return f"{words[0]} {words[1]}"


def _check_blob(kind: str, encoded: str) -> None:
    """The encoded part must be whole, name the same type again, and be strong enough. Raises ValueError."""
    try:
        blob = base64.b64decode(encoded, validate=True)
    except ValueError as cause:
        raise ValueError("its text is damaged") from cause
    if base64.b64encode(blob).decode() != encoded:
        raise ValueError("its text is not in the usual form")
    parts = _parts(blob)
    if not parts or parts[0] != kind.encode() or len(parts) != _PARTS.get(kind, 3):
        raise ValueError("its text does not fit its type")
    if kind == "ssh-rsa" and int.from_bytes(parts[2], "big").bit_length() < _LEAST_RSA_BITS:
        raise ValueError(f"an rsa key needs at least {_LEAST_RSA_BITS} bits")
    if kind == "ssh-ed25519" and len(parts[1]) != _ED25519_BYTES:
        raise ValueError("its text does not fit its type")
    if kind in _ECDSA and parts[1] != kind.removeprefix("ecdsa-sha2-").encode():
        raise ValueError("its text does not fit its type")


def _parts(blob: bytes) -> list[bytes]:
    """The length-prefixed parts of a key. Raises ValueError when one is cut off."""
    parts, at = [], 0
    while at < len(blob):
        length = int.from_bytes(blob[at : at + 4], "big")
        part = blob[at + 4 : at + 4 + length]
        if at + 4 > len(blob) or len(part) != length:
            raise ValueError("its text is cut off")
        parts.append(part)
        at += 4 + length
    return parts
