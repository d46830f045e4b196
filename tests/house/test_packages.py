"""What setup tells and does about Debian packages, as far as it can be tried without changing this machine."""

from __future__ import annotations

from pathlib import Path

import pytest

import packages
from packages import Candidate, Need


def test_the_list_names_each_package_with_both_sizes_and_the_sum(capsys: pytest.CaptureFixture[str]) -> None:
    mib = 1024 * 1024
    packages.tell([Candidate("iproute2", "6.1", mib, 3 * mib), Candidate("nftables", "1.0", mib, mib)])
    told = capsys.readouterr().out.splitlines()
    assert told[1].split() == ["iproute2", "6.1", "1.0", "MiB", "down", "3.0", "MiB", "on", "disk"]
    assert told[-1].split() == ["together", "2.0", "MiB", "down", "4.0", "MiB", "on", "disk"]


def test_what_is_missing_is_said_with_what_it_costs(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INSTALL", "no")
    monkeypatch.setattr(packages, "NEEDS", (Need("no-such", ("no-such-command",), "no lab"),))
    assert packages.add() == 0
    told = capsys.readouterr().out
    assert "INSTALL=no was asked for" in told
    assert "no-such" in told and "without it: no lab" in told


def test_nothing_is_said_where_nothing_lacks(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packages, "NEEDS", (Need("coreutils", ("ls",), "nothing"),))
    assert packages.add() == 0
    assert capsys.readouterr().out == ""


def test_packages_added_twice_are_remembered_once_and_none_is_forgotten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packages, "REMEMBERED", tmp_path / "state" / "installed-packages")
    packages._remember([Candidate("b", "1", 0, 0)])
    packages._remember([Candidate("a", "1", 0, 0), Candidate("b", "2", 0, 0)])
    assert packages.REMEMBERED.read_text() == "a\nb\n"


def test_removing_says_so_when_nothing_was_added(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packages, "REMEMBERED", tmp_path / "none")
    assert packages.remove() == 0
    assert "added no packages" in capsys.readouterr().out
