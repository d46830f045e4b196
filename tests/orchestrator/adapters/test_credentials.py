"""Credentials out of a vault: opened in memory, and no error shows what is in it."""

from __future__ import annotations

import stat
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from orchestrator.adapters.credentials import ANSIBLE_VAULT, Credential, CredentialsWrong, read_credentials

SECRET = "correct horse battery"


def read(file: Path, *, password_file: Path | None) -> Mapping[str, Credential]:
    return read_credentials(file, password_file=password_file, profiles=("old", "new"))


def some_vaults(tmp_path: Path, texts: Sequence[str]) -> tuple[list[Path], Path]:
    """Encrypted files, and the file that opens them."""
    password, files = tmp_path / "password", [tmp_path / f"credentials-{number}.yml" for number in range(len(texts))]
    password.write_text("open sesame\n")
    for file, text in zip(files, texts, strict=True):
        file.write_text(text)
    command = (str(ANSIBLE_VAULT), "encrypt", "--vault-password-file", str(password), *map(str, files))
    subprocess.run(command, check=True, capture_output=True)
    return files, password


def a_vault(tmp_path: Path, text: str) -> tuple[Path, Path]:
    """The encrypted file, and the file that opens it."""
    (file,), password = some_vaults(tmp_path, [text])
    return file, password


def a_key(tmp_path: Path, *, passphrase: str = "") -> str:
    key = tmp_path / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", passphrase, "-f", key], check=True)
    return key.read_text()


def indented(text: str) -> str:
    return "".join(f"    {line}\n" for line in text.splitlines())


def test_passwords_and_keys_come_by_access_profile_and_show_nothing(tmp_path: Path) -> None:
    key = a_key(tmp_path, passphrase="pass")
    text = f"old: {{password: {SECRET}}}\nnew:\n  passphrase: pass\n  private_key: |\n{indented(key)}"
    file, password = a_vault(tmp_path, text)
    found = read(file, password_file=password)
    assert found["old"].password == SECRET
    assert found["new"].key is not None and found["new"].key.get_name() == "ssh-ed25519"
    assert SECRET not in repr(found)


def test_the_password_may_come_from_a_program(tmp_path: Path) -> None:
    file, _password = a_vault(tmp_path, f"old: {{password: {SECRET}}}\n")
    program = tmp_path / "tell"
    program.write_text("#!/bin/sh\necho open sesame\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    assert read(file, password_file=program)["old"].password == SECRET


WRONG_INSIDE = (
    f"- {SECRET}",
    f"old: {SECRET}",
    f"old: {{password: {SECRET}, user: root}}",
    f"old: {{passphrase: {SECRET}}}",
    f"old: {{private_key: {SECRET}}}",
    "old: {password: 12345}",
    f"old: {{password: {SECRET}",
    "{}",
)


def test_a_file_that_is_wrong_inside_is_refused_and_nothing_of_it_is_said(tmp_path: Path) -> None:
    files, password = some_vaults(tmp_path, WRONG_INSIDE)
    for file in files:
        with pytest.raises(CredentialsWrong) as refused:
            read(file, password_file=password)
        whole = f"{refused.value} {refused.value.__cause__} {refused.value.__context__}"
        assert SECRET not in whole and "12345" not in whole


def test_what_is_not_encrypted_or_opened_by_another_password_is_refused(tmp_path: Path) -> None:
    plain = tmp_path / "plain.yml"
    plain.write_text(f"old: {{password: {SECRET}}}\n")
    with pytest.raises(CredentialsWrong, match="not encrypted"):
        read(plain, password_file=plain)
    file, password = a_vault(tmp_path, f"old: {{password: {SECRET}}}\n")
    password.write_text("another\n")
    with pytest.raises(CredentialsWrong, match="another one"):
        read(file, password_file=password)
    with pytest.raises(CredentialsWrong, match="No such file"):
        read(tmp_path / "none", password_file=password)
    with pytest.raises(CredentialsWrong, match="no file"):
        read(file, password_file=tmp_path / "nowhere")
    with pytest.raises(CredentialsWrong, match="no terminal"):
        read(file, password_file=None)


def test_a_name_that_is_no_access_profile_is_not_passed_over(tmp_path: Path) -> None:
    file, password = a_vault(tmp_path, f"olld: {{password: {SECRET}}}\n")
    with pytest.raises(CredentialsWrong, match="no access profile olld"):
        read(file, password_file=password)
