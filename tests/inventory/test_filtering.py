"""The filter language of listings."""

from __future__ import annotations

import pytest

from inventory.filtering import InvalidFilter, as_text, chosen, is_term, parse_filter
from inventory.model import AssetKind
from tests.inventory.builders import knowing, own, said

KNOWN = knowing(
    said("Rathaus Neumarkt", AssetKind.SITE),
    said("GIS", AssetKind.PROCEDURE),
    said("srv-1", site="Rathaus Neumarkt", os_name="Debian 12", procedures=("GIS",)),
    said("srv-2", AssetKind.VM, ram_mib=4096),
)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("", ["GIS", "srv-1", "Rathaus Neumarkt", "srv-2"]),
        ("kind=server", ["srv-1"]),
        ("SRV", ["srv-1", "srv-2"]),
        ("site~rathaus", ["srv-1"]),
        ('site="rathaus neumarkt"', ["srv-1"]),
        ("procedures=gis", ["srv-1"]),
        ("ram_mib=4096", ["srv-2"]),
        ("srv os_name=", ["srv-2"]),
        ("os_name!=", ["srv-1"]),
        ("srv kind!=vm", ["srv-1"]),
        ("kind=server kind=vm", []),
    ],
)
def test_all_terms_of_a_filter_hold(text: str, names: list[str]) -> None:
    assert [one.name for one in chosen(KNOWN.assets, text)] == names


def test_signs_words_alternatives_and_negation() -> None:
    for text, names in (
        ("site:rathaus", ["srv-1"]),
        ("site:rat", []),
        ("os~debian procedure:GIS", ["srv-1"]),
        ("ram>=4096", ["srv-2"]),
        ("ram<4096", []),
        ("os!~windows srv", ["srv-1", "srv-2"]),
        ("not kind:vm srv", ["srv-1"]),
        ("kind:vm or kind:site", ["Rathaus Neumarkt", "srv-2"]),
        ("kind:server nicht site:bauhof oder GIS", ["GIS", "srv-1"]),
        ("id:nothing", []),
    ):
        assert [one.name for one in chosen(KNOWN.assets, text)] == names, text


def test_facts_beside_the_record_are_known_only_where_they_are_given() -> None:
    srv = next(one for one in KNOWN.assets if one.name == "srv-2")
    facts = {srv.id: {"state": ("ready",), "source": ("rvtools", "ad")}}
    assert chosen(KNOWN.assets, "state:ready source:ad", facts=facts) == (srv,)
    assert len(chosen(KNOWN.assets, "kind:server state=", facts=facts)) == 1
    with pytest.raises(InvalidFilter, match="character 1: state is not known here"):
        chosen(KNOWN.assets, "state:ready")


def test_a_value_whose_quotation_marks_the_shell_took_gets_them_back() -> None:
    assert as_text(["site:Rathaus Neumarkt", "kind:vm"]) == 'site:"Rathaus Neumarkt" kind:vm'
    assert as_text(["kind:vm site:x", 'site:"a b"', "a or b"]) == 'kind:vm site:x site:"a b" a or b'
    assert as_text(["Bürger PC"]) == '"Bürger PC"'
    assert [one.name for one in chosen(KNOWN.assets, as_text(["site:rathaus neumarkt"]))] == ["srv-1"]


def test_a_condition_is_told_from_a_name() -> None:
    assert is_term("kind:vm") and is_term("serial!=") and not is_term("pc-*") and not is_term("Platz 1")


def test_capitals_mean_nothing_in_the_name_of_a_field_and_no_field_is_made_of_a_name() -> None:
    assert parse_filter("KIND:vm OS~2008 Attr.Kostenstelle:7") == parse_filter("kind:vm os~2008 attr.kostenstelle:7")
    assert is_term("Site:x") and not is_term("Haus: Keller")
    assert as_text(["Haus: Keller"]) == '"Haus: Keller"' and as_text(["Site:a b"]) == 'site:"a b"'
    with pytest.raises(InvalidFilter, match="character 5:"):
        parse_filter("RAM>viel")


@pytest.mark.parametrize(
    ("text", "position"),
    [
        ("colour=red", 1),
        ("kind:vm colour=red", 9),
        ('site="open', 6),
        ("name>3", 1),
        ("kind:vm ram>viel", 13),
        ("or kind:vm", 1),
        ("kind:vm or", 9),
        ("kind:vm not", 9),
    ],
)
def test_a_filter_that_says_nothing_clear_is_refused_with_the_place(text: str, position: int) -> None:
    with pytest.raises(InvalidFilter, match=rf"at character {position}:"):
        parse_filter(text)


def test_attributes_of_a_towns_own_are_chosen_like_fields() -> None:
    known = knowing(
        said("a", **own(kostenstelle="4711", miete="1.250,50")),
        said("b", **own(kostenstelle="47110 Tief", miete="99,5")),
        said("c", **own(miete="unbekannt")),
    )
    for text, names in (
        ("attr.kostenstelle:4711", ["a"]),
        ("attr.kostenstelle~4711", ["a", "b"]),
        ("attr.kostenstelle=", ["c"]),
        ("attr.kostenstelle!=", ["a", "b"]),
        ("attr.miete>100", ["a"]),
        ("attr.miete<=99.5", ["b"]),
        ("attr.unseen:1", []),
    ):
        assert [one.name for one in chosen(known.assets, text)] == names, text
    for text in ("attr.:1", "attr.A:1", "attr.miete>viel", "attrx.a>1"):
        if text.startswith("attr.m"):
            with pytest.raises(InvalidFilter, match="no number"):
                parse_filter(text)
        else:
            assert chosen(known.assets, text) == ()


def test_numbers_are_compared_as_they_are_written_never_as_nan() -> None:
    known = knowing(said("a", **own(x="nan")), said("b", **own(x="inf")), said("c", **own(x="1e5")))
    assert chosen(known.assets, "attr.x>0") == ()
