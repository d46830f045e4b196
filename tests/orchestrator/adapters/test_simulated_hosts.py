"""Simulated hosts remember what was done to them, and what still works on them."""

from __future__ import annotations

from orchestrator.adapters.simulated_hosts import SimulatedHost


def test_a_host_is_as_before_exactly_when_nothing_of_any_step_is_left() -> None:
    host = SimulatedHost(name="pc-1")
    before = host.fingerprint()
    host.apply_half("copy", "t1")
    assert (host.answer("copy"), host.fingerprint() == before) == ("partial", False)
    host.apply("copy", "t2")
    assert host.answer("copy") == "done"
    host.take_back("copy")
    assert (host.answer("copy"), host.fingerprint()) == ("not_done", before)


def test_a_step_that_is_whole_is_not_made_half() -> None:
    host = SimulatedHost(name="pc-1", whole={"copy": "t1"})
    host.apply_half("copy", "t2")
    assert host.answer("copy") == "done"


def test_a_host_is_quiet_once_the_last_program_has_ended() -> None:
    host = SimulatedHost(name="pc-1", at_work={"t1": 50, "t2": 70})
    assert [host.quiet(now) for now in (40, 60, 70)] == [False, False, True]
