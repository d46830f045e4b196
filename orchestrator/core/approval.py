"""Four eyes on a wave: who signed what, whether it still holds, and what an approver is shown.

Signatures were checked by the caller (an adapter); this file decides what the acts amount to.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta

from inventory.errors import ExpectedError
from orchestrator.core.canonical import plain
from orchestrator.core.explain import Sentence
from orchestrator.core.runbook import Runbook
from orchestrator.core.wave import Act, ActKind, PersonId, WaveContent

CLOCKS_DIFFER = timedelta(minutes=10)
"""How far the clocks of two machines may differ; an approval from further ahead would outlive its validity."""


class ApprovalMissing(ExpectedError):
    """A wave that may not start."""

    code, says = "APPR-001", "Wave {wave} is not approved: {why}."
    remedy = "Let a second person look at `kahn wave show {wave}` and sign with `kahn wave approve {wave}`."
    exit_code = 3


class NotYourOwn(ExpectedError):
    """The proposer tries to approve."""

    code, says = "APPR-002", "Wave {wave} was proposed by {person}, who cannot approve it as well."
    remedy = "Ask another person to approve it."
    exit_code = 3


class OneKeyTwoPersons(ExpectedError):
    """Two people, one key: that is one pair of eyes."""

    code, says = "APPR-003", "The key of {person} also signed the proposal of wave {wave}."
    remedy = "Each person needs a key of their own: `kahn person add NAME --key FILE`."
    exit_code = 3


class NotADeputy(ExpectedError):
    """Somebody signs for a person whose deputy they are not."""

    code, says = "APPR-004", "{person} is not registered as a deputy of {principal}."
    remedy = "Register it with `kahn person deputy`, or sign in your own name."
    exit_code = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Signer:
    """A person as approval sees them."""

    id: PersonId
    public_key: str
    active: bool
    deputy_of: tuple[PersonId, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedAct:
    """An act whose signature was checked against the key that is registered for its person now."""

    act: Act
    public_key: str
    genuine: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What the acts amount to: who approved, until when, and what is missing (empty when the wave may start)."""

    proposer: PersonId | None
    approvers: tuple[PersonId, ...]
    expires: datetime | None
    conditions: tuple[str, ...]
    missing: tuple[Sentence, ...]
    forged: int = 0
    """Acts in the store that carry no genuine signature."""

    @property
    def holds(self) -> bool:
        """Whether the wave is approved now."""
        return not self.missing


def standing(
    content: WaveContent,
    acts: Sequence[CheckedAct],
    *,
    signers: Sequence[Signer],
    valid_h: int,
    now: datetime,
) -> Standing:
    """Whether these acts approve exactly this content at this moment. Forged or foreign acts do not count."""
    known = {signer.id: signer for signer in signers}
    mine = [one for one in acts if one.genuine and one.act.fingerprint == content.fingerprint and one.act.by in known]
    forged = sum(not one.genuine for one in acts)
    proposals = _proposals(mine)
    proposal = proposals[-1] if proposals else None
    ended = max((one.act.at for one in mine if one.act.kind in (ActKind.REFUSE, ActKind.WITHDRAW)), default=None)
    approvals = [
        one
        for one in mine
        if one.act.kind is ActKind.APPROVE
        and (ended is None or one.act.at > ended)
        and one.act.at <= now + CLOCKS_DIFFER
        and _may_count(one, proposals, known)
    ]
    fresh = [one for one in approvals if one.act.at + timedelta(hours=valid_h) > now]
    by_key = {key_of(one.public_key): one.act.by for one in fresh}
    approvers = tuple(dict.fromkeys(by_key.values()))
    missing = tuple(_missing(content, proposal, approvers, expired=len(approvals) - len(fresh), forged=forged))
    expires = min((one.act.at + timedelta(hours=valid_h) for one in fresh), default=None)
    return Standing(
        proposer=proposal.act.by if proposal else None,
        approvers=approvers,
        expires=expires,
        conditions=tuple(one.act.conditions for one in fresh if one.act.conditions),
        missing=missing,
        forged=forged,
    )


def _proposals(acts: Sequence[CheckedAct]) -> list[CheckedAct]:
    """Signed proposals by the time of signing: where an act stands in the store proves nothing."""
    return sorted((one for one in acts if one.act.kind is ActKind.PROPOSE), key=lambda one: one.act.at)


def proposal_of(content: WaveContent, acts: Sequence[CheckedAct]) -> CheckedAct | None:
    """The latest genuine proposal of exactly this content."""
    return next(
        reversed(_proposals([one for one in acts if one.genuine and one.act.fingerprint == content.fingerprint])), None
    )


def key_of(public_key: str) -> str:
    """A public key without its comment: whatever is written behind it, it is the same key."""
    return " ".join(public_key.split()[:2])


def _may_count(one: CheckedAct, proposals: Sequence[CheckedAct], known: dict[PersonId, Signer]) -> bool:
    """Active, not a proposer (nor standing in for one), no proposer's key, a registered deputy if one.

    Signed after the proposal: an approval of an earlier, withdrawn revision of the same content does not come back.
    """
    signer = known[one.act.by]
    principal = one.act.for_person
    if not signer.active or not proposals or one.act.at < proposals[-1].act.at:
        return False
    for proposal in proposals:
        if proposal.act.by in (signer.id, principal) or key_of(proposal.public_key) == key_of(one.public_key):
            return False
    return principal is None or principal in signer.deputy_of


