"""The table [compare] of a policy: what may differ, and what cannot be meant."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from orchestrator.core.compare_file import wrong_pattern
from orchestrator.core.likeness import Tolerances
from orchestrator.core.policy_file import PolicyFileWrong, read_policy, render_example

NOW = datetime(2026, 12, 1, tzinfo=UTC)


def read(text: str) -> Tolerances:
    return read_policy(text, file="policy.toml", now=NOW).policy.compare


def test_every_entry_is_read() -> None:
    found = read(
        """
[compare]
ignore = ["services: apt-*"]
rows_percent = 0
slower_ms = 50
full_percent = 80
leave_out = ["certificates"]
other_names = { "services: mysql.service" = "services: mariadb.service" }
"""
    )
    assert found == Tolerances(
        ignore=("services: apt-*",), rows_percent=0, slower_ms=50, full_percent=80, leave_out=("certificates",),
        other_names=(("services: mysql.service", "services: mariadb.service"),),
    )  # fmt: skip


def test_the_example_holds_the_defaults() -> None:
    assert read(render_example()) == Tolerances() == read("")


@pytest.mark.parametrize(
    "line",
    [
        "compare = 3",
        "[compare]\nunknown = 1",
        "[compare]\nrows_percent = 101",
        '[compare]\nignore = ["apt-*"]',
        '[compare]\nignore = ["nothing: x"]',
        '[compare]\nleave_out = ["everything"]',
        '[compare]\nother_names = ["a"]',
        '[compare]\nother_names = { "services: a" = "ports: b" }',
        '[compare]\nother_names = { "services: a" = 3 }',
    ],
)
def test_what_makes_no_sense_is_refused(line: str) -> None:
    with pytest.raises(PolicyFileWrong, match="compare"):
        read(line)


def test_a_pattern_is_one_line_of_a_section() -> None:
    assert wrong_pattern("ports: tcp *") == ""
    for bad in ("ports:", "ports: ", "ports: a\nb", "services: " + "a" * 300):
        assert wrong_pattern(bad)
