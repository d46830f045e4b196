"""The store of assets on one open database transaction: snapshot, changes in bulk, and history per field."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import islice
from typing import Any, TypeVar

from sqlalchemy import Connection, Table, bindparam, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import IntegrityError

from inventory.changes import ChangeSet, Gone, Holdings, claims_in, redirected
from inventory.claims import Claim, ClaimKey, Origin
from inventory.errors import ExpectedError
from inventory.model import Asset, AssetId, AssetKind, Dependency, DependencyKind, Snapshot, TenantId, Value, name_group
from inventory.tables import (
    AssetChangeRow,
    AssetRow,
    ClaimRow,
    DependencyRow,
    PlainText,
    TenantRow,
    micros,
    storable,
    table_of,
    unique_key,
)

_TENANT, _ASSET = table_of(TenantRow), table_of(AssetRow)
_CHANGE, _DEPENDENCY, _CLAIM = table_of(AssetChangeRow), table_of(DependencyRow), table_of(ClaimRow)
_RECORD = json.JSONEncoder(allow_nan=False, separators=(",", ":"))
_PLAIN = json.JSONEncoder(allow_nan=False)
"""Made once: an encoder for each of a hundred thousand records costs more than the encoding."""
_AT_ONCE = 10_000
_NAMES_AT_ONCE = 500
_MUTABLE = ("kind", "name", "name_group", "name_key", "record", "gone_us", "merged_into")
_ALL_FIELDS = ""
"""The field of a history row that tells a whole record at once."""
_GONE = "gone"
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
            select(_ASSET.c.id, _ASSET.c.kind, _ASSET.c.name, _ASSET.c.record).where(
                _ASSET.c.tenant == tenant, _ASSET.c.gone_us.is_(None)
            )
        )
        needs = self._connection.execute(select(_DEPENDENCY).where(_DEPENDENCY.c.tenant == tenant))
        dependencies = tuple(Dependency(**{**row._mapping, "kind": DependencyKind(row.kind)}) for row in needs)
        return Snapshot(
            tenant=tenant,
            assets=tuple(_asset(tenant, *row) for row in assets),
            dependencies=redirected(dependencies, self._gone(tenant)),
        )

    def holdings(self, tenant: TenantId) -> Holdings:
        """The inventory with all claims it comes from; people's decisions and the precedence are not kept here."""
        return Holdings(snapshot=self.snapshot(tenant), claims=self._claims(tenant), version=self.version(tenant))

    def version(self, tenant: TenantId) -> int:
        """A number that rises with whatever is written; 0 for an unknown tenant."""
        return int(self._connection.scalar(select(_TENANT.c.history_seq).where(_TENANT.c.id == tenant)) or 0)

    def apply(self, changes: ChangeSet) -> int:
        """Write all changes; returns how many there were. Raises UnknownTenant, InventoryOvertaken."""
        if changes.is_empty:
            return 0
        at_us = micros(self._now())
        told = len(changes.appeared) + sum(len(one.changes) for one in changes.changed) + len(changes.gone)
        first = self._reserve(changes.tenant, count=max(told, 1))
        try:
            with self._connection.begin_nested():
                self._write(changes, at_us=at_us)
                self._insert(_CHANGE, _change_rows(changes, at_us=at_us, first=first))
        except IntegrityError as cause:
            raise InventoryOvertaken(tenant=changes.tenant) from cause
        return len(changes.appeared) + len(changes.changed) + len(changes.gone) + len(changes.dependencies)

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
            {"at_us": row.at_us, "asset": row.name, "field": field, "before": before, "after": after}
            | {"source": source}
            for row in sorted(rows, key=lambda row: int(row.seq))
            for field, before, after, source in _told(row)
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

    def _write(self, changes: ChangeSet, *, at_us: int) -> None:
        leaving = [_gone_row(one, at_us=at_us) for one in changes.gone]
        for some in _in_chunks(leaving, size=_AT_ONCE):
            self._replace(changes.tenant, some)
        for some in _in_chunks((_asset_row(one.asset) for one in changes.changed), size=_AT_ONCE):
            self._replace(changes.tenant, some)
        gone = self._gone(changes.tenant)
        back = [_asset_row(one.asset) for one in changes.appeared if one.asset.id in gone]
        for some in _in_chunks(back, size=_AT_ONCE):
            self._replace(changes.tenant, some)
        self._insert(_ASSET, (_asset_row(one.asset) for one in changes.appeared if one.asset.id not in gone))
        self._put_claims(changes, at_us=at_us)
        self._insert(_DEPENDENCY, map(_dependency_row, changes.dependencies), replacing=True)

    def _put_claims(self, changes: ChangeSet, *, at_us: int) -> None:
        known: dict[AssetId, tuple[Claim, ...]] = {}
        if changes.claims is None and changes.changed:
            for one in self._claims(changes.tenant, of=[one.asset.id for one in changes.changed]).values():
                known[one.asset] = (*known.get(one.asset, ()), one)
        claims = claims_in(changes, known, at_us=at_us)
        self._insert(_CLAIM, (_claim_row(changes.tenant, one) for one in claims), replacing=True)

    def _claims(self, tenant: TenantId, *, of: Sequence[AssetId] | None = None) -> dict[ClaimKey, Claim]:
        """All claims of the tenant, or those on some assets."""
        wanted = select(_CLAIM).where(_CLAIM.c.tenant == tenant)
        parts = (
            [wanted]
            if of is None
            else [wanted.where(_CLAIM.c.asset.in_(some)) for some in _in_chunks(of, size=_NAMES_AT_ONCE)]
        )
        found = (_claim(row) for part in parts for row in self._connection.execute(part))
        return {one.id: one for one in found}

    def _gone(self, tenant: TenantId) -> dict[AssetId, AssetId | None]:
        """Assets that are no more, with what they became."""
        rows = self._connection.execute(
            select(_ASSET.c.id, _ASSET.c.merged_into).where(_ASSET.c.tenant == tenant, _ASSET.c.gone_us.is_not(None))
        )
        return {AssetId(row.id): row.merged_into for row in rows}

    def _insert(self, table: Table, rows: Iterable[dict[str, object]], *, replacing: bool = False) -> None:
        statement: Any = insert(table)
        if replacing:
            dialect = postgresql if self._connection.dialect.name == "postgresql" else sqlite
            statement = dialect.insert(table)
            keys = [column.name for column in table.primary_key]
            others = {name: statement.excluded[name] for name in map(str, table.columns.keys()) if name not in keys}
            statement = statement.on_conflict_do_update(index_elements=keys, set_=others)
        compiled = statement.compile(dialect=self._connection.dialect, column_keys=list(map(str, table.columns.keys())))
        checked = [column.name for column in table.columns if isinstance(column.type, PlainText)]
        for some in _in_chunks(rows, size=_AT_ONCE):
            for row in some:
                for name in checked:
                    if row[name] is not None:
                        storable(str(row[name]))
            # To the driver as they are: the library's own way costs more than the database does.
            names = compiled.positiontup
            values = [tuple(map(row.__getitem__, names)) for row in some] if names else some
            self._connection.exec_driver_sql(str(compiled), values)

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
    return Asset(id=AssetId(id_), tenant=tenant, kind=AssetKind(kind), name=name, values=_values(record))


