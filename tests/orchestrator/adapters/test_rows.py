"""Stored bytes are only believed when they match their fingerprint."""

from __future__ import annotations

import pytest

from orchestrator.adapters.rows import value_of
from orchestrator.core.canonical import canonical_bytes
from orchestrator.core.plan import Plan
from orchestrator.core.refusals import StoreDamaged
from tests.orchestrator.adapters.builders import a_content, a_plan

PLAN = a_plan()


def test_a_value_comes_back_from_its_canonical_bytes() -> None:
    found = value_of(Plan, canonical_bytes(PLAN), subject="the plan", fingerprint=PLAN.fingerprint)
    assert found == PLAN


def test_a_content_with_everything_in_it_keeps_its_fingerprint() -> None:
    content = a_content(PLAN)
    found = value_of(type(content), canonical_bytes(content), subject="it", fingerprint=content.fingerprint)
    assert (found, found.fingerprint) == (content, content.fingerprint)


@pytest.mark.parametrize("damaged", [b"", b"{}", b"null", b"\xff", canonical_bytes(PLAN) + b" ", canonical_bytes(PLAN)])
def test_bytes_that_do_not_match_the_fingerprint_are_not_believed(damaged: bytes) -> None:
    with pytest.raises(StoreDamaged, match="the plan in the database"):
        value_of(Plan, damaged, subject="the plan", fingerprint="0" * 64)


@pytest.mark.parametrize("unreadable", [b"", b"{}", b"null", b"\xff", b"[1]", b'{"tenant": 1}'])
def test_bytes_that_are_no_such_value_are_not_believed(unreadable: bytes) -> None:
    with pytest.raises(StoreDamaged, match="cannot be read"):
        value_of(Plan, unreadable, subject="the plan")
