"""Which machines can move at all, and for each of the others the first rule that it fails. One ordered table."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from inventory.dependencies import NEVER_MOVED, SEAT_MACHINES, Succession, succession_of
from inventory.model import Asset, AssetId, AssetKind, Snapshot, name_key
from orchestrator.core.asks import Asks
from orchestrator.core.plan import PlanRequest
from orchestrator.core.policy import Policy
from orchestrator.core.runbook import RoleSource

STAYS = frozenset({"retain", "retire"})
REACHED_BY = ("address", "access", "host_key")
"""Fields without which a machine cannot be reached safely."""
SERVING = (RoleSource.GATEWAY, RoleSource.JUMP, RoleSource.DATABASE, RoleSource.TOOL)
"""Machines beside the vault that serve every move of a runbook that names them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One machine before the rules, with all they may look at."""

    asset: Asset
    runbook: str
    """Name of the runbook that moves it; empty when none does."""
    asks: Asks
    """What that runbook asks."""
    successor: Asset | None
    successor_is_replaced: bool
    """Whether its successor names a successor of its own."""
    rivals: tuple[str, ...]
    """Names of other machines that name the same successor."""
    services: Services
    described: int
    """How many procedures that the policy describes run on it."""
    retires: bool = False
    """Whether it goes without a successor."""
    needed_by: tuple[str, ...] = ()
    """Names of what stays or moves and needs it, by the inventory; only looked for when it retires."""
    macs: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Hardware address -> names of the machines that have it; only looked for when a runbook boots by it."""


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
    if not case.runbook:
        return f"No runbook of the policy moves a {kind.replace('_', ' ')}."
    return f"The runbook {case.runbook} cannot be used: {case.asks.fault}" if case.asks.fault else ""


def _retained(case: Case) -> str:
    strategy = case.asset.text("strategy")
    return f"Its strategy is {strategy}." if strategy in STAYS and not case.retires else ""


def _still_needed(case: Case) -> str:
    if not case.needed_by:
        return ""
    more = f" and {len(case.needed_by) - 1} more" if len(case.needed_by) > 1 else ""
    return f"It is to retire, but {case.needed_by[0]!r}{more} needs it."


def _no_successor(case: Case) -> str:
    if case.retires:
        return ""
    needed = case.asset.kind in SEAT_MACHINES or RoleSource.SUCCESSOR in case.asks.machines
    return "It names no successor." if needed and not case.asset.text("successor") else ""


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
        if not case.asks.reached:
            return ""
        if not case.asset.text(field):
            return f"It has no {words}."
        if case.successor is not None and not case.successor.text(field):
            return f"Its successor has no {words}."
        return ""

    return fault


def _same_address(case: Case) -> str:
    if not case.asks.reached or case.successor is None:
        return ""
    if case.successor.text("address").casefold() != case.asset.text("address").casefold():
        return ""
    return f"It has the same address as its successor, {case.asset.text('address')!r}."


def _boot_mac(case: Case) -> str:
    if not case.asks.boots:
        return ""
    if case.successor is None:
        return "It names no machine to install."
    own = case.successor.texts("mac")
    if len(own) != 1:
        return f"Its successor {case.successor.name!r} needs one `mac` to boot by, and has {len(own)}."
    others = [name for name in case.macs.get(own[0], ()) if name_key(name) != name_key(case.successor.name)]
    if not others:
        return ""
    more = f" and {len(others) - 1} more" if len(others) > 1 else ""
    name = case.successor.name
    return f"Its successor {name!r} boots by the hardware address {own[0]}, which {others[0]!r}{more} has too."


def _no_vault(case: Case) -> str:
    return case.services.fault(RoleSource.VAULT, case.asks)


def _no_service(case: Case) -> str:
    return next((fault for role in SERVING if (fault := case.services.fault(role, case.asks))), "")


def _no_procedure(case: Case) -> str:
    if not case.asks.procedure or case.described == 1:
        return ""
    why = (
        "more than one that is described runs there" if case.described else "the policy describes none that runs there"
    )
    return f"The runbook {case.runbook} moves one procedure, but {why}."


def _need_unmet(case: Case) -> str:
    for need in case.asks.needs:
        found = case.asset.text(need.fact)
        if not any(_fits(found, wanted) for wanted in need.values):
            wanted = ", ".join(need.values)
            return f"The runbook {case.runbook} needs {need.fact} = {wanted}, but the inventory says {found or '-'}."
    return ""


def _fits(found: str, wanted: str) -> bool:
    """Equal but for case; with a star at the end, the beginning is enough."""
    text, pattern = found.casefold(), wanted.casefold()
    return text.startswith(pattern[:-1]) if pattern.endswith("*") else text == pattern


