"""The management report: numbers add up, bad news comes in full."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import timedelta

from hypothesis import given

from orchestrator.core.decisions import About
from orchestrator.core.places import TO_MOVE, Place, WaveCase
from orchestrator.core.report import Freshness, ManagementReport, Setback, management_report
from tests.orchestrator.core.builders import OPENS, Game, a_wave, failing_at
from tests.orchestrator.core.played import a_case, before_start, briefly, games, grounds, key
from tests.orchestrator.core.test_opening_check import a_procedures_wave, played


def clauses(report: ManagementReport) -> list[str]:
    return [clause.text for clause in report.headline]


@briefly
@given(games())
def test_departments_add_up_to_the_whole(game: Game) -> None:
    report = management_report(grounds(a_case(game), now=game.now, more=4))
    assert sum(line.tally.to_move for line in report.departments) == report.total.to_move == 11
    for place in TO_MOVE:
        assert sum(line.tally.of(place) for line in report.departments) == report.total.of(place)


@briefly
@given(games())
def test_leftovers_and_setbacks_add_up_to_their_numbers(game: Game) -> None:
    report = management_report(grounds(a_case(game), now=game.now, more=2))
    assert sum(len(line.names) for line in report.leftovers) == report.total.of(Place.UNPLANNED) == 2
    listed = sum(group.size for group in report.setbacks)
    assert listed >= report.total.of(Place.ROLLED_BACK, Place.UNKNOWN, Place.NEEDS_PERSON)


def test_an_empty_tenant_has_nothing_to_move() -> None:
    report = management_report(grounds())
    assert clauses(report) == ["there is nothing to move yet"]
    assert (report.total.to_move, report.departments, report.decisions, report.coming) == (0, (), (), ())


def test_an_inventory_without_a_plan_has_no_date() -> None:
    report = management_report(replace(grounds(a_case(Game(a_wave()))), cases=()))
    assert clauses(report)[0] == "there is no plan yet: none of 4 machines has a date"
    assert [one.about for one in report.decisions] == [About.PLAN]


def test_a_wave_that_went_well_leaves_nothing_to_decide() -> None:
    report = management_report(grounds(a_case(Game(a_wave()).play())))
    assert clauses(report) == ["4 of 4 machines are moved", "nothing waits for a person"]
    assert report.setbacks == ()


def test_a_closed_wave_with_one_rolled_back_says_so_and_asks_for_a_new_plan() -> None:
    report = management_report(grounds(a_case(Game(a_wave(), choose=failing_at("a03", "copy")).play())))
    assert clauses(report)[:2] == [
        "3 of 4 machines are moved",
        "one is back on its old machine, proven as before",
    ]
    assert [(one.name, one.step, one.place) for group in report.setbacks for one in group.assets] == [
        ("apc-a03", "Copy", Place.ROLLED_BACK)
    ]
    assert [one.about for one in report.decisions] == [About.PLAN]


def test_a_held_wave_is_under_way_and_waits_for_a_decision() -> None:
    game = Game(a_wave(batch_budget=0, batches={"canary": 1, "b1": 2}), choose=failing_at("a01", "copy")).play()
    report = management_report(grounds(a_case(game)))
    assert [(one.key, one.state) for one in report.under_way] == [("W01", "held")]
    assert report.decisions[0].about is About.HELD
    assert report.total.of(Place.HELD) == 2


def test_a_wave_that_stays_open_for_a_counter_says_when_that_opens() -> None:
    game = played(Game(a_procedures_wave()))
    (wave,) = management_report(grounds(a_case(game))).under_way
    assert wave.opening is not None and (f"{wave.opening:%H:%M}", wave.state) == ("07:30", "soaking")


def test_an_unknown_state_is_named_and_never_counted_as_moved() -> None:
    game = Game(a_wave(batches={"canary": 1}), choose=failing_at("a01", "switch", "unknown"))
    for _ in range(60):
        if "unknown" in game.states.values():
            break
        from orchestrator.core.decide import next_commands

        for command in next_commands(game.content, game.progress, game.now):
            game.carry_out(command)
    report = management_report(grounds(a_case(game)))
    assert "the state of one is unknown" in clauses(report)
    assert report.total.of(Place.MOVED) == 0


def test_a_damaged_record_stands_before_every_figure() -> None:
    damaged = Freshness(as_of=OPENS, entries=3, head="", whole=False, why_broken="its bytes do not match its hash")
    report = management_report(grounds(a_case(Game(a_wave()).play()), freshness=damaged))
    assert clauses(report)[0] == "the record is damaged, so these figures prove nothing"


def test_a_setback_that_was_overcome_is_only_counted() -> None:
    first = Game(a_wave(batches={"canary": 1}), choose=failing_at("a01", "copy")).play()
    window = first.content.window
    later = replace(window, opens=window.opens + timedelta(days=7), closes=window.closes + timedelta(days=7))
    second = a_case(Game(a_wave(batches={"canary": 1})).play(), key=key("W02"), window=later)
    report = management_report(grounds(a_case(first), second))
    assert (report.setbacks, report.recovered) == ((), 1)
    assert report.total.of(Place.MOVED) == 1


def test_a_wave_that_comes_shows_which_approvals_are_missing() -> None:
    proposed = a_case(before_start(Game(a_wave()), acts=1))
    report = management_report(grounds(WaveCase(content=proposed.content, progress=proposed.progress)))
    assert [(one.key, one.approvals, one.needed) for one in report.coming] == [("W01", 0, 1)]


def test_no_figure_is_about_a_person_who_works() -> None:
    assert {"person", "technician", "by"}.isdisjoint(field.name for field in fields(Setback))
