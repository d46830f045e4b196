"""Driving from a terminal or as a service: takes the seat, ticks, and says what happens while it happens."""

from __future__ import annotations

import time
from collections.abc import Callable

from inventory.errors import ExpectedError
from inventory.model import TenantId
from orchestrator.actions.drive_wave import Driver, rests
from orchestrator.actions.hold_restored import hold_restored, went_back
from orchestrator.actions.record import subject_of, wave_at
from orchestrator.cli.calling import calling
from orchestrator.cli.context import Context
from orchestrator.cli.lines import entry_line
from orchestrator.cli.patience import Patience
from orchestrator.core.lifecycle import ARRIVED, WaveState
from orchestrator.core.progress import WaveProgress
from orchestrator.core.refusals import StoreBusy, StoreUnavailable
from orchestrator.ports import SealedEntry, WaveRow
from orchestrator.texts import _
from orchestrator.wiring import World

TICK_S = 0.25


class StoreRestored(ExpectedError):
    """Told, not raised: the driver goes on with what nobody stopped."""

    code, says = "RUN-033", "The store knows less than this machine: it was restored from a backup. Stopped: {waves}."
    remedy = "Compare each asset under way with its machine; then resume, roll back or approve again, wave by wave."


DONE, SOME_FAILED, NOT_ALLOWED_YET, NEEDS_A_PERSON, VIEW_CLOSED = 0, 1, 3, 4, 130


def sit_down(world: World, *, tell: Callable[[ExpectedError], None]) -> Driver:
    """The driver, once the seat is held: raises the epoch, so that whoever drove before can start nothing any more.

    Also above what this machine remembers: a database that was restored from a backup may have forgotten drivers.
    """
    with world.desk() as desk:
        how = went_back(desk.books, world.runs)
        held = hold_restored(desk, how) if how.is_so else ()
        epoch = desk.books.raise_epoch(above=world.runs.epoch())
    if how.is_so:
        tell(StoreRestored(waves=", ".join(wave.key for wave in held) or "-"))
    before = world.clock_memory.recall(steady=time.monotonic())
    return Driver(world.outside(tell=tell), epoch=epoch, steady=time.monotonic, before=before)


class Reader:
    """Reads a wave's journal from where it stopped last time."""

    def __init__(self, world: World, tenant: TenantId, key: str, *, from_start: bool = False) -> None:
        self._world, self._tenant, self._key = world, tenant, key
        with world.store.reading() as books:
            wave = books.waves.get(tenant, key)
            self._zone = wave.content.window.zone
            self.names = {move.asset: move.name for move in wave.content.moves}
            entries = () if from_start else books.journal.read(tenant, subject=subject_of(wave))
            self._after = entries[-1].seq if entries else 0

    def new(self) -> tuple[SealedEntry, ...]:
        """Entries since the last call."""
        with self._world.store.reading() as books:
            entries = books.journal.read(self._tenant, subject=f"wave:{self._key}", after=self._after)
        self._after = entries[-1].seq if entries else self._after
        return entries

    def lines(self) -> list[str]:
        """The new entries as lines for people."""
        return [line for entry in self.new() if (line := entry_line(entry, self.names, zone=self._zone))]


def drive_until_rest(kahn: Context, key: str) -> int | None:
    """Drive one wave until nothing more happens by itself; returns its exit code. None when the seat is taken."""
    world, tenant = kahn.world, kahn.tenant
    with world.store.seat() as mine:
        if not mine:
            return None
        driver = sit_down(world, tell=kahn.out.trouble)
        reader = Reader(world, tenant, key)
        try:
            with calling(world, tell=kahn.out.trouble):
                return _loop(kahn, driver, reader, key)
        except KeyboardInterrupt:
            kahn.out.line(
                _(
                    "You closed the driver. The running step ends by itself; the next one begins when "
                    "`kahn wave run {wave}` or the service drives again."
                ).format(wave=key)
            )  # fmt: skip
            return VIEW_CLOSED
        finally:
            driver.leave()


def _loop(kahn: Context, driver: Driver, reader: Reader, key: str) -> int:
    """Tick until the wave rests. A database that is busy or away is waited for: nothing was changed."""
    patience = Patience(warn=kahn.out.warn, now=kahn.world.clock.now)
    while True:
        try:
            busy = driver.tick(only=(kahn.tenant, key))
            kahn.world.clock_memory.keep(kahn.world.clock.now())
            for line in reader.lines():
                kahn.out.line(line)
            if not busy:
                with kahn.world.store.reading() as books:
                    wave, progress = wave_at(books, kahn.tenant, key)
                if rests(wave, progress):
                    return exit_code(wave, progress)
            patience.back()
        except (StoreBusy, StoreUnavailable) as error:
            patience.away(error)
            busy = False
        if not busy:
            time.sleep(TICK_S)


def follow_until_rest(kahn: Context, key: str) -> int:
    """Watch a wave that somebody else drives; returns its exit code.

    Whoever has the seat may be driving another wave only, or may go: as soon as nobody drives, this terminal does.
    """
    reader = Reader(kahn.world, kahn.tenant, key)
    while True:
        for line in reader.lines():
            kahn.out.line(line)
        with kahn.world.store.reading() as books:
            wave, progress = wave_at(books, kahn.tenant, key)
        if rests(wave, progress):
            return exit_code(wave, progress)
        time.sleep(1)
        code = drive_until_rest(kahn, key)
        if code is not None:
            return code


def exit_code(wave: WaveRow, progress: WaveProgress) -> int:
    """0 all moved or retired; 1 over, but some are not; 3 not begun, for want of an approval or a window; 4 held."""
    if wave.state in (WaveState.DRAFT, WaveState.PROPOSED, WaveState.APPROVED, WaveState.SCHEDULED):
        return NOT_ALLOWED_YET
    if wave.state in (WaveState.HELD, WaveState.PAUSED, WaveState.NEEDS_PERSON, WaveState.MISSED):
        return NEEDS_A_PERSON
    states = {move.state for move in progress.moves.values()}
    return DONE if states <= ARRIVED else SOME_FAILED
