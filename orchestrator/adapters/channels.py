"""Every channel behind one door: mail, webhook, a command of the house."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from inventory.errors import ExpectedError
from orchestrator.adapters.notice_command import run_command
from orchestrator.adapters.notice_mail import send_mail
from orchestrator.adapters.notice_secret import NotDelivered
from orchestrator.adapters.notice_webhook import post_webhook
from orchestrator.core.contacts_file import ChannelEntry, CommandChannel, MailChannel
from orchestrator.core.notices import Letter
from orchestrator.ports import Clock


class Channels:
    """The channels of `notices.toml`, as it stands when something is sent.

    ``home``: what secrets and certificates are named relative to.
    """

    def __init__(self, entries: Callable[[], tuple[ChannelEntry, ...]], *, home: Path, clock: Clock) -> None:
        self._entries = entries
        self._home = home
        self._clock = clock

    def send(self, channel: str, letter: Letter) -> None:
        """Deliver, within the channel's own time limits. Raises NotDelivered, SecretOpen."""
        entry = next((one for one in self._entries() if one.name == channel), None)
        if entry is None:
            raise NotDelivered(channel=channel, why="notices.toml names no such channel")
        try:
            if isinstance(entry, MailChannel):
                send_mail(entry, letter, home=self._home)
            elif isinstance(entry, CommandChannel):
                run_command(entry, letter)
            else:
                post_webhook(entry, letter, home=self._home, now=self._clock.now())
        except ExpectedError:
            raise
        except Exception as cause:  # whatever a foreign server or program makes of us: the next try will tell
            raise NotDelivered(channel=channel, why=f"{type(cause).__name__}: {cause}"[:300]) from cause
