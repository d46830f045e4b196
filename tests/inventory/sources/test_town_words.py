"""Words of a made-up municipality."""

from __future__ import annotations

from inventory.marks import is_placeholder
from inventory.model import FIELDS, AssetKind
from inventory.naming import parse_name
from inventory.sources.kind_words import kind_by_system
from inventory.sources.town_words import (
    DEPARTMENTS,
    PLACEHOLDER_SERIALS,
    PROCEDURES,
    PROTECTION,
    SEAT_SYSTEMS,
    SERVER_SYSTEMS,
    SITE_PLACES,
    SITE_WORDS,
    STRATEGY,
)


def test_every_word_is_a_name_that_an_import_takes() -> None:
    for name in (*SITE_WORDS, *SITE_PLACES):
        parse_name(AssetKind.SITE, name)
    for name in (*DEPARTMENTS, *(one.name for one in PROCEDURES)):
        parse_name(AssetKind.PROCEDURE, name)


def test_procedures_belong_to_known_departments_and_no_two_share_a_name() -> None:
    assert {one.department for one in PROCEDURES} <= set(DEPARTMENTS)
    assert len({one.name for one in PROCEDURES}) == len(PROCEDURES)


def test_choices_are_those_of_the_fields_and_placeholders_are_known_as_such() -> None:
    assert {word for word, _ in PROTECTION} == set(FIELDS["protection"].choices)
    assert {word for word, _ in STRATEGY} <= set(FIELDS["strategy"].choices)
    assert all(is_placeholder(serial) for serial in PLACEHOLDER_SERIALS)


def test_systems_of_seats_and_servers_can_be_told_apart() -> None:
    assert {kind_by_system(name) for name, _ in SERVER_SYSTEMS} == {AssetKind.SERVER}
    assert {kind_by_system(name) for name, _ in SEAT_SYSTEMS} == {AssetKind.WORKSTATION}
