"""Notices fill their template with facts; facts are never read as templates."""

from __future__ import annotations

from orchestrator.lab.notice import Notice


def test_a_notice_reads_as_a_sentence() -> None:
    assert str(Notice(says="Starting {count} hosts.", facts={"count": 3})) == "Starting 3 hosts."


def test_braces_in_a_fact_stay_as_they_are() -> None:
    assert str(Notice(says="{stage}", facts={"stage": "{count}"})) == "{count}"
