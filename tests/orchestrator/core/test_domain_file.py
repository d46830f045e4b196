"""The table [domain] of a policy file."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from orchestrator.core.domain_file import DOMAIN_EXAMPLE
from orchestrator.core.policy_entry import PolicyFileWrong
from orchestrator.core.policy_file import read_policy

NOW = datetime(2026, 11, 30, tzinfo=UTC)
LINES = DOMAIN_EXAMPLE.splitlines()
EXAMPLE = "\n".join(line.removeprefix("# ") for line in LINES[LINES.index("# [domain]") :])


def test_the_example_reads_as_it_says() -> None:
    found = read_policy(EXAMPLE, file="policy.toml", now=NOW).policy.domain
    assert found is not None
    assert (found.realm, found.join_account, found.secret_file) == ("AMT.STADT.EXAMPLE", "kahn-join", "domain.secret")
    assert found.controllers == ("dc1.amt.stadt.example",)
    assert found.computers == "OU=Seats,DC=amt,DC=stadt,DC=example"
    assert read_policy("", file="policy.toml", now=NOW).policy.domain is None


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('realm = "AMT.STADT.EXAMPLE"', "", "domain.realm: it is needed"),
        ('realm = "AMT.STADT.EXAMPLE"', "realm = 7", "domain.realm: a text is wanted"),
        ('realm = "AMT.STADT.EXAMPLE"', 'realm = "amt"', "domain.realm: the realm in capitals"),
        ('secret_file = "domain.secret"', 'password = "geheim"', "domain.password: unknown key"),
        ('secret_file = "domain.secret"', 'secret_file = "../x"', "domain.secret_file: the name of a file"),
        ('controllers = ["dc1.amt.stadt.example"]', 'controllers = "dc1"', "domain.controllers: a list of texts"),
        ('controllers = ["dc1.amt.stadt.example"]', 'controllers = ["dc 1"]', "'dc 1' is no whole host name"),
    ],
)
def test_what_is_wrong_is_named_with_its_place(old: str, new: str, says: str) -> None:
    assert old in EXAMPLE
    with pytest.raises(PolicyFileWrong, match=r"policy\.toml") as refused:
        read_policy(EXAMPLE.replace(old, new), file="policy.toml", now=NOW)
    assert says in str(refused.value)
