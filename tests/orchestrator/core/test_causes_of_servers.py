"""Words for what a server that moves as a whole can fail with."""

from __future__ import annotations

from orchestrator.core.causes import CAUSES, RULES_OWN
from orchestrator.core.causes_of_servers import OF_SERVERS
from tests.orchestrator.core.test_causes_of_procedures import MODULES, codes_of


def test_words_of_servers_are_of_codes_that_a_module_has_and_none_is_the_rules_own() -> None:
    codes = [one.code for one in OF_SERVERS]
    assert len(codes) == len(set(codes)) and not RULES_OWN & set(codes)
    assert set(codes) <= set().union(*map(codes_of, MODULES))
    assert all(CAUSES[one.code] is one for one in OF_SERVERS)
