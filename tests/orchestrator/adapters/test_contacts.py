"""The file of contacts while a service runs."""

from __future__ import annotations

from pathlib import Path

from inventory.errors import ExpectedError
from inventory.model import TenantId
from orchestrator.adapters.contacts import LiveContacts
from orchestrator.settings import CONTACTS_NAME, read_contacts_file

WHO = """\
[[channel]]
name = "page"
kind = "command"
argv = ["/bin/page"]

[[contact]]
tenant = "stadt"
name = "{name}"
channel = "page"
"""


def test_a_change_counts_at_once_and_a_mistake_leaves_the_last_good_file_in_force(tmp_path: Path) -> None:
    told: list[ExpectedError] = []
    contacts = LiveContacts(lambda: read_contacts_file(tmp_path), tell=told.append)
    names = []
    for text in (None, WHO.format(name="a"), "[[contact", "[[contact", WHO.format(name="b")):
        if text is not None:
            (tmp_path / CONTACTS_NAME).write_text(text)
        names.append([one.name for one in contacts.of(TenantId("stadt"))])
    assert names == [[], ["a"], ["a"], ["a"], ["b"]]
    assert len(told) == 1, "a mistake is told once, not each second"
    assert [one.name for one in contacts.channels()] == ["page"]
