"""Who is logged on at a machine that is waited for, as its own report says it: numbers of accounts, never names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

SHOWN = 3
_LATEST_S = 253_402_300_799
"""Second of the year 9999: no later moment can be shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedOn:
    """One account that keeps a machine from being moved: its number there, and since when (UTC)."""

    uid: int
    since: datetime


def logged_on(evidence: Mapping[str, Any]) -> tuple[LoggedOn, ...]:
    """Whom the report names, the earliest first; what is no number or no moment is passed over, as it may be a lie."""
    report = evidence.get("kahn")
    told = report.get("people") if isinstance(report, Mapping) else None
    found = [_one(entry) for entry in told] if isinstance(told, list) else []
    return tuple(sorted((one for one in found if one), key=lambda one: (one.since, one.uid)))


def _one(entry: object) -> LoggedOn | None:
    if not isinstance(entry, Mapping):
        return None
    uid, since = entry.get("uid"), entry.get("since")
    if type(uid) is not int or type(since) is not int or not (0 <= uid < 2**32 and 0 <= since <= _LATEST_S):
        return None
    return LoggedOn(uid=uid, since=datetime.fromtimestamp(since, UTC))
