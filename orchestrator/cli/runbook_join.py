"""``kahn runbook join``: one runbook in front of another."""

from __future__ import annotations

from typing import Annotated

import typer

from orchestrator.cli.context import context_of
from orchestrator.cli.runbook import Name, folder_of
from orchestrator.texts import _
from orchestrator.wiring import join_runbooks


def join(
    ctx: typer.Context,
    first: Name,
    second: Name,
    name: Annotated[str, typer.Option("--as-runbook", help=_("Name of the joined runbook."))],
) -> None:
    """Put the steps of one runbook in front of another's, as a new runbook in the state directory."""
    kahn = context_of(ctx)
    shelf = kahn.settings.home / "runbooks"
    made = join_runbooks(folder_of(kahn, first), folder_of(kahn, second), shelf=shelf, name=name)
    kahn.out.line(
        _("{name}: {steps} steps. Baseline and checks are those of {second}.").format(
            name=made.name, steps=len(made.steps), second=second
        )
    )
    kahn.out.line(_("Next: name it in the policy's [runbooks], then `kahn plan propose`."))
    kahn.out.json({"name": made.name, "tree": made.tree, "steps": made.step_names})
