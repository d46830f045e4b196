"""People in the database: pseudonyms with keys, and the one erasable table of their names."""

from __future__ import annotations

import re
import secrets
import unicodedata
from collections import defaultdict

from sqlalchemy import Connection, delete, insert, select, update

from inventory.model import TenantId
from inventory.store import UnknownTenant
from inventory.tables import TenantRow, table_of, unique_key
from orchestrator.adapters.rows import unless_taken
from orchestrator.adapters.tables import PersonDeputyRow, PersonNameRow, PersonRow
from orchestrator.core.people import Person
from orchestrator.core.refusals import DeputyRefused, KeyTaken, NameRefused, NameTaken, UnknownPerson
from orchestrator.core.wave import PersonId

_TENANT, _PERSON = table_of(TenantRow), table_of(PersonRow)
_NAME, _DEPUTY = table_of(PersonNameRow), table_of(PersonDeputyRow)
_PSEUDONYM = re.compile(r"p-[0-9a-f]+")
_LONGEST_NAME = 120


class PeopleBook:
    """People of each tenant. Works inside the caller's transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, tenant: TenantId, *, name: str, public_key: str) -> Person:
        """A new person. Raises NameTaken, NameRefused, KeyTaken, UnknownTenant."""
        check_person_name(name)
        if self._connection.scalars(select(_TENANT.c.id).where(_TENANT.c.id == tenant)).one_or_none() is None:
            raise UnknownTenant(tenant=tenant)
        key = " ".join(public_key.split()[:2])
        holder = self._connection.scalars(
            select(_PERSON.c.id).where(_PERSON.c.tenant == tenant, _PERSON.c.public_key == key)
        ).one_or_none()
        person = PersonId(f"p-{secrets.token_hex(4)}")
        with unless_taken(self._connection, KeyTaken(person=holder or "somebody else")):
            self._connection.execute(insert(_PERSON).values(tenant=tenant, id=person, public_key=key, active=True))
        with unless_taken(self._connection, NameTaken(name=name)):
            self._connection.execute(
                insert(_NAME).values(tenant=tenant, person=person, name=name, name_key=unique_key(name))
            )
        return Person(id=person, name=name, public_key=key, active=True)

    def find(self, tenant: TenantId, name_or_id: str) -> Person:
        """By name or pseudonym. Raises UnknownPerson."""
        found = name_or_id
        if not _PSEUDONYM.fullmatch(name_or_id):
            found = self._connection.scalars(
                select(_NAME.c.person).where(_NAME.c.tenant == tenant, _NAME.c.name_key == unique_key(name_or_id))
            ).one_or_none()  # type: ignore[assignment]
        for person in self.everyone(tenant):
            if person.id == found:
                return person
        raise UnknownPerson(person=name_or_id[:80], tenant=tenant)

    def everyone(self, tenant: TenantId) -> tuple[Person, ...]:
        """All people, by pseudonym."""
        names = {r.person: r.name for r in self._connection.execute(select(_NAME).where(_NAME.c.tenant == tenant))}
        stands_for: defaultdict[str, list[PersonId]] = defaultdict(list)
        for row in self._connection.execute(select(_DEPUTY).where(_DEPUTY.c.tenant == tenant)):
            stands_for[row.person].append(row.deputy_of)
        people = (
            Person(
                id=PersonId(row.id),
                name=names.get(row.id, ""),
                public_key=row.public_key,
                active=row.active,
                deputy_of=tuple(sorted(stands_for[row.id])),
            )
            for row in self._connection.execute(select(_PERSON).where(_PERSON.c.tenant == tenant))
        )
        return tuple(sorted(people, key=lambda person: person.id))

    def erase(self, tenant: TenantId, person: PersonId) -> None:
        """Forget the name and let the person act no more; pseudonym and key stay. Raises UnknownPerson."""
        self.find(tenant, person)
        self._connection.execute(delete(_NAME).where(_NAME.c.tenant == tenant, _NAME.c.person == person))
        self._connection.execute(
            update(_PERSON).where(_PERSON.c.tenant == tenant, _PERSON.c.id == person).values(active=False)
        )

    def set_deputy(self, tenant: TenantId, *, person: PersonId, of: PersonId) -> None:
        """Let one person stand in for another. Raises UnknownPerson, DeputyRefused."""
        deputy, principal = self.find(tenant, person), self.find(tenant, of)
        if deputy.id == principal.id:
            raise DeputyRefused(person=person)
        if principal.id not in deputy.deputy_of:
            self._connection.execute(insert(_DEPUTY).values(tenant=tenant, person=deputy.id, deputy_of=principal.id))


def check_person_name(name: str) -> None:
    """Refuse what cannot be a person's name. Raises NameRefused."""
    why = ""
    if not name.strip() or name != name.strip():
        why = "it is empty or has blanks around it"
    elif len(name) > _LONGEST_NAME:
        why = f"it is longer than {_LONGEST_NAME} characters"
    elif any(unicodedata.category(char) in ("Cc", "Cf", "Cs", "Zl", "Zp") for char in name):
        why = "it holds invisible characters"
    elif _PSEUDONYM.fullmatch(unique_key(name)):
        why = "it looks like a pseudonym"
    if why:
        raise NameRefused(name=name[:40], why=why)
