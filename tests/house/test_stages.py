"""Each test has its stage: `make test` leaves out exactly the long proofs, and `make test-long` runs those."""

from __future__ import annotations

import re
from itertools import product

from _pytest.mark.expression import Expression

from tests.conftest import KINDS
from tests.house.sources import ROOT, nothing_in, python_files

_LONG, _ALL = (
    re.findall(r'pytest .*-m "([^"]+)"', part)
    for part in (ROOT / ".ci/test.sh")
    .read_text(encoding="utf-8")
    .partition('[ "$kind" = long ]; then')[2]
    .split("\nelse\n")[:2]
)
MARKED = [
    frozenset(kind for kind, on in zip(KINDS, chosen, strict=True) if on)
    for chosen in product((0, 1), repeat=len(KINDS))
]


def times(stages: list[str], marks: frozenset[str]) -> int:
    """How many of these stages run a test with these marks."""
    return sum(Expression.compile(stage).evaluate(lambda name, /, **_: name in marks) for stage in stages)


def test_files_with_tests_of_the_lab_can_be_told_by_their_text() -> None:
    """The lab's stage reads only those, so a mark may not come from a helper."""
    helpers = (path for path in python_files("tests") if not path.name.startswith("test_"))
    nothing_in(path for path in helpers if re.search(r"\bmark\.lab\b", (ROOT / path).read_text(encoding="utf-8")))


def test_each_test_without_the_mark_long_runs_in_exactly_one_stage_of_make_test() -> None:
    assert len(_ALL) == 3
    nothing_in(sorted(marks) for marks in MARKED if times(_ALL, marks) != 1)


def test_each_test_with_the_mark_long_runs_once_in_make_test_long_and_never_in_make_test() -> None:
    assert len(_LONG) == 2
    nothing_in(
        sorted(marks) for marks in MARKED if times(_LONG, marks | {"long"}) != 1 or times(_ALL, marks | {"long"})
    )
    nothing_in(sorted(marks) for marks in MARKED if times(_LONG, marks))
