"""What can be tried of a runbook on lab hosts, and when a trial passed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from orchestrator.core.runbook import Baseline, Effect, Need, Role, RoleSource, Runbook, Step
from orchestrator.core.trial import (
    Finding,
    Ground,
    StepTrial,
    Trial,
    Tried,
    Unseen,
    cannot_try,
    ground_of,
    left_untried,
    no_way_back,
    not_looked_at,
)
from tests.orchestrator.core.builders import STEPS, a_runbook

BY_HAND = Step(
    name="desk", title="Desk", on="source", effect=Effect.ONCE, checklist=("Done",), undo_checklist=("Back",)
)
OF_A_TOOL = replace(STEPS[2], external=True)


def in_role(machine: RoleSource) -> Runbook:
    return replace(a_runbook(), roles=(*a_runbook().roles, Role(name="other", machine=machine)))


def test_what_the_lab_has_no_machine_for_is_refused_with_the_reason() -> None:
    assert cannot_try(a_runbook()) == cannot_try(in_role(RoleSource.VAULT)) == cannot_try(in_role(RoleSource.GATEWAY))
    assert cannot_try(replace(a_runbook(), procedure=True)) == ""
    assert cannot_try(in_role(RoleSource.TOOL)) == "the lab has no machine in the role tool"
    alone = replace(a_runbook((BY_HAND,)), baseline=Baseline(on="source", checklist=("How it is",)))
    assert cannot_try(alone) == "all of it is done by people"
    windows = replace(a_runbook(), needs=(Need(fact="os_name", values=("Windows*", "Microsoft Windows*")),))
    assert cannot_try(windows, {"win_copy"}).endswith("the protocol double has no model of win_copy")
    assert cannot_try(windows, {"kahn_windows_seat"}) == "" and ground_of(windows) is Ground.DOUBLE
    beside = replace(windows, roles=in_role(RoleSource.VAULT).roles)
    assert cannot_try(beside, {"kahn_windows_seat"}) == "the lab has no machine in the role vault"
    either = replace(a_runbook(), needs=(Need(fact="os_name", values=("Windows*", "Debian*")),))
    assert cannot_try(either) == ""


def test_kahns_own_boot_server_is_a_tool_that_the_lab_has() -> None:
    other = replace(in_role(RoleSource.TOOL), steps=(OF_A_TOOL,))
    boots = replace(other, boots=True)
    assert (ground_of(boots), cannot_try(boots)) == (Ground.BARE, "")
    assert (ground_of(other), cannot_try(other)) == (Ground.HOSTS, "the lab has no machine in the role tool")
    assert left_untried(OF_A_TOOL, with_tool=True) == "" and left_untried(BY_HAND, with_tool=True)


def test_what_fills_the_installed_machine_is_not_seen_from_outside_and_refused() -> None:
    roles = (*in_role(RoleSource.TOOL).roles, Role(name="new", machine=RoleSource.SUCCESSOR))
    fills = replace(a_runbook((replace(STEPS[1], on="new"),)), roles=roles, boots=True)
    assert "step copy changes the installed machine" in cannot_try(fills)


def test_steps_of_people_and_tools_are_not_played_and_say_so() -> None:
    assert (left_untried(BY_HAND), left_untried(OF_A_TOOL)) == ("a person does it", "another tool does it")
    assert [left_untried(step) for step in STEPS] == ["", "", ""]
    assert left_untried(replace(STEPS[1], only_with="domain")) == "it is about a domain, and the lab has none"


def test_only_a_step_that_changes_something_needs_an_undo_to_be_disturbed() -> None:
    assert [no_way_back(step) for step in STEPS] == ["", "", ""]
    assert no_way_back(replace(STEPS[1], undo="", no_return=True)) == "it has no undo"


@pytest.mark.parametrize(
    ("verdict", "passed"),
    [(Tried.WELL, True), (Tried.NOT_TRIED, True), (Tried.DIFFERS, False), (Tried.BROKEN, False)],
)
def test_one_bad_finding_anywhere_fails_the_trial(verdict: Tried, passed: bool) -> None:
    well, one = Finding(verdict=Tried.WELL), Finding(verdict=verdict)
    for step in (
        StepTrial(step="a", forward=one, failed=well, killed=well),
        StepTrial(step="a", forward=well, failed=one, killed=well),
        StepTrial(step="a", forward=well, failed=well, killed=one),
        StepTrial(step="a", forward=well, cut=one),
    ):
        assert Trial(runbook="r", steps=(step,), back=well).passed is passed
    assert Trial(runbook="r", steps=(), back=one).passed is passed
    assert Trial(runbook="r", steps=(), back=well, after=one).passed is passed
    assert Trial(runbook="r", steps=(), back=well, service=one).passed is passed
    assert Trial(runbook="r", steps=(), back=well, tree=one).passed is passed


def test_what_is_not_looked_at_depends_on_what_the_lab_has_for_the_runbook() -> None:
    seat, gateway = not_looked_at(a_runbook()), not_looked_at(in_role(RoleSource.GATEWAY))
    assert not_looked_at(a_runbook(), Ground.DOUBLE)[0] is Unseen.WINDOWS
    assert Unseen.REAL_MACHINES in not_looked_at(a_runbook(), Ground.BARE)
    procedure = not_looked_at(replace(in_role(RoleSource.GATEWAY), procedure=True))
    assert Unseen.SERVICES in seat and Unseen.EMPTY_GATEWAY not in seat
    assert set(gateway) - set(seat) == {Unseen.EMPTY_GATEWAY}
    assert Unseen.OTHER_DATABASES in procedure and not {Unseen.SERVICES, Unseen.EMPTY_GATEWAY} & set(procedure)
