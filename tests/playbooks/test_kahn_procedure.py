"""The move of a procedure with real programs on this machine: forward, back, and broken at every request."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.playbooks.modules import Trouble, module, shared
from tests.playbooks.procedures import CONFIGURATION, JOB, Trio, tree

mover, talks = module("kahn_procedure"), shared("kahn_talk")
BLOCK = shared("kahn_parcel").BLOCK


def act(trio: Trio, state: str) -> dict[str, Any]:
    """One step as a playbook asks for it; its answer."""
    with mover.Crew(trio.asked, roots=trio.roots) as crew:
        return dict(mover.ACTS[state](crew)[1])


@pytest.fixture
def trio(tmp_path: Path) -> Iterator[Trio]:
    with Trio(tmp_path) as made:
        yield made


def _nothing_can_be_tidied(monkeypatch: pytest.MonkeyPatch) -> None:
    real = talks.Talk.ask

    def ask(self: Any, what: str, **facts: Any) -> Any:
        if what == "db_tidy":
            raise Trouble("database_refused", "Not now.")
        return real(self, what, **facts)

    monkeypatch.setattr(talks.Talk, "ask", ask)


def test_a_procedure_moves_and_comes_back_with_what_was_written_meanwhile(
    trio: Trio, monkeypatch: pytest.MonkeyPatch
) -> None:
    before_old, before_new, before_gate = tree(trio.old), tree(trio.new), tree(trio.gate)
    for state in ("fit", "prepared", "copied"):
        act(trio, state)
    assert trio.write("vor dem Umzug")
    (who_has_what_open,) = [one / "open-files" for one in (trio.old / "var/lib/kahn").iterdir() if one.is_dir()]
    who_has_what_open.write_text("person-1 = anna: vi (7) /srv/wohngeld/x")
    _nothing_can_be_tidied(monkeypatch)
    told = act(trio, "moved")
    assert not who_has_what_open.exists(), "people's names stay nowhere because a database could not be dropped"
    assert trio.seen() == "new" and told["databases"]["/srv/wohngeld/wohngeld.db"]["rows"] == 63
    assert (trio.new / JOB.lstrip("/")).exists() and not (trio.old / JOB.lstrip("/")).exists()
    assert "127.0.0.3\n" in (conf := (trio.new / CONFIGURATION.lstrip("/")).read_text()) and "127.0.0.20\n" in conf
    act(trio, "proven")
    assert trio.write("nach dem Umzug")
    act(trio, "returned")
    assert trio.seen() == "old" and trio.marks(trio.old) == ["nach dem Umzug", "vor dem Umzug"]
    act(trio, "uncopied")
    act(trio, "unprepared")
    after = tree(trio.old)
    differs = {name for name in after if after[name] != before_old.get(name)}
    assert differs == {"srv/wohngeld/wohngeld.db"} | {
        f"srv/wohngeld/docs/Bescheid {one} dem Umzug" for one in ("vor", "nach")
    }
    assert (tree(trio.new), tree(trio.gate)) == (before_new, before_gate)


def test_a_new_server_that_reaches_less_than_the_old_one_is_refused(
    trio: Trio, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = talks.Talk.answer

    def answer(talk: Any) -> Any:
        told = real(talk)
        if "silent" in told:
            told = {"silent": ["both:1", "mail:25"] if talk.name == "target" else ["both:1"]}
        return told

    monkeypatch.setattr(talks.Talk, "answer", answer)
    with pytest.raises(Trouble) as found:
        act(trio, "fit")
    assert (found.value.cause, found.value.facts["interfaces"]) == ("interface_unreachable", ["mail:25"])


def test_a_service_that_runs_on_the_new_server_already_is_found_before_anything_is_carried(
    trio: Trio, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, real = tree(trio.new), talks.Talk.answer

    def answer(talk: Any) -> Any:
        told = real(talk)
        return {**told, "runs": True} if talk.name == "target" and "brought" in told else told

    monkeypatch.setattr(talks.Talk, "answer", answer)
    with pytest.raises(Trouble, match="already runs on the new server") as found:
        act(trio, "fit")
    assert found.value.cause == "two_writers" and tree(trio.new) == before


def kill_with_children(pid: int) -> None:
    """The program behind a session and what it started, as when a machine is lost."""
    for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
        kill_with_children(int(child))
    os.kill(pid, signal.SIGKILL)


def test_a_new_server_that_is_lost_in_the_cut_over_does_not_keep_the_old_one_from_serving(
    trio: Trio, monkeypatch: pytest.MonkeyPatch
) -> None:
    for state in ("prepared", "copied"):
        act(trio, state)
    real = mover.relay

    def relay(giver: Any, taker: Any, *asked: Any, **how: Any) -> Any:
        kill_with_children(taker._program.pid)
        taker._program.wait()
        return real(giver, taker, *asked, **how)

    monkeypatch.setattr(mover, "relay", relay)
    with pytest.raises(Trouble) as found:
        act(trio, "moved")
    assert found.value.cause == "target_failed" and found.value.facts["restored"] and trio.seen() == "old"


@pytest.mark.parametrize("lost", ["source", "target"])
def test_a_first_copy_whose_line_breaks_is_tried_again_and_goes_on_inside_the_file(
    trio: Trio, monkeypatch: pytest.MonkeyPatch, lost: str
) -> None:
    (trio.old / "srv/wohngeld/docs/Abbild").write_bytes(os.urandom(40 * BLOCK))
    act(trio, "prepared")
    real, passed, sent = talks.Talk.frame, [0], [0]

    def frame(talk: Any) -> Any:
        kind, body = real(talk)
        if talk.name == "source" and kind == b"D":
            passed[0] += 1
            sent[0] += len(body)
            if passed[0] == 20:
                broken = talk if lost == "source" else trio_talks[-1]
                kill_with_children(broken._program.pid)
                broken._program.wait()
        if lost == "source" and passed[0] == 20:
            passed[0] += 1
            raise Trouble("source_unreachable", "The line is cut.")
        return kind, body

    trio_talks: list[Any] = []
    begun = talks.Talk.__init__

    def begin(talk: Any, *words: Any) -> None:
        begun(talk, *words)
        if talk.name == "target":
            trio_talks.append(talk)

    def lose(talk: Any) -> Any:
        return Trouble(talk.name + "_unreachable", "The line is cut.")

    monkeypatch.setattr(talks.Talk, "__init__", begin)
    monkeypatch.setattr(talks.Talk, "frame", frame)
    monkeypatch.setattr(talks.Talk, "_lost", lose)
    monkeypatch.setattr(mover, "patiently", partial(talks.patiently, pauses=(0, 1, 1)))
    act(trio, "copied")
    copied = trio.new / "srv/wohngeld/docs/Abbild"
    assert copied.read_bytes() == (trio.old / "srv/wohngeld/docs/Abbild").read_bytes()
    assert sent[0] < (45 if lost == "source" else 50) * BLOCK
    assert not list(trio.new.rglob(".kahn-new-*"))


class Killed(BaseException):
    """The controller is gone: nothing of the module's own runs any more."""


