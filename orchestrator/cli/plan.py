"""``kahn plan``: propose, show, explain, check and compare plans, and pin what a person decides."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, time
from pathlib import Path
from typing import Annotated, Any

import typer

from inventory.errors import ExpectedError
from inventory.model import AssetId, Snapshot
from orchestrator.actions.pin_asset import Word, machine_named, pin, pins_in, unpin
from orchestrator.actions.propose_plan import ChangedWhilePlanning, EmptyPlan, PlanRefused, propose, request_in
from orchestrator.actions.sign import Keyboard
from orchestrator.actions.store_plan import StoredWave, store_plan
from orchestrator.actions.tick_task import tasks_ahead, today_in
from orchestrator.cli.context import Context, NoPerson, context_of
from orchestrator.cli.plan_tables import (
    comparison_document,
    difference_document,
    explanation_document,
    plan_document,
    show_comparison,
    show_difference,
    show_each_leftover,
    show_explanation,
    show_findings,
    show_plan,
    show_structure,
    tell_stored,
    tell_tasks,
)
from orchestrator.core.calendar import resolved, zone_of
from orchestrator.core.explain import difference, leftover_lines
from orchestrator.core.explain import explain as explain_asset
from orchestrator.core.freeze import Frozen
from orchestrator.core.placement import placement
from orchestrator.core.plan import Pin, Plan, PlanRequest, WaveKey
from orchestrator.core.plan_check import check_plan, errors_of
from orchestrator.core.plan_compare import comparison
from orchestrator.core.policy import Policy
from orchestrator.ports import Books
from orchestrator.texts import _

app = typer.Typer(no_args_is_help=True)

REFUSED = 3
As = Annotated[str, typer.Option("--as", help="Who acts (else KAHN_PERSON).")]
KeyFile = Annotated[Path | None, typer.Option("--key", help="Their private SSH key (else KAHN_KEY).")]
NotBefore = Annotated[str, typer.Option(help="Date or time, such as 2026-12-01 or 2026-12-01T20:00.")]
AssetName = Annotated[str, typer.Argument(help="Name of a machine.")]
Fingerprint = Annotated[str, typer.Argument(help="Fingerprint of a plan.")]


class NoPlan(ExpectedError):
    """There is no such plan."""

    code, says = "PLAN-007", "{tenant} has no plan {which}."
    remedy = "Make one with `kahn plan propose`."
    exit_code = 5


class BadTime(ExpectedError):
    """A date or time that cannot be read."""

    code, says = "PLAN-008", "{text!r} is no date or time."
    remedy = "Write 2026-12-01, 2026-12-01T20:00 (local time) or 2026-12-01T20:00+01:00."


# --------------------------------------------------------------------------- propose


@app.command("propose")
def propose_(
    ctx: typer.Context,
    not_before: NotBefore = "",
    seed: Annotated[int, typer.Option(min=0, help="Seed; kept in the plan, for planners that roll dice.")] = 0,
    move_approved: Annotated[
        bool,
        typer.Option("--move-approved", help="Plan approved waves anew too; approvals of those that change are void."),
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show the plan.")] = False,
    person: As = "",
    key: KeyFile = None,
) -> None:
    """Plan what is left to move, show it with every leftover's reason, store it and propose its waves."""
    kahn = context_of(ctx)
    request = _request(kahn, not_before, seed, move_approved=move_approved)
    plan = _proposed(kahn, request)
    show_plan(kahn.out, plan, request.snapshot)
    if request.parent is not None:
        kahn.out.line(_("Against the plan in force:"))
        show_difference(kahn.out, difference(request.parent, plan, request.snapshot))
    findings = check_plan(plan, request.snapshot, request.policy, request=request)
    show_findings(kahn.out, findings)
    document = {**plan_document(plan, request.snapshot), "findings": findings}
    if dry_run:
        kahn.out.line(_("Nothing was stored. Next: the same without --dry-run."))
        kahn.out.json(document)
        return
    stored = _store(kahn, request, plan, _keyboard(kahn, person, key), move_approved=move_approved)
    tell_stored(kahn.out, stored)
    kahn.out.json({**document, "stored": stored})


