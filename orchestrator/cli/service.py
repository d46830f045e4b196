"""The driver as a service: holds the seat, ticks each second, calls people, and outlives a database that goes away.

While the database is away, runs go on and nothing new begins. The seat of PostgreSQL is lost with its connection, so
that the service sits down again when the database is back, unless somebody else has taken the seat meanwhile.
"""

from __future__ import annotations

import logging
import signal
import threading
from collections.abc import Callable

from apscheduler.schedulers.background import BackgroundScheduler

from inventory.errors import ExpectedError
from orchestrator.actions.drive_wave import Driver
from orchestrator.cli.calling import round_safely
from orchestrator.cli.context import Context
from orchestrator.cli.drive import DONE, sit_down
from orchestrator.cli.patience import Patience
from orchestrator.core.refusals import StaleDriver, StoreBusy, StoreUnavailable
from orchestrator.texts import _

TRY_AGAIN_S = 1.0


def serve_until_told(kahn: Context) -> int | None:
    """Hold the seat and tick each second until SIGTERM or SIGINT; None when the seat is taken, or lost meanwhile."""
    told = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_args: told.set())
    return Service(kahn, told=told).serve()


class Service:
    """One service. ``told``: set when it is to end."""

    def __init__(self, kahn: Context, *, told: threading.Event) -> None:
        self._kahn = kahn
        self._told = told
        self._leave = threading.Event()
        self._unseated = False
        self._patience = Patience(warn=kahn.out.warn, now=kahn.world.clock.now)
        self._calls: BackgroundScheduler | None = None

    def serve(self) -> int | None:
        """Sit down, drive, and sit down again after each outage of the database; None when somebody else drives."""
        try:
            while not self._told.is_set():
                try:
                    seated = self._sit()
                except (StoreUnavailable, StoreBusy) as away:
                    self._patience.away(away)
                    self._told.wait(TRY_AGAIN_S)
                    continue
                if not seated:
                    return None
            return DONE
        finally:
            if self._calls:
                self._calls.shutdown(wait=False)

    def _sit(self) -> bool:
        """Drive from one seat until told, unseated, or back from an outage. False: somebody else drives."""
        with self._kahn.world.store.seat() as mine:
            if not mine:
                return False
            driver = sit_down(self._kahn.world, tell=self._kahn.out.trouble)
            first = self._calls is None
            self._calls = self._calls or self._begin_calls()
            self._leave.clear()
            self._patience.back()
            ticks = every_second(lambda: self._tick(driver))
            if first:
                self._kahn.out.line(
                    _("Kahn drives. Terminals only watch; stop this service and running steps still end by themselves.")
                )
            while not (self._told.wait(0.2) or self._leave.is_set()):
                pass
            ticks.shutdown(wait=True)
            driver.leave()
        return not self._unseated

    def _begin_calls(self) -> BackgroundScheduler:
        """The switchboard has a clock of its own: it must look, and call, also while the database is away."""
        switchboard = self._kahn.world.switchboard(tell=self._kahn.out.trouble)
        return every_second(lambda: round_safely(switchboard, tell=self._quietly))

    def _tick(self, driver: Driver) -> None:
        """One tick; trouble (database away, disk full) is said and met again at the next one.

        Whoever was unseated (another driver sat down) must go: it could start nothing any more, and whoever looks
        would believe that waves start at their hour.
        """
        try:
            while driver.tick(appointments=True) and not self._told.is_set():
                pass
            self._kahn.world.clock_memory.keep(self._kahn.world.clock.now())
            if self._patience.back():
                self._leave.set()
        except StaleDriver as error:
            self._kahn.out.trouble(error)
            self._unseated = True
            self._leave.set()
        except (StoreUnavailable, StoreBusy) as error:
            self._patience.away(error)
        except ExpectedError as error:
            self._kahn.out.trouble(error)

    def _quietly(self, error: ExpectedError) -> None:
        """The driver says already that the database is away."""
        if not isinstance(error, StoreUnavailable | StoreBusy):
            self._kahn.out.trouble(error)


def every_second(act: Callable[[], None]) -> BackgroundScheduler:
    """A clock that acts each second; an act that takes longer is followed by the next second's, without a word."""
    logging.getLogger("apscheduler").setLevel(logging.ERROR)  # it warns of each second that was passed over
    clock = BackgroundScheduler(timezone="UTC")
    clock.add_job(act, "interval", seconds=1, max_instances=1, coalesce=True, misfire_grace_time=None)
    clock.start()
    return clock
