"""The work of another tool in a trial: done to its end, and cut short by the loss of power in its midst."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from orchestrator.core.outcome import Outcome
from orchestrator.core.runbook import Direction, Step
from orchestrator.core.trial import Finding, Tried
from orchestrator.lab.ground import TrialGround, Worker
from orchestrator.lab.picture import Picture
from orchestrator.lab.trial_finding import as_outcome, compared, told_of
from orchestrator.lab.trial_run import TrialRuns, TrialStuck

AT_MOST_S = 1800.0
"""So long the tool may work here at most, whatever the step's own deadline is."""
LOOK_S = 3.0
"""Between two probes: less than a wave leaves, for somebody waits at a terminal."""


@dataclass
class ToolTrial:
    """An external step whose order is placed by Ansible and whose work a machine of the ground does."""

    player: TrialRuns
    ground: TrialGround
    worker: Worker
    tell: Callable[[str], None]

    def forward(self, step: Step) -> Finding:
        """The order is placed: the machine does it, and the probe says in the end that it is done."""
        self.worker.switch_on()
        ended = self._probed(step, until=("done", "failed", "partial"))
        answer = _answer(ended)
        return Finding(verdict=Tried.WELL) if answer == "done" else Finding(verdict=Tried.BROKEN, told=_said(ended))

    def cut(self, step: Step, before: dict[str, Picture]) -> Finding:
        """The machine loses its power in the midst and comes back: the probe must see it, and nothing goes on."""
        self.tell(f"{step.name}: power lost in the midst, then taken back")
        ended = self.player.play(Direction.DO, step.name)
        if ended.kind != "done":
            return as_outcome(ended, wanted="done")
        self.worker.switch_on()
        self._wait(self.worker.in_midst, step)
        self.worker.switch_off()
        self.worker.switch_on()
        probed = self._probed(step, until=("done", "failed", "partial"))
        self.worker.switch_off()
        if _answer(probed) == "done":
            return Finding(verdict=Tried.BROKEN, told="the probe takes work that was cut short for done")
        undone = self.player.undo(step)
        if undone.kind != "done":
            return as_outcome(undone, wanted="done")
        return compared(before, self.ground.pictures(), told=_said(probed), stays=self.ground.stays)

    def _probed(self, step: Step, *, until: tuple[str, ...]) -> Outcome:
        """The last answer of the probe: one of those, or what it was when time was up."""
        end = time.monotonic() + min(AT_MOST_S, step.deadline_s)
        while True:
            ended = self.player.play(Direction.PROBE, step.name)
            if _answer(ended) in until or time.monotonic() > end:
                return ended
            time.sleep(LOOK_S)

    def _wait(self, until: Callable[[], bool], step: Step) -> None:
        end = time.monotonic() + AT_MOST_S
        while not until():
            if time.monotonic() > end:
                raise TrialStuck(step=step.name, seconds=round(AT_MOST_S))
            time.sleep(0.2)


def _answer(ended: Outcome) -> str:
    """What the probe answers; empty when it told nothing."""
    told = ended.evidence.get("kahn")
    return str(told.get("answer", "")) if isinstance(told, dict) else ""


def _said(ended: Outcome) -> str:
    """The same with its cause, or how the probe itself ended."""
    told = ended.evidence.get("kahn")
    answer = _answer(ended)
    return f"{answer} {told.get('cause', '')}".strip() if answer and isinstance(told, dict) else told_of(ended)
