"""Zeek's logs as JSON, one object a line, in the form in which the tables of ``inventory.sources.zeek`` are."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

TALK = frozenset({"id.orig_h", "id.resp_h", "id.resp_p"})
SERVICE = frozenset({"host", "port_num"})
_LOGS: Mapping[str, str] = {
    "request_type": "kerberos", "server_dns_computer_name": "ntlm", "server_nb_computer_name": "ntlm",
    "share_type": "smb_mapping", "message_id": "ldap", "search_scope": "ldap_search", "conn_state": "conn",
}  # fmt: skip
"""A field that only one log has, and that log, for logs that do not say which they are."""


def is_zeek_json(start: str) -> bool:
    """Whether the first line is an entry of a log that names two ends, or an address with its port."""
    first = _entry(start.split("\n", 1)[0])
    return first.keys() >= TALK or first.keys() >= SERVICE


def json_log(text: str) -> tuple[dict[str, list[str]], Iterator[tuple[int, Mapping[str, str]]]]:
    """Header and lines as a table's: the log's name (``path``) and ``fields``; a line that is no entry is empty."""
    first = _entry(text.split("\n", 1)[0])
    path = first.get("_path") or next((log for field, log in _LOGS.items() if field in first), "")

    def lines() -> Iterator[tuple[int, Mapping[str, str]]]:
        for number, line in enumerate(text.split("\n"), start=1):
            if line.strip():
                yield number, _entry(line)

    return {"path": [path], "fields": list(first)}, lines()


def _entry(line: str) -> dict[str, str]:
    """The plain values of one line as text; nothing for what is no object."""
    try:
        found = json.loads(line, parse_int=_short, parse_constant=lambda _word: None)
    except (ValueError, RecursionError):
        return {}
    if not isinstance(found, dict):
        return {}
    return {str(name)[:60]: text for name, value in found.items() if (text := _text(name, value))}


def _short(digits: str) -> int | None:
    return int(digits) if len(digits) <= 18 else None


def _text(name: str, value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    if name == "ts" and isinstance(value, str):
        return _seconds(value)
    return f"{value:.6f}" if isinstance(value, float) else str(value)


def _seconds(text: str) -> str:
    """A time written ``2017-04-16T21:36:10.494635Z`` as seconds since 1970; anything else as it is."""
    try:
        when = datetime.fromisoformat(text)
    except ValueError:
        return text
    return f"{when.timestamp():.6f}" if when.tzinfo is not None else text
