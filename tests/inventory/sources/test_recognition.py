"""A file's format is known by its content, and any content at all is at most an expected error."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory.errors import ExpectedError
from inventory.observation import Reading
from inventory.sources import SOURCES, read_file, recognise
from inventory.sources.limits import FileUnreadable, FormatUnknown
from tests.inventory.builders import JINJA, a_file, merged, nothing_known
from tests.inventory.sources.workbooks import a_workbook, an_archive, parts_with, small_sheet

PIECES = st.sampled_from(
    [
        "Rechnername", "Hostname", "machine", "site", "kind", "from", "needs", ";", ",", "\t", "\n", "\r\n", '"', "'",
        "=", "1,5", "1.024", "Summe", "vm", "{", "}", "[", "]", ":", '"kahn_inventory": 1', '"sites"', '"name"', "null",
        "NaN", "\ufeff", "ü", "\0", "\x1b", JINJA, "10.0.0.1", "RAM (GB)", "\U0001f600",
    ]
)  # fmt: skip


def attempt(content: bytes) -> Reading | None:
    """What any of the sources says of such a file; only expected errors may come out."""
    with tempfile.TemporaryDirectory() as folder:
        path = a_file(Path(folder), content)
        for source in SOURCES:
            try:
                source.recognises(path)
                source.read(path)
            except ExpectedError:
                continue
        try:
            return read_file(path)
        except ExpectedError:
            return None


def test_each_format_is_recognised_whatever_the_file_is_called(tmp_path: Path) -> None:
    files = {
        "rvtools": a_workbook(tmp_path, {"vInfo": [["VM"], ["srv"]]}, "a.csv"),
        "native-json": a_file(tmp_path, '\ufeff {"kahn_inventory": 1}', "b.xlsx"),
        "native-csv": a_file(tmp_path, "SITE;note\nA;b\n", "c.json"),
        "office-csv": a_file(tmp_path, "Liste\nHostname;Raum\npc-1;1\n", "d"),
    }
    assert {name: recognise(path).name for name, path in files.items()} == {name: name for name in files}


@pytest.mark.parametrize("content", [b"", b"GIF89a\x01\x00", b"hello", b"a,b\n1,2\n"])
def test_anything_else_is_of_no_known_format(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(FormatUnknown) as raised:
        recognise(a_file(tmp_path, content, "export.xlsx"))
    assert "native-json" in str(raised.value)


@pytest.mark.parametrize("name", ["CON", "x\u202egpj.csv", "a" * 200, "-rf", "{{ x }}.csv", "a;id.csv"])
def test_the_name_of_a_file_does_not_matter(tmp_path: Path, name: str) -> None:
    assert recognise(a_file(tmp_path, "site\nA\n", name)).name == "native-csv"


def test_a_missing_file_is_an_expected_error(tmp_path: Path) -> None:
    with pytest.raises(FileUnreadable):
        recognise(tmp_path / "../../x")


@given(content=st.binary(max_size=400))
def test_any_bytes_at_all_are_at_most_an_expected_error(content: bytes) -> None:
    attempt(content)


@given(pieces=st.lists(PIECES, max_size=60), encoding=st.sampled_from(["utf-8", "utf-16", "cp1252"]))
def test_any_mixture_of_headings_separators_and_traps_is_read_or_refused(pieces: list[str], encoding: str) -> None:
    reading = attempt("".join(pieces).encode(encoding, "replace"))
    if reading is not None:
        merged(nothing_known(), *reading.observations, *reading.dependencies)


@given(at=st.integers(0, 2_000), byte=st.integers(0, 255), tail=st.binary(max_size=20))
def test_a_damaged_workbook_is_at_most_an_expected_error(at: int, byte: int, tail: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        good = an_archive(Path(folder), parts_with(small_sheet())).read_bytes()
    spot = at % len(good)
    attempt(good[:spot] + bytes([byte]) + good[spot + 1 :] + tail)


@given(inside=st.text(st.sampled_from("<>/=\"' crv&#;x10A"), max_size=60))
def test_any_cells_in_a_sheet_are_at_most_an_expected_error(inside: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        content = an_archive(Path(folder), parts_with(small_sheet(inside))).read_bytes()
    attempt(content)


KEYS = st.sampled_from(
    [
        "ansible_facts", "ansible_hostname", "ansible_mounts", "ansible_interfaces", "facterversion", "networking",
        "dmi", "os", "chef_packages", "memory", "network", "content", "deviceid", "hardware", "bios", "drives",
        "networks", "network_device", "softwares", "itemtype", "hostId", "hardwareClass", "productId", "clientId", "id",
        "type", "result", "server_name", "server_os_family", "tags", "S", "L", "name", "size", "state",
    ]
)  # fmt: skip
LEAVES = st.one_of(st.none(), st.booleans(), st.integers(-5, 10**18), st.floats(0, 1e9), st.text(max_size=8))
TREES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=5), max_leaves=25
)


@given(tree=TREES)
def test_any_json_with_the_keys_of_known_exports_is_at_most_an_expected_error(tree: object) -> None:
    reading = attempt(json.dumps(tree).encode())
    if reading is not None:
        merged(nothing_known(), *reading.observations, *reading.dependencies)
