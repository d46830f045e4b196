"""The emergency brake: no new dispatch in any wave of any tenant, until somebody lifts it, signed and with a reason."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from types import MappingProxyType

from inventory.errors import ExpectedError
from orchestrator.actions.desk import Desk
from orchestrator.actions.sign import Keyboard, PersonInactive, WrongKey
from orchestrator.actions.take_back import ReasonMissing
from orchestrator.core.canonical import canonical_bytes
from orchestrator.core.launches import DispatchStop
from orchestrator.core.people import Person
from orchestrator.core.refusals import UnknownPerson
from orchestrator.ports import Entry
from orchestrator.run_ports import RunRow


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


def lift_stop(desk: Desk, *, keyboard: Keyboard, reason: str) -> None:
    """Free the dispatch again: every wave goes on where it stood.

    Signed, unlike the brake itself: whoever lets machines be changed answers for it. The signature over
    ``lifting`` stands in every tenant's journal. Raises ReasonMissing, NotStopped, UnknownPerson, PersonInactive,
    WrongKey, CannotSign.
    """
    if not reason.strip():
        raise ReasonMissing()
    stopped = desk.books.launches.stopped()
    if stopped is None:
        raise NotStopped()
    people = _known(desk, keyboard.person)
    message = lifting(stopped, reason=reason)
    signature = desk.signatures.sign(message, key_file=keyboard.key_file)
    signers = [one for one in people if desk.signatures.holds(message, signature=signature, public_key=one.public_key)]
    if not signers:
        raise WrongKey(key=keyboard.key_file, person=keyboard.person)
    desk.books.launches.lift()
    body = {"person": signers[0].id, "stopped_at": stopped.at.isoformat(), "signature": signature}
    _tell_every_tenant(desk, "dispatch.lifted", by=keyboard.person, reason=reason, body=body)


def lifting(stopped: DispatchStop, *, reason: str) -> bytes:
    """The bytes that are signed to lift this very stop."""
    return b"kahn-lift-v1\n" + canonical_bytes({"stopped_at": stopped.at, "reason": reason})


def _known(desk: Desk, name: str) -> tuple[Person, ...]:
    """Active people of that name, in whichever tenant. Raises UnknownPerson, PersonInactive."""
    found: list[Person] = []
    tenants = desk.books.tenants.all()
    for tenant in tenants:
        with suppress(UnknownPerson):
            found.append(desk.books.people.find(tenant, name))
    if not found:
        raise UnknownPerson(person=name, tenant=", ".join(tenants))
    if not any(one.active for one in found):
        raise PersonInactive(person=name)
    return tuple(one for one in found if one.active)


def _tell_every_tenant(
    desk: Desk, kind: str, *, by: str, reason: str, body: Mapping[str, object] = MappingProxyType({})
) -> None:
    for tenant in desk.books.tenants.all():
        entry = Entry(kind=kind, subject="dispatch", body=dict(body), texts={"by": by, "reason": reason})
        desk.books.journal.append(tenant, [entry], at=desk.now)


def running_steps(desk: Desk) -> tuple[RunRow, ...]:
    """Every run that has not ended, in all waves of all tenants, oldest first."""
    return desk.books.runs.live()
