"""docs/reliability.md names every fault, and every test and every simulated fault that it names exists."""

from __future__ import annotations

import re

from tests.house.sources import ROOT, nothing_in
from tests.simulation.faults import ALL

PAGE = (ROOT / "docs" / "reliability.md").read_text(encoding="utf-8")


def test_all_44_faults_stand_in_the_table_once_and_in_order() -> None:
    assert re.findall(r"^\| (F\d+) \|", PAGE, flags=re.M) == [f"F{number}" for number in range(1, 45)]


def test_every_file_that_the_page_names_exists() -> None:
    named = re.findall(r"`((?:tests|bench|docs)/[a-zA-Z0-9_/.-]+)`", PAGE)
    assert len(named) > 20
    nothing_in(name for name in named if not (ROOT / name).exists())


def test_every_simulated_fault_that_has_a_number_stands_at_its_number() -> None:
    rows = dict(re.findall(r"^\| (F\d+) \|(.*)$", PAGE, flags=re.M))
    named = {name for row in rows.values() for name in re.findall(r"\[([A-Z][A-Za-z0-9-]+)\]", row)}
    nothing_in(named - set(ALL))
    numbered = {name for name in ALL if name[0] == "F"}
    nothing_in(name for name in numbered if f"[{name}]" not in rows[name.partition("-")[0]])


def test_every_simulated_fault_stands_somewhere_on_the_page() -> None:
    nothing_in(name for name in ALL if f"[{name}]" not in PAGE)


def test_every_story_of_a_death_stands_on_the_page_and_every_one_that_stands_there_exists() -> None:
    told = set(re.findall(r"`(test_[a-z_]+)`", PAGE))
    stories = (ROOT / "tests" / "scenarios" / "test_deaths.py").read_text(encoding="utf-8")
    assert told == set(re.findall(r"^def (test_[a-z_]+)", stories, flags=re.M))
