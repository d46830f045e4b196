"""Rules of runbook.yml that the schema cannot say: what each kind of step needs, and what makes no sense in it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Protocol

from inventory.ansible_inventory import is_group_name
from inventory.model import FIELDS
from orchestrator.adapters.runbook_said import meant
from orchestrator.adapters.runbook_yaml import Lined, Place
from orchestrator.core.compare_file import wrong_pattern
from orchestrator.core.likeness import SECTIONS

_TEMPLATE = re.compile(r"\{\{|\{%|\{#")


class ToldAfter(Protocol):
    """A comparison of before and after as it was read."""

    @property
    def ignore(self) -> Sequence[str]: ...
    @property
    def leave_out(self) -> Sequence[str]: ...


class ToldStep(Protocol):
    """A step as it was read, before it is believed."""

    @property
    def name(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def effect(self) -> str: ...
    @property
    def playbook(self) -> str: ...
    @property
    def probe(self) -> str: ...
    @property
    def no_return(self) -> bool: ...
    @property
    def checklist(self) -> Sequence[str]: ...
    @property
    def reversible_until(self) -> str: ...
    @property
    def every_s(self) -> int: ...
    @property
    def waits_for(self) -> Sequence[str]: ...
    @property
    def waits_s(self) -> int: ...
    @property
    def only_with(self) -> str: ...


def check_after(after: ToldAfter, baseline_take: str, lined: Lined) -> None:
    """Before and after are told by playbooks, in sections that there are. Raises RunbookInvalid."""
    if not baseline_take:
        raise lined.refuse(("compare_after",), "the baseline is taken by hand, so there is nothing to compare with")
    for number, pattern in enumerate(after.ignore):
        why = wrong_pattern(pattern)
        if why:
            raise lined.refuse(("compare_after", "ignore", number), why)
    for number, section in enumerate(after.leave_out):
        if section not in SECTIONS:
            known = ", ".join(SECTIONS)
            what = f"there is no section {section!r}; known are {known}"
            raise lined.refuse(("compare_after", "leave_out", number), what)


_SENSELESS: Mapping[str, tuple[str, ...]] = {
    "playbook": ("checklist", "undo_checklist", "present", "start"),
    "manual": ("playbook", "verify", "undo", "probe", "quiet_s", "start", "every_s", "waits_for"),
    "external": ("playbook", "verify", "checklist", "undo_checklist", "present", "waits_for"),
}
"""What has no meaning in a step of each kind."""


def check_step(step: ToldStep, place: Place, lined: Lined, *, adopted: bool) -> None:
    """One step by itself. Raises RunbookInvalid."""
    _check_kind(step, place, lined)
    _check_waiting(step, place, lined)
    if step.effect == "none":
        for word in ("undo", "undo_checklist", "probe", "no_return", "reversible_until"):
            if getattr(step, word):
                raise lined.refuse((*place, word), f"step {step.name!r} has no effect, so {word!r} makes no sense")
        return
    _check_undo(step, place, lined)
    if step.effect == "once" and not step.probe and step.kind != "manual" and not adopted:
        what = f"step {step.name!r} must happen once, so it needs 'probe': a playbook that looks how far it came"
        raise lined.refuse(place, what)


def _check_kind(step: ToldStep, place: Place, lined: Lined) -> None:
    """A person's step has a checklist, one of Ansible a playbook, one of another tool a probe."""
    for word in _SENSELESS[step.kind]:
        if getattr(step, word):
            raise lined.refuse((*place, word), f"step {step.name!r} is of kind {step.kind}, so {word!r} makes no sense")
    if step.kind == "manual" and not step.checklist:
        raise lined.refuse(place, f"step {step.name!r} is of kind manual and needs 'checklist'")
    if step.kind == "playbook" and not step.playbook:
        raise lined.refuse(place, "'playbook' is missing (or 'kind: manual', with a checklist)")
    if step.kind == "external" and step.effect == "none":
        raise lined.refuse((*place, "effect"), "what another tool does has an effect: say 'idempotent' or 'once'")
    if step.kind == "external" and not step.probe:
        raise lined.refuse(place, f"step {step.name!r} is of kind external and needs 'probe', to ask the tool")


def _check_waiting(step: ToldStep, place: Place, lined: Lined) -> None:
    """Only a step that looks may look again and again, and not for ever."""
    if step.waits_for and step.effect != "none":
        raise lined.refuse((*place, "waits_for"), f"step {step.name!r} has an effect: only one that looks may wait")
    if bool(step.waits_for) != bool(step.waits_s):
        what = f"step {step.name!r} needs both 'waits_for' (causes) and 'waits_s' (how long), or none of them"
        raise lined.refuse((*place, "waits_for" if step.waits_for else "waits_s"), what)
    if step.every_s and step.kind == "playbook" and not step.waits_for:
        raise lined.refuse((*place, "every_s"), f"step {step.name!r} waits for nothing, so 'every_s' makes no sense")


def _check_undo(step: ToldStep, place: Place, lined: Lined) -> None:
    undo = "undo_checklist" if step.kind == "manual" else "undo"
    has_undo = bool(getattr(step, undo))
    if not has_undo and not step.no_return:
        what = f"step {step.name!r} has the effect {step.effect!r} and needs {undo!r} (or 'no_return: true')"
        raise lined.refuse(place, what)
    if has_undo and step.no_return:
        raise lined.refuse((*place, "no_return"), f"step {step.name!r} has an undo, so it is not a point of no return")
    if step.reversible_until and not has_undo:
        raise lined.refuse((*place, "reversible_until"), f"step {step.name!r} has no undo that could end")


def check_order(steps: Sequence[ToldStep], lined: Lined) -> None:
    """Steps among each other: names are unique, and ``reversible_until`` names a later step. Raises RunbookInvalid."""
    names = [step.name for step in steps]
    for number, step in enumerate(steps):
        if step.name in names[:number]:
            raise lined.refuse(("steps", number, "name"), f"there are two steps {step.name!r}")
        if step.reversible_until and step.reversible_until not in names[number + 1 :]:
            what = f"'reversible_until' names no later step: {step.reversible_until[:60]!r}"
            raise lined.refuse(("steps", number, "reversible_until"), what)
        ends = next((one for one in steps if one.name == step.reversible_until), step)
        if ends.only_with and ends.only_with != step.only_with:
            what = f"step {ends.name!r} is not in every wave, so nothing can depend on whether it has begun"
            raise lined.refuse(("steps", number, "reversible_until"), what)


def check_needs(needs: Mapping[str, str | Sequence[str]], lined: Lined) -> None:
    """Conditions on facts: fields of the inventory with plain values. Raises RunbookInvalid."""
    for fact, told in needs.items():
        if fact not in FIELDS:
            raise lined.refuse(("needs", fact), f"the inventory has no field {fact[:60]!r}{meant(fact, FIELDS)}")
        values = (told,) if isinstance(told, str) else tuple(told)
        if not values or not all(values):
            raise lined.refuse(("needs", fact), f"say which values of {fact!r} will do")
        for value in values:
            if _TEMPLATE.search(value) or not value.isprintable():
                what = f"a condition on facts is a plain value, never a template: {value[:60]!r}"
                raise lined.refuse(("needs", fact), what)


def check_groups(groups: Sequence[str], lined: Lined) -> None:
    """Names of inventory groups that are none of Kahn's own. Raises RunbookInvalid."""
    for number, group in enumerate(groups):
        if not is_group_name(group):
            raise lined.refuse(("groups", number), f"{group!r} is one of Kahn's or Ansible's own groups: take another")
