"""Signing: at a person's own keyboard, checked when made and again whenever it counts."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from inventory.model import TenantId
from orchestrator.actions.sign import (
    Intent,
    Keyboard,
    PersonInactive,
    WrongKey,
    checked_acts,
    sign_act,
    standing_of,
)
from orchestrator.core.plan import WaveKey
from orchestrator.core.refusals import ActMisplaced, KeyTaken, StoreDamaged, UnknownPerson
from orchestrator.core.wave import Act, ActKind, SignedAct
from tests.copied_towns import a_town, by_hand
from tests.towns import STADT, Town, a_keyboard, public_key

APPROVE = Intent(kind=ActKind.APPROVE)


def signed(town: Town, keyboard: Keyboard, intent: Intent = APPROVE) -> SignedAct:
    with town.outside().look() as desk:
        return sign_act(desk, desk.books.waves.get(STADT, "W01"), keyboard=keyboard, intent=intent)


def insert_by_hand(town: Town, one: SignedAct, *, side: str | None = None) -> None:
    """The row as Kahn itself would write it, without any of Kahn's checks."""
    act, canonical = one.act, one.act.signed_bytes().removeprefix(b"kahn-act-v1\n")
    row = {
        "tenant": act.tenant, "wave": act.wave, "revision": 1, "seq": 77, "fingerprint": act.fingerprint,
        "kind": act.kind.value, "side": side, "person": act.by, "for_person": act.for_person,
        "canonical": canonical, "signature": one.signature, "public_key": one.public_key,
    }  # fmt: skip
    if side:
        by_hand(town, "INSERT INTO wave_side VALUES (?, ?, 1, ?, ?)", act.tenant, act.wave, act.by, side)
    by_hand(town, f"INSERT INTO wave_act ({', '.join(row)}) VALUES ({', '.join('?' * len(row))})", *row.values())


def genuine(town: Town) -> list[tuple[str, bool]]:
    with town.outside().look() as desk:
        wave = desk.books.waves.get(STADT, "W01")
        return [(one.act.kind.value, one.genuine) for one in checked_acts(desk, wave)]


def missing(town: Town) -> tuple[str, ...]:
    with town.outside().look() as desk:
        return tuple(map(str, standing_of(desk, desk.books.waves.get(STADT, "W01")).missing))


def test_an_act_is_signed_over_exactly_this_wave_by_a_registered_person(tmp_path: Path) -> None:
    town = a_town(tmp_path)
    act = signed(town, town.bert).act
    wave = town.wave()[0]
    assert (act.tenant, act.wave, act.fingerprint) == (STADT, "W01", wave.fingerprint)


def test_the_key_of_somebody_else_is_refused(tmp_path: Path) -> None:
    town = a_town(tmp_path)
    with pytest.raises(WrongKey, match="bert"):
        signed(town, Keyboard(person="bert", key_file=town.anna.key_file))


def test_nobody_unknown_signs(tmp_path: Path) -> None:
    town = a_town(tmp_path)
    with pytest.raises(UnknownPerson):
        signed(town, Keyboard(person="mallory", key_file=town.anna.key_file))


def test_one_key_is_never_registered_for_two_persons_whatever_its_comment(tmp_path: Path) -> None:
    town = a_town(tmp_path)
    for key in (public_key(town.anna), f"{public_key(town.anna)} carl@rathaus"):
        with pytest.raises(KeyTaken), town.store.transaction() as books:
            books.people.add(STADT, name="carl", public_key=key)


def test_a_person_whose_name_was_erased_signs_no_more(tmp_path: Path) -> None:
    town = a_town(tmp_path, "approved")
    with town.store.transaction() as books:
        bert = books.people.find(STADT, "bert").id
        books.people.erase(STADT, bert)
    with pytest.raises(PersonInactive):
        signed(town, Keyboard(person=bert, key_file=town.bert.key_file))
    assert "0 of 1 approvals by other people are there" in missing(town)
    assert genuine(town) == [("propose", True), ("approve", True)]


