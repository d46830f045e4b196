"""The file of channels and contacts: what it takes, and what it refuses with the place named."""

from __future__ import annotations

import pytest

from inventory.model import TenantId
from orchestrator.core.contacts_file import EXAMPLE, CommandChannel, ContactsFileWrong, MailChannel, read_contacts

MAIL = '[[channel]]\nname = "mail"\nkind = "mail"\nhost = "mail.example"\nsender = "kahn@stadt.example"\n'
HOOK = '[[channel]]\nname = "hook"\nkind = "webhook"\nurl = "{url}"\nsecret_file = "s"\n'
PAGE = '[[channel]]\nname = "page"\nkind = "command"\nargv = ["/bin/page", "{to}"]\n'
WHO = '[[contact]]\ntenant = "stadt"\nname = "wache"\nchannel = "{channel}"\nto = "{to}"\n'


def test_the_example_reads_as_it_stands() -> None:
    found = read_contacts(EXAMPLE, file="notices.toml")
    assert [one.name for one in found.channels] == ["mail", "hook", "pager"]
    assert [one.after_min for one in found.of(TenantId("stadt"))] == [0, 15]
    assert found.of(TenantId("other")) == ()


def test_defaults_are_the_safe_ones() -> None:
    (mail,) = read_contacts(MAIL, file="f").channels
    assert isinstance(mail, MailChannel) and (mail.tls, mail.port) == ("starttls", 587)
    (page,) = read_contacts(PAGE, file="f").channels
    assert isinstance(page, CommandChannel) and page.timeout_s == 30


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("[[channel]\n", "TOML"),
        ("contact = 1\n", "contact"),
        ("[[channels]]\n", "channels"),
        ('[[channel]]\nname = "x"\nkind = "fax"\n', "kind"),
        (MAIL + "retries = 3\n", "retries"),
        (MAIL + 'user = "kahn"\n', "password_file"),
        (MAIL + 'tls = "none"\nuser = "kahn"\npassword_file = "p"\n', "tls"),
        (MAIL.replace("kahn@", "kahn\\r\\nBcc: x@"), "sender"),
        (MAIL.replace("mail.example", "mail.example; rm"), "host"),
        (HOOK.format(url="http://alarm.example/x"), "url"),
        (HOOK.format(url="file:///etc/passwd"), "url"),
        (HOOK.format(url="https://user:secret@alarm.example/x"), "url"),
        (HOOK.format(url="https://[::1"), "url"),
        (PAGE.replace('"/bin/page"', '"page"'), "argv"),
        (PAGE.replace('["/bin/page", "{to}"]', '"page {to}"'), "argv"),
        (MAIL + MAIL, "channel"),
        (WHO.format(channel="none", to="x"), "channel"),
        (MAIL + WHO.format(channel="mail", to="a@b.example\\nBcc: x@y.example"), "to"),
        (MAIL + WHO.format(channel="mail", to="wache"), "to"),
        (PAGE + WHO.format(channel="page", to="--help"), "to"),
        (PAGE + WHO.format(channel="page", to="1") + 'language = "tlh"\n', "language"),
        (PAGE + WHO.format(channel="page", to="1") + "after_min = -1\n", "after_min"),
        (PAGE + WHO.format(channel="page", to="1").replace("stadt", "Stadt X"), "tenant"),
    ],
)
def test_what_makes_no_sense_is_refused_with_its_place(text: str, key: str) -> None:
    with pytest.raises(ContactsFileWrong) as refused:
        read_contacts(text, file="notices.toml")
    assert key in str(refused.value.facts["key"])
