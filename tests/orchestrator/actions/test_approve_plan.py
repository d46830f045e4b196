"""Approving, refusing and withdrawing, with real keys and a real store."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from orchestrator.actions.approve_plan import turn_back_wave
from orchestrator.actions.sign import Intent, sign_act, standing_of
from orchestrator.core.approval import NotADeputy, NotYourOwn, Standing
from orchestrator.core.lifecycle import IllegalTransition, WaveState
from orchestrator.core.ready import NotReady
from orchestrator.core.refusals import SameSide
from orchestrator.core.runbook import Runbook
from orchestrator.core.wave import ActKind, SignedAct
from tests.copied_towns import a_town
from tests.orchestrator.actions.test_sign import insert_by_hand, signed
from tests.towns import STADT, Town, a_keyboard, public_key


def standing(town: Town) -> Standing:
    with town.outside().look() as desk:
        return standing_of(desk, desk.books.waves.get(STADT, "W01"))


def state(town: Town) -> WaveState:
    return town.wave()[0].state


def turn_back(town: Town, kind: ActKind, reason: str = "not yet") -> None:
    with town.outside().desk() as desk:
        wave = desk.books.waves.get(STADT, "W01")
        turn_back_wave(desk, wave, keyboard=town.bert, intent=Intent(kind=kind, reason=reason))


def with_deputy(town: Town, *, of: str) -> None:
    """Bert may stand in for somebody."""
    with town.store.transaction() as books:
        bert = books.people.find(STADT, "bert").id
        books.people.set_deputy(STADT, person=bert, of=books.people.find(STADT, of).id)


def test_another_person_approves_and_the_wave_may_start(tmp_path: Path) -> None:
    town = a_town(tmp_path)
    town.approve(conditions="only with Mr X on site")
    assert (state(town), standing(town).holds) == (WaveState.APPROVED, True)
    assert standing(town).conditions == ("only with Mr X on site",)


def test_the_proposer_cannot_approve_and_nothing_is_kept_of_it(tmp_path: Path) -> None:
    town = a_town(tmp_path)
    with pytest.raises(NotYourOwn):
        town.approve(town.anna)
    assert (state(town), len(standing(town).approvers)) == (WaveState.PROPOSED, 0)
    town.approve()


def test_a_deputy_of_the_proposer_cannot_approve_for_them(tmp_path: Path) -> None:
    town = a_town(tmp_path)
    with pytest.raises(NotADeputy):
        town.approve(for_person="anna")
    with_deputy(town, of="anna")
    with pytest.raises(NotYourOwn):
        town.approve(for_person="anna")
    town.approve()
    assert state(town) is WaveState.APPROVED


def test_a_deputy_of_a_third_person_can_approve(tmp_path: Path) -> None:
    town = a_town(tmp_path)
    caro = a_keyboard(tmp_path, "caro")
    with town.store.transaction() as books:
        books.people.add(STADT, name="caro", public_key=public_key(caro))
    with_deputy(town, of="caro")
    town.approve(for_person="caro")
    assert standing(town).holds


def test_the_store_itself_lets_nobody_stand_on_both_sides(tmp_path: Path) -> None:
    """Even code that forgot to ask cannot file an approval by the proposer."""
    town = a_town(tmp_path)
    with pytest.raises(SameSide), town.outside().desk() as desk:
        wave = desk.books.waves.get(STADT, "W01")
        own = sign_act(desk, wave, keyboard=town.anna, intent=Intent(kind=ActKind.APPROVE))
        desk.books.waves.add_act(wave, own)


def test_a_tree_that_cannot_be_kept_leaves_the_wave_unapproved(tmp_path: Path) -> None:
    from orchestrator.actions.approve_plan import approve_wave

    def no_room(_runbook: Runbook) -> None:
        raise OSError("no room")

    town = a_town(tmp_path)
    with pytest.raises(OSError, match="no room"), town.outside().desk() as desk:
        wave = desk.books.waves.get(STADT, "W01")
        approve_wave(desk, wave, keyboard=town.bert, intent=Intent(kind=ActKind.APPROVE), freeze=no_room)
    assert (state(town), standing(town).approvers) == (WaveState.PROPOSED, ())


def test_an_approval_is_given_once_while_it_holds(tmp_path: Path) -> None:
    town = a_town(tmp_path, "approved")
    with pytest.raises(IllegalTransition, match="approved; approve"):
        town.approve()


def test_an_expired_approval_starts_nothing_and_can_be_given_again(tmp_path: Path) -> None:
    town = a_town(tmp_path)
    with town.store.transaction() as books:
        books.tenants.set_policy(STADT, replace(books.tenants.policy(STADT), approval_valid_h=2))
    town.approve()
    town.clock.moment += timedelta(hours=2)
    with pytest.raises(NotReady, match=r"1 approval\(s\) have expired"):
        town.start()
    assert state(town) is WaveState.APPROVED
    town.approve()
    town.start()
    assert state(town) is WaveState.RUNNING


def test_a_wave_is_withdrawn_until_it_starts_and_its_reason_is_kept(tmp_path: Path) -> None:
    town = a_town(tmp_path, "approved")
    turn_back(town, ActKind.WITHDRAW, "the vault is in repair")
    assert state(town) is WaveState.DRAFT
    with town.store.reading() as books:
        assert books.waves.acts(STADT, "W01")[-1].act.reason == "the vault is in repair"
    with pytest.raises(NotReady):
        town.start()


def test_a_wave_that_has_started_cannot_be_withdrawn_any_more(tmp_path: Path) -> None:
    town = a_town(tmp_path, "started")
    before = town.wave()[0]
    for kind in (ActKind.WITHDRAW, ActKind.REFUSE):
        with pytest.raises(IllegalTransition):
            turn_back(town, kind)
    assert town.wave()[0] == before


def test_a_refused_wave_is_a_draft_again_and_an_approved_one_cannot_be_refused(tmp_path: Path) -> None:
    town = a_town(tmp_path / "1")
    turn_back(town, ActKind.REFUSE)
    assert state(town) is WaveState.DRAFT
    with pytest.raises(IllegalTransition):
        turn_back(a_town(tmp_path / "2", "approved"), ActKind.REFUSE)


def test_an_approval_of_a_withdrawn_revision_copied_by_hand_does_not_start_the_same_wave_again(tmp_path: Path) -> None:
    """The content is the same to the byte, so the old signature is genuine: its time gives it away."""
    town = a_town(tmp_path)
    town.clock.moment += timedelta(minutes=1)
    town.approve()
    with town.store.reading() as books:
        (old,) = [one for one in books.waves.acts(STADT, "W01") if one.act.kind is ActKind.APPROVE]
    turn_back(town, ActKind.WITHDRAW)
    town.clock.moment += timedelta(minutes=1)
    with town.store.reading() as books:
        plan = books.plans.current(STADT)
    assert plan is not None
    again = town.propose(replace(plan, parent=plan.fingerprint))
    assert (again.fingerprint, again.revision) == (old.act.fingerprint, 2)
    copied_to_revision(town, old, revision=2)
    with town.outside().look() as desk:
        found = standing_of(desk, desk.books.waves.get(STADT, "W01"))
    assert (found.forged, tuple(map(str, found.missing))) == (0, ("0 of 1 approvals by other people are there",))


def copied_to_revision(town: Town, one: SignedAct, *, revision: int) -> None:
    from tests.copied_towns import by_hand

    by_hand(town, "INSERT INTO wave_side VALUES ('stadt', 'W01', ?, ?, 'approve')", revision, one.act.by)
    by_hand(
        town,
        "INSERT INTO wave_act SELECT tenant, wave, ?, 77, fingerprint, kind, side, person, for_person, canonical, "
        "signature, public_key FROM wave_act WHERE revision = 1 AND kind = 'approve'",
        revision,
    )


def test_an_approval_written_into_the_database_starts_nothing(tmp_path: Path) -> None:
    """Neither the row nor a changed state of the wave: every signature is read again where the wave is claimed.

    The database refuses the state by itself; whoever takes its guard away gains nothing either.
    """
    from tests.copied_towns import by_hand

    town = a_town(tmp_path)
    forged = replace(signed(town, town.bert), signature=signed(town, town.anna).signature)
    insert_by_hand(town, forged, side="approve")
    by_hand(town, "UPDATE wave SET state = 'approved', version = version + 1")
    with pytest.raises(NotReady, match="no genuine signature"):
        town.start()
    forced = "UPDATE wave SET state = 'running', version = version + 1"
    with pytest.raises(sqlite3.IntegrityError, match="no lawful change of state"):
        by_hand(town, forced)
    by_hand(town, "DROP TRIGGER lawful_wave_change")
    by_hand(town, forced)
    assert not town.driver().tick(appointments=True)
    assert town.states() == {"apc-001": "planned", "apc-002": "planned"}
