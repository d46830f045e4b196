"""Credentials for discovery out of a file that ansible-vault encrypted: opened in memory and kept for one round only.

The file is YAML, by access profile: ``password``, or ``private_key`` with an optional ``passphrase``.
"""

from __future__ import annotations

import io
import os
import subprocess
import sys
import tempfile
import termios
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
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


def read_credentials(file: Path, *, password_file: Path | None, profiles: Collection[str]) -> Mapping[str, Credential]:
    """Access profile -> credential. Without a password file the password is asked for at the terminal.

    Every one must be of these ``profiles``: a name that fits none would be passed over.

    Raises CredentialsWrong.
    """
    text = _opened(file, password_file)
    try:
        told = yaml.safe_load(text)
    except (yaml.YAMLError, RecursionError):
        told = None  # the parser's own words would show a piece of the secret
    if not isinstance(told, dict) or not told:
        raise CredentialsWrong(file=file, why="what is in it is no YAML map of access profiles")
    unknown = sorted(str(one)[:40] for one in told if one not in profiles)
    if unknown:
        raise CredentialsWrong(file=file, why=f"there is no access profile {', '.join(unknown)}")
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
    if password_file is None and not sys.stdin.isatty():
        raise CredentialsWrong(
            file=file, why="there is no terminal to ask for its password, and no --vault-password-file"
        )
    if password_file is not None and not password_file.is_file():
        raise CredentialsWrong(file=file, why=f"there is no file {password_file} with its password")
    way = ["--vault-password-file", str(password_file.absolute())] if password_file else ["--ask-vault-pass"]
    argv = [str(ANSIBLE_VAULT), "view", *way, "--", str(file.absolute())]
    with tempfile.TemporaryDirectory(prefix="kahn-vault-") as home, _echo_kept():
        environment = {"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "LC_ALL": "C.UTF-8", "HOME": home}
        try:
            with boundary("credentials.vault.spawn"):
                done = subprocess.run(argv, capture_output=True, env=environment, timeout=OPEN_S, check=False)
        except subprocess.TimeoutExpired as cause:
            raise CredentialsWrong(file=file, why=f"nobody gave its password within {OPEN_S} s") from cause
        except OSError as cause:
            raise CredentialsWrong(file=file, why="ansible-vault cannot be started") from cause
    if done.returncode:
        wrong = b"ecryption failed" in done.stderr
        why = "its password is another one, or it is damaged" if wrong else "ansible-vault did not open it"
        raise CredentialsWrong(file=file, why=why)
    if len(done.stdout) > MOST_BYTES:
        raise CredentialsWrong(file=file, why=f"it holds more than {MOST_BYTES // 1024} KiB")
    return done.stdout.decode("utf-8", errors="replace")


@contextmanager
def _echo_kept() -> Iterator[None]:
    """The terminal as it was, also when whoever asks for a password there is killed."""
    terminal = sys.stdin.fileno() if sys.stdin.isatty() else None
    before = None if terminal is None else termios.tcgetattr(terminal)
    try:
        yield
    finally:
        if terminal is not None and before is not None:
            termios.tcsetattr(terminal, termios.TCSADRAIN, before)
