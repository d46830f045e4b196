"""``kahn plan what-if`` and ``earlier``: questions about the plan in force, answered without changing anything."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from inventory.errors import ExpectedError
from orchestrator.actions.pin_asset import machine_named
from orchestrator.actions.propose_plan import request_in
from orchestrator.cli.context import Context, Out, context_of
from orchestrator.cli.plan import NoPlan, app, asking_about
from orchestrator.cli.plan_tables import level_name
from orchestrator.core.constraints import Level
from orchestrator.core.plan import PlanRequest
from orchestrator.core.plan_check import check_plan, errors_of
from orchestrator.core.planner.answers import Answer, Barred, why_not
from orchestrator.core.planner.what_if import Change, Outcome, afresh, changed, outcome_of
from orchestrator.texts import _

Lift = Annotated[list[str] | None, typer.Option("--lift", help="Name of a rule or freeze to be dropped.")]
Most = Annotated[list[str] | None, typer.Option("--capacity", help="NAME=MOST of a capacity, such as technicians=480.")]
Without = Annotated[list[str] | None, typer.Option("--without", help="A procedure that is given up.")]
SHOWN = 5


class BadCapacity(ExpectedError):
    """A capacity that is no NAME=NUMBER."""

    code, says = "PLAN-062", "{text!r} is no NAME=NUMBER."
    remedy = "Write the capacity's name and what it allows instead, such as technicians=480."


# --------------------------------------------------------------------------- what if


@app.command("what-if")
def what_if(
    ctx: typer.Context,
    lift: Lift = None,
    capacity: Most = None,
    per_window: Annotated[int, typer.Option("--assets-per-window", help="Another number of assets a window.")] = 0,
    horizon_days: Annotated[int, typer.Option(help="Another number of days to plan ahead.")] = 0,
    without: Without = None,
) -> None:
    """Plan anew under changed rules and hold it against a plan under the rules in force. Nothing is stored."""
    kahn = context_of(ctx)
    change = Change(
        lift=tuple(lift or ()),
        most=_capacities(capacity or []),
        assets_per_window=per_window or None,
        horizon_days=horizon_days or None,
        without=tuple(without or ()),
    )
    request = afresh(_request(kahn))
    other = changed(request, change)
    before, after = _outcome(kahn, request), _outcome(kahn, other)
    _show_outcomes(kahn.out, before, after)
    kahn.out.line(_("Nothing was stored. To have it so, change the policy and propose a plan."))
    kahn.out.json({"as_it_is": before, "what_if": after})


def _capacities(texts: list[str]) -> dict[str, float]:
    found = {}
    for text in texts:
        name, sign, number = text.rpartition("=")
        try:
            found[name] = float(number)
        except ValueError as cause:
            raise BadCapacity(text=text) from cause
        if not sign or not 0 <= found[name] < 1e9:
            raise BadCapacity(text=text)
    return found


def _request(kahn: Context) -> PlanRequest:
    with kahn.world.store.reading() as books:
        return request_in(books, tenant=kahn.tenant, not_before=kahn.world.clock.now(), asks=kahn.world.asks)


def _outcome(kahn: Context, request: PlanRequest) -> Outcome:
    plan = kahn.world.planner.propose(request)
    errors = errors_of(check_plan(plan, request.snapshot, request.policy, request=request))
    if errors:
        kahn.out.line(_("The plan check found {count} errors in this plan.").format(count=len(errors)))
    return outcome_of(plan)


def _show_outcomes(out: Out, before: Outcome, after: Outcome) -> None:
    out.line(f"{'':<46}{_('as it is'):>16}{_('what if'):>16}")
    rows: list[tuple[str, Any, Any]] = [
        (_("assets planned"), before.planned, after.planned),
        (_("assets left over"), sum(before.left_over.values()), sum(after.left_over.values())),
        (_("waves"), before.waves, after.waves),
    ]
    for rule in sorted({*before.left_over, *after.left_over}):
        rows.append((f"  {rule}", before.left_over.get(rule, 0), after.left_over.get(rule, 0)))
    for level in before.judged if before.judged.keys() == after.judged.keys() else ():
        if level is not Level.CHANGES:
            rows.append((level_name(level), f"{before.judged[level]:,.0f}", f"{after.judged[level]:,.0f}"))
    for name, one, other in rows:
        out.line(f"{name:<46}{one!s:>16}{other!s:>16}")
    if before.last_window != after.last_window:
        out.line(_("The last window: {one}, then {other}.").format(one=before.last_window, other=after.last_window))


# --------------------------------------------------------------------------- why not earlier


@app.command()
def earlier(ctx: typer.Context, asset: Annotated[str, typer.Argument(help="Name of a machine.")]) -> None:
    """Why an asset is in no earlier window, or in none: every rule in the way, and the cheapest one to loosen."""
    kahn = context_of(ctx)
    with kahn.world.store.reading() as books:
        plan = books.plans.current(kahn.tenant)
        if plan is None:
            raise NoPlan(tenant=kahn.tenant, which=_("in force"))
        request = asking_about(kahn, books, plan)
    found = machine_named(request.snapshot, asset)
    answer = why_not(request, plan, found.id)
    if answer is None:
        kahn.out.line(
            _("{name} is in no group that could move: `kahn plan why-not {name}` says why.").format(name=asset)
        )
        kahn.out.json({"asset": found.id, "answer": None})
        return
    show_answer(kahn.out, found.name, answer)
    kahn.out.json({"asset": found.id, "answer": answer})


def show_answer(out: Out, name: str, answer: Answer) -> None:
    """What is in the way, in sentences."""
    where = (
        _("{name} is in {wave}; {count} windows lie before it.")
        if answer.wave
        else _("{name} is in no wave; {count} windows are in reach.")
    )
    out.line(where.format(name=name, wave=answer.wave, count=answer.windows))
    for one in answer.barred[:SHOWN]:
        out.line(f"  - {one.windows:>4}  {one.rule:<18} {one.says}")
    if answer.open_windows:
        windows = ", ".join(answer.open_windows[:SHOWN])
        out.line(_("Nothing keeps it out of {windows}: a new plan or a pin can put it there.").format(windows=windows))
        return
    if answer.conflict:
        rules = "; ".join(_named(one) for one in answer.conflict)
        out.line(_("A smallest set of rules that shuts all of them: {rules}.").format(rules=rules))
    if answer.nearest:
        rules = "; ".join(_named(one) for one in answer.to_lift)
        out.line(_("Cheapest to open: {window}, shut by {rules}.").format(window=answer.nearest, rules=rules))
        for one in answer.to_lift:
            out.line(f"    {_(one.remedy)}")


def _named(one: Barred) -> str:
    return f"{one.rule} ({one.says})"
