"""Gates in a policy file."""

from __future__ import annotations

import pytest

from orchestrator.core.demands import KNOWN, Demand, Reach
from orchestrator.core.policy_entry import PolicyFileWrong
from orchestrator.core.policy_file import read_policy
from tests.orchestrator.core.builders import OPENS


def gates(text: str) -> tuple[Demand, ...]:
    return read_policy(text, file="policy.toml", now=OPENS).policy.gates


def test_a_known_name_brings_what_is_usual_and_can_be_changed() -> None:
    assert gates('[[gate]]\nname = "staff-council"\n') == (KNOWN["staff-council"],)
    (found,) = gates('[[gate]]\nname = "backup-restored"\nmax_age_days = 7\nowner = "RZ"\n')
    assert (found.max_age_days, found.owner, found.reach) == (7, "RZ", Reach.ASSET)


def test_any_other_name_is_a_gate_of_the_wave() -> None:
    assert gates('[[gate]]\nname = "doors-open"\n') == (Demand(name="doors-open"),)
    assert gates("") == ()


@pytest.mark.parametrize(
    "text",
    [
        'name = "Staff Council"',
        'name = "x"\nreach = "town"',
        'name = "x"\nmax_age_days = -1',
        'name = "x"\nper_person = "many"',
        'name = "x"\nowner = "a\\nb"',
        'name = "x"\nblocks = true',
        'name = "x"\n[[gate]]\nname = "x"',
    ],
)
def test_what_makes_no_sense_is_refused(text: str) -> None:
    with pytest.raises(PolicyFileWrong, match="gate"):
        gates(f"[[gate]]\n{text}\n")
