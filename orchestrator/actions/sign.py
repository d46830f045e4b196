"""Signing acts: made at a person's keyboard with their own key, checked when made and again whenever they count."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from inventory.errors import ExpectedError
from inventory.model import AssetId
from orchestrator.actions.desk import Desk
from orchestrator.core.approval import CheckedAct, Signer, Standing, standing
from orchestrator.core.people import Person
from orchestrator.core.wave import Act, ActKind, PersonId, SignedAct
from orchestrator.ports import SignatureCheck, WaveRow


class WrongKey(ExpectedError):
    """The key at hand is not the one registered for the person."""

    code, says = "APPR-005", "The key {key} is not the one registered for {person}."
    remedy = "Use the registered key, or register this one with `kahn person add`."
    exit_code = 3


class PersonInactive(ExpectedError):
    """Somebody acts who may no longer do so."""

    code, says = "APPR-006", "{person} is no longer active here."
    remedy = "Let somebody who is active act."
    exit_code = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Keyboard:
    """Who sits there, and where their private key (or agent-held public key) lies."""

    person: str
    key_file: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    """What a person wants to sign."""

    kind: ActKind
    reason: str = ""
    conditions: str = ""
    for_person: str = ""
    assets: tuple[AssetId, ...] = ()
    about: str = ""


def sign_act(desk: Desk, wave: WaveRow, *, keyboard: Keyboard, intent: Intent) -> SignedAct:
    """The signed act. Raises UnknownPerson, PersonInactive, WrongKey, CannotSign."""
    books, signatures = desk.books, desk.signatures
    person = books.people.find(wave.tenant, keyboard.person)
    if not person.active:
        raise PersonInactive(person=keyboard.person)
    principal = books.people.find(wave.tenant, intent.for_person).id if intent.for_person else None
    act = Act(
        kind=intent.kind,
        tenant=wave.tenant,
        wave=wave.content.key,
        fingerprint=wave.fingerprint,
        by=person.id,
        at=desk.now,
        reason=intent.reason,
        conditions=intent.conditions,
        for_person=principal,
        assets=intent.assets,
        about=intent.about,
    )
    signature = signatures.sign(act.signed_bytes(), key_file=keyboard.key_file)
    if not signatures.holds(act.signed_bytes(), signature=signature, public_key=person.public_key):
        raise WrongKey(key=keyboard.key_file, person=keyboard.person)
    return SignedAct(act=act, signature=signature, public_key=person.public_key)


def signer_of(person: Person) -> Signer:
    """A person as approval sees them."""
    return Signer(id=person.id, public_key=person.public_key, active=person.active, deputy_of=person.deputy_of)


def checked_acts(desk: Desk, wave: WaveRow) -> tuple[CheckedAct, ...]:
    """The wave's acts, each signature checked anew against the key that is registered for its person."""
    keys: dict[PersonId, str] = {person.id: person.public_key for person in desk.books.people.everyone(wave.tenant)}
    return tuple(
        CheckedAct(act=one.act, public_key=one.public_key, genuine=_genuine(desk.signatures, one, keys, wave))
        for one in desk.books.waves.acts(wave.tenant, wave.key)
    )


def _genuine(signatures: SignatureCheck, one: SignedAct, keys: dict[PersonId, str], wave: WaveRow) -> bool:
    key = keys.get(one.act.by)
    if key is None or key != one.public_key or one.act.tenant != wave.tenant or one.act.wave != wave.key:
        return False
    return signatures.holds(one.act.signed_bytes(), signature=one.signature, public_key=key)


FOR_EVER_H = 1_000_000


def was_approved(desk: Desk, wave: WaveRow) -> bool:
    """Whether genuine acts approved this content at some time, whatever expired or was erased since.

    Asked before every run: a wave whose journal was made to say *running* by hand has no such acts.
    """
    people = desk.books.people.everyone(wave.tenant)
    return standing(
        wave.content,
        checked_acts(desk, wave),
        signers=tuple(replace(signer_of(person), active=True) for person in people),
        valid_h=FOR_EVER_H,
        now=desk.now,
    ).holds


def standing_of(desk: Desk, wave: WaveRow) -> Standing:
    """Whether the wave is approved at this moment."""
    people = desk.books.people.everyone(wave.tenant)
    return standing(
        wave.content,
        checked_acts(desk, wave),
        signers=tuple(signer_of(person) for person in people),
        valid_h=desk.books.tenants.policy(wave.tenant).approval_valid_h,
        now=desk.now,
    )
