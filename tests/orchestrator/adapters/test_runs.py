"""Runs by real Ansible over real ssh: what they leave behind when everything goes well, and when anything dies."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from orchestrator.adapters.clock import SystemClock
from orchestrator.adapters.run_directory import RunRefused, build_run_directory
from orchestrator.adapters.runs import AnsibleRuns, RunStuck
from orchestrator.core.wave import RunId
from orchestrator.run_ports import RunOrder
from orchestrator.supervisor import files
from tests.run_orders import NOBODYS_KEY, SLOW, Field, pids_of, wait_until
from tests.sshd import Server, server

pytestmark = pytest.mark.ansible
__all__ = ["server"]

MARK = """
- name: leave a mark
  ansible.builtin.shell: echo "{{ kahn_attempt }}" >> /run/{{ kahn_run }}
"""


@pytest.fixture
def here(tmp_path: Path, server: Server) -> Iterator[Field]:
    """A state directory whose moves are reached over ssh; at the end no process of any of its runs lives."""
    made = Field(state=tmp_path / "state", server=server)
    yield made
    assert made.leave() == ()


def marks(here: Field, order: RunOrder) -> list[str]:
    """What the order's tasks wrote on the machine."""
    assert here.server is not None
    return here.server.text_of(f"/run/{order.run.id}").split()


def under_way(here: Field, order: RunOrder) -> RunOrder:
    """The order, started, with its slow task begun."""
    here.runs.start(order)
    wait_until(lambda: marks(here, order))
    return order


def pid_of_supervisor(here: Field, order: RunOrder) -> int:
    records = files.whole_records((here.directory(order) / files.RECORDS).read_bytes())
    return int(records[0]["pid"])


def pid_of_ansible(here: Field, order: RunOrder) -> int:
    """Ansible's main process: the oldest with its name."""
    return min(pid for pid, line in pids_of(order.run.id).items() if "ansible-playbook" in line)


def supervisor(here: Field, order: RunOrder) -> int:
    """Exit code of one more supervisor for the run's directory."""
    command = (sys.executable, "-m", "orchestrator.supervisor", here.directory(order))
    environment = {**os.environ, "KAHN_RUN": order.run.id}
    return subprocess.run(command, env=environment, capture_output=True, check=False).returncode


def built(here: Field, order: RunOrder) -> RunOrder:
    """The order with its directory built and nothing started."""
    here.runs._note_epoch(order)
    build_run_directory(order, here.runs._places)
    return order


def test_every_move_that_reached_the_last_task_is_done_and_has_both_receipts(here: Field, server: Server) -> None:
    order = here.order(MARK, assets=("pc-1", "pc-2"), once=True)
    assert {asset: found.kind for asset, found in here.played(order).items()} == {"pc-1": "done", "pc-2": "done"}
    attempts = sorted(attempt.id for attempt in order.run.attempts)
    assert sorted(marks(here, order)) == attempts
    ends = server.inside("sh", "-c", "head -qn1 /var/lib/kahn/pc-?/receipts/end").split()
    assert sorted(ends) == attempts


def test_a_finished_run_leaves_no_process_no_socket_and_no_notes_of_runner(here: Field) -> None:
    order = here.order(MARK)
    here.played(order)
    assert not pids_of(order.run.id)
    assert not list(here.sockets.iterdir())
    assert not (here.directory(order) / files.RUNNER).exists()


def test_a_run_directory_holds_no_key_and_nobody_else_can_enter(here: Field, server: Server) -> None:
    order = here.order(MARK)
    here.played(order)
    secret = server.key_file.read_text().splitlines()[1].encode()
    written = [path for path in here.directory(order).rglob("*") if path.is_file()]
    assert not [path for path in written if secret in path.read_bytes()]
    assert {path.stat().st_mode & 0o077 for path in [here.directory(order), *written]} == {0}


def test_a_start_is_in_the_spool_before_its_effect_and_no_process_shows_a_key(here: Field, server: Server) -> None:
    order = under_way(here, here.order(SLOW))
    tasks = [line.fields["task"] for line in here.runs.read(order.run.id, offset=0).lines if line.kind == "task_start"]
    secret = server.key_file.read_text().splitlines()[1]
    assert tasks[-1] == "work for a while"
    # Compiled Python beside plugins of the frozen tree would be a change of it.
    assert b"PYTHONDONTWRITEBYTECODE=1" in Path(f"/proc/{pid_of_ansible(here, order)}/environ").read_bytes()
    assert pids_of(order.run.id) and not [line for line in pids_of(order.run.id).values() if secret in line]
    here.over(order)


