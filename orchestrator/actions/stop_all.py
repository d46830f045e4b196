"""The emergency brake: no new dispatch in any wave of any tenant, until somebody lifts it with a reason."""

from __future__ import annotations

from inventory.errors import ExpectedError
from orchestrator.actions.desk import Desk
from orchestrator.actions.take_back import ReasonMissing
from orchestrator.core.launches import DispatchStop
from orchestrator.ports import Entry, RunRow


class StoppedAlready(ExpectedError):
    """The brake is pulled already."""

    code, says = "RUN-017", "{by} stopped all dispatch already ({reason})."
    remedy = "Nothing more to do; `kahn stop` lists the running steps."
    exit_code = 6


class NotStopped(ExpectedError):
    """The brake is to be lifted but is not pulled."""

    code, says = "RUN-018", "Dispatch is not stopped."
    remedy = "Look at `kahn status`: a wave that stands does so for a cause of its own."
    exit_code = 5


def stop_all(desk: Desk, *, by: str, reason: str) -> DispatchStop:
    """Stop all dispatch in this store; running steps end by themselves. Raises ReasonMissing, StoppedAlready.

    ``by`` is a name and no signature: an emergency brake works without a key. It stands in every tenant's journal.
    """
    if not reason.strip():
        raise ReasonMissing()
    known = desk.books.launches.stopped()
    if known is not None:
        raise StoppedAlready(by=known.by, reason=known.reason)
    stop = DispatchStop(by=by, reason=reason, at=desk.now)
    desk.books.launches.stop(stop)
    _tell_every_tenant(desk, "dispatch.stopped", by=by, reason=reason)
    return stop


def lift_stop(desk: Desk, *, by: str, reason: str) -> None:
    """Free the dispatch again: every wave goes on where it stood. Raises ReasonMissing, NotStopped."""
    if not reason.strip():
        raise ReasonMissing()
    if desk.books.launches.stopped() is None:
        raise NotStopped()
    desk.books.launches.lift()
    _tell_every_tenant(desk, "dispatch.lifted", by=by, reason=reason)


def _tell_every_tenant(desk: Desk, kind: str, *, by: str, reason: str) -> None:
    for tenant in desk.books.tenants.all():
        entry = Entry(kind=kind, subject="dispatch", body={}, texts={"by": by, "reason": reason})
        desk.books.journal.append(tenant, [entry], at=desk.now)


def running_steps(desk: Desk) -> tuple[RunRow, ...]:
    """Every run that has not ended, in all waves of all tenants, oldest first."""
    return desk.books.runs.live()
