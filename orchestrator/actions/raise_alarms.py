"""Raising alarms: each is one journal entry, and with it one notice, at most once in a revision of a wave."""

from __future__ import annotations

from collections.abc import Iterable

from orchestrator.actions.desk import Desk
from orchestrator.actions.record import write_down
from orchestrator.actions.start_wave import TreeCheck, check_wave
from orchestrator.core.alarms import Alarm, alarms_due, overdue
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


def _raise_once(desk: Desk, wave: WaveRow, alarms: Iterable[Alarm]) -> None:
    if not alarms:
        return
    raised = {(one.kind, one.asset) for one in desk.books.notices.of_wave(wave.tenant, wave.key, wave.revision)}
    for alarm in alarms:
        if (alarm.kind, alarm.asset or "") not in raised:
            body = {"alarm": alarm.kind, "asset": alarm.asset or "", "cause": alarm.cause}
            write_down(desk, wave, ALARM, body)
