"""The table ``[domain]`` of a policy file: which domain the successors of workplaces join."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

from orchestrator.core.domain import DomainSettings, InvalidDomain
from orchestrator.core.policy_entry import Entry, known_keys, texts

NEEDED = ("realm", "join_account", "secret_file")


def read_domain(entry: Entry, zone: ZoneInfo) -> DomainSettings:
    """The table. Raises PolicyFileWrong."""
    known_keys(entry, (*NEEDED, "controllers", "computers"))
    values: dict[str, Any] = {key: _text(entry.at(key)) for key in (*NEEDED, "computers") if key in entry.value}
    values["controllers"] = texts(entry.at("controllers"))
    for key in NEEDED:
        if not values.get(key):
            entry.at(key).wrong("it is needed")
    try:
        return DomainSettings(**values)
    except InvalidDomain as cause:
        entry.at(str(cause.facts["key"])).wrong(str(cause.facts["why"]), cause=cause)


def _text(entry: Entry) -> str:
    if not isinstance(entry.value, str):
        entry.wrong("a text is wanted")
    return entry.value


DOMAIN_EXAMPLE = """
# The domain (Active Directory) of the workplaces: each successor of replace-workstation becomes a member, and the old
# machine's account is disabled once it is off. Without this table nothing of it happens. The join account may make,
# change and delete computers in that place, and nothing else; its password is the first line of a file in the folder
# domains/TENANT of the state directory, which its owner alone may read (chmod 600).
# [domain]
# realm = "AMT.STADT.EXAMPLE"
# join_account = "kahn-join"
# secret_file = "domain.secret"
# controllers = ["dc1.amt.stadt.example"]     # the first that answers; left out: those that DNS knows
# computers = "OU=Seats,DC=amt,DC=stadt,DC=example"   # where accounts are made; left out: CN=Computers
"""
