"""A plan as rows for a spreadsheet, one an asset; and what a person who edited those rows wants, or where they err.

Only the column ``wave`` may be changed. Every other column helps to read, and is compared so that a change there is
named and not silently lost. A row that is not there says nothing: its asset stays where it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from inventory.dependencies import departments_of
from inventory.model import Asset, AssetId, Snapshot, name_key
from orchestrator.core.explain import Sentence
from orchestrator.core.plan import Plan, WaveKey
from orchestrator.core.plan_edit import Wish

COLUMNS: Mapping[str, str] = {
    "asset": "Inventarobjekt",
    "wave": "Welle",
    "window": "Wartungsfenster",
    "batch": "Los",
    "group": "Umzugsgruppe",
    "kind": "Art",
    "department": "Fachbereich",
    "site": "Standort",
    "rule": "Hinderungsgrund",
    "says": "Erläuterung",
    "id": "Kennung",
    "plan": "Plan",
}
"""Column -> its German heading, in the order of the file. A file may have either heading, and must have two of them."""
NEEDED = ("asset", "wave")
PLAN_DIGITS = 16
"""So many digits of a plan's fingerprint stand in its file."""
SHOWN = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class FileRow:
    """One row of a file: its number as a person counts, and its cells by column of ``COLUMNS``."""

    number: int
    cells: Mapping[str, str]

    def cell(self, column: str) -> str:
        """The cell's text; empty where there is none."""
        return self.cells.get(column, "")


@dataclass(frozen=True, slots=True, kw_only=True)
class RowFault:
    """One thing that is wrong with an edited file: which row (0 for the whole file), which column, and what."""

    row: int
    column: str
    says: Sentence


@dataclass(frozen=True, slots=True, kw_only=True)
class RowsRead:
    """What the edited rows amount to. With any fault, none of the wishes may be fulfilled."""

    wishes: tuple[Wish, ...]
    faults: tuple[RowFault, ...]
    not_mentioned: int
    """Assets of the plan that have no row: they stay where they are."""


def plan_rows(plan: Plan, snapshot: Snapshot) -> tuple[dict[str, str], ...]:
    """The plan's rows, wave by wave in the order of batches, then the leftovers by rule."""
    known, departments = snapshot.by_id(), departments_of(snapshot)
    return tuple(
        {**_about(asset, known.get(asset), departments), **planned, "plan": plan.fingerprint[:PLAN_DIGITS]}
        for asset, planned in _placed(plan).items()
    )


def _about(asset: AssetId, one: Asset | None, departments: Mapping[AssetId, str]) -> dict[str, str]:
    return {
        "asset": one.name if one else str(asset),
        "kind": one.kind.value if one else "",
        "department": departments.get(asset, ""),
        "site": one.text("site") if one else "",
        "id": str(asset),
    }


def _placed(plan: Plan) -> dict[AssetId, dict[str, str]]:
    """Asset -> what the plan says of it."""
    rows: dict[AssetId, dict[str, str]] = {}
    for wave in plan.waves:
        where = {asset: batch.name for batch in wave.batches for asset in batch.assets}
        group_of = {
            asset: f"{wave.key}-{number}"
            for number, group in enumerate((g for g in wave.groups if len(g.assets) > 1), start=1)
            for asset in group.assets
        }
        for asset in wave.assets:
            window = f"{wave.window.local} {wave.window.zone}"
            mine = {"wave": str(wave.key), "window": window, "batch": where[asset], "group": group_of.get(asset, "")}
            rows[asset] = {**mine, "rule": "", "says": ""}
    for one in plan.why_not:
        for asset in one.assets:
            rows[asset] = {"wave": "", "window": "", "batch": "", "group": "", "rule": one.rule, "says": one.says}
    return rows


# --------------------------------------------------------------------------- back again


def rows_read(
    rows: Sequence[FileRow], plan: Plan, snapshot: Snapshot, *, fixed: frozenset[WaveKey] = frozenset()
) -> RowsRead:
    """What the rows want changed in the plan in force, and all that is wrong with them, in the order of rows.

    ``fixed`` waves are under way or over: nothing comes into them or out of them.
    """
    bench = _Bench(plan, snapshot, fixed)
    foreign = tuple(_foreign(rows, plan))
    found = [bench.read(row) for row in rows] if not foreign else []
    faults = [*foreign, *(fault for _, _, some in found for fault in some)]
    seen = {asset: row for row, asset, _ in reversed(found) if asset is not None}
    faults += _twice(found)
    faults += _torn(bench, seen)
    wishes = tuple(
        Wish(asset=asset, wave=WaveKey(row.cell("wave")))
        for asset, row in sorted(seen.items())
        if row.cell("wave") and row.cell("wave") != bench.placed[asset]["wave"]
    )
    return RowsRead(
        wishes=wishes,
        faults=tuple(sorted(faults, key=lambda one: (one.row, one.column))),
        not_mentioned=len(bench.placed.keys() - seen.keys()),
    )


_Found = tuple[FileRow, AssetId | None, tuple[RowFault, ...]]


def _fault(row: FileRow, column: str, *, says: str, **facts: object) -> RowFault:
    return RowFault(row=row.number, column=column, says=Sentence(says=says, facts=facts))


def _foreign(rows: Sequence[FileRow], plan: Plan) -> Iterator[RowFault]:
    """Other plans that rows come from, each once: their wishes would be about waves that may have changed since."""
    own = plan.fingerprint[:PLAN_DIGITS]
    first = {row.cell("plan"): row for row in reversed(rows) if row.cell("plan") not in ("", own)}
    for other, row in first.items():
        yield _fault(
            row,
            "plan",
            says="From here on the rows come from the plan {other}, but {plan} is in force; export that one again.",
            other=other,
            plan=own,
        )


