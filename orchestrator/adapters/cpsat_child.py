"""The solver's own process: a question without names on standard input, windows and bounds on standard output.

It imports ortools and nothing of the adapters; ortools and HiGHS cannot share a process, and its import takes seconds.
One worker, a fixed seed and a limit in deterministic time: the same question gives the same answer on every machine.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from typing import Any

from ortools.sat.python import cp_model

Question = dict[str, Any]
MINUTES = 60


class Model:
    """The whole question as a CP-SAT model. Units that stand nowhere may stay so; the others must stand somewhere."""

    def __init__(self, question: Question) -> None:
        self.question = question
        self.units: list[Question] = question["units"]
        self.start: list[int] = question["start"]
        self.opens = [round(hours * MINUTES) for hours in question["opens_h"]]
        self.days: list[int] = question["calendars"][1]
        self.width = len(self.opens)
        self.model = cp_model.CpModel()
        self.at: list[dict[int, Any]] = [self._places(n) for n in range(len(self.units))]
        self.stands = [self._stands(n) for n in range(len(self.units))]
        for part in (self._rows, self._stocks, self._runbooks, self._company, self._barriers, self._order):
            part()
        self.levels = {
            "planned": self._left_out,
            "exposure": self._exposure,
            "bridges": self._bridges,
            "risk": self._risk,
            "finish": self._finish,
            "evenness": self._evenness,
            "changes": self._changes,
        }
        self._used: list[Any] = []

    def _places(self, unit: int) -> dict[int, Any]:
        return {w: self.model.new_bool_var(f"x{unit}_{w}") for w in self.units[unit]["windows"]}

    def _stands(self, unit: int) -> Any:
        here = list(self.at[unit].values())
        if self.start[unit] >= 0:
            self.model.add_exactly_one(here)
            return None
        stands = self.model.new_bool_var(f"s{unit}")
        self.model.add(sum(here) == stands)
        return stands

    def both(self, *units: int) -> list[Any]:
        """What must hold so that all of these stand somewhere."""
        return [self.stands[unit] for unit in units if self.stands[unit] is not None]

    def sum_of(self, unit: int, amounts: Sequence[int]) -> Any:
        """The amount of the window in which the unit stands."""
        return sum(amounts[w] * x for w, x in self.at[unit].items())

    # ----------------------------------------------------------------------- hard rules

    def _rows(self) -> None:
        terms: dict[tuple[int, int], list[Any]] = {}
        for unit, facts in enumerate(self.units):
            for number, amount in facts["rows"]:
                periods = self.question["calendars"][self.question["rows"][number]["calendar"]]
                for w, x in self.at[unit].items():
                    terms.setdefault((number, periods[w]), []).append(amount * x)
        for (number, period), found in terms.items():
            row = self.question["rows"][number]
            limit = row["limits"][period if len(row["limits"]) > 1 else 0] - dict(row["taken"]).get(period, 0)
            self.model.add(sum(found) <= max(0, limit))

    def _stocks(self) -> None:
        for number, stock in enumerate(self.question["stocks"]):
            for stretch, delivered in enumerate(stock["delivered"]):
                drawn = [
                    amount * x
                    for unit, facts in enumerate(self.units)
                    for one, amount in facts["stocks"]
                    if one == number
                    for w, x in self.at[unit].items()
                    if stock["stretch"][w] <= stretch
                ]
                if drawn:
                    self.model.add(sum(drawn) <= max(0, delivered))

    def _runbooks(self) -> None:
        books = sorted({facts["runbook"] for facts in self.units})
        if len(books) < 2:
            return
        runs = {(w, book): self.model.new_bool_var(f"r{w}_{book}") for w in range(self.width) for book in books}
        for w in range(self.width):
            self.model.add_at_most_one(runs[w, book] for book in books)
        for unit, facts in enumerate(self.units):
            for w, x in self.at[unit].items():
                self.model.add_implication(x, runs[w, facts["runbook"]])

    def _company(self) -> None:
        side: dict[tuple[int, int], Any] = {}
        for unit, facts in enumerate(self.units):
            for rule, which in facts["sides"]:
                for w, x in self.at[unit].items():
                    mark = side.setdefault((rule, w), self.model.new_bool_var(f"a{rule}_{w}"))
                    self.model.add_implication(x, mark if which else mark.negated())
            for other in facts["not_with"]:
                for w in self.at[unit].keys() & self.at[other].keys():
                    self.model.add_at_most_one(self.at[unit][w], self.at[other][w])

    def _barriers(self) -> None:
        index = list(range(self.width))
        for barrier in self.question["barriers"]:
            last = self.model.new_int_var(-1, self.width, "last")
            last_day = self.model.new_int_var(0, max(self.days, default=0), "day")
            for unit in barrier["before"]:
                if unit >= 0:
                    self.model.add(last >= self.sum_of(unit, index)).only_enforce_if(self.both(unit))
                    self.model.add(last_day >= self.sum_of(unit, self.days)).only_enforce_if(self.both(unit))
            for unit in barrier["after"]:
                if barrier["complete"]:
                    self.model.add(self.sum_of(unit, index) >= last).only_enforce_if(self.both(unit))
                    for other in barrier["before"]:
                        self._only_with(unit, other)
                else:
                    days = barrier["days"]
                    self.model.add(self.sum_of(unit, index) >= last + 1).only_enforce_if(self.both(unit))
                    self.model.add(self.sum_of(unit, self.days) >= last_day + days).only_enforce_if(self.both(unit))

    def _only_with(self, unit: int, other: int) -> None:
        """The unit stands nowhere unless the other stands somewhere."""
        if other >= 0 and self.stands[other] is None:
            return
        mine = self.both(unit)
        if other >= 0:
            self.model.add_implication(mine[0], self.stands[other]) if mine else self.model.add(self.stands[other] == 1)
        elif mine:
            self.model.add(mine[0] == 0)

    def _order(self) -> None:
        index = list(range(self.width))
        for unit, wanted in enumerate(self.question["needs"]):
            for other in wanted:
                if self.start[other] <= self.start[unit] or -1 in (self.start[other], self.start[unit]):
                    self.model.add(self.sum_of(unit, index) >= self.sum_of(other, index)).only_enforce_if(
                        self.both(unit, other)
                    )

    # ----------------------------------------------------------------------- levels

    def _left_out(self) -> Any:
        return sum(facts["size"] * (1 - s) for facts, s in zip(self.units, self.stands, strict=True) if s is not None)

    def _exposure(self) -> Any:
        found = []
        for one, other, _price, users in self.question["edges"]:
            gap = self.model.new_int_var(0, max(self.opens) - min(self.opens), "gap")
            mine, theirs, stand = self.sum_of(one, self.opens), self.sum_of(other, self.opens), self.both(one, other)
            self.model.add(gap >= mine - theirs).only_enforce_if(stand)
            self.model.add(gap >= theirs - mine).only_enforce_if(stand)
            found.append(users * gap)
        return sum(found)

    def _bridges(self) -> Any:
        found = []
        for one, other, price, _users in self.question["edges"]:
            cut = self.model.new_bool_var("cut")
            for w in self.at[one].keys() | self.at[other].keys():
                mine, theirs = self.at[one].get(w, 0), self.at[other].get(w, 0)
                self.model.add(cut >= mine - theirs).only_enforce_if(self.both(one, other))
            found.append(round(price * 1000) * cut)
        return sum(found)

    def _used_windows(self) -> list[Any]:
        if not self._used:
            for w in range(self.width):
                here = [places[w] for places in self.at if w in places]
                used = self.model.new_bool_var(f"u{w}")
                self.model.add_max_equality(used, here or [0])
                self._used.append(used)
        return self._used

    def _risk(self) -> Any:
        cost = []
        for order in (range(self.width), range(self.width - 1, -1, -1)):
            used = self._used_windows()
            seen: list[Any] = []
            for w in order:
                so_far = self.model.new_bool_var("seen")
                self.model.add_max_equality(so_far, [used[w], *seen[-1:]])
                end = so_far - seen[-1] if seen else so_far
                seen.append(so_far)
                cost += [(unit, places[w], end) for unit, places in enumerate(self.at) if w in places]
        found = []
        marked: dict[int, Any] = {}
        for unit, x, end in cost:
            critical = self.units[unit]["critical"]
            if critical:
                mark = marked.setdefault(unit, self.model.new_bool_var(f"c{unit}"))
                self.model.add(mark >= x + end - 1)
        for unit, mark in marked.items():
            found.append(self.units[unit]["critical"] * mark)
        return sum(found)

    def _finish(self) -> Any:
        last = self.model.new_int_var(0, max(self.days, default=0), "finish")
        for unit in range(len(self.units)):
            self.model.add(last >= self.sum_of(unit, self.days))
        return last - self.question["day_zero"]

    def _evenness(self) -> Any:
        found = []
        for w in range(self.width):
            here = [facts["size"] * self.at[n][w] for n, facts in enumerate(self.units) if w in self.at[n]]
            if here:
                most = sum(facts["size"] for n, facts in enumerate(self.units) if w in self.at[n])
                count = self.model.new_int_var(0, most, f"n{w}")
                square = self.model.new_int_var(0, most * most, f"q{w}")
                self.model.add(count == sum(here))
                self.model.add_multiplication_equality(square, [count, count])
                found.append(square)
        return sum(found)

    def _changes(self) -> Any:
        found = []
        for unit, facts in enumerate(self.units):
            stays = dict(facts["olds"])
            found += [(facts["planned_before"] - stays.get(w, 0)) * x for w, x in self.at[unit].items()]
        return sum(found)


SCALES = {"exposure": MINUTES, "bridges": 1000}
"""What a level is multiplied by in the model, to have whole numbers."""


def solved(question: Question) -> Question:
    """Windows and, level by level, what was reached, the bound and whether it is proven."""
    model = Model(question)
    windows, reached = list(question["start"]), []
    for level in ["planned", *question["objective"]]:
        weights = {"": 1} if level != "weighted" else question["weights"]
        goal = model.levels[level]() if "" in weights else _weighted(model, weights)
        if isinstance(goal, int):
            reached.append({"level": level, "value": float(goal), "bound": float(goal)})
            continue
        found = _one_level(model, goal, windows, question)
        if found is None:
            break
        value, bound, windows = found
        model.model.add(goal <= value)
        scale = SCALES.get(level, 1)
        reached.append({"level": level, "value": value / scale, "bound": bound / scale})
        sys.stderr.write(json.dumps(reached[-1]) + "\n")
        sys.stderr.flush()
    return {"windows": windows, "reached": reached}


def _weighted(model: Model, weights: dict[str, float]) -> Any:
    return sum(round(weight * 1000 / SCALES.get(level, 1)) * model.levels[level]() for level, weight in weights.items())


def _one_level(model: Model, goal: Any, windows: list[int], question: Question) -> tuple[int, float, list[int]] | None:
    model.model.minimize(goal)
    model.model.clear_hints()  # type: ignore[no-untyped-call]
    for unit, places in enumerate(model.at):
        for w, x in places.items():
            model.model.add_hint(x, w == windows[unit])
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = 1
    solver.parameters.random_seed = question["seed"] % 2**31
    solver.parameters.max_deterministic_time = question["effort"]
    status = solver.solve(model.model)
    if status not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
        return None
    found = [next((w for w, x in places.items() if solver.boolean_value(x)), -1) for places in model.at]
    return round(solver.objective_value), solver.best_objective_bound, found


if __name__ == "__main__":
    json.dump(solved(json.load(sys.stdin)), sys.stdout)
