"""What stands in no wave, by the first rule that keeps it out, in words for people who do not plan."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from orchestrator.core.explain import Sentence
from orchestrator.core.places import Place, Whereabouts
from orchestrator.core.plan import Plan


@dataclass(frozen=True, slots=True, kw_only=True)
class Leftover:
    """All assets that one rule keeps out of every wave. ``rule`` is empty for those the plan has not looked at."""

    rule: str
    says: Sentence
    helps: Sentence
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _RuleWords:
    rule: str
    says: str


_RULES = (
    _RuleWords(rule="no_runbook", says="no runbook moves this kind of machine"),
    _RuleWords(rule="no_successor", says="no new machine is named for it"),
    _RuleWords(rule="successor_unknown", says="the new machine is not in the inventory"),
    _RuleWords(rule="successor_replaced", says="the new machine is to be replaced itself"),
    _RuleWords(rule="successor_unfit", says="nobody can work at what is named as the new machine"),
    _RuleWords(rule="successor_taken", says="the new machine is named for another one as well"),
    _RuleWords(rule="no_address", says="an address is missing"),
    _RuleWords(rule="same_address", says="old and new machine have the same address"),
    _RuleWords(rule="boot_mac", says="the hardware address that the new machine boots by is missing or not its own"),
    _RuleWords(rule="no_access", says="it is not known how to reach it"),
    _RuleWords(rule="no_host_key", says="a host key is missing"),
    _RuleWords(rule="no_vault", says="there is no usable vault"),
    _RuleWords(rule="no_service", says="a machine that its runbook needs, such as a gateway, is not described"),
    _RuleWords(rule="no_procedure", says="the policy does not describe the procedure that runs on it"),
    _RuleWords(rule="still_needed", says="it is to retire, and something that stays needs it"),
    _RuleWords(rule="need_unmet", says="it is not as its runbook needs it"),
    _RuleWords(rule="pins_disagree", says="people pinned it to different waves"),
    _RuleWords(rule="pinned_wave", says="it cannot go in the wave it is pinned to"),
    _RuleWords(rule="pinned_not_before", says="no window is left after the time it is pinned to"),
    _RuleWords(rule="mixed_runbooks", says="it is bound to machines of another sort"),
    _RuleWords(rule="group_too_large", says="its group is larger than a window"),
    _RuleWords(rule="group_blocked", says="a machine that it must move with cannot be planned"),
    _RuleWords(rule="no_window", says="there is no window"),
    _RuleWords(rule="window_full", says="all windows are full"),
)
_WORDS = {one.rule: one.says for one in _RULES}
_UNSEEN = Sentence(says="the present plan does not know it, or its wave was given up")


def leftovers_of(plan: Plan | None, places: Sequence[Whereabouts]) -> tuple[Leftover, ...]:
    """Every asset without a wave, by rule, most first; together they are the number of the unplanned."""
    why = {one.rule: one for one in reversed(plan.why_not)} if plan else {}
    names: dict[str, list[str]] = {}
    for one in places:
        if one.place is Place.UNPLANNED:
            names.setdefault(one.rule, []).append(one.name)
    lines = [
        Leftover(
            rule=rule,
            says=Sentence(says=_WORDS[rule]) if rule in _WORDS else _UNSEEN if not rule else _as_said(why[rule].says),
            helps=_as_said(why[rule].remedy) if rule else Sentence(says="Propose a plan: `kahn plan propose`."),
            names=tuple(left),
        )
        for rule, left in names.items()
    ]
    return tuple(sorted(lines, key=lambda line: (-len(line.names), line.rule)))


def _as_said(text: str) -> Sentence:
    """A text of the plan. A fixed one is found in the catalogue; braces in it are no places to fill."""
    return Sentence(says=text.replace("{", "{{").replace("}", "}}"))
