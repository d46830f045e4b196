"""``kahn wave run W --dry-run``: what would be done, in order and with times, and whether it may; touches nothing."""

from __future__ import annotations

from orchestrator.actions.look_around import surroundings
from orchestrator.cli.context import Context
from orchestrator.cli.gates import gates_of, show_gates
from orchestrator.cli.lines import clock, run_words
from orchestrator.core.ready import SIGNATURES, blocking
from orchestrator.core.rehearsed import WouldRun, would_do
from orchestrator.core.runbook import Effect
from orchestrator.spoken import one_line
from orchestrator.texts import _

MAY, REFUSED, PROOF_BROKEN = 0, 3, 9


def show_dry_run(kahn: Context, wave: str) -> int:
    """Print it; the exit code says whether the wave could start now. Raises UnknownWave."""
    gates = gates_of(kahn, wave, at="")
    with kahn.world.look() as desk:
        row = desk.books.waves.get(kahn.tenant, wave)
        batches = would_do(row.content, surroundings(desk, row))
    zone = row.content.window.zone
    blocks = {line.gate for line in blocking(gates)}
    if not kahn.json:
        show_gates(kahn, gates)
    for batch in batches:
        kahn.out.line("")
        kahn.out.line(
            _("{batch}: {count} assets, begins by {time} at the latest: {names}").format(
                batch=batch.batch, count=len(batch.names), time=clock(batch.begins_by, zone),
                names=", ".join(map(one_line, batch.names)),
            )
        )  # fmt: skip
        for one in batch.runs:
            kahn.out.line(_line(one))
    kahn.out.line("")
    kahn.out.line(_("Nothing was done. Times are what four of five earlier runs kept, or an estimate."))
    kahn.out.json({"may_start": not blocks, "gates": gates, "batches": batches})
    return PROOF_BROKEN if SIGNATURES in blocks else REFUSED if blocks else MAY


def _line(one: WouldRun) -> str:
    words = run_words(one.direction, one.step)
    marks = [_("happens only once")] if one.effect is Effect.ONCE else []
    marks += [_("POINT OF NO RETURN")] if one.no_return else []
    back = _("back {seconds} s").format(seconds=round(one.undo_seconds)) if one.undo_seconds else _("nothing to undo")
    return f"  {words:<26} {one.on:<10} {round(one.seconds):>6} s   {back}  {'  '.join(marks)}".rstrip()
