"""Snapshots, readings and small files for tests of the inventory."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

from inventory.changes import ChangeSet, Holdings, applied
from inventory.merge import When, merge
from inventory.model import AssetId, AssetKind, DependencyKind, Snapshot, TenantId, Value
from inventory.observation import Observation, ObservedDependency, Place, Reading

TENANT = TenantId("stadt")
JINJA = "{{ lookup('pipe','id') }}"


def nothing_known() -> Holdings:
    return Holdings(snapshot=Snapshot(tenant=TENANT, assets=(), dependencies=()))


def ids(beside: Holdings) -> Callable[[], AssetId]:
    """A new id at each call, a-00000, a-00001 ..., none that the snapshot has."""
    taken = {one.id for one in beside.assets}
    free = (AssetId(f"a-{number:05d}") for number in itertools.count())
    return lambda: next(one for one in free if one not in taken)


def said(name: str, kind: AssetKind = AssetKind.SERVER, *, row: int = 2, **values: Value) -> Observation:
    """A row of one file."""
    place = Place(file="list.csv", row=row)
    return Observation(kind=kind, name=name, values=values, place=place, source="test", row=(name, "as it stood"))


def own(**texts: str) -> dict[str, Any]:
    """Attributes of the town's own by their short names."""
    return {f"attr.{name}": text for name, text in texts.items()}


def needing(asset: str, needs: str, kind: DependencyKind = DependencyKind.HARD, *, row: int = 2) -> ObservedDependency:
    return ObservedDependency(
        asset=asset, needs=needs, kind=kind, place=Place(file="needs.csv", row=row), source="test"
    )


def a_reading(*rows: Observation | ObservedDependency) -> Reading:
    return Reading(
        source="test",
        observations=tuple(one for one in rows if isinstance(one, Observation)),
        dependencies=tuple(one for one in rows if isinstance(one, ObservedDependency)),
    )


def at(imported_us: int) -> When:
    """An import at that time, of files as old as it."""
    return When(imported_us=imported_us)


def merged(known: Holdings, *rows: Observation | ObservedDependency) -> ChangeSet:
    """What a later import of these rows would change."""
    newest = max((one.last_us for one in known.claims.values()), default=0)
    return merge(known, a_reading(*rows), new_id=ids(known), when=at(newest + 1))


def knowing(*rows: Observation | ObservedDependency) -> Holdings:
    """An inventory that has taken these rows; none may be refused."""
    changes = merged(nothing_known(), *rows)
    assert changes.refusals == ()
    return applied(nothing_known(), changes)


def codes(changes: ChangeSet | Reading) -> list[str]:
    return [one.code for one in changes.refusals]


def a_file(folder: Path, text: str | bytes, name: str = "list.csv") -> Path:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path
