"""The demonstration's own parts: its calendar bypasses no rule, and its outside look sees every change."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from orchestrator.core.openings import windows_of
from orchestrator.core.policy_file import read_policy
from orchestrator.lab.demo import lab_policy, outside_fingerprint, successor
from orchestrator.lab.host import Host


@pytest.mark.parametrize(
    "now",
    [
        datetime(2026, 12, 25, 12, 0, tzinfo=UTC),
        datetime(2026, 10, 25, 0, 30, tzinfo=UTC),
        datetime(2027, 3, 28, 0, 45, tzinfo=UTC),
    ],
    ids=["a holiday", "the autumn clock change", "the spring clock change"],
)
def test_the_lab_tenants_window_is_open_now_on_any_day(now: datetime) -> None:
    policy = read_policy(lab_policy(now), file="policy.toml", now=now).policy
    window = windows_of(policy, not_before=now)[0]
    assert window.opens <= now < window.closes
    assert window.closes - now > timedelta(hours=2)


@pytest.mark.parametrize("change", ["mode", "content", "new", "link"])
def test_the_outside_look_sees_every_change(tmp_path: Path, change: str) -> None:
    host = cast(Host, SimpleNamespace(root=tmp_path))
    for top in ("etc", "home", "root", "opt", "srv", "usr/local"):
        (tmp_path / top).mkdir(parents=True)
    (tmp_path / "home" / "f").write_text("one")
    (tmp_path / "home" / "l").symlink_to("f")
    before = outside_fingerprint(host)
    if change == "mode":
        (tmp_path / "home" / "f").chmod(0o600)
    elif change == "content":
        (tmp_path / "home" / "f").write_text("two")
    elif change == "new":
        (tmp_path / "etc" / "nologin").touch()
    else:
        os.unlink(tmp_path / "home" / "l")
        (tmp_path / "home" / "l").symlink_to("g")
    assert outside_fingerprint(host) != before


def test_successors_are_named_after_the_old_machine() -> None:
    assert successor("apc-0007") == "neu-0007"
