"""Every trouble that a Windows machine can make at the look has words of its own, and only the look may use them."""

from __future__ import annotations

from orchestrator.adapters.psrp import _TROUBLES
from orchestrator.core.causes import RULES_OWN, cause_of
from orchestrator.core.causes_of_windows import SEEN
from orchestrator.core.fleet import _CAUSES


def test_each_has_a_remedy_and_is_not_believed_from_a_machine() -> None:
    assert all(cause_of(one.code) == one and one.remedy and one.code in RULES_OWN for one in SEEN)


def test_every_trouble_of_the_machine_holds_its_assets_back() -> None:
    ours = {"certificate_unreadable", "key_file"}
    assert set(_TROUBLES) - ours <= set(_CAUSES)
