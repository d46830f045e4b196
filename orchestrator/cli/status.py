"""``kahn status``: every wave of every tenant on one page, and what waits for a person."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from inventory.model import TenantId
from orchestrator.actions.desk import Desk
from orchestrator.actions.make_report import grounds_in
from orchestrator.cli.context import Context, context_of
from orchestrator.cli.notice import OpenCalls, open_calls, show_calls
from orchestrator.cli.wave_screen import bar, decision_lines
from orchestrator.core.decisions import About, Decision
from orchestrator.core.lifecycle import MOVE_GROUPS, WAVE_GROUPS, MoveState, WaveState
from orchestrator.core.places import WaveCase
from orchestrator.core.refusals import UnknownPerson
from orchestrator.core.report import Grounds, ManagementReport, management_report
from orchestrator.core.wave import PersonId
from orchestrator.core.wave_view import WaveView, view_of_case
from orchestrator.spoken import age, joined, one_line, span, spoken, wave_word
from orchestrator.texts import _

NEEDS_A_PERSON = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class TenantStatus:
    """One tenant at one moment."""

    tenant: TenantId
    report: ManagementReport
    waves: tuple[WaveView, ...]
    mine: tuple[Decision, ...]
    """Decisions without those that this person may not take."""
    calls: tuple[OpenCalls, ...] = ()
    """Notices that nobody has acknowledged, with what became of their calls."""


def status(
    ctx: typer.Context,
    needs_me: Annotated[bool, typer.Option("--needs-me", help="Only what waits for a person; exit code 4.")] = False,
) -> None:
    """How every wave stands, what waits for a person, and what happens if nobody acts."""
    kahn = context_of(ctx)
    with kahn.world.look() as desk:
        tenants = (kahn.tenant,) if kahn.tenant_name else desk.books.tenants.all()
        found = [tenant_status(desk, tenant, person=kahn.settings.person) for tenant in tenants]
    for one in found:
        _show_decisions(kahn, one) if needs_me else _show(kahn, one)
        show_calls(kahn, one.calls, warn=bool(one.waves) and not needs_me, tenant=one.tenant)
    if not found:
        kahn.out.line(_("There is no tenant yet. Next: `kahn tenant add NAME`."))
    waiting = sum(len(one.mine) for one in found)
    if needs_me and not waiting:
        kahn.out.line(_("Nothing waits for a person."))
    kahn.out.json([_document(one, needs_me=needs_me) for one in found])
    if needs_me and waiting:
        raise typer.Exit(NEEDS_A_PERSON)


def tenant_status(desk: Desk, tenant: TenantId, *, person: str) -> TenantStatus:
    """The tenant as it stands; ``person`` is who asks (empty: nobody in particular)."""
    grounds = grounds_in(desk, tenant, verify=False)
    report = management_report(grounds)
    return TenantStatus(
        tenant=tenant,
        report=report,
        waves=tuple(view_of_case(case, now=desk.now) for case in grounds.cases),
        mine=tuple(_for(_person(desk, tenant, person), report.decisions, grounds)),
        calls=open_calls(desk, tenant),
    )


def _person(desk: Desk, tenant: TenantId, name: str) -> PersonId | None:
    try:
        return desk.books.people.find(tenant, name).id if name else None
    except UnknownPerson:
        return None


def _for(person: PersonId | None, decisions: tuple[Decision, ...], grounds: Grounds) -> Iterator[Decision]:
    """Decisions that this person may take: nobody approves what they proposed or have approved already."""
    cases: dict[str, WaveCase] = {case.key: case for case in grounds.cases}
    for one in decisions:
        standing = cases[one.wave].standing if one.about is About.APPROVE else None
        if standing and person and person in (standing.proposer, *standing.approvers):
            continue
        yield one


# --------------------------------------------------------------------------- for people


def _show(kahn: Context, one: TenantStatus) -> None:
    kahn.out.rich(Text(f"{one_line(one.tenant)}  ", style="bold").append(joined(one.report.headline), style="not bold"))
    if one.waves:
        kahn.out.rich(_waves(one))
    _show_decisions(kahn, one, name=False)
    kahn.out.line()


def _show_decisions(kahn: Context, one: TenantStatus, *, name: bool = True) -> None:
    if name and one.mine:
        kahn.out.rich(Text(one_line(one.tenant), style="bold"))
    for nth, decision in enumerate(one.mine, 1):
        for line in decision_lines(nth, decision):
            kahn.out.rich(line)


def _waves(one: TenantStatus) -> Table:
    table = Table(box=None, header_style="dim")
    for heading in (_("wave"), _("state"), _("since"), _("window"), "", _("machines"), _("if nobody acts")):
        table.add_column(heading, overflow="fold")
    for view in one.waves:
        stuck = view.state in WAVE_GROUPS["stuck"]
        over = view.state in (WaveState.CLOSED, WaveState.ROLLED_BACK)
        table.add_row(
            Text(one_line(view.key), style="bold"),
            Text(wave_word(view.state).upper() if stuck else wave_word(view.state), style="bold red" if stuck else ""),
            age(view.since, view.as_of) if view.since else "-",
            Text(span(view.opens, view.closes)),
            bar(view.total),
            Text(_counts(view)),
            Text("-" if over else " ".join(spoken(sentence) for sentence in view.if_nobody_acts)),
        )
    return table


def _counts(view: WaveView) -> str:
    """The states that occur, and the size they add up to."""
    stuck = MOVE_GROUPS["stuck"]
    words = [
        f"{count} {_(state.value).replace('_', ' ').upper() if state in stuck else _(state.value).replace('_', ' ')}"
        for state, count in view.total.counts.items()
        if count
    ]
    return f"{', '.join(words)} = {view.total.size}" if words else "0"


# --------------------------------------------------------------------------- for machines


def _document(one: TenantStatus, *, needs_me: bool) -> dict[str, object]:
    if needs_me:
        return {"tenant": one.tenant, "decisions": one.mine}
    counts = [{str(state): view.total.counts[state] for state in MoveState} for view in one.waves]
    return {
        "tenant": one.tenant,
        "headline": joined(one.report.headline),
        "total": one.report.total.counts,
        "to_move": one.report.total.to_move,
        "waves": [
            {
                "wave": view.key,
                "state": view.state,
                "since": view.since,
                "opens": view.opens,
                "closes": view.closes,
                "machines": view.total.size,
                "counts": count,
                "if_nobody_acts": [spoken(sentence) for sentence in view.if_nobody_acts],
            }
            for view, count in zip(one.waves, counts, strict=True)
        ],
        "decisions": one.mine,
        "notices": [{"id": each.notice.id, "kind": each.notice.kind, "calls": each.calls} for each in one.calls],
    }
