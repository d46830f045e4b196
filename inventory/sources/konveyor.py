"""Konveyor's CSV of applications and their dependencies. Owners and contributors are persons and are not taken."""

from __future__ import annotations

from pathlib import Path

from inventory.errors import because
from inventory.model import AssetKind, DependencyKind
from inventory.observation import Reading
from inventory.sources.csv_table import TableRow, csv_table, has_headings
from inventory.sources.gathering import Gathering, Seen
from inventory.sources.limits import RowRefused

_WANTED = ("application name", "dependency", "dependency direction")
APPLICATION, DEPENDENCY = "1", "2"


class Konveyor:
    """Applications (record type 1) and dependencies (record type 2)."""

    name = "konveyor"

    def recognises(self, path: Path) -> bool:
        """Whether its headings stand in it."""
        return has_headings(path, *_WANTED)

    def read(self, path: Path) -> Reading:
        """Every application as a procedure, every dependency. Raises ExpectedError."""
        table = csv_table(path, *_WANTED)
        found = Gathering(path, self.name, headings=table.headings)
        for row in table.rows():
            kind = row.get("record type 1", "record type")
            if kind == APPLICATION:
                _application(found, row)
            elif kind == DEPENDENCY:
                _dependency(found, row)
            else:
                why = because("its record type is {a!r}; known are 1 (application) and 2 (dependency)", a=kind[:20])
                found.refuse(RowRefused(why=why), found.place(row.number), row.row)
        return found.reading()


def _application(found: Gathering, row: TableRow) -> None:
    tags = [
        f"{category}={tag}"
        for at in range(1, 21)
        if (category := row.get(f"tag category {at}")) and (tag := row.get(f"tag {at}"))
    ]
    said = {
        "title": row.get("description"),
        "note": row.get("comments"),
        "department": row.get("business service"),
        "tags": tags,
    }
    name = row.get("application name")
    found.asset(AssetKind.PROCEDURE, name, said, place=found.spot(row.number, row.row))


def _dependency(found: Gathering, row: TableRow) -> None:
    """Southbound: the application needs the other; northbound: the other needs it."""
    asset, other = row.get("application name"), row.get("dependency")
    direction = row.get("dependency direction").casefold()
    if direction not in ("southbound", "northbound"):
        why = because("its direction is {a!r}; known are southbound and northbound", a=direction[:20])
        found.refuse(RowRefused(why=why), found.place(row.number), row.row)
        return
    first, second = (asset, other) if direction == "southbound" else (other, asset)
    seen = Seen(evidence=f"Konveyor, {direction}")
    ends = [f"procedure:{one}" if one else "" for one in (first, second)]
    found.dependency(ends[0], ends[1], DependencyKind.HARD, place=found.place(row.number), seen=seen)
