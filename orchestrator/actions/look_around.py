"""Looking around: facts of the outer world that the rules and the views need beside a wave's own record."""

from __future__ import annotations

from orchestrator.actions.desk import Desk
from orchestrator.core.surroundings import Surroundings


def surroundings(desk: Desk) -> Surroundings:
    """What surrounds every wave of this store now."""
    return Surroundings(stopped=desk.books.launches.stopped() is not None)
