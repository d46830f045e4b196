"""NetBox: a full sync against bare paging of the same rows, and a repeat without changes.

    python -m bench.netbox [--devices 2000] [--page-s 0.28]

The server is the one of the tests, in a process of its own. ``--page-s`` is how long it thinks about a full page: a
real NetBox 4.7.3 needed 2.8 s of processor time for 10,000 devices with these fields, 0.28 s a page.
"""

from __future__ import annotations

import argparse
import multiprocessing
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TypeVar

import requests

from inventory.model import TenantId
from inventory.sources.netbox import FIELDS, Mark
from inventory.sources.netbox_http import NetboxServer
from inventory.sources.netbox_rows import DEVICE
from orchestrator.actions.sync_netbox import inward, outward, take_inward
from orchestrator.actions.take_inventory import Now
from orchestrator.adapters.clock import SystemClock
from orchestrator.adapters.netbox_out import pull_from
from orchestrator.adapters.store import DatabaseStore
from orchestrator.cli.asset_import import collecting_paused
from orchestrator.core.netbox import NetboxAccess
from orchestrator.core.policy import Policy
from tests.netboxes import V2, Netbox, Row, running

TENANT = TenantId("stadt")
AN_HOUR_S = 3600


class _Thinking(Netbox):
    """A server that needs its time for each page."""

    page_s = 0.0

    def listed(self, path: str, query: Mapping[str, list[str]]) -> Row:
        """As the server of the tests, after thinking about it."""
        page = super().listed(path, query)
        time.sleep(self.page_s * len(page["results"]) / self.page_size)
        return page


def _serve(told: Connection, *, devices: int, page_s: float) -> None:
    netbox = _Thinking()
    netbox.page_s = page_s
    netbox.site("Rathaus")
    netbox.put("core/object-changes", {"action": {"value": "create"}})
    for number in range(devices):
        address = {"address": f"10.{number // 62500}.{number // 250 % 250}.{number % 250 + 1}/16", "dns_name": ""}
        netbox.device(f"apc-{number:05}", serial=f"SN{number:07}", asset_tag=f"I-{number}", primary_ip=address)
    netbox.now = datetime.fromtimestamp(netbox.now.timestamp() + AN_HOUR_S, UTC)
    with running(netbox):
        told.send(netbox.url)
        told.recv()


@contextmanager
def _server(*, devices: int, page_s: float) -> Iterator[str]:
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.Process(target=_serve, args=(theirs,), kwargs={"devices": devices, "page_s": page_s})
    process.start()
    try:
        yield ours.recv()
    finally:
        ours.send("done")
        process.join()


def bare_paging(url: str) -> int:
    """Every device with the same fields, page by page, and nothing done with it."""
    session, last, read = requests.Session(), 0, 0
    session.headers["Authorization"] = f"Bearer {V2}"
    while True:
        asked: dict[str, str | int] = {
            "limit": 1000,
            "ordering": "id",
            "id__gt": last,
            "fields": ",".join(FIELDS[DEVICE]),
        }
        page = session.get(f"{url}/api/dcim/devices/", params=asked).json()["results"]
        if not page:
            return read
        read, last = read + len(page), page[-1]["id"]


def sync(store: DatabaseStore, url: str) -> tuple[int, int]:
    """A whole `kahn sync apply`, writes there left out: how many changes were taken, how many objects would be told."""
    clock = SystemClock()
    access = NetboxAccess(url=url, token_from="env:TOKEN")
    with store.reading() as books:
        state = books.netbox.state(TENANT)
    with collecting_paused():
        pull = pull_from(NetboxServer(url, V2), access, since=Mark(read_at=state.read_at, change=state.change))
        with store.reading() as books:
            found = inward(books, TENANT, pull, now=Now(at=clock.now(), new_id=clock.new_id))  # type: ignore[arg-type]
        with store.transaction() as books:
            taken = take_inward(books, TENANT, found, at=clock.now())
        return taken, len(pull.remotes)


T = TypeVar("T")


def _timed(work: Callable[[], T]) -> tuple[T, float, float]:
    """The answer, seconds, and seconds of this process's own processor time."""
    began, cpu = time.monotonic(), time.process_time()
    answer = work()
    return answer, time.monotonic() - began, time.process_time() - cpu


def main() -> None:
    """Print what was measured."""
    given = argparse.ArgumentParser()
    given.add_argument("--devices", type=int, default=2000)
    given.add_argument("--page-s", type=float, default=0.28)
    wanted = given.parse_args()
    with (
        tempfile.TemporaryDirectory() as folder,
        _server(devices=wanted.devices, page_s=wanted.page_s) as url,
        closing(DatabaseStore.create_or_upgrade(f"sqlite:///{Path(folder) / 'k.sqlite'}")) as store,
    ):
        with store.transaction() as books:
            books.tenants.add(TENANT, policy=Policy())
            books.netbox.put_access(TENANT, NetboxAccess(url=url, token_from="env:TOKEN"))
        read, bare_s, bare_cpu = _timed(lambda: bare_paging(url))
        (taken, seen), full_s, full_cpu = _timed(lambda: sync(store, url))
        (again, _), repeat_s, repeat_cpu = _timed(lambda: sync(store, url))
        with store.reading() as books:
            told, out_s, _cpu = _timed(lambda: len(outward(books, TENANT)))
    print(f"bare paging    {read:6} rows     {bare_s:7.2f} s  cpu {bare_cpu:6.2f}")
    print(f"full sync      {taken:6} changes  {full_s:7.2f} s  cpu {full_cpu:6.2f}  {full_s / bare_s:5.2f} x")
    print(
        f"repeat         {again:6} changes  {repeat_s:7.2f} s  cpu {repeat_cpu:6.2f}  {100 * repeat_s / full_s:5.1f} %"
    )
    print(f"to be written  {told:6} objects  {out_s:7.2f} s   ({seen} objects seen)")


if __name__ == "__main__":
    main()
