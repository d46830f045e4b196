"""Channels by name."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.adapters.channels import Channels
from orchestrator.adapters.notice_secret import NotDelivered
from orchestrator.core.contacts_file import CommandChannel, MailChannel
from tests.mail_sink import a_mail_sink
from tests.orchestrator.adapters.test_notice_mail import a_channel, a_letter
from tests.orchestrator.adapters.test_notice_webhook import a_hook, a_receiver
from tests.towns import TestClock


def test_each_channel_delivers_in_its_own_way(tmp_path: Path) -> None:
    with a_mail_sink() as sink, a_receiver() as (url, got):
        page = CommandChannel(name="pager", argv=("/bin/true",), timeout_s=5)
        entries = (a_channel(sink.port), a_hook(tmp_path, url), page)
        channels = Channels(lambda: entries, home=tmp_path, clock=TestClock())
        for name in ("mail", "hook", "pager"):
            channels.send(name, a_letter())
    assert (len(sink.mails), len(got)) == (1, 1)


def test_a_channel_that_is_gone_from_the_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(NotDelivered, match="no such channel"):
        Channels(lambda: (), home=tmp_path, clock=TestClock()).send("mail", a_letter())


def test_whatever_breaks_in_a_channel_is_a_failed_call_and_no_crash(tmp_path: Path) -> None:
    broken = MailChannel(name="mail", host="127.0.0.1", port=1, tls="tls", sender="k@x.example", ca_file="none.pem")
    with pytest.raises(NotDelivered):
        Channels(lambda: (broken,), home=tmp_path, clock=TestClock()).send("mail", a_letter())
