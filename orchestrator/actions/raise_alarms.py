"""Raising alarms: each is one journal entry, and with it one notice, at most once in a revision of a wave.

That nobody drives is raised once for each driver that went."""

from __future__ import annotations

from collections.abc import Iterable

from inventory.model import TenantId
from orchestrator.actions.desk import Desk
from orchestrator.actions.record import progress_in, write_down
from orchestrator.actions.start_wave import TreeCheck, check_wave
from orchestrator.core.alarms import Alarm, alarms_due, lacks_a_driver, overdue
from orchestrator.core.notices import ALARM, NoticeKind
from orchestrator.core.progress import WaveProgress
from orchestrator.core.ready import blocking
from orchestrator.ports import WaveRow


def raise_alarms(desk: Desk, wave: WaveRow, progress: WaveProgress) -> None:
    """Alarms about a wave under way, in the open transaction."""
    due = alarms_due(wave.content, progress, desk.books.tenants.policy(wave.tenant), desk.now)
    _raise_once(desk, wave, due)


def alarm_not_starting(desk: Desk, wave: WaveRow, *, tree_there: TreeCheck) -> None:
    """Its hour has come a while ago and a gate blocks it: somebody must know before the window is over."""
    if overdue(wave.content, wave.state, desk.now):
        gates = ", ".join(line.gate for line in blocking(check_wave(desk, wave, tree_there=tree_there)))
        _raise_once(desk, wave, [Alarm(kind=NoticeKind.NOT_STARTING, cause=gates)])


def alarm_undriven(desk: Desk, tenant: TenantId) -> tuple[str, ...]:
    """Alarms about the tenant's waves while nobody drives: also those that a driver would raise. Keys of such waves.

    Once for each time that the driver went: the epoch tells which driver was the last.
    """
    found = []
    for wave in desk.books.waves.all(tenant):
        if lacks_a_driver(wave.content, wave.state, desk.now):
            last = f"driver epoch {desk.books.epoch()}"
            _raise_once(desk, wave, [Alarm(kind=NoticeKind.UNDRIVEN, cause=last)])
            found.append(wave.key)
        raise_alarms(desk, wave, progress_in(desk.books, wave))
    return tuple(found)


def _raise_once(desk: Desk, wave: WaveRow, alarms: Iterable[Alarm]) -> None:
    if not alarms:
        return
    notices = desk.books.notices.of_wave(wave.tenant, wave.key, wave.revision)
    raised = {(one.kind, one.asset, _again(one.kind, one.cause)) for one in notices}
    for alarm in alarms:
        if (alarm.kind, alarm.asset or "", _again(alarm.kind, alarm.cause)) not in raised:
            body = {"alarm": alarm.kind, "asset": alarm.asset or "", "cause": alarm.cause}
            write_down(desk, wave, ALARM, body)


def _again(kind: NoticeKind, cause: str) -> str:
    """What makes an alarm of that kind a new one in the same revision."""
    return cause if kind is NoticeKind.UNDRIVEN else ""
