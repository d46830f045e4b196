"""People as the store knows them: pseudonyms with keys; names lie in one erasable table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from inventory.model import TenantId
from orchestrator.core.wave import PersonId


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """A person as the store knows them. ``name`` is empty once it was erased."""

    id: PersonId
    name: str
    public_key: str
    """OpenSSH public key: type and base64, no comment."""
    active: bool
    deputy_of: tuple[PersonId, ...] = ()


class PeopleBook(Protocol):
    """People of one tenant: pseudonyms with keys, and one erasable table of names."""

    def add(self, tenant: TenantId, *, name: str, public_key: str) -> Person:
        """A new person. Raises NameTaken, KeyTaken (one key for two persons)."""
        ...

    def find(self, tenant: TenantId, name_or_id: str) -> Person:
        """By name or pseudonym. Raises UnknownPerson."""
        ...

    def everyone(self, tenant: TenantId) -> tuple[Person, ...]:
        """All people, by pseudonym."""
        ...

    def erase(self, tenant: TenantId, person: PersonId) -> None:
        """Forget the name; the pseudonym and the key stay."""
        ...

    def set_deputy(self, tenant: TenantId, *, person: PersonId, of: PersonId) -> None:
        """Let one person stand in for another."""
        ...
