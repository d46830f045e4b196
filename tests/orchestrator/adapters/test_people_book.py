"""People are pseudonyms with one key each; their names can be forgotten. On both databases."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from inventory.model import TenantId
from inventory.store import UnknownTenant
from orchestrator.adapters.database import engine_for, parsed
from orchestrator.adapters.store import DatabaseStore
from orchestrator.core.people import Person
from orchestrator.core.policy import Policy
from orchestrator.core.refusals import DeputyRefused, KeyTaken, NameRefused, NameTaken, UnknownPerson
from orchestrator.core.wave import PersonId
from tests.orchestrator.adapters.builders import TOWN, a_key

OTHER = TenantId("other")


@pytest.fixture(autouse=True)
def tenants(store: DatabaseStore) -> None:
    with store.transaction() as books:
        books.tenants.add(TOWN, policy=Policy())
        books.tenants.add(OTHER, policy=Policy())


def _add(store: DatabaseStore, name: str, key: int, tenant: TenantId = TOWN) -> Person:
    with store.transaction() as books:
        return books.people.add(tenant, name=name, public_key=a_key(key))


def _find(store: DatabaseStore, name: str, tenant: TenantId = TOWN) -> Person:
    with store.reading() as books:
        return books.people.find(tenant, name)


def test_a_person_is_found_by_name_however_it_is_written_and_by_pseudonym(store: DatabaseStore) -> None:
    anna = _add(store, "Anna Müller", 1)
    for name in ("Anna Müller", "anna  MÜLLER", "Anna Mu\u0308ller", anna.id):
        assert _find(store, name) == anna
    assert (anna.public_key, anna.active, anna.deputy_of) == (a_key(1), True, ())


def test_everyone_comes_by_pseudonym(store: DatabaseStore) -> None:
    people = {_add(store, name, number) for number, name in enumerate(("Anna", "Bert", "Cora"))}
    with store.reading() as books:
        found = books.people.everyone(TOWN)
    assert (set(found), list(found)) == (people, sorted(found, key=lambda person: person.id))


def test_a_keys_comment_is_not_kept(store: DatabaseStore) -> None:
    with store.transaction() as books:
        anna = books.people.add(TOWN, name="Anna", public_key=f"{a_key(1)} anna@town")
    assert anna.public_key == a_key(1)


def test_one_key_for_two_persons_is_refused_and_names_the_first(store: DatabaseStore) -> None:
    anna = _add(store, "Anna", 1)
    with pytest.raises(KeyTaken, match=f"STO-007.*{anna.id}"):
        _add(store, "Bert", 1)
    with pytest.raises(UnknownPerson):
        _find(store, "Bert")


def test_the_key_of_an_erased_person_stays_taken(store: DatabaseStore) -> None:
    anna = _add(store, "Anna", 1)
    with store.transaction() as books:
        books.people.erase(TOWN, anna.id)
    with pytest.raises(KeyTaken):
        _add(store, "Bert", 1)


def test_one_name_for_two_persons_is_refused(store: DatabaseStore) -> None:
    _add(store, "Anna", 1)
    with pytest.raises(NameTaken, match="STO-005"):
        _add(store, "ANNA", 2)
    with store.reading() as books:
        assert len(books.people.everyone(TOWN)) == 1


def test_names_and_keys_of_two_tenants_do_not_meet(store: DatabaseStore) -> None:
    mine, theirs = _add(store, "Anna", 1), _add(store, "Anna", 1, OTHER)
    assert _find(store, "Anna") == mine
    assert _find(store, "Anna", OTHER) == theirs
    with pytest.raises(UnknownPerson):
        _find(store, theirs.id)


HOSTILE = ["", " ", " Anna", "p-0123abcd", "P-0123ABCD", "a\0b", "a\nb", "\ud800", "a\u202eb", "x" * 121]


@pytest.mark.parametrize("name", HOSTILE, ids=range(len(HOSTILE)))
def test_a_name_that_could_mislead_is_refused(store: DatabaseStore, name: str) -> None:
    with pytest.raises(NameRefused, match="STO-006"):
        _add(store, name, 1)


@pytest.mark.parametrize("name", ["'; DROP TABLE person; --", "{{ 7*7 }}", "Ağa Çelik 🚢", "\ufdfa" * 120, "x" * 120])
def test_an_odd_name_is_only_a_name(store: DatabaseStore, name: str) -> None:
    assert _find(store, _add(store, name, 1).id).name == name
    assert _find(store, name).name == name


def test_an_erased_name_is_gone_everywhere_and_the_pseudonym_stays(store: DatabaseStore, database_url: str) -> None:
    anna = _add(store, "Anna", 1)
    with store.transaction() as books:
        books.people.erase(TOWN, anna.id)
    assert _find(store, anna.id) == Person(id=anna.id, name="", public_key=a_key(1), active=False)
    with pytest.raises(UnknownPerson):
        _find(store, "Anna")
    with engine_for(parsed(database_url)).connect() as connection:
        assert connection.execute(text("SELECT * FROM person_name")).all() == []


def test_a_deputy_stands_in_for_others(store: DatabaseStore) -> None:
    anna, bert, cora = (_add(store, name, number) for number, name in enumerate(("Anna", "Bert", "Cora")))
    with store.transaction() as books:
        for principal in (bert, cora, bert):
            books.people.set_deputy(TOWN, person=anna.id, of=principal.id)
    assert _find(store, "Anna").deputy_of == tuple(sorted((bert.id, cora.id)))
    assert _find(store, "Bert").deputy_of == ()


def test_nobody_is_their_own_deputy_or_that_of_a_stranger(store: DatabaseStore) -> None:
    anna, stranger = _add(store, "Anna", 1), _add(store, "Anna", 1, OTHER)
    with pytest.raises(DeputyRefused), store.transaction() as books:
        books.people.set_deputy(TOWN, person=anna.id, of=anna.id)
    with pytest.raises(UnknownPerson), store.transaction() as books:
        books.people.set_deputy(TOWN, person=anna.id, of=stranger.id)


def test_an_unknown_person_or_tenant_is_named(store: DatabaseStore) -> None:
    with pytest.raises(UnknownPerson, match="'Zoe' in town"):
        _find(store, "Zoe")
    with pytest.raises(UnknownPerson), store.transaction() as books:
        books.people.erase(TOWN, PersonId("p-00000000"))
    with pytest.raises(UnknownTenant):
        _add(store, "Anna", 1, TenantId("nobody"))
