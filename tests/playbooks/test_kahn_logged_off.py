"""Whether everybody is logged off: a look that fails with who is there."""

from __future__ import annotations

import pytest

from tests.playbooks.modules import Trouble, module

logged_off = module("kahn_logged_off")


def test_nobody_there_is_well() -> None:
    assert logged_off.look([]) == (False, {"people": []})


def test_somebody_there_is_told_by_number_and_moment() -> None:
    found = [{"uid": 1000 + nth, "since": nth, "on": ""} for nth in range(30)]
    with pytest.raises(Trouble) as trouble:
        logged_off.look(found)
    assert (trouble.value.cause, trouble.value.facts["people_count"]) == ("source_busy", 30)
    assert trouble.value.facts["people"] == found[:20]
