"""Every cause that a name server or the key for it gives is named by the modules that ask it."""

from __future__ import annotations

from orchestrator.adapters.runbooks import SHIPPED
from orchestrator.core.causes import CAUSES, cause_of
from orchestrator.core.causes_of_names import OF_NAMES

PARTS = ("kahn_names", "kahn_update", "kahn_naming")


def test_each_is_given_by_a_module_and_known_by_its_code() -> None:
    said = "".join((SHIPPED / "module_utils" / f"{name}.py").read_text() for name in PARTS)
    assert [one.code for one in OF_NAMES if f'"{one.code}"' not in said] == []
    assert {one.code for one in OF_NAMES} <= set(CAUSES) and cause_of("names_key_wrong").remedy