def _asset_row(asset: Asset) -> dict[str, object]:
    return {
        "tenant": asset.tenant,
        "id": asset.id,
        "kind": asset.kind.value,
        "name": asset.name,
        "name_group": name_group(asset.kind),
        "name_key": unique_key(asset.name),
        "record": _object(asset.values),
        "gone_us": None,
        "merged_into": None,
    }


def _gone_row(gone: Gone, *, at_us: int) -> dict[str, object]:
    """The asset out of the way: whoever comes after it may have its name."""
    row = _asset_row(gone.asset)
    return {**row, "name_group": _GONE, "name_key": gone.asset.id, "gone_us": at_us, "merged_into": gone.into}


def _object(values: Mapping[str, Value]) -> str:
    return _RECORD.encode(dict(values))


def _claim_row(tenant: TenantId, claim: Claim) -> dict[str, object]:
    older = {name: [one.file, one.row, one.observed_us, one.imported_us] for name, one in claim.older.items()}
    return {
        "tenant": tenant,
        "source": claim.source,
        "key": claim.key,
        "asset": claim.asset,
        "kind": claim.kind.value,
        "name": claim.name,
        "record": _object(claim.values),
        "older": json.dumps(older) if older else None,
        "file": claim.origin.file,
        "row": claim.origin.row,
        "observed_us": claim.origin.observed_us,
        "imported_us": claim.origin.imported_us,
        "first_us": claim.first_us,
        "gone_us": claim.gone_us,
        "aliases": json.dumps(claim.aliases) if claim.aliases else None,
        "kind_is_guess": claim.kind_is_guess,
    }


