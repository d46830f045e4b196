"""Calls about a store that is away: kept in memory, made by the channels that need no store."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime

from inventory.errors import ExpectedError
from inventory.model import TenantId
from orchestrator.actions.call_people import letter_of
from orchestrator.core.notice_text import Message
from orchestrator.core.notices import Call, Contact, Notice, NoticeChannels, call_after, contacts_due
from orchestrator.core.store_away import CALL_AFTER, Away, AwayMemory, away_message, away_notice, back_message
from orchestrator.ports import Clock

_Key = tuple[str, str]


@dataclass
class StoreWatch:
    """Notes since when the store is away, and calls contacts of every tenant when it lasts."""

    clock: Clock
    channels: NoticeChannels
    everyone: Callable[[], tuple[Contact, ...]]
    memory: AwayMemory | None = None
    """Shared with other programs that watch the same store; None to watch alone."""
    away_since: datetime | None = None
    _calls: dict[_Key, Call] = field(default_factory=dict)
    _busy: set[_Key] = field(default_factory=set)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def is_away(self) -> None:
        """One more look that failed. Calls whoever is due; never waits for a channel."""
        now = self.clock.now()
        self._recall()
        if self.away_since is None:
            self.away_since = now
            self._remember()
        if now - self.away_since < CALL_AFTER:
            return
        for tenant, contacts in self._by_tenant():
            notice = away_notice(tenant, since=self.away_since)
            message = away_message(tenant, since=self.away_since)
            with self._lock:
                calls = tuple(self._calls[key] for one in contacts if (key := (tenant, one.name)) in self._calls)
            for contact in contacts_due(notice, contacts, calls, now=now):
                self._start(notice, contact, message)

    def is_back(self) -> None:
        """A look that succeeded. Tells whoever was told that it was away."""
        self._recall()
        if self.away_since is None:
            return
        since, self.away_since = self.away_since, None
        if self.memory is not None and not self.memory.forget():
            self._forget_calls()  # another program has told it
        with self._lock:
            told = {key for key, call in self._calls.items() if call.delivered_at is not None}
            self._calls.clear()
        for tenant, contacts in self._by_tenant():
            message = back_message(tenant, since=since, now=self.clock.now())
            for contact in contacts:
                if (tenant, contact.name) in told:
                    self._start(away_notice(tenant, since=since), contact, message)

    def _forget_calls(self) -> None:
        with self._lock:
            self._calls.clear()

    def _recall(self) -> None:
        """What other programs did meanwhile counts as well."""
        known = self.memory.recall() if self.memory is not None else None
        if known is None:
            return
        self.away_since = min(known.since, self.away_since or known.since)
        with self._lock:
            for call in known.calls:
                mine = self._calls.get((call.tenant, call.contact))
                if mine is None or mine.tries < call.tries:
                    self._calls[call.tenant, call.contact] = call

    def _remember(self) -> None:
        if self.memory is not None and self.away_since is not None:
            self.memory.keep(Away(since=self.away_since, calls=tuple(self._calls.values())))

    def wait(self, *, within_s: float) -> None:
        """Wait for calls under way, but never longer than that."""
        pause = threading.Event()
        for _ in range(int(within_s / 0.05)):
            if not self._busy:
                return
            pause.wait(0.05)

    def _by_tenant(self) -> Iterator[tuple[TenantId, tuple[Contact, ...]]]:
        everyone = self.everyone()
        for tenant in sorted({contact.tenant for contact in everyone}):
            yield tenant, tuple(contact for contact in everyone if contact.tenant == tenant)

    def _start(self, notice: Notice, contact: Contact, message: Message) -> None:
        key = (contact.tenant, contact.name)
        with self._lock:
            if key in self._busy:
                return
            self._busy.add(key)
        given = (notice, contact, message)
        threading.Thread(target=self._call, args=given, name=f"call-{contact.name}", daemon=True).start()

    def _call(self, notice: Notice, contact: Contact, message: Message) -> None:
        key, trouble = (contact.tenant, contact.name), ""
        try:
            self.channels.send(contact.channel, letter_of(notice, contact, message))
        except ExpectedError as failed:
            trouble = str(failed.facts.get("why", failed))
        finally:
            with self._lock:
                if self.away_since is not None:
                    before = self._calls.get(key)
                    self._calls[key] = call_after(notice, contact, before, trouble=trouble, now=self.clock.now())
                    self._remember()
                self._busy.discard(key)
