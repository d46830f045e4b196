"""The inventory's store measured: an import against parsing alone and a raw insert of the same rows, and large merges.

    python -m bench.inventory_store                    small, some seconds
    python -m bench.inventory_store --assets 100000    the size of the measures

Every figure is taken in a process of its own, so that memory is that step's own. ``raw`` writes the very rows that the
import wrote, with the same settings of the database, by the standard library's ``executemany``.
"""

from __future__ import annotations

import argparse
import json
import resource
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from itertools import count
from pathlib import Path
from typing import Any

from inventory.changes import Holdings, applied
from inventory.merge import When, merge
from inventory.model import AssetId, AssetKind, Snapshot, TenantId
from inventory.observation import Observation, Place, Reading
from inventory.sources import read_file

TENANT = TenantId("bench")
WRITTEN = ("tenant", "asset", "claim", "asset_change")
"""In the order in which the rows may refer to each other."""
MOST_TIMES, MOST_REPEAT, MOST_MIB, MOST_MERGE_S = 1.6, 0.5, 300, 30


def write_estate(folder: Path, assets: int) -> None:
    """Two files in the native form: some sites, and machines with ten fields each."""
    sites = [f"Standort {number}" for number in range(25)]
    (folder / "sites.csv").write_text("site\n" + "\n".join(sites) + "\n")
    with (folder / "machines.csv").open("w") as file:
        file.write("machine;kind;site;room;address;mac;serial;vendor;model;os_name;ram_mib;asset_tag\n")
        for n in range(assets):
            mac = f"00:50:56:{n >> 16 & 255:02x}:{n >> 8 & 255:02x}:{n & 255:02x}"
            address = f"10.{n >> 16 & 255}.{n >> 8 & 255}.{n & 255}"
            file.write(
                f"apc-{n:06};workstation;{sites[n % 25]};{n % 40}.{n % 9};{address};{mac};SN{n:08};Lausitz PC;"
                f"Biber {n % 7};Windows {7 + n % 4};{4096 * (1 + n % 4)};2016-{n:06}\n"
            )


# --------------------------------------------------------------------------- steps, each in a process of its own


def parse(folder: Path) -> tuple[float, float]:
    return timed(lambda: [read_file(folder / name) for name in ("sites.csv", "machines.csv")])


def take(folder: Path) -> tuple[float, float]:
    """``kahn asset import``, from the call to its last word."""
    from typer.testing import CliRunner

    from orchestrator.cli.asset import app
    from orchestrator.cli.context import Context

    context = Context(home=folder / "home", tenant_name=TENANT, plain=True, yes=True)
    words = ["import", str(folder / "sites.csv"), str(folder / "machines.csv")]
    result: list[Any] = []
    took = timed(lambda: result.append(CliRunner().invoke(app, words, obj=context)))
    if result[0].exit_code:
        raise SystemExit(f"{result[0].output}\n{result[0].exception!r}")
    return took


def raw(folder: Path) -> tuple[float, float]:
    """The rows of the finished import into empty tables of the same shape."""
    with closing(sqlite3.connect(folder / "home" / "kahn.sqlite")) as full:
        rows = {name: full.execute(f"SELECT * FROM {name}").fetchall() for name in WRITTEN}
        schema = full.execute(
            "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%'"
        ).fetchall()
    target = folder / "raw.db"
    target.unlink(missing_ok=True)
    with closing(sqlite3.connect(target, isolation_level=None)) as empty:
        for (statement,) in schema:
            empty.execute(statement)
        for pragma in ("journal_mode=wal", "synchronous=2", "foreign_keys=1", "secure_delete=1"):
            empty.execute(f"PRAGMA {pragma}").fetchall()
        return timed(lambda: insert(empty, rows))


def insert(database: sqlite3.Connection, rows: dict[str, list[tuple[Any, ...]]]) -> None:
    database.execute("BEGIN IMMEDIATE")
    for name, some in rows.items():
        if some:
            database.executemany(f"INSERT INTO {name} VALUES ({','.join('?' * len(some[0]))})", some)
    database.execute("COMMIT")


def merge_many(folder: Path) -> tuple[float, float]:
    """Ten sources that all know the same machines, each with fields of its own and some that contradict."""
    size = int((folder / "size").read_text())
    readings = [source_reading(number, size) for number in range(10)]
    return timed(lambda: merged(readings))


