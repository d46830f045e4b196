"""A session: questions, answers, streams, and ends that nobody wished for."""

from __future__ import annotations

import io
from contextlib import nullcontext
from types import ModuleType
from typing import Any

import pytest

from tests.playbooks.modules import Trouble, outcome, shared, tree

talk = shared("kahn_talk")
HERE = ["sh", "-c"]
PROGRAM = """
import os
from contextlib import nullcontext
from kahn_outcome import Trouble
from kahn_talk import answer_all
def add(line, one, two): return {"sum": one + two}
def refuse(line): raise Trouble("full_moon", "Not tonight.", nights=3)
def miss(line): os.open("/no/such/file", 0)
def die(line): os._exit(7)
def give(line, count, fails=False):
    for number in range(count): line.send(b"D", bytes([number % 256]) * 70000)
    if fails: raise Trouble("torn", "It tore.")
    return {"gave": count}
def give_and_die(line):
    line.send(b"D", bytes(70000)); line.flush(); os._exit(7)
def take(line, stops=False):
    found = 0
    for kind, body in line.arriving():
        found += len(body)
        if stops: raise OSError(28, "full")
    return {"took": found}
def serve(incoming, outgoing, words): answer_all(incoming, outgoing, nullcontext(globals()))
"""


@pytest.fixture(autouse=True)
def program(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    made = ModuleType("program")
    real = talk.source_of
    monkeypatch.setattr(talk, "source_of", lambda one: PROGRAM if one is made else real(one))
    return made


def a_talk(program: ModuleType, name: str = "source", ssh: list[str] | None = None) -> Any:
    return talk.Talk(ssh or HERE, name, (outcome, tree, talk, program), {})


def failed(act: Any) -> Trouble:
    with pytest.raises(Trouble) as found:
        act()
    return found.value


def test_answers_come_and_failures_keep_cause_facts_and_side(program: ModuleType) -> None:
    one = a_talk(program)
    assert one.ask("add", one=2, two=3) == {"sum": 5}
    told = failed(lambda: one.ask("refuse"))
    assert (told.cause, told.facts, str(told)) == (
        "full_moon",
        {"nights": 3, "side": "source"},
        "The source: Not tonight.",
    )
    assert failed(lambda: one.ask("miss")).cause == "os_error"
    assert one.ask("add", one=1, two=1) == {"sum": 2}
    one.close()


def test_a_program_that_dies_and_a_host_that_is_away_have_their_own_causes(program: ModuleType) -> None:
    dying, away = a_talk(program), a_talk(program, "gateway", ["sh", "-c", "echo no route >&2; exit 255"])
    assert failed(lambda: dying.ask("die")).cause == "source_failed"
    told = failed(lambda: away.ask("add", one=1, two=1))
    assert told.cause == "gateway_unreachable" and "no route" in str(told)
    dying.close()
    away.close()


def test_a_stream_goes_through_and_either_end_may_fail_without_spoiling_the_session(program: ModuleType) -> None:
    one, other = a_talk(program), a_talk(program, "target")
    assert talk.relay(one, other, {"what": "give", "count": 40}, {"what": "take"}) == (
        {"gave": 40},
        {"took": 40 * 70000},
    )
    torn = {"what": "give", "count": 5, "fails": True}
    assert failed(lambda: talk.relay(one, other, torn, {"what": "take"})).cause == "torn"
    full = {"what": "take", "stops": True}
    assert failed(lambda: talk.relay(one, other, {"what": "give", "count": 40}, full)).cause == "disk_full"
    assert talk.relay(one, other, {"what": "give", "count": 1}, {"what": "take"})[1] == {"took": 70000}
    one.close()
    other.close()


def test_when_one_end_of_a_stream_is_lost_the_other_can_still_be_asked(program: ModuleType) -> None:
    for dying in ("giver", "taker"):
        one, other = a_talk(program), a_talk(program, "target")
        lost, kept = (one, other) if dying == "giver" else (other, one)
        assert failed(lambda lost=lost: lost.ask("die")).cause == lost.name + "_failed"
        give, take = {"what": "give", "count": 40}, {"what": "take"}
        told = failed(lambda ends=(one, other), give=give, take=take: talk.relay(*ends, give, take))
        assert told.cause == lost.name + "_failed" and kept.ask("add", one=1, two=1) == {"sum": 2}
        one.close()
        other.close()


def test_a_giver_that_dies_in_the_middle_leaves_the_taker_usable(program: ModuleType) -> None:
    one, other = a_talk(program), a_talk(program, "target")
    told = failed(lambda: talk.relay(one, other, {"what": "give_and_die"}, {"what": "take"}))
    assert told.cause == "source_failed" and other.ask("add", one=1, two=1) == {"sum": 2}
    one.close()
    other.close()


def test_a_frame_that_claims_to_be_huge_is_the_end_of_the_session() -> None:
    line = talk.Line(io.BytesIO(b"D\xff\xff\xff\xff"), io.BytesIO())
    with pytest.raises(talk.Ended):
        line.read()


def test_where_nothing_can_be_opened_every_question_is_answered_with_the_reason() -> None:
    asked, said = io.BytesIO(), io.BytesIO()
    talk.Line(io.BytesIO(), asked).send(b"Q", {"what": "look"})

    class Locked(nullcontext[None]):
        def __enter__(self) -> None:
            raise Trouble("still_working", "Somebody is here.")

    talk.answer_all(io.BytesIO(asked.getvalue()), said, Locked())
    kind, body = talk.Line(io.BytesIO(said.getvalue()), io.BytesIO()).read()
    assert kind == b"F" and b"still_working" in body


def test_a_giver_whose_taker_is_lost_is_not_waited_for_where_nobody_asks_it_again(program: ModuleType) -> None:
    giver, taker = a_talk(program), a_talk(program, "target", ["sh", "-c", "exit 255"])
    taker._program.wait()
    told = failed(lambda: talk.relay(giver, taker, {"what": "give", "count": 10**9}, {"what": "take"}, drains=False))
    assert told.cause == "target_unreachable"
    giver.close()


def test_a_machine_that_falls_silent_is_tried_again_and_its_earlier_program_waited_for() -> None:
    causes, begun = ["still_working", "source_unreachable", "vault_unreachable"], []

    def act() -> str:
        if causes:
            raise Trouble(causes.pop(), "silent")
        return "there"

    assert talk.patiently(act, pauses=(0, 0, 0), anew=lambda: begun.append(1)) == "there" and len(begun) == 3
    for first, pauses in (("source_unreachable", ()), ("still_working", (0, 0)), ("vault_full", (0, 0))):
        causes[:] = ["vault_full", first]
        with pytest.raises(Trouble) as found:
            talk.patiently(act, pauses=pauses)
        assert found.value.cause == first
