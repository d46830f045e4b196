"""One NetBox server over HTTP, through pynetbox: bounded, patient, and believed only as far as it keeps to its rules.

pynetbox follows redirects, waits for ever, reads answers of any length and follows a page's ``next`` wherever it
points. Here it gets a session that does none of that. Pages are asked for by id (``id__gt``), so that nothing is
skipped or repeated when rows appear meanwhile and a page that failed can be asked for again.
"""

from __future__ import annotations

import json
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from email.utils import parsedate_to_datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

from inventory.errors import ExpectedError

if TYPE_CHECKING:
    import requests
    from pynetbox.core.query import Request

PAGE = 1_000
"""Rows asked for at once; the server's own cap is usually the same, and cuts larger pages without a word."""
MOST_ROWS = 1_000_000
HALVES = 2
"""Pages asked for at the same time, of a list of more than two pages; a NetBox has more workers than that."""

Row = dict[str, Any]
Filters = Mapping[str, object]
NO_FILTERS: Filters = MappingProxyType({})
T = TypeVar("T")


class NetboxUnavailable(ExpectedError):
    """The server does not answer, or answers that it cannot, as often as it was asked."""

    code, says = "NBX-001", "NetBox at {host} cannot be used now ({what}): {why}."
    remedy = "Try again later. Nothing of this reading was written; `kahn sync apply netbox` goes on where it stands."
    exit_code = 7


class NetboxForbids(ExpectedError):
    """The token is not valid, has expired, or lacks a right."""

    code, says = "NBX-002", "NetBox at {host} does not allow {what}: {why}."
    remedy = "Check the token and its rights; docs/netbox.md lists what is needed."
    exit_code = 7


class NetboxRefuses(ExpectedError):
    """The server does not accept a request as it stands."""

    code, says = "NBX-003", "NetBox at {host} refuses {what} (status {status}): {why}."
    remedy = "Compare the server's version and its custom fields with docs/netbox.md."
    exit_code = 7


class NetboxLies(ExpectedError):
    """The server's answer breaks the rules of its own interface, so nothing of it is taken."""

    code, says = "NBX-004", "The answer of {host} to {what} was not taken: {why}."
    remedy = "Check that the address is that of a NetBox and that no proxy changes its answers; nothing was written."
    exit_code = 7