def source_reading(number: int, size: int) -> Reading:
    name = f"source-{number}"
    said = (
        Observation(
            kind=AssetKind.SERVER,
            name=f"srv-{n:05}" if number % 2 else f"SRV-{n:05}.stadt.example",
            values={
                "serial": f"SN{n:06}",
                "ram_mib": 1024 * (1 + (n + number) % 3),
                "note": f"from {name}",
                "mac": (f"00:50:56:{n >> 16 & 255:02x}:{n >> 8 & 255:02x}:{n & 255:02x}",),
            },
            place=Place(file=name, row=n),
            source=name,
        )
        for n in range(size)
    )
    return Reading(source=name, observations=tuple(said))


def merged(readings: list[Reading]) -> Holdings:
    numbers = count()
    known = Holdings(snapshot=Snapshot(tenant=TENANT, assets=(), dependencies=()))
    for age, reading in enumerate(readings, start=1):
        changes = merge(known, reading, new_id=lambda: AssetId(f"a{next(numbers):06}"), when=When(imported_us=age))
        known = applied(known, changes)
    return known


STEPS: dict[str, Callable[[Path], tuple[float, float]]] = {
    "parse": parse,
    "import": take,
    "raw": raw,
    "merge": merge_many,
}


def timed(act: Callable[[], object]) -> tuple[float, float]:
    """Seconds that it takes, by the clock and of the processor: on a busy machine only the second is the step's own."""
    began, cpu = time.perf_counter(), time.process_time()
    act()
    return time.perf_counter() - began, time.process_time() - cpu


# --------------------------------------------------------------------------- all steps


def measured(step: str, folder: Path) -> dict[str, float]:
    """Seconds and the largest memory of one step, in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "bench.inventory_store", "--step", step, "--folder", str(folder)],
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def prepare(folder: Path, assets: int) -> None:
    """A state directory with one tenant, and the files."""
    from orchestrator.adapters.store import DatabaseStore
    from orchestrator.core.policy import Policy
    from orchestrator.settings import CONFIG_NAME, example_config, read_settings

    write_estate(folder, assets)
    home = folder / "home"
    home.mkdir()
    (home / CONFIG_NAME).write_text(example_config())
    with (
        closing(DatabaseStore.create_or_upgrade(read_settings(home).database_url)) as store,
        store.transaction() as books,
    ):
        books.tenants.add(TENANT, policy=Policy())


def rows_in(folder: Path) -> dict[str, int]:
    with closing(sqlite3.connect(folder / "home" / "kahn.sqlite")) as full:
        return {name: full.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in WRITTEN}


def run(assets: int, merge_size: int) -> int:
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        prepare(folder, assets)
        (folder / "size").write_text(str(merge_size))
        found = {step: measured(step, folder) for step in ("parse", "import", "raw")}
        before = rows_in(folder)
        found["repeat"] = measured("import", folder)
        (folder / "machines.csv").touch()
        found["same, newer file"] = measured("import", folder)
        after = rows_in(folder)
        found["merge"] = measured("merge", folder)
    for name, one in found.items():
        print(f"{name:18} {one['seconds']:8.2f} s {one['cpu']:8.2f} s of CPU {one['mib']:8.0f} MiB")
    base = found["parse"]["cpu"] + found["raw"]["cpu"]
    times, repeat = found["import"]["cpu"] / base, found["repeat"]["cpu"] / found["import"]["cpu"]
    print(f"{assets} assets: import / (parse + raw insert) = {times:.2f} (at most {MOST_TIMES})")
    print(f"repeat / import = {repeat:.2f} (at most {MOST_REPEAT}); rows before {before}, after {after}")
    print(f"memory of the import {found['import']['mib']:.0f} MiB (at most {MOST_MIB})")
    print(f"10 sources x {merge_size}: {found['merge']['cpu']:.1f} s (at most {MOST_MERGE_S})")
    kept = times <= MOST_TIMES and repeat <= MOST_REPEAT and before == after and found["import"]["mib"] <= MOST_MIB
    return 0 if kept and found["merge"]["cpu"] <= MOST_MERGE_S else 1


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--assets", type=int, default=2_000)
    parser.add_argument("--merge", type=int, default=500, help="assets of each of the ten sources")
    parser.add_argument("--step", choices=sorted(STEPS))
    parser.add_argument("--folder", type=Path)
    wanted = parser.parse_args()
    if wanted.step:
        seconds, cpu = STEPS[wanted.step](wanted.folder)
        print(
            json.dumps(
                {"seconds": seconds, "cpu": cpu, "mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}
            )
        )
        return 0
    return run(wanted.assets, wanted.merge)


if __name__ == "__main__":
    sys.exit(main())
