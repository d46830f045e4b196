"""The session under pynetbox, asked over real HTTP on loopback."""

from __future__ import annotations

import gzip
from collections.abc import Iterator

import pytest

from inventory.sources import netbox_session
from inventory.sources.netbox_http import Failed, NetboxLies, Patience
from inventory.sources.netbox_session import Bounded
from tests.netboxes import Netbox, hanging_up, running, saying

QUICK = Patience(connect_s=2, silence_s=2, answer_s=5)


@pytest.fixture
def netbox() -> Iterator[Netbox]:
    with running(Netbox()) as made:
        yield made


def asked(netbox: Netbox, answer: object, *, patience: Patience = QUICK) -> Bounded:
    """A session that has had this answer."""
    netbox.faults.append(answer)  # type: ignore[arg-type]
    session = Bounded("netbox", patience, "")
    session.get(f"{netbox.url}/api/dcim/devices/")
    return session


def test_a_redirect_is_never_followed(netbox: Netbox) -> None:
    elsewhere = Netbox()
    with running(elsewhere), pytest.raises(NetboxLies, match="never followed"):
        asked(netbox, saying(302, "", Location=f"{elsewhere.url}/api/dcim/devices/"))
    assert elsewhere.asked == []


def test_a_packed_answer_is_not_unpacked(netbox: Netbox) -> None:
    bomb = gzip.compress(b" " * 1_000_000).decode("latin-1")
    with pytest.raises(NetboxLies, match="packed"):
        asked(netbox, saying(200, bomb, Content_Encoding="gzip"))


def test_a_long_answer_is_not_read_to_its_end(netbox: Netbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(netbox_session, "MOST_BYTES", 1_000)
    with pytest.raises(NetboxLies, match="longer than"):
        asked(netbox, saying(200, " " * 2_000))


def test_an_answer_that_does_not_end_in_time_is_given_up(netbox: Netbox) -> None:
    with pytest.raises(Failed, match="does not end in time"):
        asked(netbox, saying(200, "slow"), patience=Patience(answer_s=-1))


def test_a_broken_connection_and_a_busy_server_are_failures_of_one_try(netbox: Netbox) -> None:
    with pytest.raises(Failed):
        asked(netbox, hanging_up)
    with pytest.raises(Failed) as busy:
        asked(netbox, saying(429, {}, Retry_After="7"))
    assert busy.value.wait_s == 7
