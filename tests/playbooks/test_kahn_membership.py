"""The module of a domain's steps: one state for each act, and the secret never among its words."""

from __future__ import annotations

import inspect

from tests.playbooks.modules import module, shared

membership, directory = module("kahn_membership"), shared("kahn_directory")


def test_everything_that_is_sent_answers_on_the_successor_and_the_last_one_serves() -> None:
    sent = membership._SENT
    assert sent[-1] is directory and hasattr(sent[-1], "serve")
    names = [one.__name__.rsplit(".", 1)[-1] for one in sent]
    for number, one in enumerate(sent):
        used = {line.split()[1] for line in inspect.getsource(one).splitlines() if line.startswith("    from kahn_")}
        assert used <= set(names[:number]), one.__name__


def test_every_state_has_an_act() -> None:
    work = directory.Work.__new__(directory.Work)
    assert tuple(work.ops()) == directory.STATES
