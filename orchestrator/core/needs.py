"""What a runbook needs to be so of an asset: facts of the inventory, compared as plain text."""

from __future__ import annotations

from inventory.errors import ExpectedError
from inventory.model import Asset
from orchestrator.core.runbook import Runbook


class NeedNotMet(ExpectedError):
    """An asset that the runbook named for its kind cannot move."""

    code, says = "PLAN-066", "{asset}: runbook {runbook} needs {fact} = {wanted}, but the inventory says {found}."
    remedy = "Correct the record, set its `strategy` to retain, or name another runbook in the policy."


def check_needs(asset: Asset, runbook: Runbook) -> None:
    """Raises NeedNotMet for the first fact that is otherwise than the runbook needs."""
    for need in runbook.needs:
        found = asset.text(need.fact)
        if not any(_fits(found, value) for value in need.values):
            wanted = ", ".join(need.values)
            raise NeedNotMet(asset=asset.name, runbook=runbook.name, fact=need.fact, found=found or "-", wanted=wanted)


def _fits(found: str, wanted: str) -> bool:
    """Equal but for case; with a star at the end, the beginning is enough."""
    text, pattern = found.casefold(), wanted.casefold()
    return text.startswith(pattern[:-1]) if pattern.endswith("*") else text == pattern
