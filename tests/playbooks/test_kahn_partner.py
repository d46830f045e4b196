"""Machines of other procedures that lead to the one that moves: re-pointed, tried from there, and put back."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.playbooks.modules import Trouble, cause, module, shared
from tests.playbooks.procedures import Trio, tree

mover, partners = module("kahn_procedure"), shared("kahn_partner")
FILE = "/etc/kasse/interface.conf"


class Quartet(Trio):
    """The three roots and a fourth: the cash desk, whose file names the old server."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.desk = self.place / "desk"
        (self.desk / "etc/kasse").mkdir(parents=True)
        (self.desk / "var/lib").mkdir(parents=True)
        self.reached, self.test = True, list[str]()
        self.config = self.desk / FILE.lstrip("/")
        self.config.write_text("url=http://127.0.0.2/ other=127.0.0.20\n")
        os.utime(self.config, ns=(7, 7))

    @property
    def asked(self) -> dict[str, Any]:
        asked = super().asked
        reload = ["sh", "-c", "echo read >>$SIDE/reloads"]
        described = {"machine": "srv-kasse", "files": [FILE], "reload": reload, "port": 0, "test": self.test}
        asked["settings"]["points_here"] = [described]
        there = ["env", f"SIDE={self.desk}", "sh", "-c"]
        asked["ssh"]["partner_1"] = there if self.reached else ["sh", "-c", "echo no route >&2; exit 255"]
        return asked

    @property
    def roots(self) -> dict[str, str]:
        return {**super().roots, "partner_1": str(self.desk)}

    def act(self, state: str) -> dict[str, Any]:
        with mover.Crew(self.asked, roots=self.roots) as crew:
            return dict(mover.ACTS[state](crew)[1])

    def reloads(self) -> int:
        told = self.desk / "reloads"
        return len(told.read_text().splitlines()) if told.exists() else 0


@pytest.fixture
def quartet(tmp_path: Path) -> Iterator[Quartet]:
    made = Quartet(tmp_path)
    with made:
        yield made


def test_a_partner_is_re_pointed_with_the_switch_and_put_back_to_the_very_bytes_and_time(quartet: Quartet) -> None:
    before = tree(quartet.desk)
    for state in ("fit", "prepared", "copied", "moved", "proven"):
        quartet.act(state)
    assert quartet.config.read_text() == "url=http://127.0.0.3/ other=127.0.0.20\n" and quartet.reloads() == 1
    quartet.config.write_text("url=http://127.0.0.2/\n")
    assert cause(quartet.act, "proven") == "not_moved"
    quartet.act("moved")  # again: whoever was killed in between goes on there
    quartet.act("proven")
    quartet.config.write_text("url=http://127.0.0.3/ other=127.0.0.20\n")
    quartet.act("returned")
    (quartet.desk / "reloads").unlink()
    assert quartet.seen() == "old" and tree(quartet.desk) == before
    assert not (quartet.desk / "var/lib/kahn/srv-1/switched").exists()


def test_what_cannot_be_re_pointed_is_found_before_anything_is_touched(quartet: Quartet) -> None:
    old, new = tree(quartet.old), tree(quartet.new)
    quartet.test = ["sh", "-c", "echo kaputt; exit 3"]
    with pytest.raises(Trouble, match=r"srv-kasse: .*code 3: kaputt") as found:
        quartet.act("fit")
    assert (found.value.cause, found.value.facts["machine"]) == ("partner_silent", "srv-kasse")
    quartet.config.write_text("url=http://127.0.0.20/\n")
    assert cause(quartet.act, "fit") == "switch_differs"
    quartet.reached = False
    assert cause(quartet.act, "fit") == "partner_unreachable"
    assert (tree(quartet.old), tree(quartet.new)) == (old, new)


def test_an_interface_that_does_not_work_afterwards_brings_everything_back(
    quartet: Quartet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(partners, "TRIES", 2)
    before = tree(quartet.desk)
    quartet.test = ["sh", "-c", f"grep -q 127.0.0.2/ $SIDE{FILE}"]  # works with the old server alone
    for state in ("fit", "prepared", "copied"):
        quartet.act(state)
    with pytest.raises(Trouble) as found:
        quartet.act("moved")
    assert (found.value.cause, found.value.facts["restored"]) == ("partner_silent", True)
    (quartet.desk / "reloads").unlink()
    assert quartet.seen() == "old" and tree(quartet.desk) == before


def test_a_partner_that_is_lost_stops_the_cut_over_and_on_the_way_back_keeps_nobody_from_working(
    quartet: Quartet,
) -> None:
    for state in ("fit", "prepared", "copied"):
        quartet.act(state)
    quartet.reached = False
    with pytest.raises(Trouble) as found:
        quartet.act("moved")
    assert found.value.cause == "partner_unreachable" and "restored" not in found.value.facts
    assert quartet.seen() == "old" and not (quartet.gate / "var/lib/kahn/srv-1/writer").exists()
    quartet.reached = True
    quartet.act("moved")
    quartet.reached = False
    assert cause(quartet.act, "returned") == "partner_unreachable" and quartet.seen() == "old"
    assert "127.0.0.3" in quartet.config.read_text()
    quartet.reached = True
    quartet.act("returned")
    assert "127.0.0.3" not in quartet.config.read_text() and quartet.config.stat().st_mtime_ns == 7


def a_partner(root: Path, **described: Any) -> Any:
    (root / "var/lib").mkdir(parents=True, exist_ok=True)
    (root / "etc").mkdir(exist_ok=True)
    (root / "etc/a").write_text("127.0.0.2\n")
    usual = {"machine": "a", "files": ["/etc/a"], "reload": [], "port": 1, "test": []}
    words = {"asset": "srv-1", "root": str(root), "addresses": {"old": "127.0.0.2", "new": "127.0.0.3"}}
    return partners.Partner({**words, "partner": {**usual, **described}})


def test_a_partner_that_was_never_re_pointed_is_left_alone_on_the_way_back(tmp_path: Path) -> None:
    partner = a_partner(tmp_path, reload=["sh", "-c", f"touch {tmp_path}/was-told"])
    assert partner.turn(None, to="old") == {"changed": False}
    assert not (tmp_path / "was-told").exists() and not partner.switch.begun()


@pytest.mark.parametrize(("reload", "says"), [("kahn-no-such-command", "code 127"), ("false", "code 1")])
def test_a_reload_that_fails_is_named_with_its_code(tmp_path: Path, reload: str, says: str) -> None:
    with pytest.raises(Trouble, match=says) as found:
        a_partner(tmp_path, reload=[reload]).turn(None, to="new")
    assert found.value.cause == "partner_refused"


def test_without_a_test_of_its_own_the_port_of_that_side_must_accept(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.3", 0)) as server:
        partner = a_partner(tmp_path, port=server.getsockname()[1])
        assert partner.works(None, where="new", tries=1) == {"tries": 1}
        assert cause(lambda: partner.works(None, where="old", tries=2, gap_s=0)) == "partner_silent"
