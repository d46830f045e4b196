"""Four eyes: which acts count, until when, and what an approver is shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from inventory.model import TenantId
from orchestrator.core.approval import (
    CLOCKS_DIFFER,
    ApprovalMissing,
    CheckedAct,
    NotADeputy,
    NotYourOwn,
    OneKeyTwoPersons,
    Signer,
    Standing,
    differences,
    proposal_of,
    refuse_bad_approval,
    shown_text,
    standing,
)
from orchestrator.core.plan import WaveKey
from orchestrator.core.wave import Act, ActKind, PersonId, WaveContent
from tests.orchestrator.core.builders import OPENS, a_wave

ANNA, BERT, CARO = PersonId("p-a"), PersonId("p-b"), PersonId("p-c")
WAVE = a_wave()
VALID_H = 24


def key(person: str) -> str:
    return f"ssh-ed25519 KEY-{person}"


PEOPLE = tuple(Signer(id=one, public_key=key(one), active=True) for one in (ANNA, BERT, CARO))


def signed(kind: ActKind, by: PersonId, *, minute: int = 0, genuine: bool = True, **other: Any) -> CheckedAct:
    fields: dict[str, Any] = {"tenant": WAVE.tenant, "wave": WAVE.key, "fingerprint": WAVE.fingerprint}
    act = Act(kind=kind, by=by, at=OPENS + timedelta(minutes=minute), **{**fields, **other})
    return CheckedAct(act=act, public_key=key(by), genuine=genuine)


PROPOSED = signed(ActKind.PROPOSE, ANNA)
APPROVED = signed(ActKind.APPROVE, BERT, minute=1)


def found(
    *acts: CheckedAct, content: WaveContent = WAVE, people: Sequence[Signer] = PEOPLE, minute: float = 10
) -> Standing:
    now = OPENS + timedelta(minutes=minute)
    return standing(content, acts, signers=people, valid_h=VALID_H, now=now)


def test_a_proposal_and_another_persons_approval_hold() -> None:
    result = found(PROPOSED, APPROVED)
    assert (result.holds, result.proposer, result.approvers) == (True, ANNA, (BERT,))
    assert result.expires == APPROVED.act.at + timedelta(hours=VALID_H)


def test_an_approval_without_a_proposal_counts_for_nothing() -> None:
    assert found(APPROVED).missing[0].text == "nobody has signed its proposal"


def test_the_proposer_does_not_count_as_the_second_person() -> None:
    assert not found(PROPOSED, signed(ActKind.APPROVE, ANNA, minute=1)).holds


def test_one_key_is_one_pair_of_eyes_whatever_is_written_behind_it() -> None:
    for spelled in (key(ANNA), f"{key(ANNA)} bert@rathaus", f"  {key(ANNA)}"):
        assert not found(PROPOSED, replace(APPROVED, public_key=spelled)).holds
    two = replace(WAVE, approvers_needed=2)
    mine: dict[str, Any] = {"fingerprint": two.fingerprint}
    acts = [signed(ActKind.PROPOSE, ANNA, **mine), signed(ActKind.APPROVE, BERT, minute=1, **mine)]
    same = replace(signed(ActKind.APPROVE, CARO, minute=2, **mine), public_key=f"{key(BERT)} caro")
    assert not found(*acts, same, content=two).holds
    assert found(*acts, signed(ActKind.APPROVE, CARO, minute=2, **mine), content=two).holds


def test_a_very_high_protection_needs_two_different_approvers() -> None:
    two = replace(WAVE, approvers_needed=2)
    mine: dict[str, Any] = {"fingerprint": two.fingerprint}
    acts = [signed(ActKind.PROPOSE, ANNA, **mine), signed(ActKind.APPROVE, BERT, minute=1, **mine)]
    twice = signed(ActKind.APPROVE, BERT, minute=2, **mine)
    assert tuple(map(str, found(*acts, twice, content=two).missing)) == ("1 of 2 approvals by other people are there",)


def test_a_signature_that_is_not_genuine_counts_for_nothing_and_stops_the_wave() -> None:
    result = found(PROPOSED, APPROVED, signed(ActKind.APPROVE, CARO, genuine=False))
    assert (result.holds, result.forged) == (False, 1)
    assert tuple(map(str, result.missing)) == ("1 act(s) in the store carry no genuine signature",)


@pytest.mark.parametrize(
    "other", [{"fingerprint": "0" * 64}, {"by": PersonId("p-nobody")}], ids=["another fingerprint", "a stranger"]
)
def test_what_was_signed_for_something_else_or_by_a_stranger_does_not_count(other: dict[str, Any]) -> None:
    assert not found(PROPOSED, replace(APPROVED, act=replace(APPROVED.act, **other))).holds


def test_whoever_may_no_longer_act_has_not_approved() -> None:
    gone = tuple(replace(one, active=one.id != BERT) for one in PEOPLE)
    assert not found(PROPOSED, APPROVED, people=gone).holds


def test_an_approval_ends_with_its_validity_to_the_minute() -> None:
    last = 1 + VALID_H * 60
    assert found(PROPOSED, APPROVED, minute=last - 0.01).holds
    assert tuple(map(str, found(PROPOSED, APPROVED, minute=last).missing)) == (
        "0 of 1 approvals by other people are there",
        "1 approval(s) have expired",
    )


def test_an_approval_from_the_future_does_not_outlive_its_validity() -> None:
    ahead = CLOCKS_DIFFER.total_seconds() / 60
    assert found(PROPOSED, signed(ActKind.APPROVE, BERT, minute=int(ahead)), minute=0).holds
    assert not found(PROPOSED, signed(ActKind.APPROVE, BERT, minute=60 * 24 * 365), minute=0).holds


@pytest.mark.parametrize("kind", [ActKind.WITHDRAW, ActKind.REFUSE])
def test_what_was_taken_back_needs_a_new_approval(kind: ActKind) -> None:
    ended = signed(kind, CARO, minute=2)
    assert not found(PROPOSED, APPROVED, ended).holds
    assert found(PROPOSED, APPROVED, ended, signed(ActKind.APPROVE, BERT, minute=3)).holds


def test_an_approval_copied_from_an_earlier_revision_of_the_same_content_does_not_count() -> None:
    again = signed(ActKind.PROPOSE, ANNA, minute=5)
    assert not found(APPROVED, again).holds
    assert not found(again, APPROVED).holds
    assert not found(again, APPROVED, PROPOSED).holds


def test_a_copied_proposal_of_another_person_does_not_make_room_for_the_proposer() -> None:
    hers = signed(ActKind.PROPOSE, ANNA, minute=5)
    own = signed(ActKind.APPROVE, ANNA, minute=6)
    assert not found(hers, own, signed(ActKind.PROPOSE, BERT)).holds
    assert not found(hers, own, signed(ActKind.PROPOSE, BERT, minute=6)).holds


def test_a_deputy_counts_only_when_registered_and_never_for_the_proposer() -> None:
    standing_in = tuple(replace(one, deputy_of=(ANNA, BERT) if one.id == CARO else ()) for one in PEOPLE)
    for_bert = signed(ActKind.APPROVE, CARO, minute=1, for_person=BERT)
    assert found(PROPOSED, for_bert, people=standing_in).approvers == (CARO,)
    assert not found(PROPOSED, for_bert).holds
    assert not found(PROPOSED, signed(ActKind.APPROVE, CARO, minute=1, for_person=ANNA), people=standing_in).holds


def test_conditions_of_approvals_in_force_are_kept() -> None:
    conditional = signed(ActKind.APPROVE, BERT, minute=1, conditions="only with Mr X on site")
    assert found(PROPOSED, conditional).conditions == ("only with Mr X on site",)
    assert found(PROPOSED, conditional, minute=60 * VALID_H + 1).conditions == ()


def test_the_latest_genuine_proposal_is_found_by_its_time_not_by_its_place() -> None:
    later = signed(ActKind.PROPOSE, BERT, minute=9)
    assert proposal_of(WAVE, [later, PROPOSED, signed(ActKind.PROPOSE, CARO, minute=10, genuine=False)]) is later
    assert proposal_of(replace(WAVE, key=WaveKey("W02")), [PROPOSED]) is None


@pytest.mark.parametrize(
    ("by", "for_person", "refusal"),
    [
        (ANNA, None, NotYourOwn),
        (CARO, ANNA, NotYourOwn),
        (CARO, BERT, NotADeputy),
        (PersonId("p-twin"), None, OneKeyTwoPersons),
    ],
)
def test_an_approval_that_could_never_count_is_refused_by_name(
    by: PersonId, for_person: PersonId | None, refusal: type[Exception]
) -> None:
    public_key = f"{key(ANNA)} twin" if by == "p-twin" else key(by)
    signer = Signer(id=by, public_key=public_key, active=True, deputy_of=(ANNA,) if for_person == ANNA else ())
    act = signed(ActKind.APPROVE, by, for_person=for_person).act
    with pytest.raises(refusal):
        refuse_bad_approval(act, signer=signer, proposal=PROPOSED)


def test_without_a_proposal_nothing_can_be_approved() -> None:
    with pytest.raises(ApprovalMissing):
        refuse_bad_approval(APPROVED.act, signer=PEOPLE[1], proposal=None)


def test_the_bytes_that_are_signed_differ_for_every_wave_tenant_person_and_kind() -> None:
    others = {
        "wave": WaveKey("W02"), "tenant": TenantId("kreis"), "by": CARO, "kind": ActKind.REFUSE,
        "fingerprint": "0" * 64, "conditions": "x", "for_person": CARO, "at": OPENS, "assets": ("a01",),
    }  # fmt: skip
    made = {replace(APPROVED.act, **{name: value}).signed_bytes() for name, value in others.items()}  # type: ignore[arg-type]
    assert len({APPROVED.act.signed_bytes(), *made}) == len(others) + 1


def test_an_approver_sees_every_asset_with_its_machines() -> None:
    text = shown_text(WAVE)
    assert all(f"{move.name} ({move.department}): source {move.name} 10.0.0.1" in text for move in WAVE.moves)
    assert "batch canary: 1 assets" in text and "50% of a batch" in text


def test_an_approver_sees_that_machines_go_for_good_and_how_long_they_are_kept() -> None:
    """Only for such a runbook: what others signed keeps its fingerprint."""
    limits = replace(WAVE.thresholds, keep_days=30)
    told = "go for good, without a successor; each is kept for 30 days at least"
    assert told in shown_text(replace(WAVE, runbook=replace(WAVE.runbook, retires=True), thresholds=limits))
    assert "keep" not in shown_text(replace(WAVE, thresholds=limits))


def test_nothing_in_the_inventory_can_forge_a_line_of_what_the_approver_sees() -> None:
    hostile = "apc\nbatch canary: 0 assets\r\x1b[2J\u2028\u202e"
    moves = (replace(WAVE.moves[0], name=hostile, department=hostile), *WAVE.moves[1:])
    text = shown_text(replace(WAVE, moves=moves))
    assert len(text.splitlines()) == len(shown_text(WAVE).splitlines())
    assert all(char.isprintable() or char == "\n" for char in text)


def test_equal_contents_have_no_differences_and_every_change_is_named() -> None:
    assert differences(WAVE, a_wave()) == ()
    machine = replace(WAVE.moves[0].machines[0], address="10.9.9.9")
    moves = (replace(WAVE.moves[0], machines=(machine,)), *WAVE.moves[1:-1])
    after = replace(WAVE, moves=moves, ansible_core="2.19.15")
    assert differences(WAVE, after) == (
        "ansible_core: 2.19.14 -> 2.19.15",
        "apc-a04 is no longer in the wave",
        "apc-a01.machines[1].address: 10.0.0.1 -> 10.9.9.9",
    )
    assert "apc-a04 is new in the wave" in differences(after, WAVE)
