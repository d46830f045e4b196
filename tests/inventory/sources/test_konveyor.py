"""Konveyor's applications become procedures, its dependencies point the way they are named."""

from __future__ import annotations

from pathlib import Path

from tests.inventory.builders import merged, nothing_known
from tests.inventory.sources.reading import read_text

HEAD = (
    "Record Type 1,Application Name,Description,Comments,Business Service,Dependency,Dependency Direction,Owner,"
    "Contributors,Tag Category 1,Tag 1,Tag Category 2,Tag 2\n"
)
ROWS = (
    '1,Kasse,Zahlstelle,,Finanzen,,,"Erika <e@x.example>", "Jo <j@x.example>, Al <a@x.de>",Language,Java,Database,\n'
    "1,EWO,,,,,,,,,,,\n"
    "2,Kasse,,,,EWO,southbound\n"
    "2,EWO,,,,Archiv,northbound\n"
    "2,EWO,,,,Archiv,seitlich\n"
    "3,EWO,,,,,\n"
)


def test_applications_and_dependencies_are_taken(tmp_path: Path) -> None:
    reading = read_text(tmp_path, HEAD + ROWS, "konveyor")
    assert [(one.kind.value, one.name) for one in reading.observations] == [
        ("department", "Finanzen"), ("procedure", "Kasse"), ("procedure", "EWO")
    ]  # fmt: skip
    assert reading.observations[1].values["tags"] == ("Language=Java",)
    assert [(one.asset, one.needs) for one in reading.dependencies] == [
        ("procedure:Kasse", "procedure:EWO"), ("procedure:Archiv", "procedure:EWO")
    ]  # fmt: skip
    assert [one.place.row for one in reading.refusals] == [6, 7]


def test_persons_are_not_taken(tmp_path: Path) -> None:
    reading = read_text(tmp_path, HEAD + ROWS, "konveyor")
    assert "Erika" not in repr([one.values for one in reading.observations])


def test_a_dependency_on_something_unknown_is_refused_when_merged(tmp_path: Path) -> None:
    reading = read_text(tmp_path, HEAD + ROWS, "konveyor")
    changes = merged(nothing_known(), *reading.observations, *reading.dependencies)
    assert (len(changes.dependencies), [one.code for one in changes.refusals]) == (1, ["INV-016"])
