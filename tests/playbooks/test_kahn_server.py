"""A server moves as a whole between two roots: forward, back, and broken at every request."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from tests.playbooks.modules import Trouble, shared
from tests.playbooks.two_hosts import HOSTILE, NEW_ADDRESS, OLD_ADDRESS, Two, lose, server, tree

talks = shared("kahn_talk")


@pytest.fixture
def two(tmp_path: Path) -> Two:
    return Two(tmp_path)


def test_it_arrives_whole_and_what_must_stay_stays(two: Two) -> None:
    told = two.act("fit")
    assert "/etc/kasse.conf" in told["configuration"] and "/var/lib/kasse" in told["data"]
    for state in ("prepared", "copied", "moved", "proven"):
        two.act(state)
    there = {name for name in HOSTILE if (two.new / "srv" / name).read_text() == name}
    assert there == set(HOSTILE) and (two.new / "srv/schon da").exists()
    assert (two.new / "srv/zweiter Name").samefile(two.new / "srv" / HOSTILE[0])
    assert (two.new / "var/lib/kasse/loch").stat().st_blocks < 2048
    assert (two.new / "etc/kasse.conf").read_text() == f"listen {NEW_ADDRESS}:80\nnot {OLD_ADDRESS}0\n"
    assert (two.new / "etc/motd").read_text() == "welcome to the old host\n"
    assert (
        "amt:x:1500" in (two.new / "etc/passwd").read_text() and "bau:x:1600:amt" in (two.new / "etc/group").read_text()
    )
    for name in ("etc/machine-id", "root/.ssh/authorized_keys"):
        assert "neu" in (two.new / name).read_text()
    assert not (two.new / "etc/fstab").exists() and not (two.new / "etc/ssh").exists()


def test_it_comes_back_with_what_was_written_meanwhile_and_the_new_host_is_as_before(two: Two) -> None:
    old, new = tree(two.old), tree(two.new)
    for state in ("prepared", "copied", "moved"):
        two.act(state)
    (two.new / "srv/neu").write_text("written on the new host\n")
    (two.new / "srv" / HOSTILE[2]).unlink()
    for state in ("returned", "uncopied", "unprepared"):
        two.act(state)
    after = tree(two.old)
    assert after.pop("srv/neu") and old.pop(f"srv/{HOSTILE[2]}")
    assert ignoring_folders(after) == ignoring_folders(old) and tree(two.new) == new


def ignoring_folders(found: dict[str, tuple[object, ...]]) -> dict[str, tuple[object, ...]]:
    return {name: one for name, one in found.items() if name not in ("srv", "var/lib")}


@pytest.mark.skipif(os.getuid() != 0, reason="only root gives files to others")
def test_files_of_a_packages_account_belong_to_it_on_both_hosts_whatever_its_number(two: Two) -> None:
    for root, row in ((two.old, "mysql:x:{0}:{0}::/:/bin/false\n"), (two.new, "messagebus:x:{0}:{0}::/:/bin/false\n")):
        with (root / "etc/passwd").open("a") as people, (root / "etc/group").open("a") as groups:
            people.write(row.format(110))
            groups.write(row.split(":")[0] + ":x:110:\n")
    os.chown(two.old / "var/lib/kasse/loch", 110, 110)
    assert two.act("fit")["renumbered"] == 2
    for state in ("prepared", "copied", "moved"):
        two.act(state)
    there = (two.new / "var/lib/kasse/loch").stat()
    assert (there.st_uid, there.st_gid) == (999, 999) and "mysql:x:999:999:" in (two.new / "etc/passwd").read_text()
    (two.new / "var/lib/kasse/auf dem neuen").touch()
    os.chown(two.new / "var/lib/kasse/auf dem neuen", 999, 999)
    for state in ("returned", "uncopied", "unprepared"):
        two.act(state)
    assert {(one.stat().st_uid, one.stat().st_gid) for one in (two.old / "var/lib/kasse").iterdir()} == {(110, 110)}
    assert "mysql" not in (two.new / "etc/passwd").read_text()


@pytest.mark.parametrize("nth", [20, *(pytest.param(nth, marks=pytest.mark.long) for nth in (8, 27))])
def test_wherever_it_breaks_off_the_undo_finds_everything_as_before(
    two: Two, nth: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, new = tree(two.old), tree(two.new)
    real, count = talks.Talk.request, [0]

    def request(talk: Any, what: str, **facts: Any) -> None:
        count[0] += 1
        if count[0] == nth:
            lose(talk)
        real(talk, what, **facts)

    monkeypatch.setattr(talks.Talk, "request", request)
    with pytest.raises(Trouble) as lost:
        for state in ("prepared", "copied", "moved"):
            two.act(state)
    assert lost.value.cause in ("source_failed", "target_failed")
    monkeypatch.setattr(talks.Talk, "request", real)
    for state in ("returned", "uncopied", "unprepared"):
        two.act(state)
    assert (tree(two.old), tree(two.new)) == (old, new)


@pytest.mark.parametrize(("what", "serves"), [("take", True), ("prints", True), ("open", False)])
def test_a_new_host_that_is_lost_before_it_served_does_not_keep_the_old_one_from_serving(
    two: Two, what: str, serves: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    two.act("prepared")
    two.act("copied")
    real = talks.Talk.request

    def request(talk: Any, asked: str, **facts: Any) -> None:
        if talk.name == "target" and asked == what:
            lose(talk)
        real(talk, asked, **facts)

    monkeypatch.setattr(talks.Talk, "request", request)
    with pytest.raises(Trouble) as lost:
        two.act("moved")
    assert lost.value.facts["restored"] is serves
    with server.Pair(asked_of(two), roots={"source": str(two.old)}) as pair:
        assert pair.source.ask("look")["fenced"] is not serves


def test_what_somebody_else_put_there_stops_the_undo_before_it_begins(two: Two) -> None:
    two.act("prepared")
    two.act("copied")
    (two.new / "home/amt/fremd").write_text("of somebody else\n")
    before = tree(two.new)
    with pytest.raises(Trouble) as stopped:
        two.act("uncopied")
    assert stopped.value.cause == "foreign_files" and tree(two.new) == before


def test_a_number_that_somebody_else_has_is_refused_before_anything_begins(two: Two) -> None:
    with (two.new / "etc/passwd").open("a") as opened:
        opened.write("fremd:x:1500:1500::/home/fremd:/bin/sh\n")
    before = tree(two.new)
    for state in ("fit", "prepared"):
        with pytest.raises(Trouble) as refused:
            two.act(state)
        assert refused.value.cause == "accounts_differ" and "amt (1500)" in refused.value.says
    assert tree(two.new) == before


def test_two_hosts_that_both_serve_are_not_touched(two: Two) -> None:
    for state in ("prepared", "copied", "moved"):
        two.act(state)
    with server.Pair(asked_of(two), roots={"source": str(two.old), "target": str(two.new)}) as pair:
        pair.source.ask("open")
    with pytest.raises(Trouble) as refused:
        two.act("moved")
    assert refused.value.cause == "two_writers"
    for state in ("copied", "uncopied", "unprepared"):
        with pytest.raises(Trouble) as refused:
            two.act(state)
        assert refused.value.cause == "already_moved"


def asked_of(two: Two) -> dict[str, Any]:
    return {"asset": "srv-1", "ssh": dict.fromkeys(("source", "target"), two.ssh), "machines": {}}
