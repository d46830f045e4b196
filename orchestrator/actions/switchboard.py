"""The switchboard: makes the calls that are due, each in a thread of its own, so that no channel holds anybody up.

It looks at the outbox once a second, beside the driver and never inside its loop. A channel that hangs costs one
thread and nothing else. What was sent but could not be written down yet is written down before anything is sent again.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from inventory.errors import ExpectedError
from orchestrator.actions.call_people import (
    ContactsOf,
    Errand,
    Round,
    close_over,
    look_at_notices,
    note_call,
)
from orchestrator.actions.desk import Outside
from orchestrator.actions.store_watch import StoreWatch
from orchestrator.core.notices import NoticeChannels
from orchestrator.core.refusals import StoreBusy, StoreUnavailable

HANGS_AFTER = timedelta(seconds=60)
PAUSE_S = 0.05
_Key = tuple[str, str]


@dataclass
class _Flight:
    """A call under way. ``said``: that it hangs was written down."""

    errand: Errand
    since: datetime
    said: bool = False


@dataclass
class Switchboard:
    """Makes the calls of one store for as long as its keeper drives."""

    outside: Outside
    channels: NoticeChannels
    contacts_of: ContactsOf
    watch: StoreWatch | None = None
    """Told whenever the store answers or does not."""
    _flights: dict[_Key, _Flight] = field(default_factory=dict)
    _unwritten: list[tuple[Errand, str]] = field(default_factory=list)
    _told: set[str] = field(default_factory=set)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def round(self) -> None:
        """One look: write down what is owed, close what is over, start what is due. Never waits for a channel.

        Raises StoreUnavailable, StoreBusy: what was not done is done at the next look.
        """
        try:
            self._look()
        except (StoreUnavailable, StoreBusy):
            if self.watch:
                self.watch.is_away()
            raise
        if self.watch:
            self.watch.is_back()

    def _look(self) -> None:
        self._write_down_what_is_owed()
        with self.outside.look() as desk:
            found = look_at_notices(desk, self.contacts_of)
        for trouble in found.troubles:
            self._tell_once(trouble)
        self._close(found)
        for errand in found.errands:
            self._start(errand)
        self._notice_hanging()

    def finish(self, *, within_s: float) -> None:
        """Make the calls that are due and wait for them, but never longer than that. Raises ExpectedError."""
        self.round()
        pause = threading.Event()
        for _ in range(int(within_s / PAUSE_S)):
            if not self._flights:
                break
            pause.wait(PAUSE_S)
        self._write_down_what_is_owed()

    def _tell_once(self, trouble: ExpectedError) -> None:
        if str(trouble) not in self._told:
            self._told.add(str(trouble))
            self.outside.tell(trouble)

    def _close(self, found: Round) -> None:
        if found.over:
            with self.outside.desk() as desk:
                close_over(desk, found.over)

    def _start(self, errand: Errand) -> None:
        """One call at a time for each contact."""
        key = _key(errand)
        with self._lock:
            if key in self._flights:
                return
            self._flights[key] = _Flight(errand=errand, since=self.outside.clock.now())
        threading.Thread(target=self._call, args=(errand,), name=f"call-{key[1]}", daemon=True).start()

    def _call(self, errand: Errand) -> None:
        trouble = ""
        try:
            self.channels.send(errand.contact.channel, errand.letter)
        except ExpectedError as failed:
            trouble = str(failed.facts.get("why", failed))
        finally:
            with self._lock:
                self._unwritten.append((errand, trouble))
            self._try_to_write_down()
            with self._lock:
                self._flights.pop(_key(errand), None)

    def _try_to_write_down(self) -> None:
        try:
            self._write_down_what_is_owed()
        except ExpectedError as away:
            self._tell_once(away)  # it stays owed; the next round writes it down before it calls again

    def _write_down_what_is_owed(self) -> None:
        with self._lock:
            while self._unwritten:
                errand, trouble = self._unwritten.pop(0)
                try:
                    with self.outside.desk() as desk:
                        note_call(desk, errand, trouble=trouble)
                except ExpectedError:
                    self._unwritten.insert(0, (errand, trouble))
                    raise

    def _notice_hanging(self) -> None:
        """A call without an end is a failed one, so that whoever comes next is called."""
        now = self.outside.clock.now()
        with self._lock:
            hanging = [one for one in self._flights.values() if not one.said and now - one.since > HANGS_AFTER]
            for one in hanging:
                one.said = True
                self._unwritten.append((one.errand, f"no end after {int(HANGS_AFTER.total_seconds())} s"))


def _key(errand: Errand) -> _Key:
    return (errand.contact.tenant, errand.contact.name)
