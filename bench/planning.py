"""Planners side by side on the same made-up requests: what their plans come to, which rules they break, what they cost.

    python -m bench.planning                                       the small round, under a minute
    python -m bench.planning --instances town:1400 graph:10000:40000 --known 200 --exact 40
    python -m bench.planning --instances graph:100000:400000 --planners kahn --known 0 --exact 0

Each planner runs in a process of its own, so that time and memory are its own. Violations are counted by
``tests/plan_verifier.py``, which shares no code with any planner.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from bench.baselines import OrderedConditions
from bench.exact import least_bridges
from bench.instances import Instance, changed, instance
from bench.measures import figures, free_cut, kept_share
from orchestrator.adapters.calm_planner import CalmPlanner
from orchestrator.adapters.cpsat import CpSatSolver
from orchestrator.core.constraints import Level
from orchestrator.core.plan import Plan, Planner, PlanRequest
from orchestrator.core.planner.first_fit import FirstFitPlanner
from orchestrator.core.planner.stepwise import StepwisePlanner
from tests.plan_verifier import SOFT, counted


class Searching:
    """The planner of the product, told to look for better plans; for bridges first, as the baselines are judged."""

    needs_first = True

    def propose(self, request: PlanRequest) -> Plan:
        """Its plan."""
        planning = replace(
            request.policy.planning,
            search=2,
            objective=(Level.BRIDGES, Level.FINISH, Level.EXPOSURE),
            needs_first=self.needs_first,
        )
        wanted = replace(request, policy=replace(request.policy, planning=planning))
        return CalmPlanner(StepwisePlanner(CpSatSolver())).propose(wanted)


class Unordered(Searching):
    """The same without the order of needs, which a graph partitioner does not know either."""

    needs_first = False


PLANNERS: dict[str, Callable[[], Planner]] = {
    "greedy": FirstFitPlanner,
    "ordered": OrderedConditions,
    "steps": Searching,
    "unordered": Unordered,
    "kahn": lambda: CalmPlanner(StepwisePlanner(CpSatSolver())),
}
"""``greedy``: first fit. ``ordered``: what Azure Migrate publishes. ``steps``: the product's planner, bridges first;
``unordered``: also without the order of needs; ``kahn``: by the policy's own objective, as ``--search`` asks."""
SMALL = ("town:700", "graph:2000:8000")
KNOWN_SIZES = (100, 300, 1_000, 3_000, 10_000)
LONGEST_S = 3_600


def main() -> int:
    """Measure and print."""
    wanted = _arguments()
    if wanted.one:
        print(json.dumps(_measured(wanted)))
        return 0
    rows = [_row(name, planner, wanted) for name in wanted.instances for planner in wanted.planners]
    _show_rows(rows)
    if wanted.known:
        _show_known(wanted)
    if wanted.exact:
        _show_exact(wanted)
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="bench.planning", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--instances", nargs="*", default=list(SMALL), help="names as in bench/instances.py")
    parser.add_argument("--planners", nargs="*", default=list(PLANNERS), choices=list(PLANNERS))
    parser.add_argument("--search", type=int, default=1, help="how hard kahn looks for a better plan; 0 not at all")
    parser.add_argument("--seed", type=int, default=101)
    parser.add_argument("--changed", type=float, default=0.01, help="share of assets that change before planning again")
    parser.add_argument("--known", type=int, default=8, help="how many instances with a known best plan")
    parser.add_argument("--known-most", type=int, default=300, help="their largest size")
    parser.add_argument("--exact", type=int, default=5, help="how many instances whose best plan is proven")
    parser.add_argument("--exact-groups", type=int, default=14, help="their number of groups")
    parser.add_argument("--one", nargs=2, metavar=("INSTANCE", "PLANNER"), help=argparse.SUPPRESS)
    return parser.parse_args()


# --------------------------------------------------------------------------- one planner on one instance


def _row(name: str, planner: str, wanted: argparse.Namespace) -> dict[str, Any]:
    """Measured in a process of its own."""
    words = [sys.executable, "-m", "bench.planning", "--one", name, planner]
    words += ["--seed", str(wanted.seed), "--changed", str(wanted.changed), "--search", str(wanted.search)]
    done = subprocess.run(words, capture_output=True, text=True, timeout=LONGEST_S, check=False)
    if done.returncode != 0:
        return {"instance": name, "planner": planner, "broke": done.stderr.strip().splitlines()[-1:]}
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def _measured(wanted: argparse.Namespace) -> dict[str, Any]:
    name, sort = wanted.one
    start = instance(name, seed=wanted.seed)
    planner: Planner = PLANNERS[sort]()
    before_mib = _memory_mib()
    start = replace(start, request=_asking(start.request, wanted.search))
    plan, took_s = _timed(planner, start)
    peak_mib = _memory_mib()
    again = changed(start, share=wanted.changed, seed=wanted.seed)
    began = time.perf_counter()
    second = planner.propose(replace(_asking(again, wanted.search), parent=plan))
    again_s = time.perf_counter() - began
    cut = free_cut(plan, start.request)
    found = figures(plan, start.request)
    return {
        "instance": name,
        "planner": sort,
        **asdict(found),
        "violations": counted(plan, start.request),
        "cut_ratio": found.bridges / cut if cut else None,
        "took_s": took_s,
        "again_s": again_s,
        "kept": kept_share(plan, second),
        "mib": peak_mib,
        "instance_mib": before_mib,
    }


