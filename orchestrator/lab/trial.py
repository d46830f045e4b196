"""A runbook tried on its ground: forward, failed and killed at each step, and back; pictures from outside."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from inventory.model import TenantId
from orchestrator.core.arrival import comparison_of
from orchestrator.core.likeness import Comparison, portrait_of
from orchestrator.core.outcome import Outcome
from orchestrator.core.plan import PlannedBatch, PlannedWindow, WaveKey
from orchestrator.core.runbook import Direction, Runbook, Step
from orchestrator.core.trial import Finding, StepTrial, Trial, Tried, left_untried, no_way_back, not_looked_at
from orchestrator.core.wave import Thresholds, WaveContent
from orchestrator.lab.ground import TENANT, TrialGround
from orchestrator.lab.picture import Picture
from orchestrator.lab.trial_finding import SHOWN, as_outcome, compared, told_of
from orchestrator.lab.trial_run import ASSET, BATCH, TrialRuns
from orchestrator.lab.trial_tool import ToolTrial
from orchestrator.ports import Clock
from orchestrator.run_ports import PlaybookRunner

KILLED_AT = 0.3
"""Where in a step's work Ansible is killed; its verification counts as work, so that half would often be too late."""


@dataclass
class SeatTrial:
    """One asset's way and what is played of it. ``failing`` is a playbook that always fails.

    ``look`` tells what changed in the frozen tree since it last told.
    """

    ground: TrialGround
    runbook: Runbook
    runs: PlaybookRunner
    clock: Clock
    failing: str
    tell: Callable[[str], None]
    look: Callable[[], Sequence[str]]

    def run(self) -> Trial:
        """Lay the ground and try everything. Raises TrialStuck and what the ground raises."""
        try:
            self.ground.lay()
            return self._tried()
        finally:
            self.ground.clear()

    def _tried(self) -> Trial:
        self._content = self._frozen()
        self._player = TrialRuns(
            runs=self.runs,
            clock=self.clock,
            content=self._content,
            inside=self.ground.inside,
            failing=self.failing,
            look=self.look,
        )
        before = self.ground.pictures()
        baseline = self._player.play(Direction.BASELINE, "") if self.runbook.baseline.take else None
        steps = tuple(self._step(step) for step in self.runbook.steps)
        arrived = all(one.forward.verdict is not Tried.BROKEN for one in steps)
        return Trial(
            runbook=self.runbook.name,
            steps=steps,
            after=self._after(baseline, arrived=arrived),
            service=self._service(arrived=arrived),
            back=self._back(before),
            tree=self._tree(),
            unseen=not_looked_at(self.runbook, self.ground.kind),
            ground=self.ground.kind,
        )

    # -- what arrived

    def _after(self, baseline: Outcome | None, *, arrived: bool) -> Finding:
        """The successor compared with the old machine, as at the end of every asset's way."""
        if self.runbook.after is None or not arrived:
            return _untried(arrived, "the runbook has no compare_after")
        self.tell("compare_after")
        before = portrait_of(baseline.evidence.get("kahn")) if baseline is not None else None
        ended = self._player.play(Direction.AFTER, "")
        now = portrait_of(ended.evidence.get("kahn"))
        if before is None or now is None:
            told = "the old machine told no portrait" if before is None else told_of(ended)
            return Finding(verdict=Tried.BROKEN, told=told)
        return _as_finding(comparison_of(self._content, ASSET, (before, now)))

    def _service(self, *, arrived: bool) -> Finding:
        """Asked as the soak asks."""
        if self.runbook.service is None or not arrived:
            return _untried(arrived, "the runbook has no service check")
        self.tell("service")
        return as_outcome(self._player.play(Direction.SERVICE, ""), wanted="done")

    def _tree(self) -> Finding:
        """A wave whose frozen runbook was changed is held: no run may write there."""
        found = self._player.strays
        if not found:
            return Finding(verdict=Tried.WELL)
        listed = tuple(f"frozen runbook, {one}" for one in found[:SHOWN])
        return Finding(verdict=Tried.DIFFERS, told="a wave would be held", differences=listed)

    # -- one step

    def _step(self, step: Step) -> StepTrial:
        worker = self.ground.worker
        why = left_untried(step, with_tool=worker is not None)
        if why:
            return StepTrial(step=step.name, forward=Finding(verdict=Tried.NOT_TRIED, told=why))
        tool = ToolTrial(self._player, self.ground, worker, self.tell) if step.external and worker else None
        without = no_way_back(step)
        refused = Finding(verdict=Tried.NOT_TRIED, told=without)
        before = {} if without else self.ground.pictures()
        failed = refused if without else self._disturbed(step, before, kill=False)
        killed = refused if without else self._disturbed(step, before, kill=True)
        cut = tool.cut(step, before) if tool and not without else Finding(verdict=Tried.NOT_TRIED)
        self.tell(f"{step.name}: forward")
        forward = as_outcome(self._player.play(Direction.DO, step.name), wanted="done")
        if tool and forward.verdict is Tried.WELL:
            forward = tool.forward(step)
        return StepTrial(step=step.name, forward=forward, failed=failed, killed=killed, cut=cut)

    def _disturbed(self, step: Step, before: dict[str, Picture], *, kill: bool) -> Finding:
        """Fail it after its work, or kill Ansible in its midst; take it back; nothing may be left of it."""
        self.tell(f"{step.name}: {'killed' if kill else 'failed'}, then taken back")
        kill_after_s = self._player.worked_s * KILLED_AT if kill else None
        ended = self._player.play(Direction.DO, step.name, fail=not kill, kill_after_s=kill_after_s)
        if not kill and ended.kind != "failed":
            return as_outcome(ended, wanted="failed")
        undone = self._player.undo(step) if step.undo else None
        if undone is not None and undone.kind != "done":
            return as_outcome(undone, wanted="done")
        return compared(before, self.ground.pictures(), told=f"{ended.kind} {ended.cause}".strip())

    def _back(self, before: dict[str, Picture]) -> Finding:
        """All the way back, last first, and compared both by Kahn and from outside."""
        self.tell("back")
        with_tool = self.ground.worker is not None
        steps = [step for step in reversed(self.runbook.steps) if not left_untried(step, with_tool=with_tool)]
        lacking = [step.name for step in steps if no_way_back(step)]
        if lacking:
            return Finding(verdict=Tried.NOT_TRIED, told=f"no undo: {', '.join(lacking)}")
        for step in steps:
            ended = self._player.undo(step) if step.undo else None
            if ended is not None and ended.kind != "done":
                told = f"undo of {step.name}: {ended.kind} {ended.cause}"
                return Finding(verdict=Tried.BROKEN, told=told)
        return self._as_before(before)

    def _as_before(self, before: dict[str, Picture]) -> Finding:
        """By the runbook's own comparison, and from outside once nothing works any more."""
        if self.runbook.baseline.take:
            shown = self._player.play(Direction.COMPARE, "").evidence.get("kahn", {})
            if not shown.get("baseline") or shown.get("baseline") != shown.get("now"):
                return Finding(verdict=Tried.DIFFERS, told="the runbook's own comparison")
        if self.ground.worker is not None:
            self.ground.worker.switch_off()
        return compared(before, self.ground.pictures(), told="", stays=self.ground.stays)

    # -- the seat

    def _frozen(self) -> WaveContent:
        now = self.clock.now()
        return WaveContent(
            tenant=TenantId(TENANT),
            key=WaveKey("W01"),
            runbook=self.runbook,
            ansible_core="",
            window=PlannedWindow(opens=now, closes=now + timedelta(days=1), zone="UTC", local=""),
            groups=(),
            batches=(PlannedBatch(name=BATCH, assets=(ASSET,)),),
            moves=(self.ground.move(),),
            access=self.ground.profiles(),
            approvers_needed=1,
            contacts=(),
            shown="",
            thresholds=Thresholds(
                batch_budget=1.0,
                wave_budget=1.0,
                auto_rollback_max=1,
                max_tries=1,
                probe_tries=1,
                probe_gap_s=1,
                forks=1,
            ),
        )


def _untried(arrived: bool, why: str) -> Finding:
    return Finding(verdict=Tried.NOT_TRIED, told=why if arrived else "a step did not end well")


def _as_finding(found: Comparison) -> Finding:
    listed = tuple(f"{one.section}: {one.name}: {one.before} -> {one.now}" for one in found.differences if one.serious)
    return Finding(verdict=Tried.DIFFERS if found.serious else Tried.WELL, differences=listed[:SHOWN])
