"""What of a server is carried: data, and of /etc only what people changed or added."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.playbooks.modules import shared
from tests.playbooks.two_hosts import Two

carried = shared("kahn_carried")


def test_of_etc_only_what_people_changed_or_added_is_carried(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    two = Two(tmp_path)
    monkeypatch.setenv("PATH", f"{two.programs}:{os.environ['PATH']}")
    (two.old / "etc/wie geliefert").write_text("x")
    (two.old / "etc/geändert").write_text("y")
    listed = " /etc/wie_nicht 0\\n /etc/geändert 9dd4e461268c8034f5c8564e155c67a6\\n"
    (tmp_path / "programs/dpkg-query").write_text(f"#!/bin/sh\nprintf '{listed}'\n")
    (two.old / "var/lib/dpkg/info/kasse.list").write_text("/.\n/etc\n/etc/kasse.conf\n/etc/wie geliefert\n")
    (two.old / "etc/link").symlink_to("kasse.conf")
    (two.old / "etc/systemd/system/multi-user.target.wants").mkdir()
    (two.old / "etc/systemd/system/multi-user.target.wants/x.service").symlink_to("/lib/x.service")
    found = carried.tops(str(two.old))
    assert found["configuration"] == ["etc/geändert", "etc/link", "etc/motd"]
    assert found["data"] == ["home", "opt", "root", "srv", "var/lib/kasse"] and found["skip"] == ["root/.ssh"]