def _request(kahn: Context, not_before: str, seed: int, *, move_approved: bool) -> PlanRequest:
    now = kahn.world.clock.now()
    with kahn.world.store.reading() as books:
        begin = max(now, _moment(not_before, books.tenants.policy(kahn.tenant))) if not_before else now
        request = request_in(
            books, tenant=kahn.tenant, not_before=begin, move_approved=move_approved, asks=kahn.world.asks
        )
    return replace(request, seed=seed)


def _proposed(kahn: Context, request: PlanRequest) -> Plan:
    """The plan; where none can be proposed, what there is to see is shown before the error. Raises as ``propose``."""
    try:
        return propose(kahn.world.planner, request, check_plan)
    except EmptyPlan as error:
        show_plan(kahn.out, error.plan, request.snapshot)
        raise
    except PlanRefused as error:
        show_findings(kahn.out, error.findings)
        raise


def _keyboard(kahn: Context, person: str, key: Path | None) -> Keyboard:
    name, key_file = kahn.signer(person, key)
    return Keyboard(person=name, key_file=key_file)


def _store(
    kahn: Context, request: PlanRequest, plan: Plan, keyboard: Keyboard, *, move_approved: bool
) -> tuple[StoredWave, ...]:
    """Store it if all is still as it was looked at. Raises ChangedWhilePlanning, PlanOvertaken and those of signing."""
    world = kahn.world
    runbooks = {name: world.runbook(name) for name in sorted({wave.runbook for wave in plan.waves})}
    question = _("Store this plan and propose its {count} waves as {person}?")
    kahn.confirm(question.format(count=len(plan.waves), person=keyboard.person))
    with world.desk() as desk:
        begin = request.not_before
        again = request_in(
            desk.books, tenant=kahn.tenant, not_before=begin, move_approved=move_approved, asks=world.asks
        )
        if replace(again, seed=request.seed) != request:
            raise ChangedWhilePlanning()
        frozen = Frozen(
            snapshot=request.snapshot,
            policy=request.policy,
            runbooks=runbooks,
            profiles={profile.name: profile for profile in desk.books.tenants.access(kahn.tenant)},
            ansible_core=world.ansible_core(),
        )
        return store_plan(desk, plan, frozen=frozen, keyboard=keyboard)


# --------------------------------------------------------------------------- look


@app.command()
def show(ctx: typer.Context, fingerprint: Fingerprint = "") -> None:
    """The plan in force (or any stored one): waves with their windows, leftovers with their reasons."""
    kahn = context_of(ctx)
    with kahn.world.store.reading() as books:
        plan, snapshot = _plan(kahn, books, fingerprint), books.assets.snapshot(kahn.tenant)
        today = today_in(books, kahn.tenant, kahn.world.clock.now())
        ahead = () if fingerprint else tasks_ahead(books, kahn.tenant, today=today)
    kahn.out.line(_("plan {fingerprint}").format(fingerprint=plan.fingerprint))
    show_plan(kahn.out, plan, snapshot)
    tell_tasks(kahn.out, ahead, today)
    kahn.out.line(_("Next: `kahn plan explain ASSET`, `kahn plan why-not`, `kahn wave list`."))
    kahn.out.json({**plan_document(plan, snapshot), "tasks": ahead})


@app.command()
def explain(ctx: typer.Context, asset: AssetName = "") -> None:
    """Why an asset is in its wave or in none; without a name, what the dependencies look like."""
    kahn = context_of(ctx)
    with kahn.world.store.reading() as books:
        snapshot = books.assets.snapshot(kahn.tenant)
        if not asset:
            kahn.out.json({"dependencies": show_structure(kahn.out, snapshot, books.tenants.policy(kahn.tenant))})
            return
        plan, pins = _plan(kahn, books), pins_in(books, kahn.tenant)
        request = asking_about(kahn, books, plan)
    found = machine_named(snapshot, asset).id
    explanation = explain_asset(plan, snapshot, found, pins=pins)
    reasons = placement(request, plan, found)
    explanation = replace(explanation, because=(*explanation.because, *reasons))
    show_explanation(kahn.out, explanation)
    kahn.out.json(explanation_document(explanation))


