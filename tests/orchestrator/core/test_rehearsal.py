"""What may be rehearsed, what it is made of, and what its journal says afterwards."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from inventory.model import AssetId
from orchestrator.core.access import AccessProfile
from orchestrator.core.canonical import plain, restore
from orchestrator.core.domain import DomainSettings
from orchestrator.core.progress import Fact
from orchestrator.core.rehearsal import SIMULATED, Rehearsal, at_once, goes_back, on_lab_hosts, rehearsal_of, why_not
from orchestrator.core.runbook import Role, RoleSource
from orchestrator.core.wave import WaveContent
from tests.orchestrator.core.builders import OPENS, STEPS, Game, a_runbook, a_wave, failing_at
from tests.orchestrator.core.test_opening_check import a_procedures_wave

WAVE = a_wave(batches={"canary": 1, "b1": 1})


def rehearsed(facts: Sequence[Fact], *, where: str = "lab", with_way_back: bool = False) -> Rehearsal:
    return rehearsal_of(WAVE, WAVE, facts, where=where, with_way_back=with_way_back)


def test_a_wave_that_went_well_there_and_back_passes_and_its_runs_were_timed() -> None:
    game = Game(WAVE).play()
    there = rehearsed(game.facts)
    assert (there.moved, there.back, there.passed) == (2, 0, True)
    assert {time.step for time in there.times} == {"", *WAVE.runbook.step_names}
    game.ask_rollback()
    back = rehearsed(game.play().facts, with_way_back=True)
    assert (back.moved, back.back, back.passed) == (2, 2, True)
    assert "undo" in {time.direction.value for time in back.times}


def test_one_asset_that_failed_or_did_not_come_back_spoils_it_and_is_named() -> None:
    failed = rehearsed(Game(WAVE, failing_at("a02", "switch")).play().facts)
    assert not failed.passed and (failed.troubles[0].name, failed.troubles[0].work) == ("apc-a02", "do switch")
    assert not rehearsed(Game(WAVE).play().facts, with_way_back=True).passed


def test_simulated_machines_prove_nothing() -> None:
    facts = Game(WAVE).play().facts
    assert rehearsed(facts).proves and not rehearsed(facts, where=SIMULATED).proves
    assert not rehearsed(facts[:1]).passed
    with pytest.raises(ValueError, match="nothing was written down"):
        rehearsed(())


def test_it_can_be_written_down_and_read_back() -> None:
    found = rehearsed(Game(WAVE, failing_at("a02", "switch")).play().facts)
    assert restore(Rehearsal, plain(found)) == found


def test_what_people_or_tools_do_and_what_the_lab_lacks_is_said_before_anything_is_made() -> None:
    manual = a_runbook((STEPS[0], replace(STEPS[1], playbook="", probe="", undo="", checklist=("Look",))))
    tool = a_runbook((replace(STEPS[0], external=True, probe="p.yml"),))
    gateway = replace(a_runbook(), roles=(Role(name="gw", machine=RoleSource.GATEWAY),))
    assert [why_not(one, simulated=False) for one in (a_runbook(), manual, tool, gateway)] == [
        "",
        "step copy: a person does it",
        "step look: another tool does it",
        "the lab has no machine in the role gateway",
    ]
    assert why_not(gateway, simulated=True) == "" and why_not(manual, simulated=True)


def test_the_way_back_is_played_only_where_every_change_can_be_undone() -> None:
    assert goes_back(a_runbook())
    assert not goes_back(a_runbook((*STEPS[:2], replace(STEPS[2], no_return=True))))
    assert not goes_back(a_runbook((*STEPS[:2], replace(STEPS[2], undo=""))))


def test_the_runbook_and_the_limits_stay_and_only_machines_window_and_waiting_differ() -> None:
    content = replace(WAVE, thresholds=replace(WAVE.thresholds, soak_s=600), approvers_needed=2)
    moves = tuple(replace(WAVE.moves[0], asset=AssetId(f"seat-{n}")) for n in (1, 2, 3))
    lab = on_lab_hosts(content, moves, access=AccessProfile(name="lab", user="root", key_file="/k"), now=OPENS)
    assert [batch.assets for batch in lab.batches] == [("seat-1",), ("seat-2", "seat-3")]
    assert lab.runbook == content.runbook and lab.thresholds == replace(content.thresholds, soak_s=0)
    assert (lab.window.opens, lab.approvers_needed) == (OPENS, 1)
    same = at_once(content, now=OPENS + timedelta(days=9))
    assert same.moves == content.moves and same.batches == content.batches


def test_no_rehearsal_reaches_the_tenants_domain() -> None:
    joins = replace(WAVE.runbook.steps[-1], name="join", only_with="domain")
    runbook = replace(WAVE.runbook, steps=(*WAVE.runbook.steps, joins))
    domain = DomainSettings(realm="AMT.TEST", join_account="kahn-join", secret_file="domain.secret")
    there = at_once(replace(WAVE, runbook=runbook, domain=domain), now=OPENS)
    assert (there.runbook, there.domain) == (WAVE.runbook, None) and why_not(runbook, simulated=True) == ""


def test_a_rehearsal_waits_for_no_morning() -> None:
    wave = a_procedures_wave()
    assert wants_hour(wave) and not wants_hour(at_once(wave, now=OPENS))


def wants_hour(wave: WaveContent) -> bool:
    return any(move.procedure is not None and move.procedure.opens_at for move in wave.moves)
