"""Who can die in a night, and what is true in the morning. Every story is one that an operator may meet.

A few machines move in batches. The step in the middle must happen exactly once on each. The stories are played in the
simulated world (docs/reliability.md) with the real driver and the real rules; each ends with every machine moved,
nothing done twice, and the books equal to what the machines remember, unless the story says otherwise.
"""

from __future__ import annotations

from tests.scenarios.night_story import Night


def test_the_driver_dies_before_it_has_written_what_it_wants_to_start() -> None:
    """Nothing was started, and nothing is remembered; the next driver decides the same again."""
    night = Night()
    night.driver_dies_at_the_commit(of="run.intended", after=False)
    assert night.live_runs() == () and not night.world.runs.runs
    night.well_in_the_morning()


def test_the_driver_dies_when_it_has_written_what_it_wants_to_start_and_started_nothing() -> None:
    """The books name a run that nobody started. The next driver forbids it for ever and starts another one."""
    night = Night()
    night.driver_dies_at_the_commit(of="run.intended", after=True)
    (orphan,) = night.live_runs()
    night.well_in_the_morning()
    assert night.outcomes(orphan.id) == {("not_started", "never_started")}


def test_the_driver_dies_while_the_machines_work() -> None:
    """The work goes on without a driver. The next one reads what was written meanwhile and goes on behind it."""
    night = Night()
    run = night.goes_on_until_the_once_step_works()
    night.driver_dies()
    night.time_passes(60)
    assert night.times_done() == 1, "done while nobody drove"
    night.well_in_the_morning()
    assert (night.outcomes(run.id), night.attempts()) == ({("done", "")}, 1)


def test_the_driver_dies_when_a_run_has_ended_and_its_end_is_not_in_the_books() -> None:
    """The run's own files hold every line; they are read once more, and lines that are known are passed over."""
    night = Night()
    night.driver_dies_at_the_commit(of="run.ended", after=False)
    night.time_passes(5)
    night.well_in_the_morning()


def test_two_drivers_at_once() -> None:
    """The first one lost its seat without noticing. It can write nothing and start nothing any more."""
    night = Night()
    night.goes_on_until_the_once_step_works()
    first = night.second_driver_sits_down()
    assert night.tick_of(first) == "STO-017"
    night.well_in_the_morning()


def test_the_supervisor_of_a_run_dies() -> None:
    """Ansible goes on and its spool tells the end of every machine: nothing is lost, nothing is asked again."""
    night = Night()
    run = night.goes_on_until_the_once_step_works()
    night.world.runs.kill_supervisor(run.id)
    night.well_in_the_morning()
    assert (night.outcomes(run.id), night.attempts(), night.attempts("probe")) == ({("done", "")}, 1, 0)


def test_ansible_dies_and_its_work_on_the_machine_goes_on() -> None:
    """The result was never written. The step is unknown, a probe finds it done, and it is not done again."""
    night = Night()
    run = night.goes_on_until_the_once_step_works()
    night.world.runs.kill_main(run.id)
    night.well_in_the_morning()
    assert night.outcomes(run.id) == {("unknown", "result_lost")}
    assert (night.attempts(), night.attempts("probe")) == (1, 1)


def test_ansible_and_everything_it_started_dies() -> None:
    """A probe finds the step not done; only then it is begun once more."""
    night = Night()
    run = night.goes_on_until_the_once_step_works()
    night.world.runs.kill(run.id)
    night.well_in_the_morning()
    assert (night.attempts(), night.attempts("probe")) == (2, 1)


def test_a_program_on_a_machine_outlives_everything_and_ends_late() -> None:
    """Nobody believes a probe, and nobody begins again, while a program of the old attempt works on the machine."""
    night = Night()
    night.script.fate = "late"
    run = night.goes_on_until_the_once_step_works()
    night.world.runs.kill(run.id)
    night.well_in_the_morning()
    assert night.times_done() == 1


def test_the_database_is_away_for_an_hour() -> None:
    """The running step ends by itself; nothing new begins; when the database is back, everything is read in."""
    night = Night()
    run = night.goes_on_until_the_once_step_works()
    night.database_is_away(3600)
    assert night.times_done() == 1 and len(night.world.runs.runs) == len(night.entries("run.intended"))
    night.well_in_the_morning()
    assert night.outcomes(run.id) == {("done", "")}


def test_the_disk_of_kahns_machine_is_full() -> None:
    """Without room for a record ansible stops at once. What it had begun is unknown and is asked for."""
    night = Night()
    run = night.goes_on_until_the_once_step_works()
    night.world.runs.stop_recording(run.id)
    night.well_in_the_morning()
    assert {outcome for outcome, _cause in night.outcomes(run.id)} == {"unknown"}


