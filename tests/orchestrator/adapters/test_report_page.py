"""The page of the management report: complete, self-contained, harmless, accessible."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterator
from dataclasses import replace
from html.parser import HTMLParser
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.adapters.report_page import BAR_UNITS, SIGNS, bar_parts, bar_words, management_page
from orchestrator.core.places import Place, WaveCase, tally
from orchestrator.core.report import Freshness, management_report
from orchestrator.texts import use_language
from tests.orchestrator.core.builders import OPENS, Game, a_wave, failing_at
from tests.orchestrator.core.played import a_case, grounds

EVIL = "<script>alert(1)</script>\"'>{{ 7*7 }}\x1b[31m"
VOID = {"meta", "br", "link", "img"}


@pytest.fixture
def german() -> Iterator[None]:
    use_language("de")
    yield
    use_language("en")


class Reader(HTMLParser):
    """Tags with their attributes, and whether they close in order."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def all(self, *tags: str) -> list[dict[str, str | None]]:
        """Attributes of these tags, in order."""
        return [attributes for tag, attributes in self.found if tag in tags]


def a_night_with_one_back() -> WaveCase:
    return a_case(Game(a_wave(), choose=failing_at("a03", "copy")).play())


def a_page(*cases: WaveCase, **other: object) -> str:
    return management_page(management_report(grounds(*cases, **other)))  # type: ignore[arg-type]


def test_the_page_begins_with_the_truth_and_shows_numbers_with_denominators() -> None:
    page = a_page(a_night_with_one_back())
    assert "<h1>3 of 4 machines are moved; one is back on its old machine, proven as before;" in page
    assert "apc-a03" in page and "rolled back, proven" in page


def test_the_page_is_well_formed_and_loads_nothing() -> None:
    page = a_page(a_night_with_one_back())
    reader = Reader(page)
    assert reader.open == []
    assert not reader.all("script", "link", "img", "iframe", "form", "object")
    assert not any(
        name.startswith("on") or name in ("style", "src", "href") for _, all_ in reader.found for name in all_
    )


def test_only_the_page_s_own_style_is_let_in() -> None:
    page = a_page(a_night_with_one_back())
    (style,) = re.findall(r"<style>(.*?)</style>", page, re.S)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = next(one["content"] for one in Reader(page).all("meta") if one.get("http-equiv"))
    assert policy == f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"


def test_hostile_names_do_nothing() -> None:
    case = a_night_with_one_back()
    moves = tuple(replace(move, name=EVIL, department=EVIL) for move in case.content.moves)
    page = a_page(replace(case, content=replace(case.content, moves=moves)), snapshot=grounds().snapshot)
    assert "<script" not in page and "\x1b" not in page
    assert "&lt;script&gt;" in page and "{{ 7*7 }}" in page
    assert Reader(page).open == []


def test_tables_have_headings_that_say_what_they_head() -> None:
    reader = Reader(a_page(a_night_with_one_back()))
    assert all(one.get("scope") in ("col", "row") for one in reader.all("th"))
    levels = [int(tag[1]) for tag, _ in reader.found if tag in ("h1", "h2", "h3")]
    assert levels[0] == 1 and all(after - before <= 1 for before, after in pairwise(levels))


def test_bars_are_told_in_words_as_well() -> None:
    bars = [one for one in Reader(a_page(a_night_with_one_back())).all("svg") if one.get("role") == "img"]
    assert bars and all(one["aria-label"] == "3 moved, 1 rolled back of 4" for one in bars)


def test_the_page_of_an_empty_tenant_says_so() -> None:
    page = a_page()
    assert "<h1>There is nothing to move yet.</h1>" in page
    assert Reader(page).open == []


def test_a_damaged_record_is_shouted() -> None:
    damaged = Freshness(as_of=OPENS, entries=3, head="", whole=False, why_broken="entry 2 is missing")
    page = a_page(a_night_with_one_back(), freshness=damaged)
    assert "The record is damaged (entry 2 is missing)" in page and "DAMAGED: entry 2 is missing" in page


def test_a_held_and_a_proposed_wave_are_shown_with_their_decisions() -> None:
    held = Game(a_wave(batch_budget=0, batches={"canary": 1, "b1": 2}), choose=failing_at("a01", "copy")).play()
    page = a_page(a_case(held))
    assert "Wave W01 is held: more went wrong than was agreed." in page
    assert "kahn wave resume W01" in page


@pytest.mark.usefixtures("german")
def test_the_german_page_is_german() -> None:
    page = a_page(a_night_with_one_back())
    assert '<html lang="de">' in page
    assert "machines are moved" not in page


@given(st.lists(st.sampled_from(list(Place)), max_size=300))
def test_a_bar_is_as_long_as_its_parts_and_shows_each(places: list[Place]) -> None:
    counted = tally(places)
    parts = bar_parts(counted)
    assert {part.place for part in parts} == set(places) - {Place.STAYS}
    assert all(part.width > 0 for part in parts)
    if parts:
        assert abs(sum(part.width for part in parts) - BAR_UNITS) < 1
        assert bar_words(counted).endswith(f"of {counted.to_move}")


def test_every_place_has_a_sign_of_its_own() -> None:
    assert set(SIGNS) == set(Place) and len(set(SIGNS.values())) == len(Place)


def test_commands_in_sentences_are_set_as_code_and_everything_else_is_escaped() -> None:
    case = a_case(Game(a_wave()))
    page = management_page(management_report(replace(grounds(case), cases=())))
    assert "Propose a plan: <code>kahn plan propose</code>." in page
