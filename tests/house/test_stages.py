"""Each test has its stage: `make test` leaves out exactly the long proofs, and `make test-long` runs those."""

from __future__ import annotations

import re
from itertools import product

from _pytest.mark.expression import Expression

from tests.conftest import KINDS
from tests.house.sources import ROOT, nothing_in, python_files

_ALL = re.findall(r'pytest .*-m "([^"]+)"', (ROOT / ".ci/test.sh").read_text(encoding="utf-8").partition("\nelse\n")[2])
MARKED = [
    frozenset(kind for kind, on in zip(KINDS, chosen, strict=True) if on)
    for chosen in product((0, 1), repeat=len(KINDS))
]


def times(stages: list[str], marks: frozenset[str]) -> int:
    """How many of these stages run a test with these marks."""
    return sum(Expression.compile(stage).evaluate(lambda name, /, **_: name in marks) for stage in stages)


def test_tests_of_the_lab_and_long_proofs_can_be_told_by_the_text_of_their_files() -> None:
    """Their stages read only such files, so a mark may not come from a helper."""
    helpers = (path for path in python_files("tests") if not path.name.startswith("test_"))
    nothing_in(
        path for path in helpers if re.search(r"\bmark\.(lab|long)\b", (ROOT / path).read_text(encoding="utf-8"))
    )


def test_each_test_without_the_mark_long_runs_in_exactly_one_stage_of_make_test() -> None:
    assert len(_ALL) == 3
    nothing_in(sorted(marks) for marks in MARKED if times(_ALL, marks) != 1 or times(_ALL, marks | {"long"}))
