"""A machine's own name: set from its record, and given back to the byte."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.playbooks.modules import cause, module

hostname = module("kahn_hostname")
HOSTS = "127.0.0.1\tlocalhost\n127.0.1.1\tdebian.local debian\n# am Ende ohne Zeilenende"


def a_machine(root: Path, *, hosts: str | None = HOSTS, name: str | None = "debian\n") -> tuple[Any, list[str]]:
    """Its places, and the name that its kernel has (the last one of the list)."""
    (root / "etc").mkdir(parents=True)
    for path, text in (("etc/hosts", hosts), ("etc/hostname", name)):
        if text is not None:
            (root / path).write_text(text)
    live = ["debian"]
    return hostname.Names(str(root), lambda: live[-1], live.append), live


def texts(root: Path) -> dict[str, bytes]:
    return {one.name: one.read_bytes() for one in (root / "etc").iterdir()}


@pytest.mark.parametrize(
    "hosts",
    [HOSTS, "127.0.0.1 localhost\n", "", None, pytest.param(HOSTS + "\n0.0.0.0 advert\n" * 100_000, id="two MiB")],
)
@pytest.mark.parametrize("name", ["debian\n", None])
def test_the_records_name_is_set_twice_alike_and_every_byte_comes_back(
    tmp_path: Path, hosts: str | None, name: str | None
) -> None:
    places, live = a_machine(tmp_path / "r", hosts=hosts, name=name)
    before = texts(tmp_path / "r")
    base = str(tmp_path / "s")
    assert hostname.make("a1", "NEU-0001", places, base)[0] is True
    assert hostname.make("a1", "NEU-0001", places, base)[0] is False
    assert hostname.check("neu-0001", places) == (False, {"hostname": "neu-0001", "kept": False})
    assert (tmp_path / "r/etc/hostname").read_text() == "neu-0001\n" and live[-1] == "neu-0001"
    assert "127.0.1.1\tneu-0001\n" in (tmp_path / "r/etc/hosts").read_text()
    assert [hostname.unmake("a1", places, base)[0] for _ in range(2)] == [True, False]
    assert texts(tmp_path / "r") == before and live[-1] == "debian"


@pytest.mark.parametrize("name", ["", "PC Müller 3", "a" * 65, "-x", "x\nroot", "{{ 7 }}", "a..b", "neu_1"])
def test_a_record_whose_name_is_no_host_name_changes_nothing(tmp_path: Path, name: str) -> None:
    places, live = a_machine(tmp_path / "r")
    before = texts(tmp_path / "r")
    assert hostname.make("a1", name, places, str(tmp_path / "s"))[1] == {"hostname": "debian", "kept": True}
    assert texts(tmp_path / "r") == before and live == ["debian"]
    assert hostname.check(name, places)[1]["kept"] is True


def test_what_people_wrote_into_the_list_of_hosts_meanwhile_stays(tmp_path: Path) -> None:
    places, _live = a_machine(tmp_path / "r")
    hostname.make("a1", "neu-0001", places, str(tmp_path / "s"))
    with (tmp_path / "r/etc/hosts").open("a") as opened:
        opened.write("10.0.0.7\tdrucker\n")
    hostname.unmake("a1", places, str(tmp_path / "s"))
    text = (tmp_path / "r/etc/hosts").read_text()
    assert "10.0.0.7\tdrucker\n" in text and "127.0.1.1\tdebian.local debian\n" in text and "neu-0001" not in text


def test_a_machine_that_bears_another_name_by_then_is_noticed(tmp_path: Path) -> None:
    places, live = a_machine(tmp_path / "r")
    hostname.make("a1", "neu-0001.amt.example", places, str(tmp_path / "s"))
    assert "127.0.1.1\tneu-0001.amt.example neu-0001\n" in (tmp_path / "r/etc/hosts").read_text()
    live.append("other")
    assert cause(hostname.check, "neu-0001.amt.example", places) == "hostname_differs"


def test_a_list_of_hosts_that_names_the_machine_already_stays_as_it_is(tmp_path: Path) -> None:
    hosts = "127.0.0.1 localhost\n# 127.0.1.1 other\n10.0.0.5 neu-0001 # ihr Platz\n"
    places, _live = a_machine(tmp_path / "r", hosts=hosts)
    hostname.make("a1", "neu-0001", places, str(tmp_path / "s"))
    assert (tmp_path / "r/etc/hosts").read_text() == hosts
    hostname.unmake("a1", places, str(tmp_path / "s"))
    assert (tmp_path / "r/etc/hosts").read_text() == hosts