def test_a_machine_is_not_reachable_before_the_step_begins() -> None:
    """Not started, tried again, and it is there the second time."""
    night = Night()
    night.goes_wrong("apc-001", night.once, "claim", "unreachable")
    night.well_in_the_morning()
    assert (night.attempts(), night.attempts("probe")) == (2, 0)


def test_the_connection_is_lost_after_the_step_was_done() -> None:
    """Lost sight is unknown, never failed: the probe says done."""
    night = Night()
    night.goes_wrong("apc-001", night.once, "act", "unreachable_done")
    night.well_in_the_morning()
    assert (night.attempts(), night.attempts("probe")) == (1, 1)


def test_a_machine_loses_its_power_in_the_middle_of_the_step() -> None:
    """Half of it is there. That is no state to go on from: it is taken back and compared with before."""
    night = Night()
    night.goes_wrong("apc-001", night.once, "act", "unreachable_half")
    night.goes_on()
    assert night.states()["apc-001"].startswith("rolled_back")
    assert night.world.runs.host("apc-001-id").whole == {}


def test_kahns_machine_loses_its_power() -> None:
    """Driver, supervisor and ansible are gone, and what was not synced with them; the machines are asked."""
    night = Night()
    night.goes_on_until_the_once_step_works()
    night.world.runs.power_cut()
    night.driver_dies()
    night.time_passes(120)
    night.well_in_the_morning()
    assert night.attempts("probe") == 1


def test_the_whole_site_loses_its_power() -> None:
    """Kahn's machine and the one being moved: half of the step is there. The probe says so, and it is taken back."""
    night = Night()
    night.script.fate = "half"
    night.goes_on_until_the_once_step_works()
    night.world.runs.power_cut()
    night.driver_dies()
    night.time_passes(600)
    night.goes_on()
    assert (night.times_done(), night.states()["apc-001"].split()[0]) == (0, "rolled_back")
    assert night.world.runs.host("apc-001-id").whole == night.world.runs.host("apc-001-id").half == {}


def test_the_clock_jumps_by_an_hour_in_both_directions() -> None:
    """The wave holds itself: nobody can say how much of the window is left. What was under way ends by itself and is
    not done twice. A person looks at the clock and lets the wave go on."""
    for hours in (1, -1):
        night = Night()
        run = night.goes_on_until_the_once_step_works()
        night.clock_jumps(hours=hours)
        night.goes_on()
        assert night.state() == "held clock_jumped"
        assert (night.outcomes(run.id), night.times_done()) == ({("done", "")}, 1)
        night.person_resumes()
        night.well_in_the_morning()


def test_the_clock_jumps_while_nobody_drives() -> None:
    """No driver saw it jump. A run that seems to be over its deadline is ended and asked for; nothing is done twice."""
    night = Night()
    night.goes_on_until_the_once_step_works()
    night.driver_dies()
    night.clock_jumps(hours=1)
    night.well_in_the_morning()


def test_the_network_to_all_machines_is_cut() -> None:
    """No machine of the batch is reached: what was done before the cut is taken back once they are there again, the
    wave is held by its budget before the next batch begins, and somebody is called."""
    night = Night()
    for _try in range(3):
        night.goes_wrong("apc-001", night.once, "claim", "unreachable")
    night.goes_on()
    assert night.state() == "held budget_spent"
    assert (night.times_done(), night.states()["apc-001"]) == (0, "rolled_back unreachable")
    assert {state for name, state in night.states().items() if name != "apc-001"} == {"planned"}
    assert [one.kind.value for one in night.world.store.rows.notices.values()] == ["held"]


def test_the_line_to_all_machines_is_cut_when_their_step_was_done() -> None:
    """All three machines of a batch fall silent at once. The line is to blame, not they: the wave holds itself and
    takes nothing back. Once it is there again, probes tell that the step was done, and two people let it go on.
    """
    night = Night()
    silent = ("apc-002", "apc-003", "apc-004")
    for name in silent:
        night.goes_wrong(name, night.once, "act", "unreachable_done")
    night.goes_on()
    assert night.state() == "held mass_unreachable"
    assert [one.kind.value for one in night.world.store.rows.notices.values()] == ["held"]
    assert {night.attempts("undo", name) for name in silent} == {0}
    night.person_resumes()
    night.well_in_the_morning()
    assert {night.attempts(asset=name) for name in silent} == {1}


def test_an_undo_is_killed_in_the_middle() -> None:
    """An undo is an attempt like any other: it is begun again until the machine is as before, or a person is asked."""
    night = Night()
    night.goes_wrong("apc-001", night.once, "act", "fail_half")
    night.goes_on(until=lambda: any(run.direction.value == "undo" for run in night.live_runs()))
    (undo,) = (run for run in night.live_runs() if run.direction.value == "undo")
    night.time_passes(2)
    night.world.runs.kill(undo.id)
    night.driver_dies()
    night.goes_on()
    assert night.states()["apc-001"].startswith("rolled_back")
    assert not night.world.runs.host("apc-001-id").half
