"""Reads a run's spool: only complete lines, each checked, and a reason when they cannot be trusted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from orchestrator.run_ports import SpoolLine
from orchestrator.supervisor.files import parse_checked

_OWN_MEMBERS = frozenset({"seq", "wall_us", "kind", "host"})


@dataclass(frozen=True, slots=True, kw_only=True)
class SpoolContent:
    """The trusted lines behind an offset, and the offset behind the last of them. ``damaged`` says why more is not."""

    lines: tuple[SpoolLine, ...]
    offset: int
    last_seq: int
    damaged: str


def read_spool(content: bytes, *, offset: int) -> SpoolContent:
    """All of the spool is checked each time, so that damage is never forgotten; lines before ``offset`` are left out.

    Bytes behind the last newline are a line still being written, or torn by a crash: they are not read. A last line
    that is complete but wrong is torn as well; a wrong line, or a gap, before others is damage.
    """
    lines: list[SpoolLine] = []
    place, seq, damaged = 0, 0, ""
    whole = content.split(b"\n")[:-1]
    for number, raw in enumerate(whole, start=1):
        line = _parse(raw)
        if line is None:
            damaged = f"line {number} fails its checksum" if number < len(whole) else ""
            break
        if line.seq != seq + 1:
            damaged = f"line {number} bears number {line.seq} instead of {seq + 1}"
            break
        seq, place = line.seq, place + len(raw) + 1
        if place > offset:
            lines.append(line)
    return SpoolContent(lines=tuple(lines), offset=max(place, offset), last_seq=seq, damaged=damaged)


def _parse(raw: bytes) -> SpoolLine | None:
    try:
        content = parse_checked(raw)
    except (ValueError, RecursionError):
        return None
    return _line(content)


def _line(content: Mapping[str, Any]) -> SpoolLine | None:
    seq, wall_us, kind, host = (content.get(name) for name in ("seq", "wall_us", "kind", "host"))
    if not (isinstance(seq, int) and isinstance(wall_us, int) and isinstance(kind, str) and isinstance(host, str)):
        return None
    fields = {name: value for name, value in content.items() if name not in _OWN_MEMBERS}
    return SpoolLine(seq=seq, wall_us=wall_us, kind=kind, host=host, fields=fields)
