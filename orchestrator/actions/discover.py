"""Discover: ask machines what they are and with whom they talk; the answer is compared like any import."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from inventory.changes import Holdings
from inventory.claims import ClaimKey
from inventory.model import Asset, AssetId
from inventory.sources.discovery import SOURCE, Report, understood
from orchestrator.actions.scan_keys import door_of
from orchestrator.actions.take_inventory import FileRead, Intake, Now, compare
from orchestrator.core.access import AccessProfile
from orchestrator.core.discovery import FactsAnswer
from orchestrator.core.host_keys import Door, Trouble

FactsReader = Callable[[Sequence[Door]], Sequence[FactsAnswer]]
"""Asks every door; one answer each, in their order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Discovered:
    """What one round found: the difference to the inventory, and the machines that gave no report, with why."""

    intake: Intake
    answered: int
    troubles: tuple[tuple[Asset, Trouble], ...]


def ask(
    machines: Iterable[Asset], *, profiles: Mapping[str, AccessProfile], read: FactsReader
) -> tuple[tuple[Asset, FactsAnswer], ...]:
    """Each machine with its answer. Writes nothing, here or there."""
    doors: list[tuple[Asset, Door]] = []
    found: list[tuple[Asset, FactsAnswer]] = []
    for asset in machines:
        door = door_of(asset, profiles)
        if isinstance(door, Trouble):
            found.append((asset, FactsAnswer(asset=asset.id, trouble=door)))
        else:
            doors.append((asset, door))
    answers = read([door for _asset, door in doors])
    return (*found, *((asset, answer) for (asset, _door), answer in zip(doors, answers, strict=True)))


def discovered(holdings: Holdings, answers: Iterable[tuple[Asset, FactsAnswer]], *, now: Now) -> Discovered:
    """What the answers would change, without writing anything."""
    answered = list(answers)
    abouts = _abouts(holdings)
    reports = [
        Report(asset=asset, text=answer.text, at=now.at, about=abouts.get(asset.id), findings=answer.findings())
        for asset, answer in answered
        if answer.trouble is None
    ]
    reading = understood(reports, holdings.assets)
    return Discovered(
        intake=compare(holdings, [FileRead(file=SOURCE, reading=reading)], new_id=now.new_id, at=now.at),
        answered=len(reports),
        troubles=tuple((asset, answer.trouble) for asset, answer in answered if answer.trouble is not None),
    )


def _abouts(holdings: Holdings) -> dict[AssetId, ClaimKey]:
    """For each asset one claim that was not itself made about another."""
    found: dict[AssetId, ClaimKey] = {}
    for key in sorted(holdings.claims, reverse=True):
        if holdings.claims[key].about is None:
            found[holdings.claims[key].asset] = key
    return found