def _asking(request: PlanRequest, search: int) -> PlanRequest:
    """The request with so much search asked for; planners that know none pass it over."""
    return replace(request, policy=replace(request.policy, planning=replace(request.policy.planning, search=search)))


def _timed(planner: Planner, start: Instance) -> tuple[Plan, float]:
    began = time.perf_counter()
    plan = planner.propose(start.request)
    return plan, time.perf_counter() - began


def _memory_mib() -> float:
    """The most memory this process and its ended children have held."""
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return max(own, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss) / 1024


HEADINGS = (
    *("instance", "planner", "planned", "left", "waves", "bridges", "/ METIS", "exposure kUh", "finish d"),
    *("violations", "s", "MiB", "again s", "kept"),
)


def _show_rows(rows: Sequence[dict[str, Any]]) -> None:
    _show_table(HEADINGS, [_cells(row) for row in rows])
    for row in rows:
        if broken := row.get("violations"):
            words = ", ".join(f"{rule} {number}" for rule, number in sorted(broken.items()))
            print(f"  {row['instance']}, {row['planner']}: {words}")


def _cells(row: dict[str, Any]) -> list[str]:
    if "broke" in row:
        return [row["instance"], row["planner"], *row["broke"]]
    ratio = f"{row['cut_ratio']:.2f}" if row["cut_ratio"] is not None else "-"
    return [
        row["instance"],
        row["planner"],
        f"{row['planned']:,}",
        f"{row['left']:,}",
        f"{row['waves']:,}",
        f"{row['bridges']:,.0f}",
        ratio,
        f"{row['exposure'] / 1_000:,.0f}",
        f"{row['finish_days']:.0f}",
        f"{_hard(row['violations']):,}",
        f"{row['took_s']:.2f}",
        f"{row['mib']:.0f}",
        f"{row['again_s']:.2f}",
        f"{100 * row['kept']:.1f} %",
    ]


def _hard(broken: dict[str, int]) -> int:
    return sum(number for rule, number in broken.items() if rule not in SOFT)


def _show_table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    widths = [max(len(row[at]) for row in (headings, *rows) if at < len(row)) for at in range(len(headings))]
    for row in (headings, *rows):
        pairs = enumerate(zip(row, widths, strict=False))
        cells = [cell.ljust(width) if at < 2 else cell.rjust(width) for at, (cell, width) in pairs]
        print("  ".join(cells).rstrip())
    print()


# --------------------------------------------------------------------------- best plans that are known


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """How far a plan is from the best one: windows too many as a share, weight cut as a share of all, broken rules."""

    windows: float
    bridges: float
    violations: int


def _show_known(wanted: argparse.Namespace) -> None:
    sizes = [size for size in KNOWN_SIZES if size <= wanted.known_most] or [wanted.known_most]
    print(f"{wanted.known} instances whose best plan is known by construction ({sizes[0]} to {sizes[-1]} assets)")
    rows = []
    for planner in wanted.planners:
        gaps = list(_known_gaps(planner, wanted, sizes))
        rows.append(
            [
                planner,
                f"{sum(gap.windows <= 0.02 and gap.bridges <= 0.02 for gap in gaps)}",
                f"{100 * statistics.mean(gap.windows for gap in gaps):.1f} %",
                f"{100 * max(gap.windows for gap in gaps):.1f} %",
                f"{100 * statistics.mean(gap.bridges for gap in gaps):.1f} %",
                f"{100 * max(gap.bridges for gap in gaps):.1f} %",
                f"{sum(gap.violations for gap in gaps)}",
            ]
        )
    headings = ("planner", "within 2 %", "windows too many", "worst", "weight cut", "worst", "violations")
    _show_table(headings, rows)


def _known_gaps(planner: str, wanted: argparse.Namespace, sizes: Sequence[int]) -> Iterator[Gap]:
    for seed in range(wanted.known):
        start = instance(f"known:{sizes[seed % len(sizes)]}", seed=seed)
        assert start.known is not None
        plan = PLANNERS[planner]().propose(_asking(start.request, wanted.search))
        found = figures(plan, start.request)
        weight = sum(
            start.request.policy.planning.prices.get(one.kind, 0.0) for one in start.request.snapshot.dependencies
        )
        unplaced = found.left / start.request.policy.assets_per_window
        yield Gap(
            windows=max(0.0, (found.waves + unplaced) / len(start.known.waves) - 1),
            bridges=found.bridges / weight if weight else 0.0,
            violations=_hard(counted(plan, start.request)),
        )


def _show_exact(wanted: argparse.Namespace) -> None:
    groups = wanted.exact_groups
    print(f"{wanted.exact} instances of {groups} groups whose best plan was proven by a solver")
    starts = [instance(f"exact:{groups}", seed=seed) for seed in range(wanted.exact)]
    best = [least_bridges(start.request) for start in starts]
    rows = []
    for planner in wanted.planners:
        plans = [PLANNERS[planner]().propose(_asking(one.request, wanted.search)) for one in starts]
        found = [figures(plan, one.request) for plan, one in zip(plans, starts, strict=True)]
        hits = sum(one.left == 0 and abs(one.bridges - least) < 1e-9 for one, least in zip(found, best, strict=True))
        rows.append([planner, f"{hits}", f"{sum(one.bridges for one in found):.0f}", f"{sum(best):.0f}"])
    _show_table(("planner", "exact", "bridges", "least possible"), rows)


if __name__ == "__main__":
    sys.exit(main())
