"""Tests give a loaded machine its time, and take ports that nobody can take from them."""

from __future__ import annotations

import re

from tests.house.sources import ROOT, nothing_in, python_files

LEAST_S = 20
"""A program that ends in a moment may need so long while others work on the machine; only what hangs needs longer."""
_BOUND = re.compile(
    r"\b(?:wait|join|communicate|run|until|wait_until)\(.*\b(?:timeout|within|within_s|seconds)=(\d+(?:\.\d+)?)\)"
)
TRIES_AGAIN = {"tests/sshd.py"}
"""Its program cannot be given a socket and cannot say which port it took; it takes another when it is gone."""


def test_the_rule_itself_knows_a_short_bound() -> None:
    lines = (
        "late.wait(timeout=10)",
        "run(words, check=True, timeout=7.5)",
        "until(lambda: here(), within_s=3)",
        "wait()",
    )
    assert [_BOUND.findall(line) for line in lines] == [["10"], ["7.5"], ["3"], []]


def test_nobody_waits_so_briefly_for_what_must_come_that_a_loaded_machine_cannot_keep_up() -> None:
    found = (
        (path, number, line.strip())
        for path in python_files("tests")
        if path.name != "test_patience.py"
        for number, line in enumerate((ROOT / path).read_text(encoding="utf-8").splitlines(), start=1)
        if any(float(bound) < LEAST_S for bound in _BOUND.findall(line))
    )
    nothing_in(f"{path}:{number}: {line}" for path, number, line in found)


def test_a_port_is_not_chosen_first_and_taken_later() -> None:
    choosing = re.compile(r"def _?(?:free|unused)_port")
    found = (path for path in python_files("tests") if choosing.search((ROOT / path).read_text(encoding="utf-8")))
    nothing_in({str(path) for path in found} - TRIES_AGAIN)