class _Bench:
    """The plan in force beside which the rows are read."""

    def __init__(self, plan: Plan, snapshot: Snapshot, fixed: frozenset[WaveKey]) -> None:
        self.plan, self._fixed = plan, fixed
        self.placed = _placed(plan)
        known = snapshot.by_id()
        self.names = {asset: known[asset].name if asset in known else str(asset) for asset in self.placed}
        self._by_name: dict[str, list[AssetId]] = {}
        for asset, name in self.names.items():
            self._by_name.setdefault(name_key(name), []).append(asset)
        self._windows = {str(wave.key): f"{wave.window.local} {wave.window.zone}" for wave in plan.waves}

    def read(self, row: FileRow) -> _Found:
        """The row, the asset it speaks of, and what is wrong with it by itself."""
        asset, faults = self._asset(row)
        if asset is None:
            return row, None, tuple(faults)
        return row, asset, (*faults, *self._wave_faults(row, asset), *self._other_faults(row, asset))

    def _asset(self, row: FileRow) -> tuple[AssetId | None, list[RowFault]]:
        name, identity = row.cell("asset"), row.cell("id")
        named = self._by_name.get(name_key(name), [])
        if identity:
            asset = AssetId(identity)
            if asset not in self.placed:
                return None, [_fault(row, "id", says="The plan has no asset with the id {id!r}.", id=identity)]
            if name and asset not in named:
                return None, [
                    _fault(
                        row,
                        "asset",
                        says="The id {id!r} is that of {known!r}, not of {name!r}.",
                        id=identity,
                        known=self.names[asset],
                        name=name,
                    )
                ]
            return asset, []
        if not name:
            return None, [_fault(row, "asset", says="The row names no asset.")]
        if not named:
            return None, [
                _fault(
                    row,
                    "asset",
                    says="The plan has no asset named {name!r}, neither in a wave nor among the leftovers.",
                    name=name,
                )
            ]
        if len(named) > 1:
            return None, [
                _fault(
                    row, "asset", says="{count} assets are named {name!r}; give the id.", count=len(named), name=name
                )
            ]
        return named[0], []

    def _wave_faults(self, row: FileRow, asset: AssetId) -> Iterator[RowFault]:
        wave, before = row.cell("wave"), self.placed[asset]["wave"]
        if not wave and before:
            yield _fault(
                row,
                "wave",
                says="{name!r} is in {wave}, but the cell is empty; to keep it back, pin it to a date instead.",
                name=self.names[asset],
                wave=before,
            )
        elif wave and wave not in self._windows:
            some = ", ".join(_some(list(self._windows)))
            yield _fault(row, "wave", says="The plan has no wave {wave!r}; it has {waves}.", wave=wave, waves=some)
        elif wave != before and (stuck := next((one for one in (wave, before) if one in self._fixed), "")):
            yield _fault(
                row,
                "wave",
                says="{wave} is under way or over: nothing comes into it or out of it any more.",
                wave=stuck,
            )

    def _other_faults(self, row: FileRow, asset: AssetId) -> Iterator[RowFault]:
        """Changes where nothing can be changed. The window may also be that of the new wave."""
        placed = self.placed[asset]
        for column in ("window", "batch", "group"):
            wanted = row.cell(column)
            fits = wanted in ("", placed[column])
            if not fits and not (column == "window" and wanted == self._windows.get(row.cell("wave"))):
                yield _fault(
                    row,
                    column,
                    says="Only the wave can be changed here: the plan says {planned!r}, the cell {wanted!r}.",
                    planned=placed[column],
                    wanted=wanted,
                )


def _twice(found: Iterable[_Found]) -> Iterator[RowFault]:
    first: dict[AssetId, FileRow] = {}
    for row, asset, _ in found:
        if asset is None:
            continue
        before = first.setdefault(asset, row)
        if before is not row and before.cell("wave") == row.cell("wave"):
            yield _fault(row, "asset", says="The asset stands in row {first} already.", first=before.number)
        elif before is not row:
            yield _fault(
                row,
                "wave",
                says="The asset stands in row {first} already, there with the wave {wave!r}.",
                first=before.number,
                wave=before.cell("wave"),
            )


def _torn(bench: _Bench, seen: Mapping[AssetId, FileRow]) -> Iterator[RowFault]:
    """Groups of which the file moves a part only, or its parts to different waves."""
    for wave in bench.plan.waves:
        for group in wave.groups:
            if len(group.assets) < 2:
                continue
            to = {asset: _wanted(seen, asset, str(wave.key)) for asset in group.assets}
            if len(set(to.values())) < 2:
                continue
            moved = next(asset for asset in group.assets if to[asset] != wave.key)
            other = next(asset for asset in group.assets if to[asset] != to[moved])
            words = ", ".join(group.bound_by)
            facts = {"name": bench.names[moved], "other": bench.names[other], "words": words, "wave": to[other]}
            yield _fault(
                seen[moved],
                "wave",
                says="{name!r} moves together with {other!r} ({words}), which the file leaves in, or moves to, {wave}.",
                **facts,
            )


def _wanted(seen: Mapping[AssetId, FileRow], asset: AssetId, now: str) -> str:
    return (seen[asset].cell("wave") or now) if asset in seen else now


def _some(names: list[str]) -> list[str]:
    return names if len(names) <= SHOWN else [*names[:SHOWN], f"... ({len(names) - SHOWN})"]
