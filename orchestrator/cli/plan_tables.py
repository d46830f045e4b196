"""How plans look in a terminal: waves, leftovers, findings and differences as tables and lines."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

from rich.markup import escape
from rich.table import Table

from inventory.model import Snapshot
from orchestrator.actions.store_plan import StoredWave
from orchestrator.cli.context import Out, harmless
from orchestrator.core.constraints import Level
from orchestrator.core.due_tasks import Due, DueTask
from orchestrator.core.explain import (
    Explanation,
    PlanDifference,
    leftover_lines,
    structure_sentences,
    wave_lines,
)
from orchestrator.core.plan import Judged, Plan, PlanFinding, PlannedWave
from orchestrator.core.plan_compare import Comparison
from orchestrator.core.policy import Policy
from orchestrator.spoken import spoken
from orchestrator.texts import _

DEPARTMENTS_SHOWN = 3
RISKS_SHOWN = 3
SHOWN_OVERDUE = 5


def show_plan(out: Out, plan: Plan, snapshot: Snapshot) -> None:
    """The whole plan: heading, waves, leftovers by rule."""
    planned = sum(len(wave.assets) for wave in plan.waves)
    left = sum(len(one.assets) for one in plan.why_not)
    out.line(
        _("{planned} assets in {waves} waves, {left} left over, {all} in all.").format(
            planned=planned, waves=len(plan.waves), left=left, all=planned + left
        )
    )
    if plan.waves:
        out.rich(_wave_table(plan, snapshot))
        show_objective(out, plan)
    show_leftovers(out, plan, snapshot)


def show_objective(out: Out, plan: Plan) -> None:
    """What the plan comes to, level by level, with its bound where one is known; and the waves that carry most risk."""
    if plan.judged:
        out.line(_("Judged by, the most important first (less is better):"))
    for one in plan.judged:
        out.line(f"  {level_name(one.level):<44} {one.value:>14,.0f}   {_bound_words(one)}")
    risky = sorted((wave for wave in plan.waves if wave.risk and wave.risk.score), key=lambda one: -_score(one))
    for wave in risky[:RISKS_SHOWN]:
        reasons = "; ".join(wave.risk.reasons) if wave.risk else ""
        out.line(
            _("Risk of {wave}: {score} of 100 ({reasons}).").format(wave=wave.key, score=_score(wave), reasons=reasons)
        )


def level_name(level: Level) -> str:
    """The level in the chosen language."""
    names = {
        Level.EXPOSURE: _("exposure (users x hours between both ends)"),
        Level.BRIDGES: _("bridges (prices of cut needs)"),
        Level.RISK: _("risk (critical in the first or last wave)"),
        Level.FINISH: _("finish (days until the last window)"),
        Level.EVENNESS: _("evenness (squared sizes of waves)"),
        Level.CHANGES: _("changes (assets that change their window)"),
    }
    return names[level]


def _bound_words(one: Judged) -> str:
    if one.bound is None:
        return _("no bound")
    if one.value <= one.bound + 1e-6:
        return _("the best there is, given the levels before")
    return _("bound {bound:,.0f}, gap {gap:.1f} %").format(
        bound=one.bound, gap=100 * (one.value - one.bound) / max(one.value, 1e-9)
    )


def _score(wave: PlannedWave) -> int:
    return wave.risk.score if wave.risk else 0


def _wave_table(plan: Plan, snapshot: Snapshot) -> Table:
    table = _table(_("wave"), _("window"), _("assets"), _("batches"), _("departments"), _("runbook"))
    for line in wave_lines(plan, snapshot):
        batches = ", ".join(f"{name} {size}" for name, size in line.batches)
        named = [f"{name or _('unknown')} {count}" for name, count in line.departments[:DEPARTMENTS_SHOWN]]
        more = [_("{count} more").format(count=len(line.departments) - len(named))]
        departments = ", ".join(named + (more if len(line.departments) > len(named) else []))
        _add(table, line.key, f"{line.local} {line.zone}", str(line.assets), batches, departments, line.runbook)
    return table


def show_leftovers(out: Out, plan: Plan, snapshot: Snapshot) -> None:
    """What is in no wave, by the first rule that failed, and what to do about it."""
    lines = leftover_lines(plan, snapshot)
    if not lines:
        return
    out.line(_("Left over, by the first rule that failed:"))
    for line in lines:
        more = _(" and {count} more").format(count=line.count - 1) if line.count > 1 else ""
        out.line(f"  {line.rule:<18} {line.count:>6}  {line.names[0]}{more}: {line.says}")
        out.line(f"  {'':<18} {'':>6}  {_(line.remedy)}")


def show_each_leftover(out: Out, plan: Plan, snapshot: Snapshot, *, rule: str = "") -> None:
    """Every leftover by name, reason by reason."""
    known = snapshot.by_id()
    for one in plan.why_not:
        if rule in ("", one.rule):
            names = sorted(known[asset].name if asset in known else str(asset) for asset in one.assets)
            out.line(f"{one.rule} ({len(names)}): {one.says} {_(one.remedy)}")
            for name in names:
                out.line(f"    {name}")


def show_explanation(out: Out, explanation: Explanation) -> None:
    """Why one asset is where it is."""
    place = f"{explanation.wave} {explanation.batch}".strip() or _("no wave")
    out.line(_("{name} is in {place}:").format(name=explanation.name, place=place))
    for sentence in explanation.because:
        out.line(f"  - {spoken(sentence)}")


def show_structure(out: Out, snapshot: Snapshot, policy: Policy) -> tuple[str, ...]:
    """What the dependencies look like; also returned as English sentences."""
    sentences = structure_sentences(snapshot, policy)
    for sentence in sentences:
        out.line(f"- {spoken(sentence)}")
    if not sentences:
        out.line(_("No circles, hubs or odd entries among the dependencies."))
    return tuple(sentence.text for sentence in sentences)


def show_difference(out: Out, found: PlanDifference) -> None:
    """What changes from one plan to the next."""
    if found.is_empty:
        out.line(_("No asset changes its wave and no wave its window."))
        return
    for sentence in found.says:
        out.line(f"- {spoken(sentence)}")
    out.line(_("{count} assets stay in their wave.").format(count=found.unchanged))


def show_comparison(out: Out, found: Comparison) -> None:
    """Who moves later or earlier, which wave grows, and what becomes of the finish date."""
    for sentence in found.says:
        out.line(f"- {spoken(sentence)}")


def comparison_document(found: Comparison) -> dict[str, Any]:
    """A comparison for --json."""
    return {
        "finish_before": found.finish_before,
        "finish_after": found.finish_after,
        "finish_days": found.finish_days,
        "later": found.later,
        "earlier": found.earlier,
        "sizes": found.sizes,
        "says": [sentence.text for sentence in found.says],
    }


def tell_tasks(out: Out, found: tuple[DueTask, ...], today: date) -> None:
    """What a look at the plan says of them: each that is late, and the next one."""
    late = [one for one in found if one.state is Due.OVERDUE]
    for one in late[:SHOWN_OVERDUE]:
        out.line(task_line(one, today))
    following = next((one for one in found if one.state is Due.OPEN), None)
    if following is not None:
        out.line(_("To be begun next: {line}").format(line=task_line(following, today)))
    if late or following:
        out.line(
            _("{late} of {all} tasks ahead of waves are overdue: `kahn plan tasks`.").format(
                late=len(late), all=len(found)
            )
        )


def task_line(one: DueTask, today: date) -> str:
    """One task with its last day."""
    facts = {
        "due": one.due.isoformat(),
        "wave": harmless(one.wave),
        "name": harmless(one.name),
        "owner": harmless(one.owner) or _("nobody named"),
        "assets": one.assets,
        "day": one.moves_on.isoformat(),
        "late": -one.days_left(today),
        "left": one.days_left(today),
    }
    texts = {
        Due.DONE: _("{due}  begun           {wave}  {name} ({owner}), {assets} assets on {day}"),
        Due.OVERDUE: _("{due}  OVERDUE {late:>3} d  {wave}  {name} ({owner}), {assets} assets on {day}"),
        Due.OPEN: _("{due}  in {left:>4} days    {wave}  {name} ({owner}), {assets} assets on {day}"),
    }
    return texts[one.state].format(**facts)


def show_findings(out: Out, findings: Iterable[PlanFinding]) -> None:
    """What the plan check found, one line each."""
    for one in findings:
        out.line(f"{one.severity:<7} {one.rule:<18} {one.says}")


def tell_stored(out: Out, stored: Iterable[StoredWave]) -> None:
    """What became of each wave of a stored plan, and what comes next."""
    says = {
        "new": _("{wave} is new and proposed."),
        "changed": _("{wave} changed and is proposed again; approvals it had are void."),
        "same": _("{wave} stays as it is, with its approvals."),
        "left_out": _("{wave} is no longer planned."),
    }
    for one in stored:
        out.line(says[one.verdict].format(wave=one.key))
        for change in one.changes:
            out.line(f"    {change}")
    proposed = [one.key for one in stored if one.verdict in ("new", "changed")]
    if proposed:
        out.line(_("Next, by a second person: `kahn wave approve {wave}`.").format(wave=proposed[0]))


def plan_document(plan: Plan, snapshot: Snapshot) -> dict[str, Any]:
    """The plan for --json: what is shown, and the plan itself."""
    return {
        "fingerprint": plan.fingerprint,
        "waves": wave_lines(plan, snapshot),
        "left_over": leftover_lines(plan, snapshot),
        "plan": plan,
    }


def explanation_document(explanation: Explanation) -> dict[str, Any]:
    """An explanation for --json."""
    return {
        "asset": explanation.asset,
        "name": explanation.name,
        "wave": explanation.wave,
        "batch": explanation.batch,
        "rule": explanation.rule,
        "because": [sentence.text for sentence in explanation.because],
    }


def difference_document(found: PlanDifference) -> dict[str, Any]:
    """A difference for --json."""
    return {
        "moved": found.moved,
        "added": found.added,
        "removed": found.removed,
        "windows": found.windows,
        "unchanged": found.unchanged,
        "says": [sentence.text for sentence in found.says],
    }


def _table(*columns: str) -> Table:
    table = Table(box=None, pad_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold")
    return table


def _add(table: Table, *cells: str) -> None:
    table.add_row(*(escape(harmless(cell)) for cell in cells))
