"""Persons sign with real SSH keys, and only the right key over the right bytes is accepted."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from orchestrator.adapters.public_keys import read_public_key
from orchestrator.adapters.signatures import CannotSign, NoSshKeygen, SshSignatures

MESSAGE = b"kahn-act-v1\n{}"
SIGNATURES = SshSignatures()


def a_key(folder: Path, name: str = "anna", *, kind: str = "ed25519", passphrase: str = "") -> Path:
    """A fresh key pair; the path of its private half."""
    path = folder / name
    bits = {"rsa": ("-b", "2048"), "ecdsa": ("-b", "256")}.get(kind, ())
    subprocess.run(
        ("ssh-keygen", "-q", "-t", kind, *bits, "-N", passphrase, "-C", "anna@town hall", "-f", path), check=True
    )
    return path


@pytest.fixture
def key(tmp_path: Path) -> Path:
    return a_key(tmp_path)


@pytest.mark.parametrize("kind", ["ed25519", "rsa", "ecdsa"])
def test_a_signature_holds_for_its_message_and_key(tmp_path: Path, kind: str) -> None:
    key = a_key(tmp_path, kind=kind)
    signature = SIGNATURES.sign(MESSAGE, key_file=key)
    assert SIGNATURES.holds(MESSAGE, signature=signature, public_key=read_public_key(key.with_suffix(".pub")))


def test_a_signature_does_not_hold_for_another_message(key: Path) -> None:
    signature = SIGNATURES.sign(MESSAGE, key_file=key)
    assert not SIGNATURES.holds(MESSAGE + b" ", signature=signature, public_key=SIGNATURES.public_key(key))


def test_a_signature_does_not_hold_for_another_key(tmp_path: Path, key: Path) -> None:
    signature = SIGNATURES.sign(MESSAGE, key_file=key)
    other = SIGNATURES.public_key(a_key(tmp_path, "bert"))
    assert not SIGNATURES.holds(MESSAGE, signature=signature, public_key=other)


def test_a_signature_made_for_another_purpose_does_not_hold(key: Path) -> None:
    signed = subprocess.run(
        ("ssh-keygen", "-Y", "sign", "-n", "git", "-f", key), input=MESSAGE, capture_output=True, check=True
    )
    assert not SIGNATURES.holds(MESSAGE, signature=signed.stdout.decode(), public_key=SIGNATURES.public_key(key))


@pytest.mark.parametrize("place", [40, 100, 200])
def test_a_signature_with_one_changed_letter_does_not_hold(key: Path, place: int) -> None:
    signature = SIGNATURES.sign(MESSAGE, key_file=key)
    other = "A" if signature[place] != "A" else "B"
    damaged = signature[:place] + other + signature[place + 1 :]
    assert not SIGNATURES.holds(MESSAGE, signature=damaged, public_key=SIGNATURES.public_key(key))


@pytest.mark.parametrize("signature", ["", "x", "-----BEGIN SSH SIGNATURE-----\n", "\0", "ü" * 9, "x" * 100_000])
def test_garbage_is_no_signature(key: Path, signature: str) -> None:
    assert not SIGNATURES.holds(MESSAGE, signature=signature, public_key=SIGNATURES.public_key(key))


def test_a_public_key_cannot_smuggle_a_second_line_or_an_option(tmp_path: Path, key: Path) -> None:
    signature = SIGNATURES.sign(MESSAGE, key_file=key)
    right, other = SIGNATURES.public_key(key), SIGNATURES.public_key(a_key(tmp_path, "bert"))
    for smuggled in (f"{other}\nsigner {right}", f"cert-authority {right}", f"* {right}", "", "\n"):
        assert not SIGNATURES.holds(MESSAGE, signature=signature, public_key=smuggled)


def test_a_key_with_a_passphrase_is_refused_without_asking(tmp_path: Path) -> None:
    with pytest.raises(CannotSign, match=r"APPR-012.*passphrase"):
        SIGNATURES.sign(MESSAGE, key_file=a_key(tmp_path, passphrase="secret"))


def test_a_private_key_that_others_can_read_is_refused(key: Path) -> None:
    key.chmod(0o644)
    with pytest.raises(CannotSign, match="APPR-012"):
        SIGNATURES.sign(MESSAGE, key_file=key)


@pytest.mark.parametrize("content", [b"", b"hello", b"-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n", b"\0\xff" * 50])
def test_a_file_that_is_no_key_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "key"
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises(CannotSign, match="APPR-012"):
        SIGNATURES.sign(MESSAGE, key_file=path)


def test_a_missing_key_file_or_a_directory_is_refused(tmp_path: Path) -> None:
    for path in (tmp_path / "none", tmp_path):
        with pytest.raises(CannotSign, match="APPR-012"):
            SIGNATURES.sign(MESSAGE, key_file=path)


def test_a_file_name_that_looks_like_an_option_is_only_a_file_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    a_key(tmp_path).rename(tmp_path / "-Yverify")
    monkeypatch.chdir(tmp_path)
    assert "BEGIN SSH SIGNATURE" in SIGNATURES.sign(MESSAGE, key_file=Path("-Yverify"))


def test_the_agent_signs_for_a_public_key_file(agent: Path, tmp_path: Path) -> None:
    key = a_key(tmp_path)
    subprocess.run(("ssh-add", "-q", key), check=True)
    public_key = SIGNATURES.public_key(key)
    key.unlink()
    signature = SIGNATURES.sign(MESSAGE, key_file=key.with_suffix(".pub"))
    assert SIGNATURES.holds(MESSAGE, signature=signature, public_key=public_key)


def test_an_agent_without_that_key_does_not_sign_with_another(agent: Path, tmp_path: Path) -> None:
    subprocess.run(("ssh-add", "-q", a_key(tmp_path, "bert")), check=True)
    key = a_key(tmp_path, "anna")
    key.unlink()
    with pytest.raises(CannotSign, match="APPR-012"):
        SIGNATURES.sign(MESSAGE, key_file=key.with_suffix(".pub"))


def test_a_public_key_file_beside_another_private_key_does_not_sign_with_that_one(tmp_path: Path) -> None:
    """The tool takes the private half from beside the public file without looking whether the two belong together."""
    key, other = a_key(tmp_path, "anna"), a_key(tmp_path, "bert")
    other.rename(key)
    with pytest.raises(CannotSign, match="APPR-012"):
        SIGNATURES.sign(MESSAGE, key_file=key.with_suffix(".pub"))


def test_nothing_stays_in_the_temporary_directory(tmp_path: Path, key: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "tmp"
    folder.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    SIGNATURES.sign(MESSAGE, key_file=key)
    assert list(folder.iterdir()) == []


def test_a_missing_tool_is_named(monkeypatch: pytest.MonkeyPatch, key: Path) -> None:
    public_key, signature = SIGNATURES.public_key(key), SIGNATURES.sign(MESSAGE, key_file=key)
    monkeypatch.setattr("orchestrator.adapters.signatures._DIRECTORIES", "/nowhere")
    with pytest.raises(NoSshKeygen, match="APPR-013"):
        SIGNATURES.holds(MESSAGE, signature=signature, public_key=public_key)
