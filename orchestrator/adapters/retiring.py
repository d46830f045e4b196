"""Whether what a policy says about retiring fits the runbooks that are there."""

from __future__ import annotations

from pathlib import Path

from inventory.errors import ExpectedError
from orchestrator.adapters.runbooks import RunbookUnknown, find_runbook, load_runbook
from orchestrator.core.policy import Policy
from orchestrator.core.runbook import RunbookInvalid


class DoesNotRetire(ExpectedError):
    """A runbook stands where it does not belong: under [retire] but it moves machines, or the other way round."""

    code, says = "PLAN-037", "The runbook {runbook} stands under {table} of the policy, but {why}."
    remedy = "Name another one; a runbook that switches machines off for good says `retires: true`."


def check_retiring(policy: Policy, *, state_dir: Path) -> None:
    """That machines are retired by runbooks that say so, and moved by others.

    A runbook under [retire] must be there. Raises RunbookUnknown, RunbookInvalid, DoesNotRetire.
    """
    for name in sorted(set(policy.retire.values())):
        if not load_runbook(find_runbook(name, state_dir=state_dir)).retires:
            raise DoesNotRetire(runbook=name, table="[retire]", why="it does not say that it retires machines")
    tables = (("[runbooks]", policy.runbooks), ("[by_hand]", policy.by_hand), ("[by_psrp]", policy.by_psrp))
    for table, runbooks in tables:
        for name in sorted(set(runbooks.values())):
            if _retires(name, state_dir):
                raise DoesNotRetire(runbook=name, table=table, why="it retires machines")


def _retires(name: str, state_dir: Path) -> bool:
    """Whether it says so; one that is not there, or not whole, is refused when a plan needs it."""
    try:
        return load_runbook(find_runbook(name, state_dir=state_dir)).retires
    except (RunbookUnknown, RunbookInvalid):
        return False
