"""The screen of one wave."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from orchestrator.cli.wave_screen import SIGNS, bar, render
from orchestrator.core.lifecycle import MoveState, WaveState
from orchestrator.core.places import WaveCase
from orchestrator.core.wave_view import BatchLine, WaveView, view_of_case
from orchestrator.texts import use_language
from tests.orchestrator.core.builders import OPENS, Game, a_wave, failing_at
from tests.orchestrator.core.played import a_case, briefly, games, lost_at_the_switch
from tests.orchestrator.core.test_opening_check import a_procedures_wave, played

EVIL = "[red]x[/red]\x1b[2J\u202e{0}"


def shown(view: WaveView, *, width: int = 120, **options: object) -> str:
    console = Console(file=io.StringIO(), width=width, no_color=True)
    console.print(render(view, **options))  # type: ignore[arg-type]
    return str(console.file.getvalue())  # type: ignore[attr-defined]


def one_back() -> WaveView:
    game = Game(a_wave(), choose=failing_at("a03", "copy")).play()
    return view_of_case(a_case(game), now=game.now)


def test_the_screen_shows_state_batches_and_what_is_not_well() -> None:
    text = shown(one_back())
    for part in ("W01", "CLOSED", "IF NOBODY ACTS", "canary", "##x", "NOT WELL (1)", "apc-a03", "2/3 copy"):
        assert part in text


def test_hostile_names_are_shown_as_they_are_and_do_nothing() -> None:
    game = Game(a_wave(), choose=failing_at("a03", "copy")).play()
    moves = tuple(replace(move, name=EVIL, department=EVIL) for move in game.content.moves)
    text = shown(view_of_case(a_case(game, moves=moves), now=game.now), last=[EVIL], width=300)
    assert r"[red]x[/red]\x1b[2J\x202e{0}" in text
    assert "\x1b" not in text and "\u202e" not in text


@briefly
@given(games())
def test_every_wave_can_be_drawn_at_any_width(game: Game) -> None:
    view = view_of_case(a_case(game), now=game.now)
    assert all(shown(view, width=width) for width in (40, 100))


@pytest.mark.parametrize("state", list(WaveState))
def test_every_state_of_a_wave_can_be_drawn(state: WaveState) -> None:
    game = Game(a_wave())
    case = WaveCase(content=game.content, progress=replace(game.progress, state=state))
    assert state.value.replace("_", " ").upper() in shown(view_of_case(case, now=OPENS))


@given(st.dictionaries(st.sampled_from(list(MoveState)), st.integers(1, 400)), st.integers(10, 40))
def test_a_bar_leaves_no_state_out(counts: dict[MoveState, int], width: int) -> None:
    size = sum(counts.values())
    line = BatchLine(name="b", size=size, counts={state: counts.get(state, 0) for state in MoveState}, begun=True)
    drawn = bar(line, width=width).plain
    assert len(drawn) == min(width, size) or len(counts) > width
    assert set(drawn) == {SIGNS[state] for state in counts}


def test_long_lists_are_cut_with_their_number() -> None:
    wave = a_wave(batches={"b1": 6}, auto_rollback_max=0)
    game = Game(
        wave, choose=lambda a, s, d, n: ("failed", {}) if s == "look" else ("done", {"kahn": {"baseline": "d"}})
    )
    text = shown(view_of_case(a_case(game.play()), now=game.now), rows=2)
    assert "... and 4 more" in text


def test_the_screen_speaks_german() -> None:
    use_language("de")
    try:
        assert "IF NOBODY ACTS" not in shown(one_back())
    finally:
        use_language("en")


def test_no_heading_is_broken_inside_a_word_on_a_narrow_screen() -> None:
    """Where the columns do not fit, the counts are told in words; they still add up to the size."""
    game = Game(a_wave(batches={"canary": 1, "b1": 12}))
    counts = dict(game.progress.moves)
    states = (MoveState.RUNNING, MoveState.ROLLING_BACK, MoveState.HELD, MoveState.UNKNOWN)
    for asset, state in zip(list(counts)[1:], states, strict=False):
        counts[asset] = replace(counts[asset], state=state, since=OPENS)
    view = view_of_case(replace(a_case(game), progress=replace(game.progress, moves=counts)), now=OPENS)
    for language, wanted in (
        ("en", "13: 1 running, 1 rolling back, 1 unknown, 1 held, 9 waiting"),
        ("de", "13: 1 laufend, 1 im Rückfall, 1 unbekannt, 1 zurückgestellt, 9 wartend"),
    ):
        use_language(language)
        try:
            assert wanted in " ".join(shown(view, width=80).split())
        finally:
            use_language("en")
    assert "rolling back  unknown" in shown(view, width=120)


def test_what_was_lost_sight_of_and_who_waits_for_it_stand_on_the_screen() -> None:
    game = lost_at_the_switch().play()
    text = " ".join(shown(view_of_case(a_case(game), now=game.now)).split())
    assert "step 3/4 switch: begun, not finished; point of no return: not reached" in text
    assert "may be unable to work: 2, the first since 22:00" in text


def test_causes_for_which_assets_went_back_stand_on_the_screen_with_what_helps() -> None:
    assert "WENT BACK OR STAYED BEHIND (1)" in shown(one_back())


def test_the_hour_for_which_a_wave_stays_open_stands_on_the_screen() -> None:
    game = played(Game(a_procedures_wave()))
    assert "opening check of apc-a01 at 07:30: to come" in shown(view_of_case(a_case(game), now=game.now))
