"""The fleet preflight by ssh: a few numbers from each machine before a batch begins, all machines at the same time.

As in discovery, a machine must show the host key that was approved before it is logged in to; nothing is left on it.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from datetime import UTC, datetime
from pathlib import Path

from orchestrator.adapters.discovery import STRANGE, Keys, logged_in, said
from orchestrator.adapters.ssh import Ways
from orchestrator.adapters.ssh_session import NoKey, Patience, failed
from orchestrator.core.explain import Sentence
from orchestrator.core.fleet import FIRST_LINE, HostAnswer
from orchestrator.core.host_keys import Door, Trouble

SCRIPT = Path(__file__).with_name("look.sh").read_bytes()
AT_ONCE = 20
PATIENCE = Patience(connect_s=5, greet_s=8, exchange_s=15, gap_s=0)
"""A machine that is off costs five seconds, one that takes the connection and says nothing eight."""
ANSWER_S = 30
"""Seconds for the few lines of one that has greeted, and twice as many for login and lines together: a healthy machine
under heavy load needs more than ten."""
LOOK_S = 120
"""Seconds for a whole look: nothing else of any wave happens meanwhile."""
TOO_LATE = HostAnswer(trouble=Trouble(code="too_late", told=Sentence(says="its turn did not come in time")))


def look_at(doors: Sequence[Door], *, at_once: int = AT_ONCE, patience: Patience = PATIENCE) -> tuple[HostAnswer, ...]:
    """One answer per door, in the order of the doors, within ``LOOK_S``. Never raises for a door."""
    if not doors:
        return ()
    ways, keys = Ways(patience), Keys()
    pool = ThreadPoolExecutor(max_workers=min(at_once, len(doors)), thread_name_prefix="preflight")
    try:
        asked = [pool.submit(_answer, door, ways, keys) for door in doors]
        wait(asked, timeout=LOOK_S)
        return tuple(one.result() if one.done() else TOO_LATE for one in asked)
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
        ways.close()


def _answer(door: Door, ways: Ways, keys: Keys) -> HostAnswer:
    try:
        with logged_in(door, ways, keys, for_s=2 * ANSWER_S) as session:
            script = b"become=%d\n" % door.profile.become + SCRIPT
            text = said(session, "exec /bin/sh -s", script, within_s=ANSWER_S).decode("utf-8", errors="replace")
            at = datetime.now(UTC)
        begins = text.find(FIRST_LINE)
        if begins < 0:
            raise failed("no_report", Sentence(says="it does not run the script"))
        return HostAnswer(text=text[begins:], at=at)
    except NoKey as failure:
        return HostAnswer(trouble=failure.trouble)
    except Exception:  # as in discovery
        return HostAnswer(trouble=STRANGE)
