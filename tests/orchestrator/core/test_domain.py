"""Settings of a domain: what cannot be one is refused, and no secret can stand among them."""

from __future__ import annotations

import pytest

from orchestrator.core.domain import DomainSettings, InvalidDomain

GOOD: dict[str, object] = {"realm": "AMT.STADT.EXAMPLE", "join_account": "kahn-join", "secret_file": "domain.secret"}


def settings(**changes: object) -> DomainSettings:
    return DomainSettings(**{**GOOD, **changes})  # type: ignore[arg-type]


def test_what_a_town_writes_is_taken() -> None:
    assert settings(controllers=("dc1.amt.stadt.example",)).computers == ""
    assert settings(computers="OU=Plätze 2,OU=Bauamt,DC=amt,dc=Stadt,DC=example").realm == "AMT.STADT.EXAMPLE"


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("realm", "amt.stadt.example"),
        ("realm", "AMT"),
        ("realm", "AMT.EXAMPLE\n[realms]"),
        ("join_account", "AMT\\kahn"),
        ("join_account", "kahn@AMT.EXAMPLE"),
        ("join_account", "-k"),
        ("secret_file", "../kahn.db"),
        ("secret_file", "/etc/shadow"),
        ("secret_file", ".hidden"),
        ("controllers", ("dc1",)),
        ("controllers", ("dc1.amt.example -D x",)),
        ("controllers", ("dc1.amt.example",) * 11),
        ("computers", "Computers"),
        ("computers", "OU=Seats,DC=amt,DC=example"),
        ("computers", "OU=Seats,CN=amt"),
        ("computers", "OU=a\nchangetype: delete,DC=b"),
        ("computers", "OU=a)(cn=*,DC=b;"),
    ],
)
def test_what_cannot_be_is_refused_by_name(key: str, value: object) -> None:
    with pytest.raises(InvalidDomain) as refused:
        settings(**{key: value})
    assert refused.value.facts["key"] == key
