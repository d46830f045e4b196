"""The store of assets on one open database transaction: snapshot, changes in bulk, and history per field."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from itertools import chain, islice
from typing import Any, TypeVar

from sqlalchemy import Connection, Table, bindparam, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import IntegrityError

from inventory.changes import Appeared, ChangeSet, FieldChange
from inventory.errors import ExpectedError
from inventory.model import Asset, AssetId, AssetKind, Dependency, DependencyKind, Snapshot, TenantId, Value, name_group
from inventory.tables import AssetChangeRow, AssetRow, DependencyRow, TenantRow, micros, table_of, unique_key

_TENANT, _ASSET = table_of(TenantRow), table_of(AssetRow)
_CHANGE, _DEPENDENCY = table_of(AssetChangeRow), table_of(DependencyRow)
_AT_ONCE = 10_000
_NAMES_AT_ONCE = 500
_MUTABLE = ("kind", "name", "name_group", "name_key", "record")
_GROUPS = sorted({name_group(kind) for kind in AssetKind})
T = TypeVar("T")


class UnknownTenant(ExpectedError):
    """A tenant that the store does not know."""

    code, says = "STO-001", "There is no tenant {tenant!r}."
    remedy = "Add it with `kahn tenant add`, or list the tenants with `kahn tenant list`."
    exit_code = 5


class InventoryOvertaken(ExpectedError):
    """The inventory changed between reading it and writing the import."""

    code, says = "STO-002", "The inventory of {tenant} was changed by somebody else during this import."
    remedy = "Import again: the difference will be made anew."
    exit_code = 6


class SqlAssetStore:
    """Assets, changes and dependencies of all tenants. Works inside the caller's transaction."""

    def __init__(self, connection: Connection, *, now: Callable[[], datetime]) -> None:
        self._connection = connection
        self._now = now

    def snapshot(self, tenant: TenantId) -> Snapshot:
        """All assets and dependencies of the tenant."""
        assets = self._connection.execute(
            select(_ASSET.c.id, _ASSET.c.kind, _ASSET.c.name, _ASSET.c.record).where(_ASSET.c.tenant == tenant)
        )
        needs = self._connection.execute(select(_DEPENDENCY).where(_DEPENDENCY.c.tenant == tenant))
        return Snapshot(
            tenant=tenant,
            assets=tuple(_asset(tenant, *row) for row in assets),
            dependencies=tuple(
                Dependency(
                    tenant=tenant, asset=row.asset, needs=row.needs, kind=DependencyKind(row.kind), note=row.note
                )
                for row in needs
            ),
        )

    def apply(self, changes: ChangeSet) -> int:
        """Write all changes; returns how many there were. Raises UnknownTenant, InventoryOvertaken."""
        if changes.is_empty:
            return 0
        fields = len(changes.appeared) + sum(len(one.asset.values) for one in changes.appeared)
        first = self._reserve(changes.tenant, count=fields + sum(len(one.changes) for one in changes.changed))
        try:
            with self._connection.begin_nested():
                self._write(changes, first=first)
        except IntegrityError as cause:
            raise InventoryOvertaken(tenant=changes.tenant) from cause
        return len(changes.appeared) + len(changes.changed) + len(changes.dependencies)

    def history(self, tenant: TenantId, names: Iterable[str]) -> tuple[dict[str, object], ...]:
        """What became of the named assets, oldest first: at_us, asset (its name), field, before, after, source."""
        keys = sorted({unique_key(name) for name in names})
        rows: list[Any] = []
        for some in _in_chunks(keys, size=_NAMES_AT_ONCE):
            rows += self._connection.execute(
                select(_CHANGE, _ASSET.c.name)
                .join(_ASSET, (_ASSET.c.tenant == _CHANGE.c.tenant) & (_ASSET.c.id == _CHANGE.c.asset))
                .where(_CHANGE.c.tenant == tenant, _ASSET.c.name_group.in_(_GROUPS), _ASSET.c.name_key.in_(some))
            )
        return tuple(
            {
                "at_us": row.at_us,
                "asset": row.name,
                "field": row.field,
                "before": _value(row.before),
                "after": _value(row.after),
                "source": row.source,
            }
            for row in sorted(rows, key=lambda row: int(row.seq))
        )

    def _reserve(self, tenant: TenantId, *, count: int) -> int:
        """The first of ``count`` numbers in the tenant's history; holds the tenant's row from here on."""
        taken = self._connection.execute(
            update(_TENANT)
            .where(_TENANT.c.id == tenant)
            .values(history_seq=_TENANT.c.history_seq + count)
            .returning(_TENANT.c.history_seq)
        ).scalar_one_or_none()
        if taken is None:
            raise UnknownTenant(tenant=tenant)
        return int(taken) - count + 1

    def _write(self, changes: ChangeSet, *, first: int) -> None:
        self._insert(_ASSET, (_asset_row(one.asset) for one in changes.appeared))
        for some in _in_chunks((_asset_row(one.asset) for one in changes.changed), size=_AT_ONCE):
            self._replace(changes.tenant, some)
        self._insert(_CHANGE, _change_rows(changes, first=first, at_us=micros(self._now())))
        self._insert(_DEPENDENCY, map(_dependency_row, changes.dependencies), known_is_fine=True)

    def _insert(self, table: Table, rows: Iterable[dict[str, object]], *, known_is_fine: bool = False) -> None:
        statement: Any = insert(table)
        if known_is_fine:
            dialect = postgresql if self._connection.dialect.name == "postgresql" else sqlite
            statement = dialect.insert(table).on_conflict_do_nothing()
        for some in _in_chunks(rows, size=_AT_ONCE):
            self._connection.execute(statement, some)

    def _replace(self, tenant: TenantId, rows: Sequence[dict[str, object]]) -> None:
        changed = self._connection.execute(
            update(_ASSET)
            .where(_ASSET.c.tenant == bindparam("of"), _ASSET.c.id == bindparam("which"))
            .values({name: bindparam(f"new_{name}") for name in _MUTABLE}),
            [{"of": tenant, "which": row["id"]} | {f"new_{name}": row[name] for name in _MUTABLE} for row in rows],
        )
        if changed.rowcount != len(rows):
            raise InventoryOvertaken(tenant=tenant)


