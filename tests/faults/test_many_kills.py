"""A small form of ``python -m bench.kills``: a wave on lab hosts whose driver and supervisors are killed at random."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.kills import both_nights, judged
from orchestrator.lab.lab import Lab
from tests.labs import lab

__all__ = ["lab"]
pytestmark = [pytest.mark.lab, pytest.mark.long]


def test_a_wave_whose_driver_and_supervisors_are_killed_ends_as_one_in_peace(tmp_path: Path, lab: Lab) -> None:
    peace, fire = both_nights(tmp_path, lab, seats=2, kills=4, seed=1)
    assert len(fire.kills) == 4
    verdict = judged(peace, fire)
    assert verdict.well, verdict
