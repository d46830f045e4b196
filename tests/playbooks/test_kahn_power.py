"""Switching off, and telling off from cut off. `sh -c` stands for ssh; a file stands for the machine's power."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from tests.playbooks.modules import cause, module

power = module("kahn_power")


class Machine:
    """A machine that answers while the file `on` exists; `poweroff` is a program that removes it."""

    def __init__(self, top: Path) -> None:
        self.top, self.note = top, top / "notes/power"
        (top / "on").touch()
        self.poweroff(f"rm -f {top}/on")

    def poweroff(self, does: str) -> None:
        (self.top / "bin").mkdir(exist_ok=True)
        (self.top / "bin/poweroff").write_text(f"#!/bin/sh\n{does}\n")
        (self.top / "bin/poweroff").chmod(0o755)

    def asked(self, seconds: int = 4) -> dict[str, Any]:
        # What power adds behind the first word are ssh's options; this stand-in drops all but the last word.
        ssh = self.top / "ssh"
        power_on = f"[ -e {self.top}/on ] || exit 255\nPATH={self.top}/bin:$PATH\n"
        ssh.write_text(f'#!/bin/sh\n{power_on}for last; do :; done\nexec sh -c "$last"\n')
        witness = self.top / "witness"
        witness.write_text('#!/bin/sh\nfor last; do :; done\nexec sh -c "$last"\n')
        for program in (ssh, witness):
            program.chmod(0o755)
        ends = {"machine": [str(ssh)], "witness": [str(witness)], "witness_name": "vault"}
        return {**ends, "seconds": seconds, "wakers": [], "mac": []}

    @property
    def directory(self) -> str:
        return str(self.top / "notes")


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_an_ordered_and_silent_machine_counts_as_off_and_a_second_order_changes_nothing(machine: Machine) -> None:
    assert power.ask(machine.asked(), machine.directory)[1]["answer"] == "not_done"
    assert power.switch_off(machine.asked(), machine.directory)[0] is True
    assert power.ask(machine.asked(), machine.directory)[1] == {"answer": "done"}
    assert power.switch_off(machine.asked(), machine.directory)[0] is False


def test_a_silent_machine_that_never_took_the_order_is_not_called_off(machine: Machine) -> None:
    (machine.top / "on").unlink()
    assert power.ask(machine.asked(), machine.directory)[1] == {"answer": "cannot_tell"}
    machine.note.parent.mkdir()
    machine.note.write_text(json.dumps({"ordered": "x", "taken": False}))
    assert power.ask(machine.asked(), machine.directory)[1] == {"answer": "cannot_tell"}
    assert cause(power.switch_off, machine.asked(), machine.directory) == "source_unreachable"


def test_a_machine_that_ignores_the_order_is_still_on(machine: Machine) -> None:
    machine.poweroff("exit 0")
    assert cause(power.switch_off, machine.asked(seconds=2), machine.directory) == "still_on"
    assert cause(power.check, machine.asked(), machine.directory) == "still_on"


def test_waking_a_machine_that_is_on_only_takes_the_note_away(machine: Machine) -> None:
    machine.note.parent.mkdir()
    machine.note.write_text("{}")
    assert power.switch_on(machine.asked(), machine.directory) == (False, {"on": True})
    assert os.listdir(machine.directory) == []


@pytest.mark.parametrize("mac", [[], ["no address"], ["52:54:00:00:00:01"]])
def test_a_machine_that_cannot_be_woken_asks_for_a_person(machine: Machine, mac: list[str]) -> None:
    (machine.top / "on").unlink()
    asked = machine.asked(seconds=1) | {"mac": mac, "wakers": [["false"]]}
    assert cause(power.switch_on, asked, machine.directory) == "old_host_stays_off"


def test_a_witness_that_is_gone_is_named(machine: Machine) -> None:
    asked = machine.asked() | {"witness": ["false"]}
    assert cause(power.switch_off, asked, machine.directory) == "vault_unreachable"
    assert cause(power.switch_off, asked | {"witness_name": "target"}, machine.directory) == "target_unreachable"
    assert (machine.top / "on").exists()
