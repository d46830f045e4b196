"""Contacts and channels as their file says now; a file that was broken meanwhile leaves the last good one in force."""

from __future__ import annotations

from collections.abc import Callable

from inventory.errors import ExpectedError
from inventory.model import TenantId
from orchestrator.core.contacts_file import ChannelEntry, ContactsFile, ContactsFileWrong
from orchestrator.core.notices import Contact


class LiveContacts:
    """Reads the file anew each time, so that a contact mended at night counts at once. ``tell`` hears of mistakes."""

    def __init__(self, read: Callable[[], ContactsFile], *, tell: Callable[[ExpectedError], None]) -> None:
        self._read = read
        self._tell = tell
        self._good = ContactsFile()
        self._told = ""

    def now(self) -> ContactsFile:
        """The file, or the last good one."""
        try:
            self._good = self._read()
            self._told = ""
        except ContactsFileWrong as wrong:
            if str(wrong) != self._told:
                self._told = str(wrong)
                self._tell(wrong)
        return self._good

    def of(self, tenant: TenantId) -> tuple[Contact, ...]:
        """The tenant's contacts."""
        return self.now().of(tenant)

    def channels(self) -> tuple[ChannelEntry, ...]:
        """All channels."""
        return self.now().channels
