"""Only complete and checked lines of a spool are believed."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from orchestrator.adapters.spool_reader import read_spool
from orchestrator.supervisor.files import checked_line


def raw(seq: int, **more: Any) -> bytes:
    return checked_line({"seq": seq, "mono_ns": 1, "wall_us": 5, "kind": "ok", "host": "pc-1", **more})


def spool(count: int) -> bytes:
    return b"".join(raw(seq) for seq in range(1, count + 1))


def test_complete_lines_are_read_with_their_fields() -> None:
    found = read_spool(raw(1, rc=3, kahn={"a": 1}), offset=0)
    assert (found.lines[0].seq, found.lines[0].host, found.lines[0].fields["rc"]) == (1, "pc-1", 3)
    assert found.lines[0].fields["kahn"] == {"a": 1}


def test_a_torn_last_line_is_not_read_and_comes_later() -> None:
    whole = spool(3)
    torn = read_spool(whole[:-5], offset=0)
    assert ([line.seq for line in torn.lines], torn.damaged) == ([1, 2], "")
    assert [line.seq for line in read_spool(whole, offset=torn.offset).lines] == [3]


def test_a_complete_but_wrong_last_line_is_torn_too() -> None:
    found = read_spool(spool(2) + b'{"seq":3,"kind":"\n', offset=0)
    assert (len(found.lines), found.damaged) == (2, "")


def test_reserved_room_that_became_part_of_the_file_is_no_line() -> None:
    found = read_spool(spool(2) + b"\0" * 4096, offset=0)
    assert (len(found.lines), found.damaged) == (2, "")


def test_a_wrong_line_before_others_is_damage_and_ends_what_is_believed() -> None:
    content = spool(3).replace(b'"seq":2', b'"seq":7')
    found = read_spool(content, offset=0)
    assert ([line.seq for line in found.lines], found.damaged) == ([1], "line 2 fails its checksum")


def test_a_gap_is_damage() -> None:
    found = read_spool(raw(1) + raw(3) + raw(4), offset=0)
    assert (len(found.lines), found.damaged) == (1, "line 2 bears number 3 instead of 2")


def test_damage_is_found_again_at_each_later_reading() -> None:
    content = raw(1) + raw(3) + raw(4)
    assert read_spool(content, offset=read_spool(content, offset=0).offset).damaged


def test_a_line_forged_without_its_checksum_is_not_believed() -> None:
    forged = b'{"seq":2,"mono_ns":1,"wall_us":1,"kind":"done","host":"pc-1","part":"done","crc32":0}\n'
    assert [line.kind for line in read_spool(raw(1) + forged + raw(3), offset=0).lines] == ["ok"]


@given(count=st.integers(0, 6), cut=st.integers(0, 700))
def test_reading_on_after_any_cut_gives_every_line_exactly_once(count: int, cut: int) -> None:
    whole = spool(count)
    first = read_spool(whole[:cut], offset=0)
    rest = read_spool(whole, offset=first.offset)
    assert [line.seq for line in (*first.lines, *rest.lines)] == list(range(1, count + 1))


@given(count=st.integers(1, 5), place=st.integers(0, 400), value=st.integers(0, 255))
def test_a_changed_byte_never_brings_a_line_that_was_not_written(count: int, place: int, value: int) -> None:
    whole = spool(count)
    place %= len(whole)
    changed = whole[:place] + bytes([value]) + whole[place + 1 :]
    written = read_spool(whole, offset=0).lines
    assert all(line in written for line in read_spool(changed, offset=0).lines)