def test_a_made_up_signature_written_by_hand_counts_for_nothing_and_is_told(tmp_path: Path) -> None:
    town = a_town(tmp_path)
    real = signed(town, town.bert)
    made_up = replace(real, signature=signed(town, town.anna).signature)
    insert_by_hand(town, made_up, side="approve")
    assert genuine(town) == [("propose", True), ("approve", False)]
    assert "1 act(s) in the store carry no genuine signature" in missing(town)


@pytest.mark.parametrize("signature", ["", "x", "-----BEGIN SSH SIGNATURE-----\n", "\x1b[2J\udc80"[:4]])
def test_what_is_no_signature_at_all_is_not_genuine_and_no_mistake_of_ours(tmp_path: Path, signature: str) -> None:
    town = a_town(tmp_path)
    insert_by_hand(town, replace(signed(town, town.bert), signature=signature), side="approve")
    assert genuine(town)[-1] == ("approve", False)


def test_a_genuine_signature_beside_a_changed_act_is_not_genuine(tmp_path: Path) -> None:
    town = a_town(tmp_path)
    real = signed(town, town.bert)
    insert_by_hand(town, replace(real, act=replace(real.act, conditions="none")), side="approve")
    assert genuine(town)[-1] == ("approve", False)


def test_a_proposal_signed_by_hand_with_the_key_of_another_is_not_genuine(tmp_path: Path) -> None:
    """The row names Bert, the key and the signature are Anna's."""
    town = a_town(tmp_path)
    act = signed(town, town.bert).act
    signature = town.signatures.sign(act.signed_bytes(), key_file=town.anna.key_file)
    insert_by_hand(town, SignedAct(act=act, signature=signature, public_key=public_key(town.anna)), side="approve")
    assert genuine(town)[-1] == ("approve", False)


def test_a_row_whose_columns_say_something_else_than_its_bytes_is_refused_as_damage(tmp_path: Path) -> None:
    town = a_town(tmp_path)
    real = signed(town, town.anna, Intent(kind=ActKind.WITHDRAW, reason="x"))
    insert_by_hand(town, real)
    by_hand(town, "INSERT INTO wave_act SELECT tenant, wave, revision, 78, fingerprint, 'resume', side, person, "
            "for_person, canonical, signature, public_key FROM wave_act WHERE seq = 77")  # fmt: skip
    with pytest.raises(StoreDamaged):
        genuine(town)


@pytest.mark.parametrize("other", [{"wave": WaveKey("W02")}, {"tenant": TenantId("kreis")}, {"fingerprint": "0" * 64}])
def test_an_act_signed_for_something_else_cannot_be_filed_here(tmp_path: Path, other: dict[str, str]) -> None:
    town = a_town(tmp_path)
    act: Act = replace(signed(town, town.bert).act, **other)  # type: ignore[arg-type]
    made = SignedAct(
        act=act,
        signature=town.signatures.sign(act.signed_bytes(), key_file=town.bert.key_file),
        public_key=public_key(town.bert),
    )
    with pytest.raises(ActMisplaced), town.outside().desk() as desk:
        desk.books.waves.add_act(desk.books.waves.get(STADT, "W01"), made)


def test_the_registered_key_decides_not_the_one_that_stands_beside_the_act(tmp_path: Path) -> None:
    town = a_town(tmp_path, "approved")
    stranger = a_keyboard(tmp_path, "stranger")
    by_hand(town, "UPDATE person SET public_key = ? WHERE id = (SELECT person FROM person_name WHERE name = 'bert')",
            public_key(stranger))  # fmt: skip
    assert genuine(town) == [("propose", True), ("approve", False)]


def test_a_key_file_that_is_gone_is_said(tmp_path: Path) -> None:
    town = a_town(tmp_path)
    lost = tmp_path / "lost"
    shutil.copy(town.bert.key_file, lost)
    lost.unlink()
    with pytest.raises(Exception, match="APPR-012"):
        signed(town, Keyboard(person="bert", key_file=lost))