@app.command("why-not")
def why_not(
    ctx: typer.Context,
    asset: AssetName = "",
    rule: Annotated[str, typer.Option(help="Only leftovers of this rule.")] = "",
) -> None:
    """Every asset that is in no wave, with the first rule that failed and what to do."""
    kahn = context_of(ctx)
    if asset:
        explain(ctx, asset)
        return
    with kahn.world.store.reading() as books:
        plan, snapshot = _plan(kahn, books), books.assets.snapshot(kahn.tenant)
    show_each_leftover(kahn.out, plan, snapshot, rule=rule)
    if not plan.why_not:
        kahn.out.line(_("Nothing is left over."))
    kahn.out.json([line for line in leftover_lines(plan, snapshot) if rule in ("", line.rule)])


@app.command()
def check(ctx: typer.Context, fingerprint: Fingerprint = "") -> None:
    """A second opinion on the plan in force, by the inventory, policy and pins of this moment."""
    kahn = context_of(ctx)
    with kahn.world.store.reading() as books:
        plan = _plan(kahn, books, fingerprint)
        request = asking_about(kahn, books, plan)
    planned = frozenset(asset for wave in plan.waves for asset in wave.assets)
    request = replace(request, settled=request.settled - planned)
    findings = check_plan(plan, request.snapshot, request.policy, request=request)
    show_findings(kahn.out, findings)
    if errors_of(findings):
        kahn.out.line(_("The plan does not fit what is known now. Next: `kahn plan propose`."))
    else:
        kahn.out.line(_("No rule is broken."))
    kahn.out.json(findings)
    raise typer.Exit(REFUSED if errors_of(findings) else 0)


@app.command()
def diff(ctx: typer.Context, before: Fingerprint = "", after: Fingerprint = "") -> None:
    """What changes from one plan to another; without names, from the one before to the one in force."""
    kahn = context_of(ctx)
    with kahn.world.store.reading() as books:
        newer = _plan(kahn, books, after)
        older = _plan(kahn, books, before or newer.parent or "before it")
        snapshot = books.assets.snapshot(kahn.tenant)
    found, compared = difference(older, newer, snapshot), comparison(older, newer, snapshot)
    if not found.is_empty:
        show_comparison(kahn.out, compared)
    show_difference(kahn.out, found)
    kahn.out.json({**difference_document(found), "comparison": comparison_document(compared)})


def asking_about(kahn: Context, books: Books, plan: Plan) -> PlanRequest:
    """The request that such a plan answers, by what is known at this moment."""
    request = request_in(
        books, tenant=kahn.tenant, not_before=plan.not_before, move_approved=True, asks=kahn.world.asks
    )
    return replace(request, parent=books.plans.get(kahn.tenant, plan.parent) if plan.parent else None)


def _plan(kahn: Context, books: Books, fingerprint: str = "") -> Plan:
    """A stored plan; the one in force when none is named. Raises NoPlan."""
    found = books.plans.get(kahn.tenant, fingerprint) if fingerprint else books.plans.current(kahn.tenant)
    if found is None:
        raise NoPlan(tenant=kahn.tenant, which=fingerprint or _("in force"))
    return found


# --------------------------------------------------------------------------- pin


