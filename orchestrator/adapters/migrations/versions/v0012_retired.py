"""A move may end as retired, and an old machine may be erased for good."""

from __future__ import annotations

from collections.abc import Mapping

from alembic import op

from orchestrator.adapters.state_guards import guard_states

revision = "0012"
down_revision = "0011"

MOVE_STATES: Mapping[str, str] = {
    "planned": "running held",
    "running": "moved retired failed unknown held rolling_back waiting_tool",
    "waiting_tool": "probing needs_person",
    "failed": "rolling_back held needs_person",
    "unknown": "probing running needs_person",
    "probing": "running failed unknown needs_person waiting_tool",
    "rolling_back": "rolled_back needs_person",
    "held": "running rolling_back",
    "moved": "rolling_back erased",
    "retired": "rolling_back erased",
    "erased": "",
    "needs_person": "rolling_back held unknown",
    "rolled_back": "",
}


def upgrade() -> None:
    """Apply."""
    pairs = [(before, after) for before, afters in MOVE_STATES.items() for after in afters.split()]
    guard_states(op.get_bind(), table="asset_move", first="planned", pairs=pairs)
