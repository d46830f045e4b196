"""Which machines can move at all, and for each of the others the first rule that it fails. One ordered table."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from inventory.dependencies import NEVER_MOVED, SEAT_MACHINES, Succession, succession_of
from inventory.model import Asset, AssetId, Snapshot
from orchestrator.core.plan import PlanRequest

STAYS = frozenset({"retain", "retire"})
REACHED_BY = ("address", "access", "host_key")
"""Fields without which a machine cannot be reached safely."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One machine before the rules, with all they may look at."""

    asset: Asset
    runbook: str
    """Name of the runbook that moves it; empty when none does."""
    by_hand: bool
    """Whether people move it, so that Kahn reaches neither it nor a vault."""
    successor: Asset | None
    successor_is_replaced: bool
    """Whether its successor names a successor of its own."""
    rivals: tuple[str, ...]
    """Names of other machines that name the same successor."""
    vault_fault: str
    """What is wrong with the tenant's vault; empty when there is a good one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One thing a machine needs in order to move. ``fault`` says what is missing; empty when nothing is."""

    name: str
    fault: Callable[[Case], str]
    remedy: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """The first rule a machine fails."""

    rule: str
    says: str
    remedy: str


def _no_runbook(case: Case) -> str:
    kind = case.asset.kind
    return "" if case.runbook else f"No runbook of the policy moves a {kind.replace('_', ' ')}."


def _retained(case: Case) -> str:
    strategy = case.asset.text("strategy")
    return f"Its strategy is {strategy}." if strategy in STAYS else ""


def _no_successor(case: Case) -> str:
    needed = case.asset.kind in SEAT_MACHINES and not case.asset.text("successor")
    return "It names no successor." if needed else ""


def _successor_unknown(case: Case) -> str:
    name = case.asset.text("successor")
    return f"Its successor {name!r} is not in the inventory." if name and case.successor is None else ""


def _successor_replaced(case: Case) -> str:
    if case.successor is None or not case.successor_is_replaced:
        return ""
    if case.successor.id == case.asset.id:
        return "It names itself as its successor."
    return f"Its successor {case.successor.name!r} is to be replaced itself."


def _successor_unfit(case: Case) -> str:
    if case.successor is None:
        return ""
    if case.successor.kind in NEVER_MOVED:
        return f"Its successor {case.successor.name!r} is a {case.successor.kind}."
    role = case.successor.text("role")
    return f"Its successor {case.successor.name!r} serves all waves as {role}." if role else ""


def _successor_taken(case: Case) -> str:
    if case.successor is None or not case.rivals:
        return ""
    more = f" and {len(case.rivals) - 1} more" if len(case.rivals) > 1 else ""
    return f"Its successor {case.successor.name!r} is also named by {case.rivals[0]!r}{more}."


def _missing(field: str, words: str) -> Callable[[Case], str]:
    def fault(case: Case) -> str:
        if case.by_hand:
            return ""
        if not case.asset.text(field):
            return f"It has no {words}."
        if case.successor is not None and not case.successor.text(field):
            return f"Its successor has no {words}."
        return ""

    return fault


def _same_address(case: Case) -> str:
    if case.by_hand or case.successor is None:
        return ""
    if case.successor.text("address").casefold() != case.asset.text("address").casefold():
        return ""
    return f"It has the same address as its successor, {case.asset.text('address')!r}."


def _no_vault(case: Case) -> str:
    return "" if case.by_hand else case.vault_fault


RULES: tuple[Rule, ...] = (
    Rule(name="no_runbook", fault=_no_runbook, remedy="Give the kind a runbook in the policy, or leave it."),
    Rule(name="retained", fault=_retained, remedy="Change its `strategy` if it is to move after all."),
    Rule(name="no_successor", fault=_no_successor, remedy="Import the name of its new machine as `successor`."),
    Rule(name="successor_unknown", fault=_successor_unknown, remedy="Import the new machine, or correct `successor`."),
    Rule(name="successor_replaced", fault=_successor_replaced, remedy="Name the machine that remains in the end."),
    Rule(name="successor_unfit", fault=_successor_unfit, remedy="Name a machine that a person works at."),
    Rule(name="successor_taken", fault=_successor_taken, remedy="Name another successor for all but one of them."),
    Rule(name="no_address", fault=_missing("address", "address"), remedy="Import its `address`."),
    Rule(name="same_address", fault=_same_address, remedy="Correct the `address` of one of the two."),
    Rule(
        name="no_access",
        fault=_missing("access", "access profile"),
        remedy="Import the name of its access profile as `access`.",
    ),
    Rule(
        name="no_host_key",
        fault=_missing("host_key", "SSH host key"),
        remedy="Import its `host_key`, or scan and confirm it.",
    ),
    Rule(name="no_vault", fault=_no_vault, remedy="Import a server with role vault, address, access and host key."),
)
RULE_NAMES = tuple(rule.name for rule in RULES)


def movable(snapshot: Snapshot, succession: Succession) -> tuple[Asset, ...]:
    """What a plan answers for: machines, without templates, successors and those that serve all waves."""
    return tuple(
        asset
        for asset in snapshot.assets
        if asset.is_machine
        and asset.kind not in NEVER_MOVED
        and not asset.text("role")
        and asset.id not in succession.replaces
    )


def faults_of(request: PlanRequest) -> dict[AssetId, Fault | None]:
    """Every asset the plan answers for, by id, with the first rule that it fails; settled ones are left out."""
    succession = succession_of(request.snapshot)
    waiting = [one for one in movable(request.snapshot, succession) if one.id not in request.settled]
    return {case.asset.id: _first_fault(case) for case in _cases(request, succession, waiting)}


def _first_fault(case: Case) -> Fault | None:
    for rule in RULES:
        says = rule.fault(case)
        if says:
            return Fault(rule=rule.name, says=says, remedy=rule.remedy)
    return None


def _cases(request: PlanRequest, succession: Succession, waiting: list[Asset]) -> Iterator[Case]:
    known = request.snapshot.by_id()
    vault_fault = _vault_fault(request.snapshot)
    for asset in waiting:
        new = succession.successor.get(asset.id)
        named_by = succession.replaces.get(new, ()) if new is not None else ()
        yield Case(
            asset=asset,
            runbook=request.policy.runbook_of(asset),
            by_hand=request.policy.moves_by_hand(asset),
            successor=known[new] if new is not None else None,
            successor_is_replaced=new is not None and new in succession.successor,
            rivals=tuple(known[one].name for one in named_by if one != asset.id),
            vault_fault=vault_fault,
        )


def _vault_fault(snapshot: Snapshot) -> str:
    vaults = [a for a in snapshot.assets if a.is_machine and a.text("role") == "vault" and a.kind not in NEVER_MOVED]
    if not vaults:
        return "No machine of the tenant has the role vault."
    if any(all(vault.text(name) for name in REACHED_BY) for vault in vaults):
        return ""
    lacking = next(name for name in REACHED_BY if not vaults[0].text(name))
    return f"The vault {vaults[0].name!r} has no {lacking.replace('_', ' ')}."