@contextmanager
def broken(number: int, error: BaseException) -> Iterator[list[str]]:
    """Within: the request of that number is not sent, once; the names of those before it."""
    talk, asked = talks.Talk, []
    real = talk.request

    def request(self: Any, what: str, **facts: Any) -> None:
        asked.append(f"{self.name}: {what}")
        if len(asked) == number:
            raise error
        real(self, what, **facts)

    talk.request = request
    try:
        yield asked
    finally:
        talk.request = real


def requests_of(trio: Trio, state: str) -> int:
    with broken(0, Killed()) as asked:
        act(trio, state)
    return len(asked)


def writing(trio: Trio, mark: str) -> set[str]:
    return {mark} if trio.write(mark) else set()


def through_every_request(trio: Trio, *, killed: bool, step: int) -> list[str]:
    """Moved with a break at each request and taken back; what went wrong, and all that was acknowledged is checked."""
    for state in ("prepared", "copied"):
        act(trio, state)
    count = requests_of(trio, "moved")
    act(trio, "returned")
    kept, wrong = set[str](), []
    for number in range(1, count + 1, step):
        kept |= writing(trio, f"vor {number}")
        error = Killed() if killed else Trouble("forced", "As the test wants it.")
        with broken(number, error) as asked, suppress(Killed, Trouble):  # the last request is one that may fail
            act(trio, "moved")
        assert len(asked) >= number
        kept |= writing(trio, f"nach {number}")
        act(trio, "returned")
        marks = trio.marks(trio.old)
        if trio.seen() != "old" or set(marks) - kept or len(marks) != len(set(marks)) or kept - set(marks):
            wrong.append(f"{number} ({asked[number - 1]}): {trio.seen()} {kept ^ set(marks)}")
    return wrong


def test_a_move_whose_controller_is_killed_goes_back_without_a_lost_write(trio: Trio) -> None:
    assert through_every_request(trio, killed=True, step=19) == []


@pytest.mark.long
@pytest.mark.parametrize("killed", [False, True])
def test_a_move_that_breaks_at_any_request_goes_back_without_a_lost_write(trio: Trio, killed: bool) -> None:
    assert through_every_request(trio, killed=killed, step=1) == []


COUNTED = """#!/bin/sh
case "$*" in *list*) cat <<'END'
{"nftables": [{"set": {"name": "four", "elem": [
 {"elem": {"val": "10.0.0.7", "timeout": 86400, "expires": 86390, "counter": {"packets": 4}}},
 {"elem": {"val": "10.9.9.9", "timeout": 86400, "expires": 86390, "counter": {"packets": 2}}}]}}]}
END
;; *delete*) echo gone >>"$0.log";; *) cat >>"$0.log";; esac
"""


def test_while_it_soaks_those_who_ask_the_old_server_are_told_and_at_its_end_nobody_counts(tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    program = tmp_path / "bin/nft"
    program.write_text(COUNTED)
    program.chmod(0o755)
    path = [f"PATH={tmp_path}/bin:{os.environ['PATH']}"]
    with Trio(tmp_path / "trio", environment={"source": path}) as trio:
        for state in ("prepared", "copied", "waited", "moved"):
            act(trio, state)
        with mover.Crew({**trio.asked, "known": [["10.0.0.7", "kasse"]]}, roots=trio.roots) as crew:
            found = mover.ACTS["asked"](crew)[1]["asked_old"]
            assert [(one["name"], one["count"]) for one in found["machines"]] == [("kasse", 4)]
            assert found["others"]["count"] == 2 and "10.9.9.9" not in str(found)
            mover.ACTS["settled"](crew)
    assert f"tcp dport {trio.port}" in (log := (tmp_path / "bin/nft.log").read_text()) and log.endswith("gone\n")