class NotSure(ExpectedError):
    """Something was to be created, and no answer came: it may be there or not."""

    code, says = "NBX-005", "NetBox at {host} did not say whether {what} was done: {why}."
    remedy = "Run the command again: it looks first what is there."
    exit_code = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long to wait, seconds, and how often to try. ``most_wait_s`` caps what the server asks for."""

    connect_s: float = 10
    silence_s: float = 60
    answer_s: float = 300
    tries: int = 5
    first_wait_s: float = 1
    most_wait_s: float = 60


class Failed(Exception):
    """One try came to nothing; another may not."""

    def __init__(self, why: str, *, wait_s: float = 0) -> None:
        self.why, self.wait_s = why, wait_s
        super().__init__(why)


@dataclass(slots=True, kw_only=True)
class _Stretch:
    """One list from behind ``last`` up to ``until`` (None: to its end), and how far it was read."""

    path: str
    host: str
    asked: Mapping[str, Any]
    last: int
    until: int | None = None
    left: int = 0
    read: int = 0
    most: int = MOST_ROWS

    @property
    def filters(self) -> dict[str, Any]:
        """What to ask for next."""
        end = {} if self.until is None else {"id__lte": self.until}
        return {**self.asked, "id__gt": self.last, **end}

    def took(self, page: Sequence[object], count: int) -> None:
        """A page came, and ``count`` rows were left with it. Raises NetboxLies."""
        self.most = self.most if self.read else min(MOST_ROWS, 2 * count + 10_000)
        self.read += len(page)
        self.left = count - len(page)
        for row in page:
            self.last = self._next_id(row)
        if self.left and self.read > self.most:
            raise self._lie(f"it announced {count} rows and does not end after {self.read}")

    def _next_id(self, row: object) -> int:
        found = row.get("id") if isinstance(row, dict) else None
        if not isinstance(found, int) or isinstance(found, bool):
            raise self._lie("a row has no id")
        if found <= self.last or (self.until is not None and found > self.until):
            raise self._lie(f"row {found} came after {self.last}: the order or filter asked for is not kept")
        return found

    def _lie(self, why: str) -> NetboxLies:
        return NetboxLies(host=self.host, what=self.path, why=why)


class NetboxServer:
    """A NetBox as seen with one token. Version 1 and 2 tokens; servers from 4.2 on."""

    def __init__(
        self,
        url: str,
        token: str,
        *,
        ca_file: str = "",
        patience: Patience | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        import pynetbox  # it and requests cost more than most commands need altogether

        from inventory.sources.netbox_session import Bounded

        self.patience = patience or Patience()
        self.host = urlsplit(url).netloc
        self._api = pynetbox.api(url.rstrip("/"), token=token)
        self._session = Bounded(self.host, self.patience, ca_file)
        self._api.http_session = self._session
        self._sleep = sleep

    @property
    def version(self) -> tuple[int, int]:
        """Major and minor version by the headers of any answer; (0, 0) before the first."""
        major, _dot, minor = self._session.version.partition(".")
        return (int(major), int(minor)) if major.isdecimal() and minor.isdecimal() else (0, 0)

    @property
    def served_at(self) -> str:
        """The server's time at its first answer, ISO 8601 in UTC; empty when it did not say."""
        try:
            return parsedate_to_datetime(self._session.served_at).isoformat()
        except ValueError:
            return ""

    def rows(
        self, path: str, *, fields: Sequence[str] = (), after: int = 0, filters: Filters = NO_FILTERS
    ) -> Iterator[Row]:
        """All rows of a list; complete, or an error. A page that fails is asked for again.

        By rising id; of a long list, the pages of its two halves in turn. Raises NetboxUnavailable, NetboxForbids,
        NetboxRefuses, NetboxLies.
        """
        asked: dict[str, Any] = {"ordering": "id", **filters}
        if fields:
            asked["fields"] = ",".join(fields)
        whole = _Stretch(path=path, host=self.host, asked=asked, last=after)
        # The next pages are on their way while one is being understood: a server thinks longer than we do.
        with ThreadPoolExecutor(max_workers=HALVES, thread_name_prefix="netbox") as ahead:
            page, count = self._page(path, whole.filters, PAGE)
            whole.took(page, count)
            coming = deque((one, ahead.submit(self._page, path, one.filters, PAGE)) for one in self._halves(whole))
            yield from page
            while coming:
                stretch, future = coming.popleft()
                page, count = future.result()
                stretch.took(page, count)
                if stretch.left:
                    coming.append((stretch, ahead.submit(self._page, path, stretch.filters, PAGE)))
                yield from page

    def _halves(self, whole: _Stretch) -> tuple[_Stretch, ...]:
        """What is left of a list, in two where it is long; the second has no end, as rows may still appear."""
        if whole.left <= PAGE:
            return (whole,) if whole.left else ()
        newest = self.first(whole.path, filters={**whole.filters, "ordering": "-id"}, limit=1)
        number = newest[0].get("id") if newest and isinstance(newest[0], dict) else None
        if not isinstance(number, int) or isinstance(number, bool) or number <= whole.last:
            raise self._lie(whole.path, f"it announced {whole.left} more rows, and the last of them is none")
        middle = (whole.last + number) // 2
        return replace(whole, until=middle), replace(whole, last=middle)

    def first(self, path: str, *, filters: Filters, limit: int = PAGE) -> list[Row]:
        """The first rows of a list, in the order asked for. Raises as ``rows`` does."""
        return self._page(path, filters, limit)[0]

    def change(self, path: str, rows: Sequence[Row]) -> list[Row]:
        """Set absolute values of known rows, all or none; may be repeated. Raises as ``rows`` does."""
        return self._listed(path, self._tried(f"PATCH {path}", lambda: self._request(path).patch(list(rows))))

    def create(self, path: str, rows: Sequence[Row]) -> list[Row]:
        """New rows, all or none; asked once. Raises NotSure when no answer came, else as ``rows`` does."""
        try:
            return self._listed(path, self._once(f"POST {path}", lambda: self._request(path).post(list(rows))))
        except Failed as cause:
            raise NotSure(host=self.host, what=f"POST {path}", why=cause.why) from cause

    # ----------------------------------------------------------------------- one request

    def _request(self, path: str, filters: Mapping[str, Any] | None = None, *, limit: int = 0) -> Request:
        from pynetbox.core.query import Request  # as above

        return Request(
            base=f"{self._api.base_url}/{path}/",
            http_session=self._session,
            token=self._api.token,
            filters=dict(filters or {}),
            limit=limit or None,
            offset=0 if limit else None,
        )

    def _page(self, path: str, filters: Mapping[str, Any], limit: int) -> tuple[list[Row], int]:
        """Rows of one page, and how many there are from here to the end. A page cut short is asked for again."""

        def ask() -> tuple[list[Row], int]:
            request = self._request(path, filters, limit=limit)
            page = list(request.get())
            count = request.count
            if not isinstance(count, int) or isinstance(count, bool) or count < len(page):
                raise self._lie(path, f"it holds {len(page)} rows and says {short(str(count))}")
            if count and not page:
                raise Failed("the page came without its rows")
            return page, count

        return self._tried(f"GET {path}", ask)

    def _tried(self, what: str, ask: Callable[[], T]) -> T:
        wait_s = self.patience.first_wait_s
        for left in range(self.patience.tries - 1, -1, -1):
            try:
                return self._once(what, ask)
            except Failed as cause:
                if not left:
                    raise NetboxUnavailable(host=self.host, what=what, why=cause.why) from cause
                self._sleep(min(max(wait_s, cause.wait_s), self.patience.most_wait_s))
                wait_s *= 2
        raise AssertionError

    def _once(self, what: str, ask: Callable[[], T]) -> T:
        """One try, with every failure as one of ours."""
        from pynetbox.core.query import AllocationError, ContentError, RequestError  # as above

        try:
            return ask()
        except (RequestError, AllocationError) as cause:
            raise self._refused(what, cause.req) from cause
        except (ContentError, KeyError, TypeError, AttributeError, RecursionError, ValueError) as cause:
            raise self._lie(what, "it is not what a NetBox answers") from cause

    def _refused(self, what: str, answer: requests.Response) -> ExpectedError:
        why = _reason(answer)
        if answer.status_code in (401, 403):
            return NetboxForbids(host=self.host, what=what, why=why)
        return NetboxRefuses(host=self.host, what=what, status=answer.status_code, why=why)

    def _listed(self, path: str, answer: object) -> list[Row]:
        if not isinstance(answer, list) or not all(isinstance(one, dict) for one in answer):
            raise self._lie(path, "it should be a list of objects")
        return answer

    def _lie(self, what: str, why: str) -> NetboxLies:
        return NetboxLies(host=self.host, what=what, why=why)


def _reason(answer: requests.Response) -> str:
    """What the server says in JSON, shortened; texts of other kinds are not repeated."""
    if not answer.headers.get("Content-Type", "").startswith("application/json"):
        return f"status {answer.status_code}"
    try:
        told = json.loads(answer.content)
    except (ValueError, RecursionError):
        return f"status {answer.status_code}"
    if isinstance(told, dict) and isinstance(told.get("detail"), str):
        return short(told["detail"])
    return short(json.dumps(told, ensure_ascii=False))


def short(text: str) -> str:
    """What a stranger says, as one printable line of bounded length."""
    one_line = "".join(char if char.isprintable() else " " for char in text)
    return one_line if len(one_line) <= 200 else one_line[:200] + "..."
