"""Wishes for hosts are checked at birth; seat specs pair old and new."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.lab.errors import LabNameRefused
from orchestrator.lab.host import HostSpec
from orchestrator.lab.lab import Lab, default_directory, seat_specs


def test_a_host_needs_a_plain_name_and_a_sensible_disk() -> None:
    with pytest.raises(LabNameRefused):
        HostSpec(name="../x")
    with pytest.raises(ValueError, match="disk_mib"):
        HostSpec(name="a", disk_mib=0)
    with pytest.raises(ValueError, match="init"):
        HostSpec(name="a", init="busybox")  # type: ignore[arg-type]


def test_a_seat_is_an_old_workstation_and_its_named_successor() -> None:
    specs = {spec.name: spec for spec in seat_specs(2)}
    assert set(specs) == {"vault", "apc-0001", "apc-0002", "neu-0001", "neu-0002"}
    assert specs["apc-0002"].successor == "neu-0002"
    assert specs["vault"].role == "vault"
    assert seat_specs(0) == ()


def test_the_lab_of_a_checkout_is_found_from_below(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    below = tmp_path / "a" / "b"
    below.mkdir(parents=True)
    assert default_directory(below) == tmp_path / ".state" / "lab"


def test_down_without_a_lab_does_nothing(tmp_path: Path) -> None:
    Lab(tmp_path / "none").down()
    assert list(tmp_path.iterdir()) == []
