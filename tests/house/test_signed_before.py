"""What an earlier release stored and people signed keeps its fingerprint: nobody has to sign a running wave again."""

from __future__ import annotations

import json

import pytest

from orchestrator.core.canonical import fingerprint_of, plain, restore
from orchestrator.core.plan import Plan
from orchestrator.core.wave import Act, WaveContent
from tests.house.sources import ROOT

STORED = json.loads((ROOT / "tests/house/signed_by_0.1.json").read_text(encoding="utf-8"))
SIGNED = {"wave": WaveContent, "plan": Plan, "act": Act}


@pytest.mark.parametrize("name", sorted(SIGNED))
def test_a_value_of_an_earlier_release_keeps_its_bytes_and_fingerprint(name: str) -> None:
    """A field added since then is declared with ``metadata=LATER`` of core/canonical.py."""
    value: object = restore(SIGNED[name], STORED[name]["value"])
    assert plain(value) == STORED[name]["value"]
    assert fingerprint_of(value) == STORED[name]["sha256"]
