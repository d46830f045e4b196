"""Saying that something ahead of a wave is begun: the journal holds it, and the last word on a task counts."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime

from inventory.errors import ExpectedError
from inventory.model import TenantId
from orchestrator.actions.pin_asset import SUBJECT, Word
from orchestrator.core.calendar import zone_of
from orchestrator.core.due_tasks import Begun, DueTask, due_tasks
from orchestrator.core.lifecycle import WAVE_TABLE, WaveEvent
from orchestrator.ports import Books, Entry

TICKED, UNTICKED = "plan.task_begun", "plan.task_open"


class NoSuchTask(ExpectedError):
    """A task that no wave of that name has in the plan in force."""

    code, says = "PLAN-068", "The plan in force has no task {task!r} for the wave {wave!r}."
    remedy = "List tasks and waves with `kahn plan tasks`."
    exit_code = 5


def tick(books: Books, tenant: TenantId, begun: Begun, *, word: Word, open_again: bool = False) -> None:
    """Write down that the task is begun, or that it is open again. Whether there is such a task is not asked."""
    body = {"task": begun.task, "wave": begun.wave, "moves_on": begun.moves_on.isoformat()}
    kind = UNTICKED if open_again else TICKED
    texts = {"reason": word.reason} if word.reason else {}
    books.journal.append(tenant, [Entry(kind=kind, subject=SUBJECT, body=body, by=word.by, texts=texts)], at=word.at)


def ticked_in(books: Books, tenant: TenantId) -> frozenset[Begun]:
    """All that is said to be begun."""
    found: set[Begun] = set()
    for sealed in books.journal.read(tenant, subject=SUBJECT):
        if sealed.entry.kind not in (TICKED, UNTICKED):
            continue
        body = sealed.entry.body
        one = Begun(task=body["task"], wave=body["wave"], moves_on=date.fromisoformat(body["moves_on"]))
        if sealed.entry.kind == TICKED:
            found.add(one)
        else:
            found.discard(one)
    return frozenset(found)


def today_in(books: Books, tenant: TenantId, now: datetime) -> date:
    """The tenant's local day."""
    return now.astimezone(zone_of(books.tenants.policy(tenant).zone)).date()


def tasks_ahead(books: Books, tenant: TenantId, *, today: date) -> tuple[DueTask, ...]:
    """Those of the waves of the plan in force that have not begun; none without a plan."""
    plan = books.plans.current(tenant)
    if plan is None:
        return ()
    gone = {str(one.key) for one in books.waves.all(tenant) if WaveEvent.REPLACE not in WAVE_TABLE[one.state]}
    ahead = replace(plan, waves=tuple(wave for wave in plan.waves if wave.key not in gone))
    policy = books.tenants.policy(tenant)
    return due_tasks(ahead, books.assets.snapshot(tenant), policy, today=today, told=ticked_in(books, tenant))
