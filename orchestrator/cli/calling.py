"""Calling people beside a driver: a thread that looks at the outbox once a second, for as long as somebody drives."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from inventory.errors import ExpectedError
from orchestrator.actions.switchboard import Switchboard
from orchestrator.wiring import World

GAP_S = 1.0
LAST_CALLS_S = 30.0
"""How long a terminal that stops driving waits for calls under way."""
Tell = Callable[[ExpectedError], None]


def round_safely(switchboard: Switchboard, *, tell: Tell) -> None:
    """One look at the outbox; a database that is busy or away is met again at the next one."""
    try:
        switchboard.round()
    except ExpectedError as trouble:
        tell(trouble)


@contextmanager
def calling(world: World, *, tell: Tell) -> Iterator[None]:
    """Within: people are called. At the end the calls that are due are still made, then the terminal goes."""
    switchboard = world.switchboard(tell=tell)
    done = threading.Event()
    thread = threading.Thread(target=_look_again_and_again, args=(switchboard, done, tell), name="calls", daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join(timeout=LAST_CALLS_S)
        try:
            switchboard.finish(within_s=LAST_CALLS_S)
        except ExpectedError as trouble:
            tell(trouble)


def _look_again_and_again(switchboard: Switchboard, done: threading.Event, tell: Tell) -> None:
    while not done.wait(GAP_S):
        round_safely(switchboard, tell=tell)
