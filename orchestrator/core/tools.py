"""External steps: what another tool's answer means for the asset that it has in hand."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from orchestrator.core.causes import RULES_OWN
from orchestrator.core.lifecycle import MoveEvent
from orchestrator.core.runbook import Step

_CAUSE = re.compile(r"[a-z][a-z_]{0,60}")


def percent_of(report: Mapping[str, Any]) -> int | None:
    """How much of it a probe says is done, 0 to 100; None when it says nothing, or nothing that makes sense."""
    told = report.get("percent")
    return told if type(told) is int and 0 <= told <= 100 else None


def tool_answered(step: Step, answer: str, *, is_started: bool) -> MoveEvent:
    """What follows from a probe of an external step: done, running, not_done, failed, partial; else it cannot tell.

    What was started is waited for until the deadline, also when the tool cannot tell. What nobody saw begin is begun
    (again) only after *not_done*; a step that something else starts is never begun, only waited for.
    """
    if answer == "done":
        return MoveEvent.PROBE_DONE
    if answer in ("failed", "partial"):
        return MoveEvent.PROBE_PARTIAL
    if answer == "running" or is_started or not step.playbook:
        return MoveEvent.STILL_GOING
    return MoveEvent.PROBE_NOT_DONE if answer == "not_done" else MoveEvent.PROBE_BLIND


def cause_of_tool(kahn: Mapping[str, Any]) -> str:
    """Why the tool failed: its own plain word where a probe tells one, unless it is the rules'; else *tool_failed*."""
    told = kahn.get("cause")
    plain = isinstance(told, str) and _CAUSE.fullmatch(told) and told not in RULES_OWN
    return str(told) if plain else "tool_failed"