RULES: tuple[Rule, ...] = (
    Rule(name="no_runbook", fault=_no_runbook, remedy="Give the kind a runbook in the policy, or leave it."),
    Rule(name="retained", fault=_retained, remedy="Change its `strategy` if it is to move after all."),
    Rule(
        name="still_needed",
        fault=_still_needed,
        remedy="Retire that first or correct what the inventory says it needs; or change this one's `strategy`.",
    ),
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
    Rule(
        name="boot_mac",
        fault=_boot_mac,
        remedy="Correct the `mac` of one of the two; `kahn asset show NAME` tells from which file and row each comes.",
    ),
    Rule(name="no_vault", fault=_no_vault, remedy="Import a server with role vault, address, access and host key."),
    Rule(
        name="no_service",
        fault=_no_service,
        remedy="Import a machine with that role, address, access and host key.",
    ),
    Rule(
        name="no_procedure",
        fault=_no_procedure,
        remedy="Describe it under [[procedure]] in the policy and name the machine among the procedure's `machines`;"
        " or set the machine's `strategy` to retain.",
    ),
    Rule(
        name="need_unmet",
        fault=_need_unmet,
        remedy="Correct the record, set its `strategy` to retain, or name another runbook in the policy.",
    ),
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
    known, policy = request.snapshot.by_id(), request.policy
    services = Services(request.snapshot)
    runs = _described_on(request.snapshot, policy)
    needed = needed_at(request.snapshot) if any(policy.retires(one) for one in waiting) else {}
    macs = machines_by_mac(request.snapshot) if any(one.boots for one in request.asks) else {}
    for asset in waiting:
        new = succession.successor.get(asset.id)
        named_by = succession.replaces.get(new, ()) if new is not None else ()
        runbook = policy.runbook_of(asset)
        yield Case(
            asset=asset,
            runbook=runbook,
            asks=request.asked_by(runbook) or _unsaid(runbook, by_hand=policy.moves_by_hand(asset)),
            successor=known[new] if new is not None else None,
            successor_is_replaced=new is not None and new in succession.successor,
            rivals=tuple(known[one].name for one in named_by if one != asset.id),
            services=services,
            described=len(runs.get(asset.id, ())),
            retires=policy.retires(asset),
            needed_by=needed.get(asset.id, ()) if policy.retires(asset) else (),
            macs=macs,
        )


def _unsaid(runbook: str, *, by_hand: bool) -> Asks:
    """What is taken to be asked by a runbook of which nobody said: people need nothing, others a vault."""
    return Asks(runbook=runbook, machines=(RoleSource.ASSET,), reached=False) if by_hand else Asks(runbook=runbook)


def machines_by_mac(snapshot: Snapshot) -> dict[str, tuple[str, ...]]:
    """Hardware address -> names of all machines that have it."""
    found: dict[str, list[str]] = {}
    for one in snapshot.assets:
        for mac in one.texts("mac") if one.is_machine else ():
            found.setdefault(mac, []).append(one.name)
    return {mac: tuple(sorted(names)) for mac, names in found.items()}


def needed_at(snapshot: Snapshot) -> dict[AssetId, tuple[str, ...]]:
    """Machine -> names of what does not retire and needs it: by a dependency, or a procedure that runs there."""
    known = {one.id: one for one in snapshot.assets if one.text("strategy") != "retire"}
    found: dict[AssetId, set[str]] = {}
    for edge in snapshot.dependencies:
        if edge.asset in known:
            found.setdefault(edge.needs, set()).add(known[edge.asset].name)
    machines = {name_key(one.name): one.id for one in snapshot.assets if one.is_machine}
    procedures = {name_key(one.name): one.name for one in known.values() if one.kind is AssetKind.PROCEDURE}
    for one in known.values():
        for name in one.texts("machines") if one.kind is AssetKind.PROCEDURE else ():
            if name_key(name) in machines:
                found.setdefault(machines[name_key(name)], set()).add(one.name)
    for one in snapshot.assets:
        # What a seat's machine names is used there, and runs elsewhere.
        for name in one.texts("procedures") if one.is_machine and one.kind not in SEAT_MACHINES else ():
            if name_key(name) in procedures:
                found.setdefault(one.id, set()).add(procedures[name_key(name)])
    return {asset: tuple(sorted(names)) for asset, names in found.items()}


def _described_on(snapshot: Snapshot, policy: Policy) -> dict[AssetId, set[str]]:
    """Machine -> procedures that the policy describes and that run on it: either names the other."""
    described = {name_key(one.name) for one in policy.procedures}
    machines = {name_key(one.name): one for one in snapshot.assets if one.is_machine} if described else {}
    there = {name_key(one.name): one for one in snapshot.assets if one.kind is AssetKind.PROCEDURE}
    found: dict[AssetId, set[str]] = {}
    for name in sorted(described & there.keys()):
        for machine in there[name].texts("machines"):
            if name_key(machine) in machines:
                found.setdefault(machines[name_key(machine)].id, set()).add(name)
    for one in machines.values():
        for name in described & there.keys() & {name_key(text) for text in one.texts("procedures")}:
            found.setdefault(one.id, set()).add(name)
    return found


class Services:
    """The machines that serve all moves of a tenant, and what is wrong with those in a role."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._there: dict[str, list[Asset]] = {}
        for one in snapshot.assets:
            if one.is_machine and one.text("role") and one.kind not in NEVER_MOVED:
                self._there.setdefault(one.text("role"), []).append(one)

    def fault(self, role: RoleSource, asks: Asks) -> str:
        """Empty when the runbook asks for no such machine or finds a good one. A jump host need not be there."""
        if role not in asks.machines:
            return ""
        there = self._there.get(role.value, [])
        if not there:
            return "" if role is RoleSource.JUMP else f"No machine of the tenant has the role {role.value}."
        if not asks.reached or any(all(one.text(name) for name in REACHED_BY) for one in there):
            return ""
        lacking = next(name for name in REACHED_BY if not there[0].text(name))
        return f"The {role.value} {there[0].name!r} has no {lacking.replace('_', ' ')}."
