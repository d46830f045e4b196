"""Patience with a database that is away: said once, said again every ten minutes, and said when it is back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from inventory.errors import ExpectedError
from orchestrator.texts import _, error_lines

AGAIN_AFTER = timedelta(minutes=10)


@dataclass
class Patience:
    """What one driver says about a store that does not answer. ``warn`` takes one line, ``now`` tells the time."""

    warn: Callable[[str], None]
    now: Callable[[], datetime]
    away_since: datetime | None = None
    _said: datetime | None = None

    def away(self, error: ExpectedError) -> None:
        """One more try that failed; the same words every second would bury everything else."""
        now = self.now()
        self.away_since = self.away_since or now
        if self._said is not None and now - self._said < AGAIN_AFTER:
            return
        self._said = now
        says, remedy = error_lines(error)
        self.warn(f"{error.code}: {says} {remedy}")
        self.warn(
            _("The database is away since {since} UTC: steps under way go on, nothing new begins.").format(
                since=f"{self.away_since:%H:%M:%S}"
            )
        )

    def back(self) -> bool:
        """One try that succeeded; whether the store had been away before."""
        if self.away_since is None:
            return False
        away = self.now() - self.away_since
        self.away_since = self._said = None
        self.warn(
            _("The database is back after {seconds} s; what happened meanwhile is taken in now.").format(
                seconds=round(away.total_seconds())
            )
        )
        return True
