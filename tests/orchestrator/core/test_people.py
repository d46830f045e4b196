"""A person as a value."""

from __future__ import annotations

from orchestrator.core.people import Person
from orchestrator.core.wave import PersonId


def test_a_person_stands_in_for_nobody_unless_it_is_said() -> None:
    person = Person(id=PersonId("p-1"), name="Anna", public_key="ssh-ed25519 AAAA", active=True)
    assert person.deputy_of == ()
