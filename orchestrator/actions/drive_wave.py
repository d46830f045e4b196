"""Driving: load, decide, do, record, and again. Whoever holds the seat calls ``tick`` until nothing is left to do.

Resuming after a crash is not special: the first tick of a new driver reads the same journal and decides again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from inventory.errors import ExpectedError
from inventory.model import AssetId, TenantId
from orchestrator.actions.desk import Desk, Outside
from orchestrator.actions.follow_run import follow_run
from orchestrator.actions.look_around import Took, earlier_times, known_machines, surroundings
from orchestrator.actions.look_at_hosts import Lookout
from orchestrator.actions.raise_alarms import alarm_not_starting, raise_alarms
from orchestrator.actions.record import change_move, change_wave, progress_in, write_down, write_fact
from orchestrator.actions.sign import was_approved
from orchestrator.actions.start_wave import keep_appointments
from orchestrator.actions.work_by_hand import follow_by_hand, is_by_hand
from orchestrator.core.by_hand import desk_word
from orchestrator.core.command import ChangeMove, ChangeWave, Command, LookAtHosts, StartRun
from orchestrator.core.control import UNDER_WAY
from orchestrator.core.decide import next_commands
from orchestrator.core.lifecycle import MOVE_GROUPS, WAVE_GROUPS, MoveEvent, MoveState, WaveEvent, WaveState
from orchestrator.core.order import own_machines, play_for
from orchestrator.core.progress import WaveProgress
from orchestrator.core.ready import NotReady
from orchestrator.core.refusals import Overtaken, StaleDriver, StoreWentBack
from orchestrator.core.runbook import Direction
from orchestrator.core.surroundings import Surroundings
from orchestrator.core.wave import RunId
from orchestrator.ports import MoveRow, WaveRow
from orchestrator.run_ports import AttemptSpec, RunOrder, RunRow

MAX_ROUNDS = 100
TIMES_LAST = timedelta(minutes=5)
"""How long what was read of earlier times is used."""
CLOCK_MAY_JUMP_S = 60


class ClockJumped(ExpectedError):
    """The wall clock went another way than the steady one."""

    code, says = "RUN-019", "The clock of this machine jumped by {seconds} s: running waves are held, none starts."
    remedy = "Correct the clock and look at the windows; resume the waves, and start `kahn serve` anew."
    exit_code = 4


class DriverLoops(ExpectedError):
    """The rules keep answering without coming to rest: a mistake in Kahn itself."""

    code, says = "RUN-003", "Wave {wave}: the rules did not come to rest after {rounds} rounds."
    remedy = "Nothing was started. Keep the state directory and report this."
    exit_code = 70


@dataclass(frozen=True, slots=True, kw_only=True)
class _Round:
    """One transaction of the driver on one wave, with the moves as they stand in it."""

    desk: Desk
    wave: WaveRow
    moves: dict[AssetId, MoveRow]

    def change(self, command: ChangeMove) -> None:
        """Let an event happen to a move."""
        self.moves[command.asset] = change_move(self.desk, self.wave, self.moves[command.asset], command)


class Driver:
    """The one driver of a store, for as long as it holds the seat. ``epoch`` was raised when it sat down."""

    def __init__(
        self,
        outside: Outside,
        *,
        epoch: int,
        steady: Callable[[], float | None] = lambda: None,
        before: tuple[datetime, float] | None = None,
    ) -> None:
        """``steady``: seconds of a clock that nobody sets, for noticing that the wall clock jumped.

        ``before``: what both clocks showed when somebody drove last on this machine; a jump since then is noticed too.
        """
        self._outside = outside
        self._steady = steady
        self._clocks: tuple[datetime, float | None] | None = before
        self._jump_s = 0
        self._sat_down_now = True
        self._skew = timedelta()
        self._skews: dict[RunId, timedelta] = {}
        """By how much the wall clock jumped since each run began; one that was meant later knows nothing of it."""
        self._new_skew = timedelta()
        self._took: dict[tuple[TenantId, str], tuple[datetime, Took]] = {}
        self._lookout = Lookout(outside)
        self._epoch = epoch
        self._first = True
        self._told: set[str] = set()

    def tick(self, *, appointments: bool = False, only: tuple[TenantId, str] | None = None) -> bool:
        """One round over every live run and every wave under way. True when anything happened.

        ``appointments``: also schedule and start approved waves at their hour (the service does; a single
        ``kahn wave run`` does not). ``only``: advance no other wave (runs of all waves are followed). A wave that
        meets trouble is told of and holds no other wave up; with ``only`` its trouble is raised.

        Raises StaleDriver as soon as another driver sat down: this one has lost the seat and must go.
        """
        self._check_seat()
        self._look_at_clocks()
        appointments = appointments and abs(self._skew) <= timedelta(seconds=CLOCK_MAY_JUMP_S)
        happened = self._follow_runs(only)
        for wave in self._waves(only):
            if only is not None and (wave.tenant, wave.key) != only:
                continue
            with self._holding_nobody_up(alone=only is not None):
                happened |= appointments and self._keep_appointment(wave)
                happened |= self._advance(wave)
        return happened

    def leave(self) -> None:
        """Give up what is under way beside it. Runs go on: they belong to the next driver."""
        self._lookout.leave()

    def _waves(self, only: tuple[TenantId, str] | None) -> list[WaveRow]:
        """All waves of all tenants; those of a tenant with a damaged one are left out, and it is told."""
        waves: list[WaveRow] = []
        with self._outside.look() as desk:
            for tenant in desk.books.tenants.all():
                with self._holding_nobody_up(alone=only is not None and only[0] == tenant):
                    waves.extend(desk.books.waves.all(tenant))
        return waves

    @contextmanager
    def _holding_nobody_up(self, *, alone: bool) -> Iterator[None]:
        """Expected trouble with one wave or run is only told, unless it is the one that matters. Raises StaleDriver."""
        try:
            yield
        except Overtaken:
            return  # A person acted in the same moment: the next round reads what they wrote and decides again.
        except ExpectedError as trouble:
            if alone or isinstance(trouble, StaleDriver):
                raise
            self._tell_once(trouble)

    def _tell_once(self, trouble: ExpectedError) -> None:
        """The same words every second would bury everything else."""
        if str(trouble) not in self._told:
            self._told.add(str(trouble))
            self._outside.tell(trouble)

    def _check_seat(self) -> None:
        """A seat on a lost database connection is lost without a word; a higher epoch tells. Raises StaleDriver."""
        with self._outside.look() as desk:
            present = desk.books.epoch()
        if present > self._epoch:
            raise StaleDriver(epoch=self._epoch, current=present)
        if present < self._epoch:
            raise StoreWentBack(epoch=self._epoch, current=present)

    def _follow_runs(self, only: tuple[TenantId, str] | None) -> bool:
        with self._outside.look() as desk:
            live = desk.books.runs.live()
            stopping = {run.id for run in live if _is_broken_off(desk, run)}
            by_hand = {run.id for run in live if is_by_hand(desk, run)}
        self._skews = {run.id: self._skews.get(run.id, timedelta()) + self._new_skew for run in live}
        self._new_skew = timedelta()
        learned = False
        for run in live:
            with self._holding_nobody_up(alone=(run.tenant, run.wave) == only):
                ends, skew = run.id in stopping, self._skews[run.id]
                if run.id in by_hand:
                    now = self._outside.clock.now() - skew
                    learned |= follow_by_hand(self._outside, run, now=now, broken_off=ends)
                    continue
                learned |= follow_run(self._outside, run, fresh_driver=self._first, kill=ends, skew=skew)
        self._first = False
        return learned

    def _keep_appointment(self, wave: WaveRow) -> bool:
        if wave.state not in (WaveState.APPROVED, WaveState.SCHEDULED):
            return False
        try:
            with self._outside.desk() as desk:
                if desk.books.launches.stopped() is not None:
                    return False
                fresh = desk.books.waves.get(wave.tenant, wave.key)
                after = keep_appointments(
                    desk,
                    fresh,
                    tree_there=self._outside.tree_there,
                    key_trouble=self._outside.key_trouble,
                    around=self._around(desk, fresh),
                )
        except NotReady:
            with self._outside.desk() as desk:
                alarm_not_starting(desk, wave, tree_there=self._outside.tree_there)
            raise
        return after.version != fresh.version

    def _advance(self, wave: WaveRow) -> bool:
        """Let the rules answer until they rest. Each round is one transaction; runs start after its commit."""
        if wave.state in WAVE_GROUPS["at rest"] or wave.state is WaveState.MISSED:
            self._lookout.forget(wave)
            return False
        self._lookout.collect(wave)
        most = MAX_ROUNDS + len(wave.content.moves)  # failures are judged one a round
        for done in range(most):
            orders = self._round(wave)
            if orders is None:
                return done > 0
            for order in orders:
                if isinstance(order, LookAtHosts):
                    self._lookout.begin(wave, batch=order.batch, assets=order.assets)
                else:
                    self._start(order)
        raise DriverLoops(wave=wave.key, rounds=most)

    def _round(self, wave: WaveRow) -> tuple[RunOrder | LookAtHosts, ...] | None:
        """One answer of the rules, carried out and committed; None when there was none."""
        with self._outside.desk() as desk:
            fresh = desk.books.waves.get(wave.tenant, wave.key)
            progress = progress_in(desk.books, fresh)
            commands = next_commands(fresh.content, progress, desk.now, around=self._around(desk, fresh))
            raise_alarms(desk, fresh, progress)
            if any(map(_goes_forward, commands)) and not was_approved(desk, fresh):
                commands = (ChangeWave(event=WaveEvent.HOLD, cause="not_approved"),)
            rows = desk.books.waves.moves(wave.tenant, wave.key) if commands else ()
            this = _Round(desk=desk, wave=fresh, moves={move.asset: move for move in rows})
            orders = [order for command in commands if (order := self._carry_out(this, command))]
        return tuple(orders) if commands else None

    def _around(self, desk: Desk, wave: WaveRow) -> Surroundings:
        """What surrounds the wave; earlier times are read again every few minutes only."""
        read_at, took = self._took.get((wave.tenant, wave.key), (None, {}))
        if read_at is None or desk.now - read_at > TIMES_LAST:
            read_at, took = desk.now, earlier_times(desk, wave)
            self._took[wave.tenant, wave.key] = read_at, took
        jump = self._jump_s if abs(self._jump_s) > CLOCK_MAY_JUMP_S else 0
        around = surroundings(desk, wave, rooms=self._outside.rooms(), clock_jump_s=jump, took=took)
        return replace(around, hosts=self._lookout.seen(wave))

    def _look_at_clocks(self) -> None:
        """By how much the wall clock went another way than the steady one since the last tick; deadlines follow."""
        wall, steady = self._outside.clock.now(), self._steady()
        before = self._clocks
        self._clocks = wall, steady
        self._jump_s = 0
        if before is not None and steady is not None and before[1] is not None:
            self._jump_s = round((wall - before[0]).total_seconds() - (steady - before[1]))
        if abs(self._jump_s) > CLOCK_MAY_JUMP_S:
            # What came before this driver sat down holds what runs; whoever starts it anew has looked at the clock.
            self._skew += timedelta(seconds=0 if self._sat_down_now else self._jump_s)
            self._new_skew += timedelta(seconds=self._jump_s)
            self._outside.tell(ClockJumped(seconds=self._jump_s))
        self._sat_down_now = False

    def _start(self, order: RunOrder) -> None:
        """Start the run; one that cannot start is ended at once, so that its attempts count as not started.

        What people do is not started: it waits for their word.
        """
        runbook = order.content.runbook
        if runbook.by_hand(order.run.direction, order.run.step):
            return
        try:
            if not self._outside.tree_there(runbook):
                raise NotReady(wave=order.run.wave, why=f"the tree of {runbook.name} is missing or was changed on disk")
            self._outside.runs.start(order)
        except ExpectedError as refused:
            self._outside.tell(refused)
            follow_run(self._outside, order.run, fresh_driver=True)

    def _carry_out(self, this: _Round, command: Command) -> RunOrder | LookAtHosts | None:
        desk, wave = this.desk, this.wave
        if isinstance(command, LookAtHosts):
            return command  # machines are asked when the transaction is over
        if isinstance(command, StartRun):
            return self._intend(this, command)
        if isinstance(command, ChangeWave):
            current = desk.books.waves.get(wave.tenant, wave.key)
            change_wave(desk, current, command.event, cause=command.cause)
        elif isinstance(command, ChangeMove):
            this.change(command)
        else:
            write_fact(desk, wave, command)
        return None

    def _intend(self, this: _Round, command: StartRun) -> RunOrder | None:
        """Commit the intent of a run before anything of it exists. Raises StaleDriver."""
        desk, wave = this.desk, this.wave
        if command.direction is Direction.SERVICE and any(_elsewhere(this, asset) for asset in command.assets):
            change_wave(desk, wave, WaveEvent.HOLD, cause="busy_elsewhere")
            return None
        free = tuple(asset for asset in command.assets if _is_free(this, asset))
        if not free:
            return None
        command = replace(command, assets=free, second_way=tuple(one for one in command.second_way if one in free))
        order = self._order(desk, wave, command)
        for asset in command.assets:
            desk.books.runs.release(wave.tenant, asset, wave=wave.key)
        desk.books.runs.intend(order.run, at=desk.now)
        body = {
            "run": order.run.id,
            "batch": command.batch,
            "step": command.step,
            "direction": command.direction,
            "attempts": {attempt.asset: attempt.id for attempt in order.run.attempts},
            "epoch": self._epoch,
            "deadline": order.run.deadline,
        }
        if wave.content.runbook.by_hand(command.direction, command.step):
            body["at_desk"] = desk_word(command.direction, command.step)
        if command.second_way:
            body["second_way"] = command.second_way
        write_down(desk, wave, "run.intended", body)
        if command.direction is Direction.PROBE:
            for asset in command.assets:
                cause = this.moves[asset].cause
                this.change(ChangeMove(asset=asset, event=MoveEvent.PROBE, cause=cause, step=command.step))
        return order

    def _order(self, desk: Desk, wave: WaveRow, command: StartRun) -> RunOrder:
        play = play_for(wave.content, command)
        new_id = self._outside.clock.new_id
        attempts = tuple(
            AttemptSpec(
                id=new_id(),
                asset=asset,
                machines=own_machines(wave.content, asset),
                settled=desk.books.runs.earlier_attempts(wave.tenant, asset),
            )
            for asset in command.assets
        )
        run = RunRow(
            id=RunId(new_id()),
            tenant=wave.tenant,
            wave=wave.key,
            revision=wave.revision,
            batch=command.batch,
            step=command.step,
            direction=command.direction,
            epoch=self._epoch,
            attempts=attempts,
            intended_at=desk.now,
            deadline=desk.now + play.limit,
        )
        return RunOrder(
            run=run,
            content=wave.content,
            playbooks=play.playbooks,
            on=play.on,
            once=play.once,
            second_way=frozenset(command.second_way),
            known=known_machines(desk, wave, command.direction),
        )


def _is_broken_off(desk: Desk, run: RunRow) -> bool:
    """Whether its wave was broken off and it takes the wave forward; what takes back or looks goes on."""
    forward = run.direction in (Direction.BASELINE, Direction.DO)
    return forward and desk.books.waves.get(run.tenant, run.wave).state is WaveState.ABORTING


def _goes_forward(command: Command) -> bool:
    """Whether it would touch a machine for the wave's sake; taking back and looking never wait for an approval."""
    forward = isinstance(command, StartRun) and command.direction in (Direction.BASELINE, Direction.DO)
    return forward or isinstance(command, LookAtHosts)


def _elsewhere(this: _Round, asset: AssetId) -> bool:
    wave = this.wave
    spec = AttemptSpec(id="", asset=asset, machines=own_machines(wave.content, asset))
    return bool(this.desk.books.runs.holder(wave.tenant, spec, wave=wave.key))


def _is_free(this: _Round, asset: AssetId) -> bool:
    """Whether no other wave holds the asset or its machines; one that is held stays behind, or asks a person."""
    move = this.moves[asset]
    if not _elsewhere(this, asset):
        return True
    event = MoveEvent.HOLD if move.state is MoveState.RUNNING else MoveEvent.GIVE_UP
    this.change(ChangeMove(asset=asset, event=event, cause="busy_elsewhere", step=move.step))
    return False


def rests(wave: WaveRow, progress: WaveProgress) -> bool:
    """Whether nothing more happens to the wave by itself."""
    moving, moves = {*MOVE_GROUPS["in motion"], MoveState.FAILED, MoveState.UNKNOWN}, progress.moves.values()
    asked = wave.state in UNDER_WAY and any(move.asked for move in moves)
    in_motion = asked or wave.state in WAVE_GROUPS["in motion"] or any(move.state in moving for move in moves)
    return not in_motion and not progress.live
