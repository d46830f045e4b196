"""Words for what a successor can fail with in a domain."""

from __future__ import annotations

from orchestrator.adapters.runbooks import SHIPPED
from orchestrator.core.causes import CAUSES, RULES_OWN
from orchestrator.core.causes_of_domain import OF_DOMAIN
from tests.orchestrator.core.test_causes_of_procedures import codes_of

FILES = ("kahn_kerberos", "kahn_ldap", "kahn_member", "kahn_old_account", "kahn_directory")


def test_words_of_a_domain_are_those_of_its_modules_and_none_is_the_rules_own() -> None:
    codes = {one.code for one in OF_DOMAIN}
    assert len(codes) == len(OF_DOMAIN) and not RULES_OWN & codes
    assert codes <= set().union(*(codes_of(SHIPPED / f"module_utils/{name}.py") for name in FILES))
    assert all(CAUSES[one.code] is one for one in OF_DOMAIN)
