"""The first look at an installed machine: another one, or a half-made one, is never taken for it."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.playbooks.modules import cause, module

installed = module("kahn_installed")
MAC = "52:54:00:00:00:07"


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    for path, text in {
        "etc/kahn-installed": "o1\n",
        "net/lo/address": "00:00:00:00:00:00\n",
        "net/e/address": MAC,
    }.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    return tmp_path


def look(machine: Path, name: str = "neu-1", mac: str = MAC, called: str = "neu-1.stadt.example") -> object:
    return installed.check(name, [mac], machine, machine / "net", lambda: SimpleNamespace(nodename=called))


def test_the_machine_that_was_meant_is_known(machine: Path) -> None:
    assert look(machine, name="NEU-1", mac=MAC.upper()) == (False, {"order": "o1", "name": "neu-1"})


def test_another_one_or_a_half_made_one_is_refused(machine: Path) -> None:
    assert cause(lambda: look(machine, called="neu-2")) == "other_name"
    assert cause(lambda: look(machine, mac="52:54:00:00:00:08")) == "other_machine"
    (machine / "etc/kahn-installed").unlink()
    assert cause(lambda: look(machine)) == "not_installed"
