"""The stop of all dispatch as a value."""

from __future__ import annotations

from dataclasses import FrozenInstanceError

import pytest

from orchestrator.core.launches import DispatchStop
from tests.orchestrator.core.builders import OPENS


def test_a_stop_says_who_why_and_since_when_and_cannot_be_changed() -> None:
    stop = DispatchStop(by="anna", reason="smoke", at=OPENS)
    with pytest.raises(FrozenInstanceError):
        stop.reason = "nothing"  # type: ignore[misc]
