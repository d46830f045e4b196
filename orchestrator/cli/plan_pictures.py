"""``kahn plan chart`` and ``kahn plan calendar``: the plan in force as a picture and for calendars."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from inventory.model import Snapshot
from orchestrator.actions.tick_task import tasks_ahead, today_in
from orchestrator.cli.context import Context, context_of
from orchestrator.cli.plan import NoPlan, app
from orchestrator.core.calendar import zone_of
from orchestrator.core.plan import Plan
from orchestrator.core.plan_chart import chart_of
from orchestrator.core.policy import Policy
from orchestrator.core.wave_calendar import WaveFacts, calendar_entries, task_entries
from orchestrator.texts import _
from orchestrator.wiring import chart_svg, plan_calendar, put_file


@app.command()
def chart(
    ctx: typer.Context,
    output: Annotated[Path, typer.Option("-o", "--output", help=_("Where the picture goes, such as plan.svg."))],
) -> None:
    """Draw the plan in force as an SVG picture: waves, sites and departments over the weeks, freezes and today."""
    kahn = context_of(ctx)
    plan, snapshot, policy, facts = _looked_up(kahn)
    drawn = chart_of(plan, snapshot, policy, states={key: one.state for key, one in facts.items()})
    now = kahn.world.clock.now().astimezone(zone_of(policy.zone))
    put_file(output, chart_svg(drawn, now=now).encode("utf-8"))
    kahn.out.line(_("The picture is {file}.").format(file=output))
    kahn.out.json({"file": str(output), "chart": drawn})


@app.command("calendar")
def calendar_(
    ctx: typer.Context,
    output: Annotated[Path, typer.Option("-o", "--output", help=_("Where the calendar goes, such as plan.ics."))],
) -> None:
    """Write the waves of the plan in force, and what is due ahead, for calendars; anew, it updates the same entries."""
    kahn = context_of(ctx)
    plan, snapshot, _policy, facts = _looked_up(kahn)
    entries = calendar_entries(plan, snapshot, facts=facts)
    with kahn.world.store.reading() as books:
        today = today_in(books, kahn.tenant, kahn.world.clock.now())
        ahead = task_entries(tasks_ahead(books, kahn.tenant, today=today), tenant=plan.tenant, facts=facts)
    put_file(output, plan_calendar(entries, tenant=str(plan.tenant), now=kahn.world.clock.now(), tasks=ahead))
    kahn.out.line(_("{count} waves are in {file}.").format(count=len(entries), file=output))
    if ahead:
        kahn.out.line(_("So are {count} tasks ahead of them, each on its last day.").format(count=len(ahead)))
    kahn.out.json({"file": str(output), "entries": entries, "tasks": ahead})


def _looked_up(kahn: Context) -> tuple[Plan, Snapshot, Policy, dict[str, WaveFacts]]:
    """Raises NoPlan."""
    with kahn.world.store.reading() as books:
        plan, snapshot = books.plans.current(kahn.tenant), books.assets.snapshot(kahn.tenant)
        policy, waves = books.tenants.policy(kahn.tenant), books.waves.all(kahn.tenant)
    if plan is None:
        raise NoPlan(tenant=kahn.tenant, which=_("in force"))
    facts = {str(w.key): WaveFacts(state=w.state.value, revision=w.revision, since=w.since) for w in waves}
    return plan, snapshot, policy, facts