def test_other_roles_are_reached_by_delegation_and_by_their_ssh_arguments(here: Field) -> None:
    order = here.order(
        """
        - ansible.builtin.shell: echo delegated >> /run/{{ kahn_run }}
          delegate_to: "{{ kahn_roles.vault }}"
        - ansible.builtin.command:
            argv: "{{ kahn_ssh.vault + ['echo streamed >> /run/' ~ kahn_run] }}"
          delegate_to: localhost
        """
    )
    assert here.played(order)["pc-1"].kind == "done"
    assert marks(here, order) == ["delegated", "streamed"]


def test_after_kill_9_of_the_supervisor_the_play_goes_on_and_every_event_is_in_the_spool(here: Field) -> None:
    order = under_way(here, here.order(SLOW, once=True))
    ansible = pid_of_ansible(here, order)
    os.kill(pid_of_supervisor(here, order), signal.SIGKILL)
    assert here.runs.read(order.run.id, offset=0).alive
    assert not here.runs.close(order.run.id)
    assert pid_of_ansible(here, order) == ansible
    read = here.over(order)
    assert (read.exited, read.damaged, read.lines[-1].kind) == (False, "", "stats")
    assert here.judged(order)["pc-1"].kind == "done"
    assert marks(here, order) == ["begun", "ended"]


def test_after_kill_9_of_ansible_the_run_is_alive_while_a_fork_works_and_the_move_is_unknown(here: Field) -> None:
    order = under_way(here, here.order(SLOW))
    os.kill(pid_of_ansible(here, order), signal.SIGKILL)
    wait_until(lambda: here.runs.read(order.run.id, offset=0).exited)
    read = here.runs.read(order.run.id, offset=0)
    assert (read.alive, read.exit_code) == (True, -9)
    assert not here.runs.close(order.run.id)
    here.over(order)
    found = here.judged(order)["pc-1"]
    assert (found.kind, found.cause) == ("unknown", "result_lost")


def test_a_second_supervisor_refuses_while_the_first_works_and_afterwards(here: Field) -> None:
    order = under_way(here, here.order(SLOW))
    assert supervisor(here, order) == 71
    here.over(order)
    assert supervisor(here, order) == 71
    assert marks(here, order) == ["begun", "ended"]


def test_a_run_is_never_started_twice(here: Field) -> None:
    order = here.order(MARK)
    here.played(order)
    with pytest.raises(RunRefused, match="never started twice"):
        here.runs.start(order)
    assert len(marks(here, order)) == 1


def test_a_closed_run_never_starts(here: Field) -> None:
    order = built(here, here.order(MARK))
    assert here.runs.close(order.run.id)
    assert supervisor(here, order) == 71
    assert here.judged(order)["pc-1"].cause == "never_started"


def test_a_run_closed_between_supervisor_and_ansible_touches_nothing(here: Field) -> None:
    """As when the supervisor was killed before ansible had taken the lock."""
    order = built(here, here.order(MARK))
    assert here.runs.close(order.run.id)
    path = here.directory(order)
    names = {"KAHN_ALIVE": files.ALIVE, "KAHN_CLOSED": files.CLOSED, "KAHN_SPOOL": files.SPOOL}
    environment = {"PATH": os.environ["PATH"], "HOME": str(path), "ANSIBLE_CONFIG": str(path / files.CONFIG)}
    environment |= {name: str(path / file) for name, file in names.items()} | {"KAHN_RUN": order.run.id}
    command = (Path(sys.executable).parent / "ansible-playbook", "-i", path / files.INVENTORY, path / files.BOOK)
    assert subprocess.run(command, cwd=path, env=environment, capture_output=True, check=False).returncode == 70
    assert marks(here, order) == []


def test_closing_a_run_that_was_never_built_forbids_it_for_ever(here: Field) -> None:
    order = here.order(MARK)
    assert not here.runs.read(order.run.id, offset=0).started
    assert here.runs.close(order.run.id)
    with pytest.raises(RunRefused, match="never started twice"):
        here.runs.start(order)


