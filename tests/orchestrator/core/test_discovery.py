"""What the way to a machine tells about it."""

from __future__ import annotations

from inventory.model import AssetId
from orchestrator.core.discovery import FactsAnswer


def test_weak_algorithms_are_a_finding_and_sound_ones_none() -> None:
    assert FactsAnswer(asset=AssetId("a")).findings() == ()
    (finding,) = FactsAnswer(asset=AssetId("a"), weak=("aes128-cbc", "ssh-rsa")).findings()
    assert finding == "ssh: reached with weak algorithms only: aes128-cbc, ssh-rsa"
