"""Who keeps a machine from being moved: read from its report, which may be a lie."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from orchestrator.core.logged_on import LoggedOn, logged_on

NINE = datetime(2026, 11, 30, 9, tzinfo=UTC)
AT_NINE = int(NINE.timestamp())


def test_the_earliest_logon_is_named_first() -> None:
    told = [{"uid": 1002, "since": AT_NINE + 60}, {"uid": 1001, "since": AT_NINE}]
    found = logged_on({"kahn": {"people": told}})
    assert found[0] == LoggedOn(uid=1001, since=NINE) and [one.uid for one in found] == [1001, 1002]


@pytest.mark.parametrize(
    "told",
    [
        None,
        "1001",
        ["1001"],
        [{"uid": True, "since": 5}],
        [{"uid": "{{ 7 }}", "since": 5}],
        [{"uid": 1001, "since": 10**20}],
        [{"uid": -1, "since": 5}],
        [{"uid": 1001, "since": 5.5}],
        [{"uid": 1001}],
    ],
)
def test_a_report_that_is_no_list_of_numbers_and_moments_names_nobody(told: object) -> None:
    assert logged_on({"kahn": {"people": told}}) == () and logged_on({"kahn": told}) == () and logged_on({}) == ()