def _missing(
    content: WaveContent, proposal: CheckedAct | None, approvers: tuple[PersonId, ...], *, expired: int, forged: int
) -> list[Sentence]:
    found = []
    if proposal is None:
        found.append(Sentence(says="nobody has signed its proposal"))
    if len(approvers) < content.approvers_needed:
        there = {"there": len(approvers), "needed": content.approvers_needed}
        found.append(Sentence(says="{there} of {needed} approvals by other people are there", facts=there))
        if expired:
            found.append(Sentence(says="{count} approval(s) have expired", facts={"count": expired}))
    if forged:
        count = {"count": forged}
        found.append(Sentence(says="{count} act(s) in the store carry no genuine signature", facts=count))
    return found


def refuse_bad_approval(act: Act, *, signer: Signer, proposal: CheckedAct | None) -> None:
    """Refuse, before it is written, an approval that could never count.

    Raises NotYourOwn, OneKeyTwoPersons, NotADeputy, ApprovalMissing.
    """
    if proposal is None:
        raise ApprovalMissing(wave=act.wave, why="nobody has signed its proposal")
    if act.for_person is not None and act.for_person not in signer.deputy_of:
        raise NotADeputy(person=act.by, principal=act.for_person)
    if proposal.act.by in (act.by, act.for_person):
        raise NotYourOwn(wave=act.wave, person=proposal.act.by)
    if key_of(proposal.public_key) == key_of(signer.public_key):
        raise OneKeyTwoPersons(wave=act.wave, person=act.by)


def shown_text(content: WaveContent) -> str:
    """What an approver is shown, in plain English lines; its SHA-256 is part of the wave's fingerprint."""
    limits = content.thresholds
    lines = [
        f"wave {content.key} of tenant {content.tenant}",
        f"runbook {content.runbook.name}: {', '.join(content.runbook.step_names)}",
        f"window {content.window.local} {content.window.zone}",
        f"ansible-core {content.ansible_core}{_mode(content.runbook)}, runbook tree {content.runbook.tree[:16]}",
        f"may go wrong: {limits.batch_budget:.0%} of a batch, {limits.wave_budget:.0%} of the wave;"
        f" at most {limits.auto_rollback_max} assets go back without a person",
    ]
    if content.runbook.retires:
        lines.append(
            f"these machines go for good, without a successor; each is kept for {limits.keep_days} days at least"
        )
    if content.domain is not None:
        lines.append(
            f"each successor joins the domain {content.domain.realm} with the account {content.domain.join_account};"
            " the old machine's account there is disabled"
        )
    for batch in content.batches:
        lines.append(f"batch {batch.name}: {len(batch.assets)} assets")
        for asset in batch.assets:
            move = content.move(asset)
            machines = "; ".join(f"{one.role} {one.name} {one.ways}" for one in move.machines)
            lines.append(f"  {move.name} ({move.department or 'no department'}): {machines}")
            if move.procedure is not None:
                lines.append(f"    with the procedure {move.procedure.name}: {', '.join(move.procedure.data)}")
                for one in move.procedure.points_here:
                    lines.append(f"    re-pointed on {one.machine}: {', '.join(one.files)}")
    return "\n".join(map(_one_line, lines)) + "\n"


def _one_line(text: str) -> str:
    """Nothing that came with the inventory can begin a line of its own."""
    return "".join(char if char.isprintable() else " " for char in text)


def differences(before: WaveContent, after: WaveContent) -> tuple[str, ...]:
    """What changed between two revisions of a wave, one sentence each; empty when the fingerprints are equal."""
    found: list[str] = []
    for field in fields(WaveContent):
        if field.name in ("moves", "shown"):
            continue
        old, new = plain(getattr(before, field.name)), plain(getattr(after, field.name))
        if old != new:
            found.extend(_deeper(field.name, old, new))
    old_moves = {move.name: plain(move) for move in before.moves}
    new_moves = {move.name: plain(move) for move in after.moves}
    found.extend(f"{name} is no longer in the wave" for name in sorted(old_moves.keys() - new_moves.keys()))
    found.extend(f"{name} is new in the wave" for name in sorted(new_moves.keys() - old_moves.keys()))
    for name in sorted(old_moves.keys() & new_moves.keys()):
        found.extend(_deeper(name, old_moves[name], new_moves[name]))
    return tuple(found)


def _deeper(where: str, old: object, new: object) -> list[str]:
    """The smallest places in which two plain values differ."""
    if old == new:
        return []
    if isinstance(old, dict) and isinstance(new, dict):
        return [
            line
            for key in sorted(old.keys() | new.keys())
            for line in _deeper(f"{where}.{key}", old.get(key), new.get(key))
        ]
    if isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        return [
            line
            for n, (one, two) in enumerate(zip(old, new, strict=True), 1)
            for line in _deeper(f"{where}[{n}]", one, two)
        ]
    return [f"{where}: {_short(old)} -> {_short(new)}"]


def _short(value: object) -> str:
    text = str(value)
    return text if len(text) <= 80 else text[:77] + "..."


def _mode(runbook: Runbook) -> str:
    return " in the fast mode" if runbook.adopted and runbook.adopted.fast else ""