def _asset(tenant: TenantId, id_: str, kind: str, name: str, record: str) -> Asset:
    values = {key: tuple(one) if isinstance(one, list) else one for key, one in json.loads(record).items()}
    return Asset(id=AssetId(id_), tenant=tenant, kind=AssetKind(kind), name=name, values=values)


def _asset_row(asset: Asset) -> dict[str, object]:
    return {
        "tenant": asset.tenant,
        "id": asset.id,
        "kind": asset.kind.value,
        "name": asset.name,
        "name_group": name_group(asset.kind),
        "name_key": unique_key(asset.name),
        "record": json.dumps(dict(asset.values), allow_nan=False, separators=(",", ":")),
    }


def _dependency_row(one: Dependency) -> dict[str, object]:
    return {"tenant": one.tenant, "asset": one.asset, "needs": one.needs, "kind": one.kind.value, "note": one.note}


def _appearance(one: Appeared) -> Iterator[FieldChange]:
    yield FieldChange(field="name", before=None, after=one.asset.name, source=one.source)
    for name, value in one.asset.values.items():
        yield FieldChange(field=name, before=None, after=value, source=one.source)


def _change_rows(changes: ChangeSet, *, first: int, at_us: int) -> Iterator[dict[str, object]]:
    appeared = ((one.asset.id, change) for one in changes.appeared for change in _appearance(one))
    changed = ((one.asset.id, change) for one in changes.changed for change in one.changes)
    for seq, (asset, change) in enumerate(chain(appeared, changed), start=first):
        yield {
            "tenant": changes.tenant,
            "seq": seq,
            "asset": asset,
            "field": change.field,
            "before": _json(change.before),
            "after": _json(change.after),
            "source": change.source,
            "at_us": at_us,
        }


def _json(value: Value | None) -> str | None:
    return None if value is None else json.dumps(value, allow_nan=False)


def _value(text: str | None) -> Value | None:
    value = None if text is None else json.loads(text)
    return tuple(value) if isinstance(value, list) else value


def _in_chunks(rows: Iterable[T], *, size: int) -> Iterator[list[T]]:
    left = iter(rows)
    while some := list(islice(left, size)):
        yield some