def test_an_older_driver_cannot_start_a_run(here: Field) -> None:
    here.played(here.order(MARK, epoch=5))
    with pytest.raises(RunRefused, match="newer driver"):
        here.runs.start(here.order(MARK, epoch=4))


def test_a_late_supervisor_of_an_older_driver_refuses(here: Field) -> None:
    order = built(here, here.order(MARK, epoch=1))
    here.played(here.order(MARK, epoch=2))
    assert supervisor(here, order) == 71


def test_a_changed_file_in_the_run_directory_stops_the_start(here: Field) -> None:
    order = built(here, here.order(MARK))
    with (here.directory(order) / files.BOOK).open("a") as book:
        book.write(" ")
    assert supervisor(here, order) == 71


def test_kill_ends_every_process_of_the_run(here: Field) -> None:
    order = under_way(here, here.order(SLOW))
    here.runs.kill(order.run.id)
    here.enough(order)
    assert not pids_of(order.run.id)
    assert here.judged(order)["pc-1"].kind == "unknown"


def test_at_its_deadline_a_run_is_ended_by_its_own_supervisor(here: Field) -> None:
    for seconds in (6, 24, 96):  # the run must have begun by then, and a loaded machine takes its time
        order = here.order(SLOW, seconds=seconds)
        here.runs.start(order)
        here.finished(order)
        if marks(here, order):
            break
    here.enough(order)
    records = files.whole_records((here.directory(order) / files.RECORDS).read_bytes())
    assert records[-1]["over_time"] is True
    assert here.judged(order)["pc-1"].kind == "unknown"


def test_a_hang_up_and_the_death_of_its_starter_do_not_reach_a_run(here: Field) -> None:
    order = under_way(here, here.order(SLOW))
    os.kill(pid_of_supervisor(here, order), signal.SIGHUP)
    assert os.getsid(pid_of_supervisor(here, order)) != os.getsid(0)
    here.over(order)
    assert here.judged(order)["pc-1"].kind == "done"


def test_a_host_with_another_key_than_the_approved_one_is_not_touched(here: Field) -> None:
    order = here.order(MARK, once=True)
    move = order.content.moves[0]
    machines = tuple(replace(machine, host_key=NOBODYS_KEY) for machine in move.machines)
    order = replace(order, content=replace(order.content, moves=(replace(move, machines=machines),)))
    found = here.played(order)["pc-1"]
    assert (found.kind, found.cause) == ("not_started", "unreachable")
    assert marks(here, order) == []


def test_a_play_that_matches_no_host_is_no_success(here: Field) -> None:
    order = here.order(MARK)
    book = here.state / "trees" / order.content.runbook.tree / "try-out" / "act.yml"
    book.write_text(book.read_text().replace("hosts: kahn_moves", "hosts: nowhere"))
    found = here.played(order)["pc-1"]
    assert here.runs.read(order.run.id, offset=0).exit_code == 0
    assert (found.kind, found.cause) == ("not_started", "nothing_played")


def test_a_rescued_host_and_one_that_ends_early_are_done_and_a_failed_one_is_not(here: Field) -> None:
    order = here.order(
        """
        - ansible.builtin.debug: {msg: "{{ kahn_name }}"}
        - ansible.builtin.meta: end_host
          when: kahn_asset == 'pc-1'
        - block:
            - ansible.builtin.fail: {msg: no}
              when: kahn_asset == 'pc-2'
          rescue:
            - ansible.builtin.debug: {msg: rescued}
        - ansible.builtin.fail: {msg: "{{ 'n' * 9000 }}"}
          when: kahn_asset == 'pc-3'
        """,
        assets=("pc-1", "pc-2", "pc-3"),
    )
    found = here.played(order)
    assert [found[name].kind for name in ("pc-1", "pc-2", "pc-3")] == ["done", "done", "failed"]
    assert (found["pc-3"].cause, len(found["pc-3"].msg)) == ("task_failed", 4096)


def test_a_task_of_a_runbook_cannot_pass_for_the_proof(here: Field) -> None:
    """Its name and its effect are those of the last task, but it is not a task of the run's own book."""
    order = here.order("- ansible.builtin.debug: {msg: done}\n  name: NAME\n- ansible.builtin.fail: {msg: no}\n")
    book = here.state / "trees" / order.content.runbook.tree / "try-out" / "act.yml"
    book.write_text(book.read_text().replace("NAME", f"kahn_done {order.run.id}"))
    assert here.played(order)["pc-1"].kind == "failed"