def _claim(row: Any) -> Claim:
    older = json.loads(row.older) if row.older else {}
    return Claim(
        source=row.source,
        key=row.key,
        kind=AssetKind(row.kind),
        name=row.name,
        values=_values(row.record),
        origin=Origin(file=row.file, row=row.row, observed_us=row.observed_us, imported_us=row.imported_us),
        older={name: Origin(file=a, row=b, observed_us=c, imported_us=d) for name, (a, b, c, d) in older.items()},
        first_us=row.first_us,
        gone_us=row.gone_us,
        asset=AssetId(row.asset),
        aliases=tuple(json.loads(row.aliases)) if row.aliases else (),
        kind_is_guess=bool(row.kind_is_guess),
    )


def _dependency_row(one: Dependency) -> dict[str, object]:
    return {
        "tenant": one.tenant,
        "asset": one.asset,
        "needs": one.needs,
        "kind": one.kind.value,
        "note": one.note,
        "evidence": one.evidence,
        "mib_per_day": one.mib_per_day,
        "source": one.source,
        "observed_us": one.observed_us,
    }


def _history(changes: ChangeSet) -> Iterator[tuple[AssetId, str, str | None, str | None, str]]:
    """Asset, field, before, after and source of each row, one at a time: a large import is never held as rows."""
    for appeared in changes.appeared:
        record = _object({"name": appeared.asset.name, **appeared.asset.values})
        yield appeared.asset.id, _ALL_FIELDS, None, record, appeared.source
    for one in changes.changed:
        for change in one.changes:
            yield one.asset.id, change.field, _json(change.before), _json(change.after), change.source
    for gone in changes.gone:
        yield gone.asset.id, "name", _json(gone.asset.name), None, gone.source


def _change_rows(changes: ChangeSet, *, at_us: int, first: int) -> Iterator[dict[str, object]]:
    for seq, (asset, field, before, after, source) in enumerate(_history(changes), start=first):
        yield {
            "tenant": changes.tenant,
            "seq": seq,
            "asset": asset,
            "field": field,
            "before": before,
            "after": after,
            "source": source,
            "at_us": at_us,
        }


def _told(row: Any) -> Iterator[tuple[str, Value | None, Value | None, str]]:
    """Field, before, after and source of each change that a history row tells."""
    if row.field != _ALL_FIELDS:
        yield row.field, _value(row.before), _value(row.after), row.source
        return
    for name, value in _values(row.after).items():
        yield name, None, value, row.source


def _values(record: str) -> dict[str, Value]:
    return {key: tuple(one) if isinstance(one, list) else one for key, one in json.loads(record).items()}


def _json(value: Value | None) -> str | None:
    return None if value is None else _PLAIN.encode(value)


def _value(text: str | None) -> Value | None:
    value = None if text is None else json.loads(text)
    return tuple(value) if isinstance(value, list) else value


def _in_chunks(rows: Iterable[T], *, size: int) -> Iterator[list[T]]:
    left = iter(rows)
    while some := list(islice(left, size)):
        yield some
