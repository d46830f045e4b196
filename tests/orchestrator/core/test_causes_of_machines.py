"""Causes that come from machines and runs."""

from __future__ import annotations

from orchestrator.core.causes import CAUSES, RULES_OWN
from orchestrator.core.causes_of_machines import KNOWN


def test_each_stands_in_the_one_list_and_none_is_the_rules_own() -> None:
    codes = [one.code for one in KNOWN]
    assert len(codes) == len(set(codes))
    assert all(CAUSES[one.code] is one for one in KNOWN)
    assert not RULES_OWN & set(codes)
