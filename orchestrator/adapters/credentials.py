"""Credentials for discovery out of a file that ansible-vault encrypted: opened in memory and kept for one round only.

The file is YAML, by access profile: ``password``, or ``private_key`` with an optional ``passphrase``.
"""

from __future__ import annotations

import io
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import paramiko
import yaml

from inventory.errors import ExpectedError
from orchestrator.supervisor.boundary import boundary

ANSIBLE_VAULT = Path(sys.executable).parent / "ansible-vault"
OPEN_S = 120
"""Seconds for opening the file, a person who types its password included."""
MOST_BYTES = 256 * 1024
_KNOWN = frozenset({"password", "private_key", "passphrase"})


class CredentialsWrong(ExpectedError):
    """A file of credentials that cannot be used. Never says what is in it."""

    code, says = "DSC-001", "The credentials in {file} cannot be used: {why}."
    remedy = (
        "Write it with `ansible-vault create`: for each access profile its password, or its private_key and passphrase."
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Credential:
    """What opens the machines of one access profile: a password, or a private key. Shows neither."""

    password: str = field(default="", repr=False)
    key: paramiko.PKey | None = field(default=None, repr=False)


def read_credentials(file: Path, *, password_file: Path | None) -> Mapping[str, Credential]:
    """Access profile -> credential. Without a password file the password is asked for at the terminal.

    Raises CredentialsWrong.
    """
    text = _opened(file, password_file)
    try:
        told = yaml.safe_load(text)
    except (yaml.YAMLError, RecursionError):
        told = None  # the parser's own words would show a piece of the secret
    if not isinstance(told, dict) or not told:
        raise CredentialsWrong(file=file, why="what is in it is no YAML map of access profiles")
    return {str(profile): _credential(file, str(profile), values) for profile, values in told.items()}


def _credential(file: Path, profile: str, values: Any) -> Credential:
    if not isinstance(values, dict) or not values or not set(values) <= _KNOWN:
        why = f"profile {profile[:40]!r} must have password, or private_key and passphrase, and nothing else"
        raise CredentialsWrong(file=file, why=why)
    if not all(isinstance(one, str) and one for one in values.values()):
        raise CredentialsWrong(file=file, why=f"profile {profile[:40]!r} has an entry that is no text")
    if "private_key" not in values:
        if set(values) != {"password"}:
            raise CredentialsWrong(file=file, why=f"profile {profile[:40]!r} has a passphrase without a private_key")
        return Credential(password=values["password"])
    return Credential(password=values.get("password", ""), key=_key(file, profile, values))


def _key(file: Path, profile: str, values: Mapping[str, str]) -> paramiko.PKey:
    for kind in (paramiko.Ed25519Key, paramiko.ECDSAKey, paramiko.RSAKey):
        try:
            return kind.from_private_key(io.StringIO(values["private_key"]), values.get("passphrase"))
        except Exception:  # the library has a class for each way in which a text is not this kind of key
            continue
    raise CredentialsWrong(file=file, why=f"the private_key of profile {profile[:40]!r} cannot be opened")


def _opened(file: Path, password_file: Path | None) -> str:
    try:
        first = file.open("rb").readline(100)
    except OSError as cause:
        raise CredentialsWrong(file=file, why=cause.strerror or "it cannot be read") from cause
    if not first.startswith(b"$ANSIBLE_VAULT;"):
        raise CredentialsWrong(file=file, why="it is not encrypted by ansible-vault")
    way = ["--vault-password-file", str(password_file.absolute())] if password_file else ["--ask-vault-pass"]
    argv = [str(ANSIBLE_VAULT), "view", *way, "--", str(file.absolute())]
    environment = {"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "LC_ALL": "C.UTF-8", "HOME": "/nonexistent"}
    try:
        with boundary("credentials.vault.spawn"):
            done = subprocess.run(argv, capture_output=True, env=environment, timeout=OPEN_S, check=False)
    except (OSError, subprocess.TimeoutExpired) as cause:
        raise CredentialsWrong(file=file, why="ansible-vault did not open it") from cause
    if done.returncode or len(done.stdout) > MOST_BYTES:
        raise CredentialsWrong(file=file, why="its password is another one, or it is damaged")
    return done.stdout.decode("utf-8", errors="replace")