@app.command("pin")
def pin_(
    ctx: typer.Context,
    asset: AssetName = "",
    wave: Annotated[str, typer.Argument(help="Wave of the plan in force, such as W03.")] = "",
    not_before: NotBefore = "",
    not_with: Annotated[
        list[str] | None, typer.Option("--not-with", help="Machine that must be in another wave; may be given again.")
    ] = None,
    remove: Annotated[bool, typer.Option("--remove", help="Let the planner decide again.")] = False,
    reason: Annotated[str, typer.Option(help="Why; kept in the journal.")] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would be pinned.")] = False,
    person: As = "",
) -> None:
    """Fix an asset for the next plan: to a wave, not before a time, or apart from others; no name lists the pins."""
    kahn = context_of(ctx)
    if not asset:
        _list_pins(kahn)
        return
    with kahn.world.transaction() as books:
        snapshot = books.assets.snapshot(kahn.tenant)
        found = machine_named(snapshot, asset)
        moment = _moment(not_before, books.tenants.policy(kahn.tenant)) if not_before else None
        apart = tuple(machine_named(snapshot, name).id for name in not_with or ())
        wanted = Pin(asset=found.id, wave=WaveKey(wave) if wave else None, not_before=moment, not_with=apart)
        if not dry_run:
            _write_pin(kahn, books, wanted, remove=remove, person=person, reason=reason)
    kahn.out.line(_pin_line(wanted, snapshot, remove=remove))
    kahn.out.line(_("Next: `kahn plan propose`."))
    kahn.out.json({"pin": wanted, "removed": remove, "stored": not dry_run})


def _write_pin(kahn: Context, books: Books, wanted: Pin, *, remove: bool, person: str, reason: str) -> None:
    name = person or kahn.settings.person
    if not name:
        raise NoPerson()
    word = Word(by=books.people.find(kahn.tenant, name).id, at=kahn.world.clock.now(), reason=reason)
    if remove:
        unpin(books, kahn.tenant, wanted.asset, word=word)
    else:
        pin(books, kahn.tenant, wanted, word=word)


def _list_pins(kahn: Context) -> None:
    with kahn.world.store.reading() as books:
        pins, snapshot = pins_in(books, kahn.tenant), books.assets.snapshot(kahn.tenant)
    for one in pins:
        kahn.out.line(_pin_line(one, snapshot, remove=False))
    if not pins:
        kahn.out.line(_("Nothing is pinned."))
    kahn.out.json(_pin_documents(pins, snapshot))


def _pin_documents(pins: tuple[Pin, ...], snapshot: Snapshot) -> list[dict[str, Any]]:
    return [
        {
            "asset": one.asset,
            "name": _name(snapshot, one.asset),
            "wave": one.wave,
            "not_before": one.not_before,
            "not_with": one.not_with,
        }
        for one in pins
    ]


def _name(snapshot: Snapshot, asset: AssetId) -> str:
    return next((one.name for one in snapshot.assets if one.id == asset), str(asset))


def _pin_line(one: Pin, snapshot: Snapshot, *, remove: bool) -> str:
    name = _name(snapshot, one.asset)
    if remove:
        return _("{name} is not pinned any more.").format(name=name)
    said = [_time_of_pin(one, name)] if one.wave is not None or one.not_before is not None else []
    others = ", ".join(_name(snapshot, other) for other in one.not_with)
    if others:
        said.append(_("{name} is kept apart from {others}.").format(name=name, others=others))
    return " ".join(said)


def _time_of_pin(one: Pin, name: str) -> str:
    if one.wave is not None and one.not_before is not None:
        text = _("{name} is pinned to {wave}, not before {time}.")
    elif one.wave is not None:
        text = _("{name} is pinned to {wave}.")
    else:
        text = _("{name} is pinned to not before {time}.")
    at = one.not_before.isoformat(" ", timespec="minutes") if one.not_before else ""
    return text.format(name=name, wave=one.wave, time=at)


def _moment(text: str, policy: Policy) -> datetime:
    """A date or time as a person writes it; local time of the policy unless it carries an offset. Raises BadTime."""
    zone = zone_of(policy.zone)
    try:
        if len(text) == len("2026-12-01"):
            return resolved(datetime.combine(date.fromisoformat(text), time()), zone)
        found = datetime.fromisoformat(text)
        return found if found.tzinfo else resolved(found, zone)
    except (ValueError, OverflowError) as cause:
        raise BadTime(text=text) from cause
