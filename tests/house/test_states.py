"""A state changes in one place only: through the tables of core/lifecycle.py."""

from __future__ import annotations

import ast

from orchestrator.core import lifecycle
from tests.house.sources import nothing_in, python_files, tree_of

ALLOWED = {"orchestrator/core/lifecycle.py"}
STATE_WORDS = {"state", "status"}


def test_no_attribute_named_state_or_status_is_assigned_elsewhere() -> None:
    assigned = [
        f"{path}:{target.lineno} .{target.attr} ="
        for path in python_files("inventory", "orchestrator")
        for node in ast.walk(tree_of(path))
        for target in _targets(node)
        if isinstance(target, ast.Attribute) and target.attr in STATE_WORDS and str(path) not in ALLOWED
    ]
    nothing_in(assigned)


def _targets(node: ast.AST) -> list[ast.expr]:
    if isinstance(node, ast.Assign):
        return node.targets
    return [node.target] if isinstance(node, ast.AnnAssign | ast.AugAssign) else []


def test_both_tables_are_total_and_every_state_is_grouped_once() -> None:
    for table, groups, states in (
        (lifecycle.MOVE_TABLE, lifecycle.MOVE_GROUPS, lifecycle.MoveState),
        (lifecycle.WAVE_TABLE, lifecycle.WAVE_GROUPS, lifecycle.WaveState),
    ):
        assert set(table) == set(states)
        assert sorted(state for group in groups.values() for state in group) == sorted(states)


def test_every_state_in_motion_or_stuck_can_be_left() -> None:
    moving = [lifecycle.MOVE_TABLE[state] for group in ("in motion", "stuck") for state in lifecycle.MOVE_GROUPS[group]]
    waving = [lifecycle.WAVE_TABLE[state] for group in ("in motion", "stuck") for state in lifecycle.WAVE_GROUPS[group]]
    assert all(moving) and all(waving)
