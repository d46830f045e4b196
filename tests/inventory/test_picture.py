"""The picture of an asset and its neighbours."""

from __future__ import annotations

from defusedxml.ElementTree import fromstring

from inventory.model import AssetKind, DependencyKind
from inventory.neighbours import ties
from inventory.picture import MOST_ROWS, picture
from tests.inventory.builders import knowing, needing, said

SVG = "{http://www.w3.org/2000/svg}"


def texts(known_name: str, *rows: object) -> list[str]:
    known = knowing(*rows).snapshot  # type: ignore[arg-type]
    asset = next(one for one in known.assets if one.name == known_name)
    return [one.text or "" for one in fromstring(picture(known, asset, ties(known))).iter(f"{SVG}text")]


def test_what_needs_it_stands_left_and_what_it_needs_right_with_the_word_for_it() -> None:
    found = texts("b", said("a"), said("b"), said("c"), needing("a", "b"), needing("b", "c", DependencyKind.DATA))
    assert found == ["needed by", "needs", "a", "server", "hard", "c", "server", "data", "b", "server"]


def test_hostile_names_are_only_text() -> None:
    name = "A & <B> 'C'"
    known = knowing(said("a&b".replace("&", "-")), said("GIS", AssetKind.PROCEDURE, title=name)).snapshot
    drawn = picture(known, next(one for one in known.assets if one.name == "GIS"), ())
    assert fromstring(drawn).tag == f"{SVG}svg" and "<script" not in drawn


def test_of_too_many_neighbours_the_rest_is_one_box() -> None:
    many = [said(f"m{at:03}", row=at) for at in range(MOST_ROWS + 6)]
    needs = [needing(f"m{at:03}", "hub", row=at) for at in range(MOST_ROWS + 6)]
    found = texts("hub", said("hub"), *many, *needs)
    assert "+ 7" in found and found.count("server") == MOST_ROWS
