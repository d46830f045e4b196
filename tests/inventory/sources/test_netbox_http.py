"""One NetBox over real HTTP on loopback: complete or refused, whatever it answers."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from inventory.errors import ExpectedError
from inventory.sources import netbox_http
from inventory.sources.netbox_http import (
    NetboxForbids,
    NetboxLies,
    NetboxRefuses,
    NetboxServer,
    NetboxUnavailable,
    NotSure,
    Patience,
)
from tests.netboxes import V1, V2, Netbox, hanging_up, running, saying, silently_done, well

QUICK = Patience(connect_s=2, silence_s=2, answer_s=5, tries=3, first_wait_s=1, most_wait_s=30)


@pytest.fixture
def netbox() -> Iterator[Netbox]:
    with running(Netbox()) as made:
        yield made


def asking(netbox: Netbox, token: str = V2, waits: list[float] | None = None) -> NetboxServer:
    return NetboxServer(netbox.url, token, patience=QUICK, sleep=(waits if waits is not None else []).append)


def names(server: NetboxServer) -> list[str]:
    return [row["name"] for row in server.rows("dcim/devices", fields=("id", "name"))]


def refused(server: NetboxServer) -> ExpectedError:
    with pytest.raises(ExpectedError) as caught:
        names(server)
    return caught.value


def page(*ids: int, count: int | None = None) -> dict[str, object]:
    rows = [{"id": one, "name": f"d{one}"} for one in ids]
    return {"count": len(ids) if count is None else count, "next": None, "previous": None, "results": rows}


def test_all_rows_come_once_though_the_server_cuts_its_pages_without_a_word(netbox: Netbox) -> None:
    netbox.page_size = 3
    for number in range(10):
        netbox.device(f"apc-{number}")
    server = asking(netbox)
    assert names(server) == [f"apc-{number}" for number in range(10)]
    assert (server.version, server.served_at) == ((4, 7), "2026-11-20T08:00:00+00:00")


@pytest.mark.parametrize("token", [V1, V2])
def test_tokens_of_both_kinds_are_sent_as_the_server_wants_them(netbox: Netbox, token: str) -> None:
    assert names(asking(netbox, token)) == []


def test_a_bad_token_and_a_missing_right_are_told_in_the_servers_words(netbox: Netbox) -> None:
    error = refused(asking(netbox, "0" * 40))
    assert isinstance(error, NetboxForbids) and "Invalid v1 token" in str(error) and "0" * 40 not in str(error)
    netbox.forbids.add("dcim/devices")
    assert isinstance(refused(asking(netbox)), NetboxForbids)


def test_what_passes_by_itself_is_asked_again_with_patience_and_goes_on_where_it_was(netbox: Netbox) -> None:
    netbox.page_size = 2
    for number in range(4):
        netbox.device(f"apc-{number}")
    netbox.faults += [saying(429, {}, Retry_After="7"), saying(502), well, hanging_up, saying(200, page(count=2))]
    waits: list[float] = []
    assert names(asking(netbox, waits=waits)) == ["apc-0", "apc-1", "apc-2", "apc-3"]
    assert waits == [7, 2, 1, 2]
    assert [query["id__gt"] for _verb, _path, query in netbox.asked] == [["0"]] * 3 + [["2"]] * 3


def test_a_server_that_stays_down_is_given_up_and_the_wait_it_asks_for_is_capped(netbox: Netbox) -> None:
    netbox.faults += [saying(503, "<html>", Retry_After="99999")] * 3
    waits: list[float] = []
    error = refused(asking(netbox, waits=waits))
    assert isinstance(error, NetboxUnavailable) and "status 503" in str(error) and waits == [30, 30]
    with pytest.raises(NetboxUnavailable):
        names(NetboxServer("http://127.0.0.1:1", V2, patience=QUICK, sleep=lambda _s: None))


LIES = {
    "rows that come again": saying(200, page(1, 2, 2)),
    "a row without id": saying(200, {"count": 1, "results": [{"name": "x"}]}),
    "an id that is no number": saying(200, {"count": 1, "results": [{"id": True}]}),
    "a row that is none": saying(200, {"count": 1, "results": ["x"]}),
    "fewer announced than sent": saying(200, page(1, 2, count=1)),
    "no count": saying(200, {"results": []}),
    "no list": saying(200, {"count": 1, "results": 7}),
    "HTML with status 200": saying(200, "<html>login</html>"),
    "deep nesting": saying(200, "[" * 100_000),
    "a whole other document": saying(200, [1, 2, 3]),
}


@pytest.mark.parametrize("lie", LIES.values(), ids=LIES)
def test_an_answer_that_breaks_the_rules_is_refused(netbox: Netbox, lie: object) -> None:
    netbox.faults += [lie]  # type: ignore[list-item]
    error = refused(asking(netbox))
    assert isinstance(error, NetboxLies) and len(netbox.asked) == 1
    assert netbox.url.removeprefix("http://") in str(error)


def test_paging_without_end_is_noticed(netbox: Netbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(netbox_http, "MOST_ROWS", 50)
    netbox.faults += [saying(200, page(*range(start + 1, start + 11), count=11)) for start in range(0, 900, 10)]
    assert "does not end" in str(refused(asking(netbox)))
    assert len(netbox.asked) < 10


def test_a_next_page_elsewhere_is_never_fetched(netbox: Netbox) -> None:
    elsewhere = Netbox()
    with running(elsewhere):
        netbox.faults.append(saying(200, {**page(1, count=1), "next": f"{elsewhere.url}/api/dcim/devices/?offset=1"}))
        assert names(asking(netbox)) == ["d1"]
    assert elsewhere.asked == []


def test_an_ignored_filter_shows_in_the_rows(netbox: Netbox) -> None:
    netbox.page_size = 2
    netbox.ignores.add("id__gt")
    for number in range(4):
        netbox.device(f"apc-{number}")
    assert "is not kept" in str(refused(asking(netbox)))


@pytest.fixture
def long(netbox: Netbox, monkeypatch: pytest.MonkeyPatch) -> Netbox:
    """A list of 20 devices in pages of three, long enough to be asked for in halves."""
    monkeypatch.setattr(netbox_http, "PAGE", 3)
    for number in range(20):
        netbox.device(f"apc-{number:02}")
    for number in (5, 11, 12):
        netbox.delete("dcim/devices", number)
    return netbox


def test_a_long_list_comes_in_halves_every_row_once(long: Netbox) -> None:
    long.faults += [well, well, saying(502), hanging_up]
    found = [int(row["id"]) for row in asking(long).rows("dcim/devices", fields=("id", "name"))]
    assert sorted(found) == [number for number in range(1, 21) if number not in (5, 11, 12)]
    assert found[:3] == [1, 2, 3] and found != sorted(found)
    ends = {query["id__lte"][0] for _verb, _path, query in long.asked if "id__lte" in query}
    assert ends == {"11"}  # the second half has no end: what is added meanwhile is read with it


def test_a_row_added_behind_the_last_one_meanwhile_is_read(long: Netbox) -> None:
    def meanwhile(_handler: object) -> bool:
        long.device("apc-new")
        return False

    long.faults += [well, well, well, meanwhile]
    assert "apc-new" in names(asking(long))


def test_a_half_that_does_not_end_where_it_was_asked_to_is_refused(long: Netbox) -> None:
    long.ignores.add("id__lte")
    assert "is not kept" in str(refused(asking(long)))


@pytest.mark.parametrize("newest", [page(1), page(), {"count": 1, "results": ["x"]}])
def test_a_list_whose_last_row_is_none_is_refused(long: Netbox, newest: object) -> None:
    long.faults += [well, saying(200, newest)]
    assert "the last of them is none" in str(refused(asking(long)))


def test_a_change_is_repeated_after_a_failure_and_a_bad_one_is_told(netbox: Netbox) -> None:
    netbox.device("apc-1")
    netbox.put("extras/custom-fields", {"name": "mig_wave"})
    server = asking(netbox)
    netbox.faults += [silently_done]
    (row,) = server.change("dcim/devices", [{"id": 1, "custom_fields": {"mig_wave": "W01"}}])
    assert row["custom_fields"]["mig_wave"] == "W01" and netbox.writes() == [("PATCH", "dcim/devices")] * 2
    with pytest.raises(NetboxRefuses, match="nothing_like_it"):
        server.change("dcim/devices", [{"id": 1, "custom_fields": {"nothing_like_it": 1}}])


def test_a_creation_without_an_answer_is_not_repeated(netbox: Netbox) -> None:
    netbox.faults += [silently_done]
    with pytest.raises(NotSure):
        asking(netbox).create("extras/journal-entries", [{"comments": "once"}])
    assert len(netbox.tables["extras/journal-entries"]) == 1