@contextmanager
def small_disk(place: Path, *, mib: int) -> Iterator[Path]:
    """A file system of its own at the place."""
    place.mkdir(parents=True)
    subprocess.run(("mount", "-t", "tmpfs", "-o", f"size={mib}m", "none", place), check=True)
    try:
        yield place
    finally:
        subprocess.run(("umount", "--lazy", place), check=True)


def test_without_room_for_the_spool_no_machine_is_touched(here: Field) -> None:
    with small_disk(here.state / "runs", mib=2):
        order = here.order(MARK)
        found = here.played(order)["pc-1"]
        assert here.runs.read(order.run.id, offset=0).exit_code == 70
        assert (found.kind, marks(here, order)) == ("not_started", [])


def test_a_disk_that_fills_up_during_the_run_costs_no_line_and_no_exit(here: Field) -> None:
    with small_disk(here.state / "runs", mib=8) as disk:
        order = under_way(here, here.order(SLOW))
        subprocess.run(("dd", "if=/dev/zero", f"of={disk}/filler", "bs=4k"), capture_output=True, check=False)
        read = here.over(order)
        assert (read.exited, read.damaged) == (True, "")
        assert here.judged(order)["pc-1"].kind == "done"


@pytest.mark.parametrize("name", [files.SPOOL, files.RECORDS, files.ALIVE])
def test_a_link_in_the_place_of_a_runs_file_is_not_followed(here: Field, tmp_path: Path, name: str) -> None:
    order = here.order(MARK)
    here.played(order)
    path = here.directory(order) / name
    path.rename(tmp_path / "elsewhere")
    path.symlink_to(tmp_path / "elsewhere")
    read = here.runs.read(order.run.id, offset=0)
    assert "cannot be read" in read.damaged and read.lines == ()


def test_a_link_in_the_place_of_a_run_directory_is_not_followed(here: Field, tmp_path: Path) -> None:
    order = here.order(MARK)
    here.played(order)
    here.directory(order).rename(tmp_path / "elsewhere")
    here.directory(order).symlink_to(tmp_path / "elsewhere")
    assert here.runs.read(order.run.id, offset=0).damaged
    with pytest.raises(RunStuck, match="Not a directory"):
        here.runs.close(order.run.id)


@pytest.mark.parametrize("run", ["../x", "", "a/b", ".", "x" * 65, "a\0b"])
def test_only_a_plain_word_is_a_run_id(tmp_path: Path, run: str) -> None:
    clock = SystemClock()
    runs = AnsibleRuns(state=tmp_path, trees=tmp_path, ansible_playbook=tmp_path, clock=clock, sockets=tmp_path)
    assert runs.read(RunId(run), offset=0).damaged
    with pytest.raises(RunStuck):
        runs.close(RunId(run))


def test_reading_on_from_an_offset_gives_each_line_once(here: Field) -> None:
    order = here.order(MARK)
    here.runs.start(order)
    offset, seen = 0, []
    while True:
        read = here.runs.read(order.run.id, offset=offset)
        offset = read.offset
        seen += [line.seq for line in read.lines]
        if not read.alive:
            break
    rest = here.runs.read(order.run.id, offset=offset)
    seen += [line.seq for line in rest.lines]
    assert seen == list(range(1, (rest.last_seq or 0) + 1))


def test_a_state_directory_that_cannot_be_used_refuses_the_run(here: Field) -> None:
    """A damaged note of the epoch, or no room for sockets: expected trouble, which holds the wave and nothing else."""
    order = here.order(MARK)
    (here.state / "epoch").write_text("?")
    with pytest.raises(RunRefused, match="state directory cannot be used"):
        here.runs.start(order)
    (here.state / "epoch").unlink()
    runs = AnsibleRuns(
        state=here.state, trees=here.state / "trees", ansible_playbook=here.state, clock=here.clock,
        sockets=here.state / "missing",
    )  # fmt: skip
    with pytest.raises(RunRefused, match="state directory cannot be used"):
        runs.start(order)


def test_the_highest_epoch_that_started_a_run_here_is_remembered(here: Field) -> None:
    assert here.runs.epoch() == 0
    here.played(here.order(MARK, epoch=7))
    assert here.runs.epoch() == 7
