"""A program of the house that pages."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from orchestrator.adapters.notice_command import run_command
from orchestrator.adapters.notice_secret import NotDelivered
from orchestrator.core.contacts_file import CommandChannel
from tests.orchestrator.adapters.test_notice_mail import a_letter
from tests.waiting import is_gone, until


def a_program(folder: Path, script: str, *words: str, timeout_s: int = 120) -> CommandChannel:
    file = folder / "page"
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(0o755)
    return CommandChannel(name="pager", argv=(str(file), *words), timeout_s=timeout_s)


def test_it_gets_the_message_on_its_standard_input_and_the_contact_as_one_word(tmp_path: Path) -> None:
    to = "0151; touch /tmp/never $(id)"
    channel = a_program(tmp_path, f'cat > {tmp_path}/in; printf %s "$2" > {tmp_path}/to', "--to", "{to}")
    run_command(channel, a_letter(to=to))
    assert (tmp_path / "in").read_text() == "[Kahn] stadt: Welle W01 ANGEHALTEN\n\nBürgerbüro\n\n.\nEnde\n"
    assert (tmp_path / "to").read_text() == to


def test_it_sees_nothing_of_the_environment_but_the_notice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KAHN_KEY", "/secret")
    run_command(a_program(tmp_path, f"env > {tmp_path}/env"), a_letter())
    names = {line.partition("=")[0] for line in (tmp_path / "env").read_text().splitlines()}
    assert {"KAHN_NOTICE", "KAHN_NOTICE_TO", "PATH", "LANG"} <= names
    assert not names - {"PWD", "_", "SHLVL", "PATH", "LANG"} - {n for n in names if n.startswith("KAHN_NOTICE")}


def test_any_exit_code_but_0_is_told_with_what_it_said(tmp_path: Path) -> None:
    with pytest.raises(NotDelivered, match="ended with 3 modem is busy"):
        run_command(a_program(tmp_path, "echo modem is busy >&2; exit 3"), a_letter())


def test_a_missing_program_is_told(tmp_path: Path) -> None:
    with pytest.raises(NotDelivered, match="No such file"):
        run_command(CommandChannel(name="pager", argv=(f"{tmp_path}/none",), timeout_s=5), a_letter())


def test_one_that_hangs_is_killed_with_its_children_and_holds_nobody_up(tmp_path: Path) -> None:
    channel = a_program(tmp_path, f"sleep 600 & echo $! > {tmp_path}/child; sleep 600", timeout_s=2)
    begun = time.monotonic()
    with pytest.raises(NotDelivered, match="did not end within 2 s"):
        run_command(channel, a_letter())
    assert time.monotonic() - begun < 100
    until(lambda: is_gone(int((tmp_path / "child").read_text())))
