"""The table [planning] of a policy file: what is right is read, what is wrong is named with its key."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime

import pytest

from orchestrator.core.canonical import plain, restore
from orchestrator.core.constraints import Delivery, Each, Level, Measure, Planning, Scope
from orchestrator.core.planning_file import PLANNING_EXAMPLE
from orchestrator.core.policy import Policy
from orchestrator.core.policy_file import PolicyFileWrong, read_policy

NOW = datetime(2026, 11, 23, 8, tzinfo=UTC)


def planning(text: str) -> Planning:
    return read_policy(text, file="policy.toml", now=NOW).policy.planning


def test_without_the_table_nothing_is_asked_for() -> None:
    assert planning("") == Planning() == planning("[planning]\n")


def test_every_rule_of_the_example_is_read_and_survives_the_store() -> None:
    full = re.sub(r"^# (\[|\w+ = )", r"\1", PLANNING_EXAMPLE, flags=re.MULTILINE)
    found = planning(full)
    assert (found.recurring[0].name, found.occasions[0].name) == ("turn of the month", "election")
    assert (found.hours[0].name, found.seasons[0].name) == ("counter", "school holidays")
    assert (found.capacities[0].of, found.capacities[0].each) == (Measure.MINUTES, Each.SITE)
    assert found.stocks[0].deliveries[1] == Delivery(on=date(2027, 2, 1), amount=1000)
    assert found.apart[0].one == Scope(protection=("sehr hoch",))
    assert found.first[0].then.is_all and found.first[0].days_between == 14
    assert (found.seats_wait, found.hub_at, found.objective[0]) == (True, 30, Level.EXPOSURE)
    policy = Policy(planning=found)
    assert restore(Policy, plain(policy)) == policy


def test_a_window_and_a_freeze_may_be_for_some_assets_only() -> None:
    text = (
        '[[weekly]]\ndays = ["sat"]\nopens = "08:00"\ncloses = "18:00"\nkinds = ["server"]\n'
        '[[freeze]]\nname = "inventory"\nfirst = 2026-12-01\nlast = 2026-12-02\nsites = ["Rathaus"]\n'
    )
    policy = read_policy(text, file="policy.toml", now=NOW).policy
    assert policy.weekly[0].scope == Scope(kinds=("server",))  # type: ignore[arg-type]
    assert policy.freezes[0].scope == Scope(sites=("Rathaus",))


@pytest.mark.parametrize(
    ("text", "key", "why"),
    [
        ("[planning]\nhub = 3\n", "planning.hub", "unknown key"),
        ("[planning]\nseats_wait = 1\n", "planning.seats_wait", "true or false"),
        ("[planning]\nhub_at = -1\n", "planning.hub_at", "not between"),
        ('[planning]\nobjective = ["cost"]\n', "planning.objective", "one of"),
        ('[planning]\nobjective = ["risk", "risk"]\n', "planning.objective", "twice"),
        ("[planning.prices]\nhard = 3\n", "planning.prices.hard", "unknown key"),
        ('[[planning.capacity]]\nof = "assets"\nmost = 3\n', "planning.capacity[1].name", "a name is wanted"),
        ('[[planning.capacity]]\nname = "x"\nof = "tea"\nmost = 3\n', "planning.capacity[1].of", "one of"),
        ('[[planning.capacity]]\nname = "x"\nof = "assets"\nmost = -3\n', "planning.capacity[1].most", "not between"),
        (
            '[[planning.capacity]]\nname = "x"\nof = "share"\nmost = 0.3\n',
            "planning.capacity[1].each",
            "a share is one",
        ),
        (
            '[[planning.capacity]]\nname = "x"\nof = "share"\nmost = 3\neach = "site"\n',
            "planning.capacity[1].most",
            "not between 0 and 1",
        ),
        ('[[planning.stock]]\nname = "x"\ndeliveries = [3]\n', "planning.stock[1].deliveries[1]", "a table"),
        ('[[planning.task]]\nname = "x"\ndays_before = "3"\n', "planning.task[1].days_before", "a whole number"),
        ('[[planning.task]]\nname = "x"\ndays_before = 3\nowner = 7\n', "planning.task[1].owner", "who does it"),
        ('[[planning.visit]]\nname = "x"\nowner = " "\n', "planning.visit[1].owner", "who does it"),
        ('[[planning.task]]\nname = "x"\ndays_before = 3\nkinds = ["cow"]\n', "planning.task[1].kinds", "no kind"),
        ('[[planning.task]]\nname = "x"\ndays_before = 3\nsites = []\n', "planning.task[1].sites", "no asset"),
        ('[[planning.visit]]\nname = "x"\non = ["soon"]\n', "planning.visit[1].on", "a date"),
        (
            '[[planning.season]]\nname = "x"\nspans = [{ first = 2027-02-02, last = 2027-02-01 }]\n',
            "planning.season[1].spans[1].last",
            "before it begins",
        ),
        (
            '[[planning.recurring]]\nname = "x"\nevery = "month"\nfirst_day = 0\nlast_day = 2\n',
            "planning.recurring[1]",
            "no day 0",
        ),
        (
            '[[planning.apart]]\nname = "x"\none = { protection = ["hi"] }\n',
            "planning.apart[1].one.protection",
            "class",
        ),
    ],
)
def test_what_is_wrong_is_named_with_its_key(text: str, key: str, why: str) -> None:
    with pytest.raises(PolicyFileWrong) as refused:
        planning(text)
    assert refused.value.facts["key"] == key
    assert why in str(refused.value.facts["why"])
