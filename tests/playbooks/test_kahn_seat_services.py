"""The system's own programs behind a seat's equipment: none of them makes a step fail."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.playbooks.modules import shared

services = shared("kahn_seat_services")


def programs(directory: Path, monkeypatch: pytest.MonkeyPatch, **scripts: str) -> None:
    for name, script in scripts.items():
        path = directory / name
        path.write_text("#!/bin/sh\n" + script + "\n")
        path.chmod(0o755)
    monkeypatch.setenv("PATH", f"{directory}:/usr/bin:/bin")


def test_a_share_whose_program_is_missing_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services, "KINDS", {"cifs": "mount.of-nobody"})
    says = services.mount({"kind": "cifs", "source": "//a/b", "place": "/mnt/b", "options": []})
    assert says == "share //a/b: the successor lacks mount.of-nobody"


def test_a_share_that_does_not_answer_is_told_and_does_not_hold_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(services, "KINDS", {"cifs": "true"})
    share = {"kind": "cifs", "source": "//a/b", "place": "/mnt/b", "options": []}
    programs(tmp_path, monkeypatch, mount="echo 'mount error(113): no route' >&2; exit 32")
    assert services.mount(share) == "share //a/b: not mounted yet: mount error(113): no route"
    monkeypatch.setattr(services, "SECONDS", 0.3)
    programs(tmp_path, monkeypatch, mount="exec sleep 30")
    assert "no answer within" in services.mount(share)


def test_a_share_that_is_mounted_on_demand_is_left_alone() -> None:
    assert services.mount({"kind": "cifs", "source": "//a/b", "place": "/mnt/b", "options": ["noauto"]}) == ""


def test_printing_goes_on_after_a_try_that_died_in_between(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """CUPS starts with the machine and does not run now: an earlier try stopped it and was killed."""
    monkeypatch.setattr(services, "_runs_systemd", lambda: True)
    said = f'echo "$*" >> {tmp_path}/said; test "$1 $3" = \'is-enabled cups.service\''
    programs(tmp_path, monkeypatch, systemctl=said)
    with services.printing_stopped(True):
        assert "stop" not in (tmp_path / "said").read_text()
    assert (tmp_path / "said").read_text().splitlines()[-1] == "start cups.service"


def test_nothing_is_taken_away_where_nothing_is_mounted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    programs(tmp_path, monkeypatch, umount=f"touch {tmp_path}/called")
    services.unmount([str(tmp_path)])
    assert not (tmp_path / "called").exists()
