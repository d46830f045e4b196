"""Signatures of persons with their SSH keys, made and checked by ``ssh-keygen -Y``.

What the tool says is not trusted blindly: a fresh signature is checked against the key it was asked for, so that an
agent that answers with another key is noticed.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from inventory.errors import ExpectedError
from orchestrator.adapters.public_keys import PublicKeyRefused, public_key_in, read_public_key
from orchestrator.supervisor.boundary import boundary

__all__ = ["NAMESPACE", "CannotSign", "NoSshKeygen", "SshSignatures", "read_public_key"]

NAMESPACE = "kahn"
_SIGNER = "signer"
_HEADING, _ENDING = "-----BEGIN SSH SIGNATURE-----\n", "-----END SSH SIGNATURE-----\n"
_LONGEST_SIGNATURE = 16_384
_PATIENCE_S = 30
_DIRECTORIES = "/usr/local/bin:/usr/bin:/bin"


class CannotSign(ExpectedError):
    """A signature that could not be made with the key that was given."""

    code, says = "APPR-012", "Nothing could be signed with {key_file}: {why}."
    remedy = (
        "Give your private key file (mode 600, without passphrase), or the .pub file of a key that `ssh-add` put into "
        "your agent."
    )
    exit_code = 7


class NoSshKeygen(ExpectedError):
    """The program that signs and checks is missing or hangs."""

    code, says = "APPR-013", "ssh-keygen cannot be used: {why}."
    remedy = "Install OpenSSH 8.2 or newer (package openssh-client) and try again."
    exit_code = 7


class SshSignatures:
    """Signs and checks with SSH keys, in the namespace ``kahn``. Temporary files are readable by their owner only."""

    def sign(self, message: bytes, *, key_file: Path) -> str:
        """Armoured signature by a private key file, or by the agent for a public one. Raises CannotSign."""
        public_key = self._key_asked_for(key_file)
        signed = _ssh_keygen("-Y", "sign", "-n", NAMESPACE, "-f", str(key_file.absolute()), given=message, agent=True)
        signature = signed.stdout.decode("ascii", errors="replace")
        if signed.returncode != 0 or not signature:
            raise CannotSign(key_file=key_file, why=_last_words(signed))
        if not self.holds(message, signature=signature, public_key=public_key):
            raise CannotSign(key_file=key_file, why="the answer was a signature by another key")
        return signature

    def holds(self, message: bytes, *, signature: str, public_key: str) -> bool:
        """Whether the signature over the message was made by that key. Raises NoSshKeygen."""
        try:
            key = public_key_in(public_key)
        except PublicKeyRefused:
            return False
        if not _looks_like_a_signature(signature):
            return False
        with _private_folder() as folder:
            allowed = _private_file(folder / "allowed", f'{_SIGNER} namespaces="{NAMESPACE}" {key}\n')
            armoured = _private_file(folder / "signature", signature)
            checked = _ssh_keygen(
                "-Y", "verify", "-n", NAMESPACE, "-I", _SIGNER, "-f", str(allowed), "-s", str(armoured), given=message
            )
        return checked.returncode == 0

    def public_key(self, key_file: Path) -> str:
        """The public key, as ``type base64``, of a private or public key file. Raises CannotSign."""
        return self._key_asked_for(key_file)

    def _key_asked_for(self, key_file: Path) -> str:
        try:
            is_private = b"PRIVATE KEY" in key_file.read_bytes()
        except OSError as cause:
            raise CannotSign(key_file=key_file, why=cause.strerror or "it cannot be read") from cause
        try:
            if not is_private:
                return read_public_key(key_file)
            derived = _ssh_keygen("-y", "-P", "", "-f", str(key_file.absolute()))
            if derived.returncode != 0:
                raise CannotSign(key_file=key_file, why=_last_words(derived))
            return public_key_in(derived.stdout.decode("ascii", errors="replace"), source=str(key_file))
        except PublicKeyRefused as cause:
            raise CannotSign(key_file=key_file, why=str(cause.facts["why"])) from cause


def _ssh_keygen(*arguments: str, given: bytes = b"", agent: bool = False) -> subprocess.CompletedProcess[bytes]:
    """Run the tool without a terminal, so that it can ask nobody. Raises NoSshKeygen."""
    program = shutil.which("ssh-keygen", path=_DIRECTORIES)
    if program is None:
        raise NoSshKeygen(why="it is not installed")
    environment = {"PATH": _DIRECTORIES, "LC_ALL": "C", "SSH_ASKPASS_REQUIRE": "never"}
    if agent and "SSH_AUTH_SOCK" in os.environ:
        environment["SSH_AUTH_SOCK"] = os.environ["SSH_AUTH_SOCK"]
    try:
        with boundary("signature.spawn"):
            return subprocess.run(
                (program, *arguments),
                input=given,
                capture_output=True,
                timeout=_PATIENCE_S,
                env=environment,
                start_new_session=True,
                check=False,
            )
    except subprocess.TimeoutExpired as cause:
        raise NoSshKeygen(why=f"it gave no answer within {_PATIENCE_S} s") from cause
    except OSError as cause:
        raise NoSshKeygen(why=cause.strerror or "it does not start") from cause


def _looks_like_a_signature(text: str) -> bool:
    return len(text) <= _LONGEST_SIGNATURE and text.isascii() and text.startswith(_HEADING) and text.endswith(_ENDING)


def _last_words(done: subprocess.CompletedProcess[bytes]) -> str:
    """The tool's last line of complaint, as far as it can be printed."""
    lines = done.stderr.decode("utf-8", errors="replace").splitlines()
    said = next((line for line in reversed(lines) if line.strip()), "ssh-keygen gave no reason")
    return "".join(char for char in said if char.isprintable())[:200].rstrip(". ")


@contextmanager
def _private_folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="kahn-sign-") as folder:
        yield Path(folder)


def _private_file(path: Path, content: str) -> Path:
    opened = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(opened, "w", encoding="ascii") as out:
        out.write(content)
    return path
