"""The fleet preflight: a few numbers from each machine before a batch begins, all machines at the same time.

By ssh, or by PSRP where a machine runs Windows.

As in discovery, a machine must show the host key that was approved before it is logged in to; nothing is left on it.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from datetime import UTC, datetime
from pathlib import Path

from orchestrator.adapters.discovery import STRANGE, Keys, logged_in, said
from orchestrator.adapters.psrp import ask_by_psrp
from orchestrator.adapters.ssh import Ways
from orchestrator.adapters.ssh_session import NoKey, Patience, failed
from orchestrator.core.explain import Sentence
from orchestrator.core.fleet import FIRST_LINE, HostAnswer
from orchestrator.core.host_keys import Door, Trouble

SCRIPT = Path(__file__).with_name("look.sh").read_bytes()
AT_ONCE = 20
PATIENCE = Patience(connect_s=3.5, greet_s=8, exchange_s=15, gap_s=0)
"""A machine that is off costs three and a half seconds: it has then been asked three times (TCP asks again after one
and three seconds, and next after seven). One that takes the connection and says nothing costs eight."""
ANSWER_S = 30
"""Seconds for the few lines of one that has greeted, and twice as many for login and lines together: a healthy machine
under heavy load needs more than ten."""
LOOK_S = 120
"""Seconds for a whole look: its wave begins no batch meanwhile; everything else goes on."""
TOO_LATE = HostAnswer(trouble=Trouble(code="too_late", told=Sentence(says="its turn did not come in time")))


class Look:
    """Machines that are asked in threads of their own. It dies with its process and leaves nothing behind."""

    def __init__(self, doors: Sequence[Door], *, at_once: int = AT_ONCE, patience: Patience = PATIENCE) -> None:
        self._ways, keys = Ways(patience), Keys()
        self._pool = ThreadPoolExecutor(max_workers=min(at_once, len(doors)) or 1, thread_name_prefix="preflight")
        self._asked = [self._pool.submit(_answer, door, self._ways, keys) for door in doors]
        self._until = time.monotonic() + LOOK_S
        self._answers: tuple[HostAnswer, ...] | None = None

    def answers(self) -> tuple[HostAnswer, ...] | None:
        """One answer per door, in the order of the doors; None while it is under way, which is ``LOOK_S`` at most."""
        over = time.monotonic() >= self._until or all(one.done() for one in self._asked)
        return self._ended() if over else self._answers

    def wait(self) -> tuple[HostAnswer, ...]:
        """The answers, once they are there. Never raises for a door."""
        try:
            wait(self._asked, timeout=max(0.0, self._until - time.monotonic()))
        finally:
            answers = self._ended()  # whoever breaks off waits for nobody's turn
        return answers

    def drop(self) -> None:
        """Ask nobody any more: nobody wants the answers."""
        self._ended()

    def _ended(self) -> tuple[HostAnswer, ...]:
        if self._answers is None:
            self._answers = tuple(one.result() if one.done() else TOO_LATE for one in self._asked)
            self._pool.shutdown(wait=False, cancel_futures=True)
            self._ways.close()
        return self._answers


def look_at(doors: Sequence[Door], *, at_once: int = AT_ONCE, patience: Patience = PATIENCE) -> tuple[HostAnswer, ...]:
    """One answer per door, in the order of the doors, within ``LOOK_S``. Never raises for a door."""
    return Look(doors, at_once=at_once, patience=patience).wait()


def _answer(door: Door, ways: Ways, keys: Keys) -> HostAnswer:
    try:
        if door.profile.psrp:
            return _from(ask_by_psrp(door, patience=ways.patience, within_s=ANSWER_S))
        with logged_in(door, ways, keys, for_s=2 * ANSWER_S) as session:
            script = b"become=%d\n" % door.profile.become + SCRIPT
            text = said(session, "exec /bin/sh -s", script, within_s=ANSWER_S).decode("utf-8", errors="replace")
        return _from(text)
    except NoKey as failure:
        return HostAnswer(trouble=failure.trouble)
    except Exception:  # as in discovery
        return HostAnswer(trouble=STRANGE)


def _from(text: str) -> HostAnswer:
    """What it said, at this moment. Raises NoKey when it says nothing of ours."""
    at = datetime.now(UTC)
    begins = text.find(FIRST_LINE)
    if begins < 0:
        raise failed("no_report", Sentence(says="it does not run the script"))
    return HostAnswer(text=text[begins:], at=at)
