"""``kahn plan tasks`` and ``kahn plan task``: what people must begin ahead of each wave, and who said so."""

from __future__ import annotations

from datetime import date
from typing import Annotated

import typer

from orchestrator.actions.pin_asset import Word
from orchestrator.actions.tick_task import NoSuchTask, tasks_ahead, tick, today_in
from orchestrator.cli.context import Context, NoPerson, context_of
from orchestrator.cli.plan import As, NoPlan, app
from orchestrator.cli.plan_tables import task_line
from orchestrator.core.due_tasks import Begun, Due, DueTask
from orchestrator.ports import Books
from orchestrator.texts import _


@app.command("tasks")
def tasks_(
    ctx: typer.Context,
    overdue: Annotated[bool, typer.Option("--overdue", help=_("Only what is past its last day."))] = False,
    wave: Annotated[str, typer.Option(help=_("Only those of this wave."))] = "",
) -> None:
    """What must be begun ahead of each wave of the plan in force: by its last day, whose it is, what is late."""
    kahn = context_of(ctx)
    with kahn.world.store.reading() as books:
        today, found = _ahead(kahn, books)
    shown = [one for one in found if wave in ("", one.wave) and (not overdue or one.state is Due.OVERDUE)]
    for one in shown:
        kahn.out.line(task_line(one, today))
    if wave and found and not any(one.wave == wave for one in found):
        kahn.out.line(
            _("There is no task ahead of wave {wave}; {count} of other waves.").format(wave=wave, count=len(found))
        )
    elif not shown and overdue and found:
        kahn.out.line(_("Nothing is overdue."))
    elif not shown:
        kahn.out.line(_("Nothing has to be begun ahead of a wave."))
    elif any(one.state is not Due.DONE for one in shown):
        kahn.out.line(_("Next, once one is begun: `kahn plan task NAME WAVE --begun`."))
    kahn.out.json(shown)


@app.command("task")
def task_(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help=_("Name of the task, as in the policy."))],
    wave: Annotated[str, typer.Argument(help=_("Wave of the plan in force, such as W03."))],
    begun: Annotated[bool, typer.Option("--begun/--open", help=_("It is begun, or not after all."))] = True,
    reason: Annotated[str, typer.Option(help=_("Why or how; kept in the journal."))] = "",
    person: As = "",
) -> None:
    """Say that what must be begun ahead of a wave is begun; it counts while the wave keeps its day."""
    kahn = context_of(ctx)
    who = person or kahn.settings.person
    if not who:
        raise NoPerson()
    with kahn.world.transaction() as books:
        today, all_of_them = _ahead(kahn, books)
        found = next((one for one in all_of_them if (one.name, one.wave) == (name, wave)), None)
        if found is None:
            raise NoSuchTask(task=name, wave=wave)
        told = Begun(task=name, wave=wave, moves_on=found.moves_on)
        word = Word(by=books.people.find(kahn.tenant, who).id, at=kahn.world.clock.now(), reason=reason)
        tick(books, kahn.tenant, told, word=word, open_again=not begun)
        after = next(one for one in _ahead(kahn, books)[1] if (one.name, one.wave) == (name, wave))
    kahn.out.line(task_line(after, today))
    kahn.out.json(after)


def _ahead(kahn: Context, books: Books) -> tuple[date, tuple[DueTask, ...]]:
    """Raises NoPlan."""
    if books.plans.current(kahn.tenant) is None:
        raise NoPlan(tenant=kahn.tenant, which=_("in force"))
    today = today_in(books, kahn.tenant, kahn.world.clock.now())
    return today, tasks_ahead(books, kahn.tenant, today=today)
